"""Plays B games one step: by the rules, on integer columns [B].

`RuleEngine` is the whole engine for games with too many states for tables, on numpy, torch and JAX
alike; it asks an `Arrays` for the few things that they spell differently.  The engines that play
from tables (`numpy_engine.NumpyTables`, `torch_engine.TorchTables`, `jax_engine.JaxTables`) inherit
everything but the move itself.  All give the same integers as `python_engine`.

An engine keeps the boards of its games in a form of its own, *encoded*: columns [B], which are
those of the boards where the rules play, and a single one, the boards' codes, where tables do.
"""

import math
import operator
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache, reduce
from typing import Any, Protocol

import numpy as np
from typing_extensions import override

from social_dilemmas_env.engine.array_tables import (
    joint_rewards,
    next_codes,
    observation_count,
    observation_table,
    reward_table,
    start_bases,
    start_states,
    state_ids,
    successors,
)
from social_dilemmas_env.engine.tables import frozen, observations, tables
from social_dilemmas_env.games.game import Board, Column, Draw, Game, decode, encode

# Bytes of the observations of all states that are kept; larger tables leave the cache and lose.
MAX_STATE_OBSERVATIONS = 1 << 22

# Numbers in the observations of all ids that are kept for `observe`: 16 MB.
MAX_READY = 1 << 22

# Bytes.  Rows are copied up to a third faster between arrays whose addresses are multiples of it.
ALIGNMENT = 64

Array = Any  # a numpy array, a torch tensor or a JAX array
Key = tuple[Array, Array]  # start and stride of each game's words, [B] each; see `rng`
Encoded = tuple[Array, ...]  # boards in the form of an engine: columns [B]


class Arrays(Protocol):
    """What numpy, torch and JAX spell differently.

    Integers are int64 unless said otherwise; JAX's are int32.
    """

    def column(self, values: Any) -> Array:
        """A fresh column of integers."""

    def arange(self, n: int) -> Array:
        """0, 1, ..., n - 1."""

    def cast(self, column: Array, dtype: str) -> Array:
        """Converts to another type."""

    def shared(self, make: Callable[..., np.ndarray], *args: Any) -> Array:
        """The table `make(*args)` on the device, one for all engines; nobody writes in it."""

    def word(self, column: Column) -> Column:
        """The low 32 bits of an int or a column, in the form that words are made in."""

    def words(self, key: Key, counter: Column) -> Array:
        """`rng.word`."""

    def uniform(self, key: Key, counter: Column, n: Column) -> Array:
        """The counter-th words of episodes as uniform integers in [0, n): `rng.bounded`."""

    def integer(self, word: Array) -> Array:
        """A word as an ordinary column."""

    def lanes(self, mask: Array) -> Array:
        """Indices of the games that a mask [B] marks."""

    def columns(self, rows: Array) -> Sequence[Array]:
        """The N columns of an array [B, N], as int64."""

    def stack(self, columns: Sequence[Array]) -> Array:
        """An array [B, N] of N columns."""

    def zeros(self, shape: tuple[int, ...]) -> Array:
        """Zeros, float32."""

    def fill_one_hot(self, one_positions: Sequence[Array], numbers: int, out: Array) -> Array:
        """Fills `out` [B, numbers] with 0, and with 1 where K columns [B] say, in each row."""

    def cleared(self, rows: Array, mask: Array) -> Array:
        """Rows [B, N], with 0 where the mask [B] says; `rows` may be rewritten."""
        rows[mask] = 0
        return rows

    def product(self, column: Array, factor: float) -> Array:
        """The product, rounded as such: never in one go with a sum."""
        return column * factor


@lru_cache(maxsize=16)
def state_observations(game: Game, dtype: str) -> np.ndarray:
    """The observations of all players in all states, flat: [S, N * F]."""
    ids = state_ids(game)
    rows = observations(game, ids, np.dtype(dtype).type).reshape(len(ids), -1)
    table = aligned_empty(rows.shape, dtype)
    table[...] = rows
    return frozen(table)


