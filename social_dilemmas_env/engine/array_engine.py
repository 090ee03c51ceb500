"""Plays B games one step: by the rules, on integer columns [B].

`RuleEngine` is the whole engine for games with too many states for tables, on numpy and on torch
alike; it asks an `Arrays` for the few things that the two spell differently.  The engines that play
from tables (`batch.NumpyTables`, `batch_torch.TorchTables`) inherit everything but the move itself.
All give the same integers as `single_game`.
"""

import math
import operator
from collections.abc import Sequence
from functools import lru_cache, reduce
from typing import Any, Protocol

import numpy as np

from social_dilemmas_env import rng as draws
from social_dilemmas_env.engine.tables import (
    MAX_ENTRIES,
    Tables,
    observations,
    tables,
    view_ids,
)
from social_dilemmas_env.games.game import Board, Column, Draw, Game, decode, encode

MAX_ROWS = (
    1 << 22
)  # bytes of the observations of all states that are kept; larger tables leave the cache and lose
MAX_VIEWS = 1 << 22  # numbers in the observations of all views that are kept for `observe`: 16 MB
MAX_TABLE = (
    1 << 26
)  # numbers in an `observation_table`, made when asked for: 256 MB; the 7x7 Coin Game has 46 million

Array = Any  # a numpy array or a torch tensor
Key = tuple[Array, Array]  # start and stride of each game's words, [B] each


class Arrays(Protocol):
    """What numpy and torch spell differently.  Integers are int64 unless said otherwise."""

    def column(self, values: Any) -> Array:
        """A fresh column of integers."""

    def arange(self, n: int) -> Array:
        """0, 1, ..., n - 1."""

    def constant(self, table: np.ndarray) -> Array:
        """A table, moved to the device."""

    def word(self, column: Column) -> Column:
        """The low 32 bits of an int or a column, in the form that draws are made in."""

    def words(self, key: Key, counter: Column) -> Array:
        """`draws.word`."""

    def integer(self, word: Array) -> Array:
        """A word as an ordinary column."""

    def lanes(self, mask: Array) -> Array:
        """Indices of the games that a mask [B] marks."""

    def columns(self, rows: Array) -> Sequence[Array]:
        """The N columns of an array [B, N], as int64."""

    def stack(self, columns: Sequence[Array]) -> Array:
        """An array [B, N] of N columns."""

    def take(self, table: Array, index: Array) -> Array:
        """Rows of a table."""

    def zeros(self, shape: tuple[int, ...]) -> Array:
        """Zeros, float32."""

    def ones(self, spots: Sequence[Array], numbers: int, out: Array) -> Array:
        """Fills `out` [B, numbers] with 0, and with 1 at the positions of each row that K columns
        [B] name.
        """

    def cast(self, column: Array, dtype: str) -> Array:
        """Converts to another type."""


@lru_cache(maxsize=16)
def observation_rows(game: Game, dtype: str) -> np.ndarray:
    """The observations of all players of all states, flat: [S, N * F]."""
    views = view_ids(game, np.arange(tables(game).num_states))
    return _frozen(observations(game, views, np.dtype(dtype).type).reshape(len(views), -1))


@lru_cache(maxsize=16)
def view_rows(game: Game) -> np.ndarray:
    """The float32 observations of all views, flat: [V, F]."""
    views = np.arange(view_count(game))
    return _frozen(observations(game, views).reshape(len(views), -1))


def view_count(game: Game) -> int:
    """Number of view ids, reachable or not."""
    return math.prod(game.view_sizes)


def landings(table: Tables) -> tuple[np.ndarray, np.ndarray]:
    """The tables as `next state = landing[land[s * J + a] + rank]`, where rank is 0 unless land is
    S or more.
    """
    pending = table.after >= table.num_states
    land = np.where(
        pending, table.num_states + (table.after - table.num_states) * table.span, table.after
    )
    small = land.max(initial=0) < 1 << 15
    landing = np.concatenate([np.arange(table.num_states), table.outcomes])
    return land.astype(np.int16 if small else np.int32), landing


