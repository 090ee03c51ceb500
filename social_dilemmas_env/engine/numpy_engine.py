"""What plays B games on numpy.

One step of a small game is three look-ups for all B games: `(state, joint action)` -> the next
code, the rewards, and `state` -> observations.  Only where chance has to act is anything else done,
and on those lanes only.
"""

import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from typing_extensions import override

from social_dilemmas_env import rng
from social_dilemmas_env.engine.array_engine import Arrays, Encoded, Key, TableEngine
from social_dilemmas_env.engine.lane_draws import FEW, LaneDraws, mixed_radix, start_draw
from social_dilemmas_env.games.commons.arrays import RuleArrays
from social_dilemmas_env.games.game import Column, Game, encode

# The constants of `rng.mix`, as it is fastest.
FACTORS = (np.array(0x7FEB352D, np.uint32), np.array(0x846CA68B, np.uint32))
HALVES = np.array([[0], [1]], np.uint32)  # start and stride of `rng.key_of`
SHIFTS = (np.array(15, np.uint32), np.array(16, np.uint32))

CHUNK = 1 << 19  # bytes of observations that are written at a time
GAMES = 32  # whose windows are looked into at a time
MAX_PAIRS = 256  # joint actions of two players whose code fits the product in `JointActions`


def mix_in_place(x: np.ndarray) -> np.ndarray:
    """`rng.mix` of uint32.

    In place, and without the masks that 32 bits make needless: less than half the time.
    """
    y = x >> SHIFTS[1]
    for factor, shift in zip(FACTORS, SHIFTS, strict=True):
        x ^= y
        x *= factor
        np.right_shift(x, shift, out=y)
    x ^= y
    return x


def key_of(stem: np.ndarray, episode: np.ndarray) -> Key:
    """`rng.key_of` of uint32 [B], both halves at once."""
    x = stem ^ HALVES
    for word in (episode, None):
        x = mix_in_place(x)
        x ^= rng.FOLD
        if word is not None:
            x ^= word
    return x[0], x[1] | np.uint32(1)


