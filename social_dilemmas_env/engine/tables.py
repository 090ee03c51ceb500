"""A game with few boards, enumerated into lookup tables.

Everything is computed from the rules (`games/`); the tables hold no second definition of any of
them.

    states      [S, C]        every board, by its code
    next_code   [s * J + a]   code of the next state or, where chance has to act, S + index of a
                              pending board
    outcomes    [p * L + i]   what chance makes of pending board p, i uniform in [0, L)
    rewards     [S * J, N]    reward codes of all players, by s * J + a

J is the number of joint actions.  L is the least common multiple of the numbers of choices chance
has on the pending boards, so that one multiply-shift, `outcome_index = word * L >> 32`, picks
exactly the outcome that `word * n >> 32` picks by the rules:

    floor(floor(w L / 2^32) / (L / n)) = floor(w n / 2^32)

Where chance makes several choices at once, `bases` says how the index is composed:

    outcome_index = sum over streams k of (word_k * bases[k] >> 32) * product of the later bases
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from social_dilemmas_env.games.game import Board, Column, Game, decode, encode

MAX_SHOWN = 10**15  # of states in an error; larger numbers are rounded
MAX_ENTRIES = 1 << 20  # of the largest table; a few MB and well under a second to build


class _Transitions(NamedTuple):
    """What players do, for every board and joint action; chance comes later."""

    next_code: np.ndarray  # [S * J] as in the module's docstring
    rewards: np.ndarray  # [S * J, N] reward codes
    pending: Board  # the boards that wait for chance, as columns [P]
    bases: tuple[int, ...]


@dataclass(frozen=True)
class Tables:
    """See the module's docstring; arrays are int32 and read-only."""

    next_code: np.ndarray
    outcomes: np.ndarray
    rewards: np.ndarray
    bases: tuple[int, ...]
    num_states: int
    num_joint: int

    @property
    def span(self) -> int:
        """Outcomes of each pending board."""
        return math.prod(self.bases)


def num_joint_actions(game: Game) -> int:
    """Number of joint actions."""
    return math.prod(game.num_actions)


def num_states(game: Game) -> int:
    """Number of boards, reachable or not."""
    return math.prod(game.sizes)


def counted(number: int) -> str:
    """A number as it is read: to the last digit, or a power of ten where there are many."""
    return f"{number:,}" if number < MAX_SHOWN else f"about 10^{len(str(number)) - 1}"


def fits(game: Game, limit: int = MAX_ENTRIES) -> bool:
    """Whether both tables, of transitions and of outcomes, have at most `limit` entries."""
    if num_states(game) * num_joint_actions(game) > limit:
        return False
    transitions = _transitions(game)
    return len(transitions.pending[0]) * math.prod(transitions.bases) <= limit


@lru_cache(maxsize=64)
def tables(game: Game) -> Tables:
    """Enumerates the rules; cached, since rules are immutable.

    Raises:
        ValueError: the game has too many states (see `fits`).
    """
    states, joint = num_states(game), num_joint_actions(game)
    if not fits(game):
        raise ValueError(
            f"{states} states x {joint} joint actions, or what chance makes of them, are too many "
            f"for tables (at most {MAX_ENTRIES} entries)"
        )

    transitions = _transitions(game)
    outcomes = _outcomes(game, transitions.pending, transitions.bases)
    return Tables(
        next_code=frozen(transitions.next_code.astype(np.int32)),
        outcomes=frozen(outcomes.astype(np.int32)),
        rewards=frozen(transitions.rewards.astype(np.int32)),
        bases=transitions.bases,
        num_states=states,
        num_joint=joint,
    )


@lru_cache(maxsize=4)  # `fits` asks for them just before `tables`
def _transitions(game: Game) -> _Transitions:
    states, joint = num_states(game), num_joint_actions(game)

    # Every joint action on every board.
    code, action = np.divmod(np.arange(states * joint, dtype=np.int64), joint)
    board, rewards = game.act(decode(code, game.sizes), decode(action, game.num_actions))

    # The boards on which something is marked for chance, each once.
    marks = [(column == size) * 1 for column, size in zip(board, game.sizes, strict=True)]
    marked = sum(marks) > 0
    marked_sizes = tuple(size + 1 for size in game.sizes)  # the extra value is the mark
    codes, index = np.unique(encode(board, marked_sizes)[marked], return_inverse=True)
    pending = decode(codes, marked_sizes)

    next_code = encode(board, game.sizes)
    next_code[marked] = states + index
    return _Transitions(next_code, np.stack(rewards, -1), pending, _bases(game, pending))


def _bases(game: Game, pending: Board) -> tuple[int, ...]:
    """Per stream, the least common multiple of the numbers of choices on the pending boards."""
    if not len(pending[0]):
        return ()
    return tuple(math.lcm(*np.unique(count).tolist()) for count in game.chances(pending))


def _outcomes(game: Game, pending: Board, bases: tuple[int, ...]) -> np.ndarray:
    """For every pending board and every outcome index, the state that results: [P * L]."""
    boards, span = len(pending[0]), math.prod(bases)
    if not boards:
        return np.zeros(0, np.int64)

    which, outcome_index = np.divmod(np.arange(boards * span, dtype=np.int64), span)
    digits = decode(outcome_index, bases)

    def draw(stream: int, n: Column) -> Column:
        return digits[stream] * n // bases[stream]

    filled = game.chance(tuple(column[which] for column in pending), draw)
    outcomes: np.ndarray = encode(filled, game.sizes)
    return outcomes


def observation_ids(game: Game, states: np.ndarray) -> np.ndarray:
    """What each player sees of each state, as one integer: [..., N] for state codes [...]."""
    board = decode(states, game.sizes)
    players = range(len(game.num_actions))
    ids = [encode(game.view_of(board, player), game.view_sizes) for player in players]
    return np.stack(ids, -1)


def observations(game: Game, ids: np.ndarray, dtype: type = np.float32) -> np.ndarray:
    """The 0/1 arrays [..., *observation_shape] of observation ids [...]."""
    flat: np.ndarray = np.zeros((ids.size, math.prod(game.observation_shape)), dtype)
    row = np.arange(ids.size)
    for one_position in game.features(decode(ids.reshape(-1), game.view_sizes)):
        flat[row, one_position] = 1
    rows: np.ndarray = flat.reshape(*ids.shape, *game.observation_shape)
    return rows


def frozen(array: np.ndarray) -> np.ndarray:
    """The array, made read-only: it is shared by all environments of the same rules."""
    array.flags.writeable = False
    return array
