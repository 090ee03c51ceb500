"""Checks of a `State` before anything continues from it: of one game, and of many."""

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from social_dilemmas_env import rng
from social_dilemmas_env.games.game import Game, State, is_possible, random_end
from social_dilemmas_env.validation import integer

SHOWN = 5  # wrong values that an error quotes
CLOCK_LIMIT = (1 << 63) - 1  # of int64


def checked_state(game: Game, state: Any) -> State:
    """`state` as a `State` of this game.

    Raises:
        ValueError: it is not a state, or belongs to another game.
    """
    try:
        given = State(**state) if isinstance(state, dict) else State(*state)
    except TypeError:
        raise ValueError(
            f"not a state: expected the fields {', '.join(State._fields)}, "
            f"got {type(state).__name__}"
        ) from None

    if given.game != repr(game):
        raise ValueError(f"this state belongs to another game: {given.game}; this one is {game!r}")
    return given


class SingleState(NamedTuple):
    """The checked fields of a `State` of one game."""

    seed: int
    episode: int
    t: int
    over: bool
    board: tuple[int, ...]


def checked_single_state(game: Game, state: Any) -> SingleState:
    """`state` as plain integers of a state of one game; refuses what a batch refuses.

    Raises:
        ValueError: a state of another game, or with a value out of range.
        TypeError: a field that does not hold integers.
    """
    state = checked_state(game, state)
    seed = rng.check_seed(state.seed)
    episode, t, over = (integer(f, getattr(state, f), 0) for f in ("episode", "t", "over"))
    if episode >= rng.SEED_LIMIT:
        raise ValueError(f"episode must lie in [0, 2^63), got {episode}")
    if not isinstance(state.board, list | tuple):
        raise TypeError(f"board must be a list of integers, got {state.board!r}")

    # The same checks as of many games.
    columns = [_scalar(column) for column in state.board]
    check_columns(game, columns)
    _check_clocks(game, np.array([min(t, CLOCK_LIMIT)]), np.array([min(over, 2)]))
    _check_time(game, np.array([t]), columns)
    return SingleState(seed, episode, t, bool(over), tuple(int(column[0]) for column in columns))


def _scalar(value: Any) -> np.ndarray:
    """One integer as a column [1]; what is no integer, as one that `check_columns` refuses."""
    column = np.asarray(value)
    return column.reshape(1) if column.ndim == 0 else np.array([repr(value)])


def check_columns(game: Game, columns: Sequence[np.ndarray]) -> None:
    """Checks the range of each column of a board, and whether the boards can occur.

    Raises:
        ValueError: a column is missing or out of range, or a board cannot occur.
    """
    if len(columns) != len(game.sizes):
        raise ValueError(
            f"a board of this game has {len(game.sizes)} columns {game.columns}, got {len(columns)}"
        )

    for name, size, column in zip(game.columns, game.sizes, columns, strict=True):
        if column.dtype.kind not in "iu" or (column < 0).any() or (column >= size).any():
            raise ValueError(
                f"{name} must hold integers in 0 .. {size - 1}, got {column.tolist()[:SHOWN]}"
            )

    possible = np.asarray(is_possible(game, tuple(columns)))
    if not possible.all():
        board = [int(column[possible.argmin()]) for column in columns]
        raise ValueError(f"no board of this game is {board}: {game.columns}")


def _check_clocks(game: Game, t: np.ndarray, over: np.ndarray) -> None:
    """Raises ValueError where an episode is too long, or is over at another step than its last."""
    if t.max() > game.max_cycles or over.max() > 1:
        raise ValueError(
            f"not a state of this game: t must lie in 0 .. {game.max_cycles}, over in 0 .. 1"
        )
    last = t == game.max_cycles
    wrong = last & (over == 0) | (over == 1) & ~(last | _may_end(game, t))
    if wrong.any():
        first = wrong.argmax()
        raise ValueError(
            f"not a state of this game: over must be 1 at t = {game.max_cycles} and 0 before, "
            f"got over = {over[first]} at t = {t[first]}"
        )


def _check_time(game: Game, t: np.ndarray, columns: Sequence[np.ndarray]) -> None:
    """Raises ValueError where a board with a clock shows another time than the state."""
    if getattr(game, "observe_time", False) and (columns[-1] != t).any():
        raise ValueError("not a state of this game: the board shows another time than t")


def _may_end(game: Any, t: np.ndarray) -> Any:
    """Whether an episode may have ended at random after t steps."""
    ending = random_end(game)
    return False if ending is None else ending.may_end(t)


class BatchState(NamedTuple):
    """The checked fields of a `State` of B games."""

    seed: np.ndarray  # [B] int64
    episode: np.ndarray  # [B] int64
    t: np.ndarray  # [B] int64
    over: np.ndarray  # [B] int64, 0 or 1
    board: list[np.ndarray]  # C columns [B]


def checked_batch_state(game: Game, state: Any, num_envs: int) -> BatchState:
    """`state` as arrays of a state of `num_envs` games.

    Raises:
        ValueError: a state of another game or batch size, or with values out of range.
        TypeError: a field that does not list integers.
    """
    state = checked_state(game, state)
    seed, episode, t, over = (
        _counts(name, getattr(state, name), num_envs) for name in ("seed", "episode", "t", "over")
    )
    board = _columns(game, state.board, num_envs)

    _check_clocks(game, t, over)
    _check_time(game, t, board)
    return BatchState(seed, episode, t, over, board)


def _counts(name: str, values: Any, num_envs: int) -> np.ndarray:
    """A field that lists an integer for each game, as int64 [B]."""
    if not isinstance(values, list | tuple) or len(values) != num_envs:
        got = f"{len(values)}" if isinstance(values, list | tuple) else repr(values)
        raise ValueError(f"{name} must list an integer for each of {num_envs} games, got {got}")

    integers = all(isinstance(v, int | np.integer) and not isinstance(v, bool) for v in values)
    if not integers:
        raise TypeError(f"{name} must list integers, got {values[:SHOWN]}")
    if min(values) < 0 or max(values) >= rng.SEED_LIMIT:
        raise ValueError(f"{name} must list integers in [0, 2^63), got {values[:SHOWN]}")
    return np.array(values, dtype=np.int64)


def _columns(game: Game, board: Any, num_envs: int) -> list[np.ndarray]:
    """The boards of B games, as C columns [B]."""
    try:
        rows = np.array(board)
    except ValueError:  # rows of different lengths
        rows = np.zeros(0)
    if rows.shape != (num_envs, len(game.sizes)):
        expected = f"{num_envs} boards of {len(game.sizes)} columns"
        raise ValueError(f"board must list {expected}, got an array of shape {rows.shape}")

    # numpy would take True among integers for 1.
    kinds = {rows.dtype.type} if isinstance(board, np.ndarray) else set(map(type, chain(*board)))
    if kinds & {bool, np.bool_}:
        raise ValueError(f"board must list integers, got {list(board)[:SHOWN]}")

    columns = list(rows.T)
    check_columns(game, columns)
    return columns
