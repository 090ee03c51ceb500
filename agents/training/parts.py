"""How long a signal may have to wait: the longest part of one update, at default settings.

    python -m agents.training.parts [LEARNER ...]

A training that is told to stop leaves between the parts of an update, or, for learners whose
update has none, after it.  So the longest part is what is promised of a learner on this machine
(promise 9), in seconds of one core; saving comes on top, some tenths of a second.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Sequence
from typing import NamedTuple

import torch

from agents.interruption import leaving_if
from agents.registry import LEARNERS
from social_dilemmas_env.validation import nearest

GAMES = ("coin_game_v0", "ipd_v0")


class Parts(NamedTuple):
    """Of one update, seconds of one core."""

    longest: float  # part
    whole: float  # update


def longest_part(learner: str, env_id: str, updates: int = 1, seed: int = 0) -> Parts:
    """The longest part among some updates, and the longest of these.

    Args:
        learner: a name in LEARNERS.
        env_id: the game, with its default arguments.
        updates: how many to look at.
        seed: of the learner.

    Raises:
        ValueError: a learner without a loop, or one that does not fit the game.
    """
    spec = LEARNERS[learner]
    made = spec.make(spec.settings(env_id), env_id, {}, seed, "cpu")
    ends: list[float] = []

    def note() -> bool:
        ends.append(time.process_time())
        return False

    longest = whole = 0.0
    for _ in range(updates):
        ends.clear()
        note()
        with leaving_if(note):
            made.update()
        note()
        parts = [after - before for before, after in itertools.pairwise(ends)]
        longest, whole = max(longest, *parts), max(whole, sum(parts))
    return Parts(longest, whole)


def main(argv: Sequence[str] | None = None) -> None:
    """Prints a line for each learner and each game that it fits."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("learners", nargs="*", metavar="LEARNER", help="default: all")
    chosen = parser.parse_args(argv).learners or list(LEARNERS)
    if unknown := [name for name in chosen if name not in LEARNERS]:
        parser.error(f"there is no learner {unknown[0]!r}; {nearest(unknown[0], LEARNERS)}")
    torch.set_num_threads(1)

    for learner in chosen:
        for env_id in GAMES:
            try:
                found = longest_part(learner, env_id)
            except ValueError:  # it has a loop of its own, or is for other games
                continue
            times = f"longest part {found.longest:6.2f} s, update {found.whole:6.2f} s"
            print(f"{learner:22} {env_id:13} {times}", flush=True)


if __name__ == "__main__":
    main()
