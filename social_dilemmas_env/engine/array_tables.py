"""The tables of a game as array engines look things up in them.

Each is made once for all engines of the same rules, from `tables`, and is read-only.  S is the
number of states, J of joint actions, N of players, V of observation ids, F of numbers in one
player's observation.
"""

import math
from functools import lru_cache
from typing import Any

import numpy as np

from social_dilemmas_env.engine.tables import (
    MAX_ENTRIES,
    frozen,
    num_states,
    observation_ids,
    observations,
    tables,
)
from social_dilemmas_env.games.game import Draw, Game, decode, encode

# Numbers in an `observation_table`, made when asked for: 256 MB; the 7x7 Coin Game has 46 million.
MAX_TABLE = 1 << 26


@lru_cache(maxsize=64)
def next_codes(game: Game) -> np.ndarray:
    """[S * J], for `state = successors[next_codes[s * J + a] + outcome_index]`.

    The outcome index is 0 unless the next code is S or more, where chance has to act.
    """
    table = tables(game)
    pending = table.next_code >= table.num_states
    first_outcome = table.num_states + (table.next_code - table.num_states) * table.span
    codes = np.where(pending, first_outcome, table.next_code)
    small = codes.max(initial=0) < 1 << 15
    return frozen(codes.astype(np.int16 if small else np.int32))


@lru_cache(maxsize=64)
def successors(game: Game) -> np.ndarray:
    """[S + P * L]: every state, then what chance makes of each pending board; see `next_codes`."""
    table = tables(game)
    return frozen(np.concatenate([np.arange(table.num_states), table.outcomes]))


@lru_cache(maxsize=64)
def joint_rewards(game: Game, dtype: str = "float32") -> np.ndarray:
    """Rewards [S * J, N] in this dtype; where they are noisy, their codes, int32."""
    codes = tables(game).rewards
    return codes if game.reward_noise else frozen(reward_table(game, dtype)[codes])


def reward_table(game: Game, dtype: str = "float32") -> np.ndarray:
    """Reward code -> reward in this dtype, without noise."""
    return np.array(game.reward_values, np.float64).astype(dtype)


@lru_cache(maxsize=64)
def state_ids(game: Game) -> np.ndarray:
    """Observation ids of all players in all states, int32 [S, N]."""
    return frozen(observation_ids(game, np.arange(num_states(game))).astype(np.int32))


@lru_cache(maxsize=16)
def observation_table(game: Game) -> np.ndarray:
    """The float32 observations of all ids, flat: [V, F]."""
    ids = np.arange(observation_count(game))
    return frozen(observations(game, ids).reshape(len(ids), -1))


def observation_count(game: Game) -> int:
    """Number of observation ids V, reachable or not."""
    return math.prod(game.view_sizes)


def start_bases(game: Game) -> dict[int, int] | None:
    """The streams that the start of an episode draws from, and how many values each has.

    None if there are too many starts, or if the numbers of values depend on earlier draws.
    """
    found = _starts(game)
    return None if found is None else found[0]


def start_states(game: Game) -> np.ndarray:
    """Every way an episode can start, int32: the state of given draws stands at their code.

    The code is mixed-radix, in the order of `start_bases`.
    """
    found = _starts(game)
    assert found is not None
    return found[1]


@lru_cache(maxsize=64)
def _starts(game: Game) -> tuple[dict[int, int], np.ndarray] | None:
    # What the players' places are drawn from.
    counts: dict[int, Any] = {}

    def note(stream: int, n: Any) -> Any:
        counts[stream] = n
        return n * 0

    game.start(note)
    certain = all(isinstance(n, int) for n in counts.values())
    if not counts or not certain or math.prod(counts.values()) > MAX_ENTRIES:
        return None

    # What chance fills in, on any of these boards.
    choices = game.chances(game.start(_digits(counts)))
    filled = {k: math.lcm(*np.unique(count).tolist()) for k, count in enumerate(choices)}
    starts = math.prod(counts.values()) * math.prod(filled.values())
    if filled.keys() & counts.keys() or starts > MAX_ENTRIES:
        return None

    # Every combination of the two.
    draw = _digits(counts | filled)
    states = encode(game.chance(game.start(draw), draw), game.sizes)
    bases = {stream: n for stream, n in (counts | filled).items() if n > 1}
    return bases, frozen(states.astype(np.int32))


def _digits(counts: dict[int, int]) -> Draw:
    """Draws every combination of values once."""
    columns = decode(np.arange(math.prod(counts.values())), tuple(counts.values()))
    digits = dict(zip(counts, columns, strict=True))
    return lambda stream, n: digits[stream] * n // counts[stream]