def aligned_empty(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """`numpy.empty`, at an address that is a multiple of `ALIGNMENT`."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.empty(size + ALIGNMENT, np.uint8)
    first = -memory.ctypes.data % ALIGNMENT
    return memory[first : first + size].view(dtype).reshape(shape)


class RuleEngine:
    """The rules on columns; `encoded` boards are their columns.

    Attributes:
        game: the rules.
        xp: the arrays.
        static: make every step out of operations on whole columns, whose shapes never depend on
            what happens.
        reward_dtype: "float32", or "float64" for the numbers that a single game pays.
        numbers: numbers in one player's observation.
    """

    def __init__(self, game: Game, xp: Any, *, static: bool = False, reward_dtype: str = "float32"):
        self.game, self.xp, self.static, self.reward_dtype = game, xp, static, reward_dtype
        self.players, self.streams = range(len(game.num_actions)), game.streams
        self.numbers = math.prod(game.observation_shape)
        self.reward_table = xp.constant(reward_table(game, reward_dtype))
        self.exact_rewards = xp.constant(np.array(game.reward_values, np.float64))
        self.has_chance = len(game.chances((0,) * len(game.sizes))) > 0

    # Chance

    def draw(self, key: Key, t: Any) -> Draw:
        """The `draw(stream, n)` that the rules ask for, at step t of the episodes.

        A range of K streams gives an array [K, B].

        Args:
            key: of the episodes.
            t: an int, or a column.
        """
        first = t * self.streams

        def draw(stream: int | range, n: Column) -> Column:
            if isinstance(stream, range):
                streams = self.xp.arange(len(stream))[:, None] + stream.start
                return self.xp.uniform(key, first + streams, n)
            if isinstance(n, int) and n == 1:
                return self.xp.integer(key[0]) * 0
            return self.xp.uniform(key, first + stream, n)

        return draw

    def episode_rewards(self, key: Key) -> Array | None:
        """Reward values of the episodes with these keys, [B, codes].

        None where there is no noise.
        """
        game = self.game
        if not game.reward_noise:
            return None

        # A word for each code of each episode, as a number in [-noise, noise); see python_engine.
        codes = self.xp.arange(len(game.reward_values))
        words = self.xp.words((key[0][..., None], key[1][..., None]), self.xp.word(-1 - codes))
        centred = self.xp.cast(self.xp.integer(words) - 2**31, "float64")
        shift = self.xp.product(centred, game.reward_noise / 2**31)
        return self.xp.cast(self.exact_rewards + shift, self.reward_dtype)

    def rewards(self, codes: Array, episode_rewards: Array | None) -> Array:
        """Rewards of reward codes [B, N]."""
        if episode_rewards is None:
            return self.xp.take(self.reward_table, codes)
        row = self.xp.arange(len(codes))[:, None] * episode_rewards.shape[1]
        return self.xp.take(episode_rewards.reshape(-1), codes + row)

    # The game

    def start(self, key: Key) -> Encoded:
        """The first boards of episodes."""
        draw = self.draw(key, 0)
        board = self.game.chance(self.game.start(draw), draw)
        return self.encoded(tuple(column + 0 for column in board))  # + 0: columns of its own each

    def play(
        self, encoded: Encoded, actions: Array, key: Key, t: Any, episode_rewards: Array | None
    ) -> tuple[Encoded, Array]:
        """The t-th joint move.

        Args:
            encoded: the boards, which may be rewritten.
            actions: [B, N].
            key: of the episodes.
            t: an int, or a column.
            episode_rewards: [B, codes], or None where rewards are certain.

        Returns:
            The new boards, encoded, and rewards [B, N].
        """
        board, codes = self.game.act(encoded, self.xp.columns(actions))
        if self.has_chance:
            board = self.fill(board, key, t)
        return board, self.rewards(self.xp.stack(codes), episode_rewards)

    def fill(self, board: Board, key: Key, t: Any) -> Board:
        """Lets chance act on those boards where it has something to do."""
        marks = [column == size for column, size in zip(board, self.game.sizes, strict=True)]
        lanes = self.xp.lanes(reduce(operator.or_, marks))
        if not len(lanes):
            return board

        # Chance, on these boards only.
        draw = self.draw((key[0][lanes], key[1][lanes]), t if isinstance(t, int) else t[lanes])
        filled = self.game.chance(tuple(column[lanes] for column in board), draw)

        # Back among the others.
        board = tuple(column + 0 for column in board)
        for column, part in zip(board, filled, strict=True):
            column[lanes] = part
        return board

    # What players see

    def observation_ids(self, encoded: Encoded) -> Array:
        """What each player sees, as one integer [B, N].

        int32, or int64 where there are 2^31 ids or more.
        """
        board, game = self.board(encoded), self.game
        ids = [encode(game.view_of(board, n), game.view_sizes) for n in self.players]
        stacked = self.xp.stack(ids)
        return self.xp.cast(stacked, "int32") if observation_count(game) < 1 << 31 else stacked

    def one_positions(self, encoded: Encoded) -> list[Array]:
        """Positions of the ones in the observations of all players, which lie side by side."""
        board, game = self.board(encoded), self.game
        return [
            position + n * self.numbers
            for n in self.players
            for position in game.features(game.view_of(board, n))
        ]

    def observe(self, encoded: Encoded, out: Array) -> Array:
        """Writes the observations of all players into `out`, [B, N * numbers]."""
        numbers = len(self.players) * self.numbers
        return self.xp.fill_one_hot(self.one_positions(encoded), numbers, out)

    def observe_ids(self, ids: Array) -> Array:
        """float32 observations of observation ids [...]: [L, numbers]."""
        ids, game = ids.reshape(-1), self.game
        if observation_count(game) * self.numbers <= MAX_READY:
            return self.xp.take(self.observation_table, ids)

        one_positions = game.features(decode(self.xp.integer(ids), game.view_sizes))
        out = self.xp.zeros((len(ids), self.numbers))
        return self.xp.fill_one_hot(one_positions, self.numbers, out)

    @cached_property
    def observation_table(self) -> Array:
        """Observations of all ids, float32 [V, numbers]; shared, so nobody writes in it."""
        return self.xp.shared(observation_table, self.game)

    def board(self, encoded: Encoded) -> Board:
        """The columns of encoded boards."""
        return encoded

    def encoded(self, board: Board) -> Encoded:
        """The columns of boards, encoded."""
        return board


class TableEngine(RuleEngine):
    """The tables of a game; `encoded` boards are one column, their codes.

    Attributes:
        num_states, num_joint: numbers of states S and of joint actions J.
        bases: the streams that chance draws from, and how many values each has.
        certain: whether chance never acts after the start.
        next_codes, successors: [S * J], [S + P * L].
        joint_rewards: [S * J, N], rewards, or their codes where they change with the episode.
        state_ids: int32 [S, N].
        state_observations: [S, N * numbers], or None where they are too many to keep.
    """

    def __init__(
        self,
        game: Game,
        xp: Any,
        obs_mode: str,
        *,
        static: bool = False,
        reward_dtype: str = "float32",
    ):
        super().__init__(game, xp, static=static, reward_dtype=reward_dtype)
        table = tables(game)
        self.num_states, self.num_joint = table.num_states, table.num_joint
        self.bases = {stream: base for stream, base in enumerate(table.bases) if base > 1}
        self.certain = not len(table.outcomes)

        # What a step looks up.
        self.next_codes = xp.shared(next_codes, game)
        self.successors = xp.shared(successors, game)
        self.joint_rewards = xp.shared(joint_rewards, game, reward_dtype)
        self.state_ids = xp.shared(state_ids, game)
        numbers = self.num_states * len(self.players) * self.numbers
        small = numbers * (1 if obs_mode == "uint8" else 4) <= MAX_STATE_OBSERVATIONS
        ready = obs_mode != "state" and small
        self.state_observations = xp.shared(state_observations, game, obs_mode) if ready else None

        # What a reset looks up.
        self.start_bases = start_bases(game)
        self.start_states = None if self.start_bases is None else xp.shared(start_states, game)

    def outcome_index(self, bases: dict[int, int], key: Key, t: Any) -> Array:
        """Which outcome chance picks, from a draw of each of these streams; see `tables`."""
        first, index = t * self.streams, None
        for stream, base in bases.items():
            digit = self.xp.uniform(key, first + stream, base)
            index = digit if index is None else index * base + digit
        return self.xp.integer(key[0]) * 0 if index is None else index

    @override
    def start(self, key: Key) -> Encoded:
        if self.start_bases is None:
            return super().start(key)
        index = self.outcome_index(self.start_bases, key, 0)
        return (self.xp.integer(self.xp.take(self.start_states, index)),)

    @override
    def observation_ids(self, encoded: Encoded) -> Array:
        return self.xp.take(self.state_ids, encoded[0])

    @override
    def board(self, encoded: Encoded) -> Board:
        return decode(encoded[0], self.game.sizes)

    @override
    def encoded(self, board: Board) -> Encoded:
        return (encode(board, self.game.sizes),)