@lru_cache(maxsize=64)
def starts(game: Game) -> tuple[dict[int, int], np.ndarray] | None:
    """Every way an episode can start: the streams drawn from, with how many values each has, and
    the states that result.

    The state for given draws stands at their mixed-radix code, in the order of the dict.  None if
    there are too many, or if the numbers of values depend on earlier draws.
    """
    counts: dict[int, Any] = {}

    def note(stream: int, n: Any) -> Any:
        counts[stream] = n
        return n * 0

    game.start(note)
    if (
        not counts
        or not all(isinstance(n, int) for n in counts.values())
        or math.prod(counts.values()) > MAX_ENTRIES
    ):
        return None
    boards = game.start(_digits(counts))
    filled = {
        stream: math.lcm(*np.unique(count).tolist())
        for stream, count in enumerate(game.chances(boards))
    }
    if (
        filled.keys() & counts.keys()
        or math.prod(counts.values()) * math.prod(filled.values()) > MAX_ENTRIES
    ):
        return None
    draw = _digits(counts | filled)
    states = encode(game.chance(game.start(draw), draw), game.sizes)
    return {stream: n for stream, n in (counts | filled).items() if n > 1}, _frozen(
        states.astype(np.int32)
    )


def _digits(counts: dict[int, int]) -> Draw:
    """Draws every combination of values once."""
    columns = decode(np.arange(math.prod(counts.values())), tuple(counts.values()))
    digits = dict(zip(counts, columns, strict=True))
    return lambda stream, n: digits[stream] * n // counts[stream]


def _frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False  # shared by all batches of this game
    return array


class RuleEngine:
    """The rules on columns.

    Attributes:
        game: the rules.
        xp: the arrays.
        static: make every step out of operations on whole columns, whose shapes never depend on
            what happens.
        numbers: numbers in one player's observation.
    """

    def __init__(self, game: Game, xp: Any, *, static: bool = False):
        self.game, self.xp, self.static = game, xp, static
        self.players = range(len(game.num_actions))
        self.numbers = int(np.prod(game.observation_shape))
        self.exact_prices = xp.constant(np.array(game.reward_values, np.float64))
        self.prices = xp.cast(self.exact_prices, "float32")
        self.has_chance = len(game.chances((0,) * len(game.sizes))) > 0

    # --------------------------------------------------------------------------------------- chance

    def draw(self, key: Key, t: Any) -> Draw:
        """The `draw(stream, n)` that the rules ask for, at step t (an int, or a column) of the
        episodes.
        """
        first = t * self.game.streams

        def draw(stream: int, n: Column) -> Column:
            if isinstance(n, int) and n == 1:
                return self.xp.integer(key[0]) * 0
            return draws.bounded(
                self.xp.integer(self.xp.words(key, self.xp.word(first + stream))), n
            )

        return draw

    def values(self, key: Key) -> Array | None:
        """float32 reward values of the episodes with these keys, [B, codes].

        None where there is no noise.
        """
        game = self.game
        if not game.reward_noise:
            return None
        codes = self.xp.arange(len(game.reward_values))
        words = self.xp.words((key[0][:, None], key[1][:, None]), self.xp.word(-1 - codes)[None])
        shift = self.xp.cast(self.xp.integer(words) - 2**31, "float64") * (
            game.reward_noise / 2**31
        )  # as in single_game
        return self.xp.cast(self.exact_prices + shift, "float32")

    def pay(self, codes: Array, values: Array | None) -> Array:
        """float32 rewards of reward codes [B, N]."""
        if values is None:
            return self.xp.take(self.prices, codes)
        row = self.xp.arange(len(codes))[:, None] * values.shape[1]
        return self.xp.take(values.reshape(-1), codes + row)

    # ------------------------------------------------------------------------------------- the game

    def start(self, key: Key) -> Board:
        """The first boards of episodes."""
        draw = self.draw(key, 0)
        board = self.game.chance(self.game.start(draw), draw)
        return self.position(
            tuple(column + 0 for column in board)
        )  # + 0: rules may use one array for two columns

    def play(
        self, board: Board, actions: Array, key: Key, t: Any, values: Array | None
    ) -> tuple[Board, Array]:
        """The t-th joint move: actions [B, N] -> the new position (which may be the old one,
        rewritten), rewards.
        """
        board, codes = self.game.act(board, self.xp.columns(actions))
        if self.has_chance:
            board = (
                self.game.chance(board, self.draw(key, t))
                if self.static
                else self.fill(board, key, t)
            )
        return board, self.pay(self.xp.stack(codes), values)

    def fill(self, board: Board, key: Key, t: Any) -> Board:
        """Lets chance act on those boards where it has something to do."""
        marks = [column == size for column, size in zip(board, self.game.sizes, strict=True)]
        lanes = self.xp.lanes(reduce(operator.or_, marks))
        if not len(lanes):
            return board
        draw = self.draw((key[0][lanes], key[1][lanes]), t if isinstance(t, int) else t[lanes])
        filled = self.game.chance(tuple(column[lanes] for column in board), draw)
        board = tuple(column + 0 for column in board)
        for column, part in zip(board, filled, strict=True):
            column[lanes] = part
        return board

    # ----------------------------------------------------------------------------- what players see

    def view_ids(self, position: Board) -> Array:
        """What each player sees, as one integer [B, N]: int32, or int64 where there are 2^31 views
        or more.
        """
        board = self.board(position)
        ids = self.xp.stack(
            [encode(self.game.view_of(board, n), self.game.view_sizes) for n in self.players]
        )
        return self.xp.cast(ids, "int32") if view_count(self.game) < 1 << 31 else ids

    def spots(self, position: Board) -> list[Array]:
        """Positions of the ones in the observations of all players, which lie one after the
        other.
        """
        board, game = self.board(position), self.game
        return [
            f + n * self.numbers
            for n in self.players
            for f in game.features(game.view_of(board, n))
        ]

    def observe(self, position: Board, out: Array) -> Array:
        """Writes the observations of all players into `out`, [B, N * numbers]."""
        return self.xp.ones(self.spots(position), len(self.players) * self.numbers, out)

    def observe_views(self, ids: Array) -> Array:
        """float32 observations of view ids [...]: [L, numbers]."""
        ids, game = ids.reshape(-1), self.game
        if view_count(game) * self.numbers <= MAX_VIEWS:
            return self.xp.take(self.view_rows(), ids)
        spots = game.features(decode(self.xp.integer(ids), game.view_sizes))
        return self.xp.ones(spots, self.numbers, self.xp.zeros((len(ids), self.numbers)))

    def view_rows(self) -> Array:
        """Observations of all views, float32 [V, numbers]."""
        return self.xp.constant(view_rows(self.game))

    def board(self, position: Board) -> Board:
        """A position as the columns of a board."""
        return position

    def position(self, board: Board) -> Board:
        """The columns of a board as a position."""
        return board