class NumpyArrays(Arrays, RuleArrays):
    """Words are uint32, half as wide as int64 and twice as fast."""

    @override
    def column(self, values: Any) -> np.ndarray:
        return np.array(values, dtype=np.int64)

    @override
    def arange(self, n: int) -> np.ndarray:
        return np.arange(n, dtype=np.int64)

    @override
    def constant(self, table: np.ndarray) -> np.ndarray:
        return table

    @override
    def shared(self, make: Callable[..., np.ndarray], *args: Any) -> np.ndarray:
        return make(*args)  # which keeps what it made, read-only

    @override
    def word(self, column: Column) -> Column:
        return np.uint32(column & rng.MASK) if isinstance(column, int) else column.astype(np.uint32)

    @override
    def words(self, key: Key, counter: Column) -> np.ndarray:
        x = counter * key[1]
        x += key[0]
        mixed: np.ndarray = mix_in_place(x)
        return mixed

    @override
    def uniform(self, key: Key, counter: Column, n: Column) -> np.ndarray:
        x = self.words(key, self.word(counter)).astype(np.int64)
        x *= n
        x >>= 32
        return x

    @override
    def integer(self, word: np.ndarray) -> np.ndarray:
        return word.astype(np.int64)

    @override
    def lanes(self, mask: np.ndarray) -> np.ndarray:
        return np.flatnonzero(mask)

    @override
    def columns(self, rows: np.ndarray) -> Sequence[np.ndarray]:
        return list(np.ascontiguousarray(rows.T, dtype=np.int64))

    @override
    def stack(self, columns: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack(columns, -1)

    @override
    def take(self, table: np.ndarray, index: np.ndarray) -> np.ndarray:
        return table.take(index, axis=0, mode="clip")  # clip spares a pass over the indices

    @override
    def zeros(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.zeros(shape, np.float32)

    @override
    def fill_one_hot(
        self, one_positions: Sequence[np.ndarray], numbers: int, out: np.ndarray
    ) -> np.ndarray:
        # Positions in the flat array.
        first = np.arange(0, len(out) * numbers, numbers)
        index = np.empty((len(out), len(one_positions)), np.int64)
        for k, column in enumerate(one_positions):
            np.add(column, first, out=index[:, k])
        return self.fill_at(index, out)

    def fill_at(self, index: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Fills `out` [B, numbers] with 0, and with 1 at these positions [B, K] of all numbers."""
        numbers = out.shape[1]

        # Rows are cleared and set a few at a time, while they are in the cache.
        flat, rows = out.reshape(-1), max(1, CHUNK // (numbers * out.itemsize))
        if rows >= len(out):
            flat.fill(0)
            flat[index] = 1
            return out
        for lo in range(0, len(out), rows):
            flat[lo * numbers : (lo + rows) * numbers].fill(0)
            flat[index[lo : lo + rows]] = 1
        return out

    @override
    def cast(self, column: np.ndarray, dtype: str) -> np.ndarray:
        return column.astype(dtype)

    @override
    def pile(self, columns: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack(columns)

    @override
    def join(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        return np.concatenate(arrays)

    @override
    def where(self, mask: np.ndarray, this: Any, other: Any) -> np.ndarray:
        chosen: np.ndarray = np.where(mask, this, other)
        return chosen

    @override
    def put(self, array: np.ndarray, index: np.ndarray, values: np.ndarray) -> np.ndarray:
        array.reshape(-1)[index] = values
        return array

    @override
    def with_row(self, array: np.ndarray, k: int, row: np.ndarray) -> np.ndarray:
        array[k] = row
        return array

    @override
    def order(self, keys: np.ndarray) -> np.ndarray:
        return np.argsort(keys, axis=0, kind="stable")

    @override
    def count_neighbours(self, neighbours: np.ndarray, marked: np.ndarray) -> np.ndarray:
        count: np.ndarray = (neighbours @ marked.astype(np.float32)).astype(np.uint8)
        return count

    @override
    def count_up(self, marked: np.ndarray) -> np.ndarray:
        # Twenty times as fast as `cumsum` along the first axis.
        count = marked.astype(np.int16)
        for k in range(1, len(count)):
            count[k] += count[k - 1]
        return count

    @override
    def where_needed(
        self,
        mask: np.ndarray,
        change: Callable[..., np.ndarray],
        columns: Sequence[np.ndarray],
    ) -> np.ndarray:
        lanes = np.flatnonzero(mask)
        if not len(lanes):
            return columns[0]
        changed = columns[0].copy()
        changed[..., lanes] = change(*[column[..., lanes] for column in columns])
        return changed

    @override
    def look(self, ground: np.ndarray, windows: np.ndarray, where: np.ndarray) -> np.ndarray:
        # A few games at a time, while their indices are in the cache.
        games, size = ground.shape
        seen, flat = np.empty((*where.shape, windows.shape[1]), np.uint8), ground.reshape(-1)
        first = np.arange(0, games * size, size)[:, None, None]
        for lo in range(0, games, GAMES):
            hi = lo + GAMES
            index = windows.take(where[lo:hi], axis=0, mode="clip")
            index += first[lo:hi]
            flat.take(index, out=seen[lo:hi], mode="clip")
        return seen


class JointActions:
    """Codes of joint actions: [B, N] -> [B].

    Attributes:
        count: number of joint actions.
    """

    def __init__(self, num_actions: Sequence[int]):
        self.num_actions, self.count = tuple(num_actions), math.prod(num_actions)
        few = len(num_actions) == 2 and self.count <= MAX_PAIRS and sys.byteorder == "little"
        self.pair = np.uint16(256 * num_actions[1] + 1) if few else None
        self.strides = np.array([math.prod(num_actions[n + 1 :]) for n in range(len(num_actions))])

    def __call__(self, actions: np.ndarray) -> np.ndarray:
        """The codes."""
        code: np.ndarray
        if len(actions) <= FEW and actions.dtype == np.int64:
            code = actions.dot(self.strides)
            return code
        if self.pair is None:
            code = encode(tuple(np.ascontiguousarray(actions.T, dtype=np.int64)), self.num_actions)
            return code

        # Both actions as one 16-bit number, a0 + 256 a1, and one product mod 2^16:
        # ((a0 A1 + a1) * 256 + a0) >> 8 = a0 A1 + a1.
        pair = np.ascontiguousarray(actions, np.uint8).view(np.uint16)[:, 0]
        return pair * self.pair >> 8


class NumpyTables(TableEngine):
    """Plays from tables; scratch arrays spare the allocations."""

    def __init__(self, game: Game, num_envs: int, obs_mode: str, reward_dtype: str = "float32"):
        super().__init__(game, NumpyArrays(), obs_mode, reward_dtype=reward_dtype)
        self.entry = np.empty(num_envs, np.int64)  # scratch: index of (state, joint action)
        self.next_code = np.empty(num_envs, self.next_codes.dtype)  # scratch
        self.joint_action = JointActions(game.num_actions)
        # As arrays, which numpy takes quicker than numbers.
        self.joint_count = np.array(self.num_joint)
        self.first_pending = np.array(self.num_states, self.next_codes.dtype)
        self.draws = LaneDraws(self.xp, self.streams, list(self.bases), num_envs)
        self.counts = list(self.bases.values())

    @override
    def start(self, key: Key) -> Encoded:
        if self.start_bases is None or self.start_states is None:
            return super().start(key)
        draw, counts = start_draw(self.xp, key, self.streams), list(self.start_bases.values())
        digits = [draw(stream, n) for stream, n in self.start_bases.items()]
        state = self.start_states.take(mixed_radix(digits, counts))
        return (np.broadcast_to(state, key[0].shape).astype(np.int64),)

    @override
    def play(
        self,
        encoded: Encoded,
        actions: np.ndarray,
        key: Key,
        t: Any,
        episode_rewards: np.ndarray | None,
    ) -> tuple[Encoded, np.ndarray]:
        (state,), entry, next_code = encoded, self.entry, self.next_code

        # The row of (state, joint action) in the tables.
        np.multiply(state, self.joint_count, out=entry)
        entry += self.joint_action(actions)

        # What the players do, and what chance does on the boards that wait for it.
        self.next_codes.take(entry, out=next_code, mode="clip")
        if self.certain:
            np.copyto(state, next_code)
        else:
            self.chance(state, key, t)

        rewards = self.joint_rewards.take(entry, axis=0, mode="clip")
        if episode_rewards is not None:
            rewards = self.rewards(rewards, episode_rewards)
        return encoded, rewards

    def chance(self, state: np.ndarray, key: Key, t: Any) -> None:
        """Writes the states that follow `next_code`."""
        next_code, draws = self.next_code, self.draws
        waits = next_code >= self.first_pending
        if draws.few and isinstance(t, int):
            # In all games, which in a small batch is quicker than to find those that wait.
            index = draws.index_of_all(key, t, self.counts) * waits
            index += next_code
            self.successors.take(index, out=state, mode="clip")
            return

        np.copyto(state, next_code)
        lanes = waits.nonzero()[0]
        index = draws.index(key, t, lanes, self.counts)
        state[lanes] = self.successors.take(next_code.take(lanes) + index, mode="clip")

    @override
    def observe(self, encoded: Encoded, out: np.ndarray) -> np.ndarray:
        if self.state_observations is None:
            return super().observe(encoded, out)  # type: ignore[no-any-return]
        seen: np.ndarray = self.state_observations.take(encoded[0], axis=0, out=out, mode="clip")
        return seen
