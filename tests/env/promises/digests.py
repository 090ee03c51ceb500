"""Digests of 1,000-step games, one for each game and variant: the games that a seed stands for,
committed.

    python -m tests.env.promises.digests [GAME ...] prints them as JSON, all or these
    python -m tests.env.promises.digests --write    rewrites digests.json

A change of digests.json is a change of every reported result: it needs a new version of the games
concerned and a line in their version histories."""

import hashlib
import json
import sys
from pathlib import Path

from tests.helpers.games import GAMES, make, play_new

FILE = Path(__file__).with_name("digests.json")
STEPS = 1_000


def digest(name: str) -> str:
    """sha256 over every bit of what `reset` and 1,000 steps returned, and of the state in which
    they ended."""
    env = make(name)
    records = play_new(env, seed=2026, steps=STEPS, dice_seed=len(name))
    end = json.dumps(
        env.get_state()[1:]
    )  # without the name of the rules, which is an implementation's business
    return hashlib.sha256(b"\n".join([*records, end.encode()])).hexdigest()


def digests(*names: str) -> dict[str, str]:
    """Of these games, or of all."""
    return {name: digest(name) for name in names or GAMES}


if __name__ == "__main__":
    write = sys.argv[1:] == ["--write"]
    text = json.dumps(digests(*() if write else sys.argv[1:]), indent=1) + "\n"
    if write:
        FILE.write_text(text)
    else:
        sys.stdout.write(text)