class TableEngine(RuleEngine):
    """The tables of a game, which a driver plays from.

    A position is one column, the code of the board.
    """

    def __init__(self, game: Game, xp: Any, dtype: str, *, static: bool = False):
        super().__init__(game, xp, static=static)
        table = tables(game)
        self.num_states, self.num_joint = table.num_states, table.num_joint
        self.bases = {stream: base for stream, base in enumerate(table.bases) if base > 1}
        self.land, self.landing = map(xp.constant, landings(table))
        self.certain = not len(table.outcomes)
        # reward codes where rewards change from episode to episode, else the rewards themselves
        codes = xp.constant(table.rewards)
        self.paid = codes if game.reward_noise else xp.take(self.prices, codes)
        self.views = xp.constant(view_ids(game, np.arange(self.num_states)).astype(np.int32))
        size = self.num_states * len(self.players) * self.numbers * (1 if dtype == "uint8" else 4)
        self.rows = (
            xp.constant(observation_rows(game, dtype))
            if dtype != "state" and size <= MAX_ROWS
            else None
        )
        known = starts(game)
        self.starts = None if known is None else (known[0], xp.constant(known[1]))

    def rank(self, bases: dict[int, int], key: Key, t: Any) -> Column:
        """Which outcome chance picks; see `tables`."""
        draw = self.draw(key, t)
        digits = [draw(stream, base) for stream, base in bases.items()]
        return (
            encode(tuple(digits), tuple(bases.values())) if digits else self.xp.integer(key[0]) * 0
        )

    def start(self, key: Key) -> Board:
        """See `RuleEngine`."""
        if self.starts is None:
            return super().start(key)
        bases, states = self.starts
        return (self.xp.integer(self.xp.take(states, self.rank(bases, key, 0))),)

    def view_ids(self, position: Board) -> Array:
        """See `RuleEngine`."""
        return self.xp.take(self.views, position[0])

    def board(self, position: Board) -> Board:
        """See `RuleEngine`."""
        return decode(position[0], self.game.sizes)

    def position(self, board: Board) -> Board:
        """See `RuleEngine`."""
        return (encode(board, self.game.sizes),)
