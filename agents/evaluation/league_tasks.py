"""Large leagues: chunks of pairs as tasks, results as lines on the disk, time and memory first.

    spec = LeagueSpec(("tit_for_tat", "runs/x", ...), "coin_game_v0", episodes=32)
    league = run_league(spec, executor, ResultLines(Path("league.jsonl")))

Every process reads the agents once. A league that was stopped goes on where it was, and so does one
with more entries at the end of its list: what was played stays. A pair is played again when one of
its entries has changed: another checkpoint, another file.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from agents.evaluation.entrants import Entrant, enter
from agents.evaluation.league import League, league_of
from agents.evaluation.pairs import Pair, Played, Roster, play_pairs
from agents.execution.memory import peak_memory
from agents.tasks.executors import Executor
from agents.tasks.progress import describe_seconds, progress
from agents.tasks.result_lines import ResultLines
from social_dilemmas_env.single_agent.files import is_file_word

TRIAL = 32  # pairs that are played first, to say how long all of them take


@dataclass(frozen=True)
class LeagueSpec:
    """A league of entries that have names, in words that can be sent to another process."""

    words: tuple[str, ...]  # the entries; see players.py
    env_id: str
    game: str = "{}"  # the game's arguments, as JSON
    episodes: int = 32  # a pair
    seed: int = 0


@lru_cache(maxsize=1)
def make_roster(spec: LeagueSpec) -> Roster:
    """The league with its agents, read once in a process.

    Raises:
        ValueError: an unknown name, or an agent of another game.
    """
    game = json.loads(spec.game)
    entrants = enter(spec.words, spec.env_id, game)
    return Roster(entrants, spec.env_id, game, spec.episodes, spec.seed)


@dataclass(frozen=True)
class Chunk:
    """Pairs that are played together."""

    pairs: tuple[Pair, ...]

    def __str__(self) -> str:
        """Such as "64 pairs from 3-17 on", by places in the table."""
        i, j = self.pairs[0]
        return f"{len(self.pairs)} pairs from {i + 1}-{j + 1} on"


def play_chunk(spec: LeagueSpec, chunk: Chunk) -> list[Played]:
    """What a worker does: the results of a chunk's pairs, in their order."""
    roster = make_roster(spec)
    torch: Any = sys.modules.get("torch")  # loaded by agents, if there are any
    if torch is not None:
        torch.set_num_threads(1)  # small tensors: two threads are slower than one

    played = play_pairs(roster, chunk.pairs)
    return [played[pair] for pair in chunk.pairs]


def run_league(
    spec: LeagueSpec,
    executor: Executor,
    lines: ResultLines | None = None,
    say: Callable[[str], None] = lambda sentence: None,
) -> League:
    """Plays the pairs that have not been played.

    Args:
        spec: the league.
        executor: where it is played.
        lines: where results go as they come, and those of before come from; None: nowhere.
        say: told what there is to do, and how much time and memory it takes.

    Raises:
        ValueError: an unknown name, or an agent of another game.
        ChildProcessError: workers were lost too often; what was played is stored.
        OSError: a result could not be written.
    """
    roster = make_roster(spec)
    facts = pair_facts(spec, roster)
    results: dict[Pair, Played] = {}
    if lines is not None:
        results = {pair: lines[facts(pair)] for pair in roster.pairs() if facts(pair) in lines}
    missing = [pair for pair in roster.pairs() if pair not in results]

    def take(chunk: Chunk, played: Sequence[Played]) -> None:
        results.update(zip(chunk.pairs, played, strict=True))
        if lines is not None:
            names = [[roster.entrants[k].name for k in pair] for pair in chunk.pairs]
            named = [{"pair": pair, **each} for pair, each in zip(names, played, strict=True)]
            lines.add(zip(map(facts, chunk.pairs), named, strict=True))

    # Some of all kinds first: they say what the rest will take.
    count = len(missing)
    if count > 2 * TRIAL:
        chunk, begin = sample(roster, missing), time.process_time()
        take(chunk, play_chunk(spec, chunk))
        a_pair = (time.process_time() - begin) / len(chunk.pairs)
        say(describe(roster, count, a_pair * (count - len(chunk.pairs))))
        missing = [pair for pair in missing if pair not in results]

    chunks = [Chunk(tuple(pairs)) for pairs in roster.chunks(missing)]
    with progress(f"{len(roster.pairs())} pairs", len(missing)) as advance:
        for chunk, played in executor(partial(play_chunk, spec), chunks):
            take(chunk, played)
            if len(chunks) > 1:
                advance(len(played), str(chunk))
    return league_of(roster, results)


def sample(roster: Roster, missing: Sequence[Pair]) -> Chunk:
    """Pairs of all kinds, a few that follow one another from each of several places."""
    order = [pair for pairs in roster.chunks(missing) for pair in pairs]
    runs, places = 8, TRIAL // 8
    starts = [k * (len(order) - runs) // (places - 1) for k in range(places)]
    return Chunk(tuple(pair for start in starts for pair in order[start : start + runs]))


def pair_facts(spec: LeagueSpec, roster: Roster) -> Callable[[Pair], dict[str, Any]]:
    """(pair) -> everything that its result goes by."""
    entries = [
        entry_facts(word, entrant)
        for word, entrant in zip(spec.words, roster.entrants, strict=True)
    ]
    return lambda pair: {
        **roster.settings,
        "pair": list(pair),
        "entries": [entries[k] for k in pair],
    }


def entry_facts(word: str, entrant: Entrant) -> str:
    """What an entry is: its word, and a digest of what it was trained to or of its file."""
    facts = b""
    if is_file_word(word):
        facts = Path(word.rpartition(":")[0]).read_bytes()
    else:
        agent = getattr(entrant.make(0, 0), "agent", None)
        if agent is not None:
            facts = json.dumps(agent.facts, sort_keys=True).encode()
    return f"{word} {hashlib.sha256(facts).hexdigest()[:16]}"


def describe(roster: Roster, count: int, seconds: float) -> str:
    """What there is to do."""
    all_pairs = f"{len(roster.entrants)} entries, {len(roster.pairs())} pairs"
    games = f"{count} of them to play, {roster.episodes} episodes each"
    memory = peak_memory()  # of a few pairs of each kind: whole chunks of them take more
    size = f", at least {memory / 1e9:.1f} GB in each process" if memory is not None else ""
    return f"{all_pairs}, {games}: about {describe_seconds(seconds)} of one core{size}"
