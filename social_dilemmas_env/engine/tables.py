"""A game with few boards, enumerated into lookup tables.

Everything is computed from the rules (`games/`); the tables hold no second definition of any of
them.

    states       every board, by its code                                    [S, C] columns
    after        next[s * J + a]: code of the next state or, where chance has to act, S + index of a pending board
    outcomes     state[p * L + rank]: what chance makes of pending board p, rank uniform in [0, L)
    rewards      codes[s * J + a]: reward codes of all players                [S * J, N]

J is the number of joint actions.  L is the least common multiple of the numbers of choices chance
has on the pending boards, so that one multiply-shift, `rank = word * L >> 32`, picks exactly the
outcome that `word * n >> 32` picks by the rules (floor(floor(w L / 2^32) / (L / n)) = floor(w n /
2^32)).  Where chance makes several choices at once, `streams` and `bases` say how `rank` is
composed: rank = sum of (word_k * bases[k] >> 32) * product of the later bases.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from social_dilemmas_env.games.game import Board, Game, decode, encode

MAX_ENTRIES = 1 << 20  # of the largest table; a few MB and well under a second to build


class _Transitions(NamedTuple):
    """What players do, for every board and joint action; chance comes later."""

    after: np.ndarray
    rewards: np.ndarray
    pending: Board
    bases: tuple[int, ...]


@dataclass(frozen=True)
class Tables:
    """See the module's docstring; arrays are int32 and read-only."""

    after: np.ndarray
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
            f"{states} states x {joint} joint actions, or what chance makes of them, are too many for tables (at most "
            f"{MAX_ENTRIES} entries)"
        )
    transitions = _transitions(game)
    return Tables(
        after=_frozen(transitions.after),
        outcomes=_frozen(_outcomes(game, transitions.pending, transitions.bases)),
        rewards=_frozen(transitions.rewards),
        bases=transitions.bases,
        num_states=states,
        num_joint=joint,
    )


@lru_cache(maxsize=4)  # `fits` asks for them just before `tables`
def _transitions(game: Game) -> _Transitions:
    states, joint = num_states(game), num_joint_actions(game)
    code, action = np.divmod(np.arange(states * joint, dtype=np.int64), joint)
    boards, codes = game.act(decode(code, game.sizes), decode(action, game.num_actions))
    marked_sizes = tuple(size + 1 for size in game.sizes)  # the extra value is the mark for chance
    marked = (
        sum([(column == size) * 1 for column, size in zip(boards, game.sizes, strict=True)]) > 0
    )
    pending, index = np.unique(encode(boards, marked_sizes)[marked], return_inverse=True)
    after = encode(boards, game.sizes)
    after[marked] = states + index
    boards_pending = decode(pending, marked_sizes)
    bases = (
        tuple(math.lcm(*np.unique(count).tolist()) for count in game.chances(boards_pending))
        if len(pending)
        else ()
    )
    return _Transitions(after, np.stack(codes, -1), boards_pending, bases)


def _outcomes(game: Game, pending: Board, bases: tuple[int, ...]) -> np.ndarray:
    """For every pending board and every rank of chance's choices, the state that results."""
    boards = len(pending[0])
    if not boards:
        return np.zeros(0, np.int64)
    which, rank = np.divmod(np.arange(boards * math.prod(bases), dtype=np.int64), math.prod(bases))
    digits = decode(rank, bases)

    def draw(stream: int, n: np.ndarray) -> np.ndarray:
        return digits[stream] * n // bases[stream]

    return encode(game.chance(tuple(column[which] for column in pending), draw), game.sizes)


def view_ids(game: Game, states: np.ndarray) -> np.ndarray:
    """What each player sees of each state, as one integer: [..., N] for states [...]."""
    board = decode(states, game.sizes)
    views = [
        encode(game.view_of(board, player), game.view_sizes)
        for player in range(len(game.num_actions))
    ]
    return np.stack(views, -1)


def observations(game: Game, views: np.ndarray, dtype: type = np.float32) -> np.ndarray:
    """The 0/1 arrays [..., *observation_shape] of view ids [...]."""
    flat: np.ndarray = np.zeros((views.size, math.prod(game.observation_shape)), dtype)
    row = np.arange(views.size)
    for position in game.features(decode(views.reshape(-1), game.view_sizes)):
        flat[row, position] = 1
    return flat.reshape(*views.shape, *game.observation_shape)


def _frozen(array: np.ndarray) -> np.ndarray:
    array = array.astype(np.int32)
    array.flags.writeable = False
    return array
