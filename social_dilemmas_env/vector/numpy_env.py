"""B games on numpy: the driver behind `make_vec_env(..., backend="numpy")`.

One step of a small game is three look-ups for all B games: `(state, joint action)` -> where to
land, the rewards, and `state` -> observations.  Only where chance has to act is anything else done,
and on those lanes only.
"""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from social_dilemmas_env import rng as draws
from social_dilemmas_env.engine.array_engine import Key, RuleEngine, TableEngine
from social_dilemmas_env.games.game import Board, Column, Game, encode
from social_dilemmas_env.vector.base import BatchEnv
from social_dilemmas_env.vector.options import check_action_shape, range_error

FACTORS = (
    np.array(0x7FEB352D, np.uint32),
    np.array(0x846CA68B, np.uint32),
)  # of `draws.mix`, as it is fastest
SHIFTS = (np.array(15, np.uint32), np.array(16, np.uint32))
UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}
CHUNK = 1 << 19  # bytes of observations that are written at a time


class NumpyArrays:
    """See `batch_engine.Arrays`; words are uint32, half as wide and twice as fast."""

    def column(self, values: Any) -> np.ndarray:
        """See `Arrays`."""
        return np.array(values, dtype=np.int64)

    def arange(self, n: int) -> np.ndarray:
        """See `Arrays`."""
        return np.arange(n, dtype=np.int64)

    def constant(self, table: np.ndarray) -> np.ndarray:
        """See `Arrays`."""
        return table

    def word(self, column: Column) -> Column:
        """See `Arrays`."""
        return (
            np.uint32(column & draws.MASK) if isinstance(column, int) else column.astype(np.uint32)
        )

    def words(self, key: Key, counter: Column) -> np.ndarray:
        """`draws.word` without the masks that 32 bits make needless, in place: less than half the
        time.
        """
        x = counter * key[1]
        x += key[0]
        y = x >> SHIFTS[1]
        for factor, shift in zip(FACTORS, SHIFTS, strict=True):
            x ^= y
            x *= factor
            np.right_shift(x, shift, out=y)
        x ^= y
        return x

    def integer(self, word: np.ndarray) -> np.ndarray:
        """See `Arrays`."""
        return word.astype(np.int64)

    def lanes(self, mask: np.ndarray) -> np.ndarray:
        """See `Arrays`."""
        return np.flatnonzero(mask)

    def columns(self, rows: np.ndarray) -> Sequence[np.ndarray]:
        """See `Arrays`."""
        return list(np.ascontiguousarray(rows.T, dtype=np.int64))

    def stack(self, columns: Sequence[np.ndarray]) -> np.ndarray:
        """See `Arrays`."""
        return np.stack(columns, -1)

    def take(self, table: np.ndarray, index: np.ndarray) -> np.ndarray:
        """See `Arrays`; clip spares a pass over the indices."""
        return table.take(index, axis=0, mode="clip")

    def zeros(self, shape: tuple[int, ...]) -> np.ndarray:
        """See `Arrays`."""
        return np.zeros(shape, np.float32)

    def ones(self, spots: Sequence[np.ndarray], numbers: int, out: np.ndarray) -> np.ndarray:
        """See `Arrays`; rows are cleared and set a few at a time, while they are in the cache."""
        first = np.arange(0, len(out) * numbers, numbers)
        index = np.empty((len(out), len(spots)), np.int64)
        for k, column in enumerate(spots):
            np.add(column, first, out=index[:, k])
        flat, rows = out.reshape(-1), max(1, CHUNK // (numbers * out.itemsize))
        for lo in range(0, len(out), rows):
            flat[lo * numbers : (lo + rows) * numbers].fill(0)
            flat[index[lo : lo + rows]] = 1
        return out

    def cast(self, column: np.ndarray, dtype: str) -> np.ndarray:
        """See `Arrays`."""
        return column.astype(dtype)


class NumpyTables(TableEngine):
    """Plays from tables."""

    def __init__(self, game: Game, num_envs: int, dtype: str):
        super().__init__(game, NumpyArrays(), dtype)
        few = len(self.players) == 2 and self.num_joint <= 256 and sys.byteorder == "little"
        self.pair = np.uint16(256 * game.num_actions[1] + 1) if few else None  # see `joint`
        self.entry = np.empty(num_envs, np.int64)  # scratch: index of (state, joint action)
        self.landed = np.empty(num_envs, self.land.dtype)  # scratch: where each game lands

    def play(
        self, position: Board, actions: np.ndarray, key: Key, t: Any, values: np.ndarray | None
    ) -> tuple[Board, np.ndarray]:
        """See `RuleEngine`; rewrites the position."""
        (state,), entry, landed = position, self.entry, self.landed
        np.multiply(state, self.num_joint, out=entry)
        np.add(entry, self.joint(actions), out=entry)
        np.take(self.land, entry, out=landed, mode="clip")
        np.copyto(state, landed)
        if not self.certain:
            lanes = (landed >= self.num_states).nonzero()[0]
            rank = self.rank(
                self.bases, (key[0][lanes], key[1][lanes]), t if isinstance(t, int) else t[lanes]
            )
            state[lanes] = self.landing.take(landed[lanes] + rank, mode="clip")
        paid = self.paid.take(entry, axis=0, mode="clip")
        return position, paid if values is None else self.pay(paid, values)

    def joint(self, actions: np.ndarray) -> np.ndarray:
        """Codes of the joint actions: [B, N] -> [B]."""
        if self.pair:
            pair = np.ascontiguousarray(actions, np.uint8).view(np.uint16)[:, 0]  # a0 + 256 a1
            return pair * self.pair >> 8  # = ((a0 A1 + a1) * 256 + a0) >> 8, mod 2^16
        return encode(self.xp.columns(actions), self.game.num_actions)

    def observe(self, position: Board, out: np.ndarray) -> np.ndarray:
        """See `RuleEngine`."""
        if self.rows is None:
            return super().observe(position, out)
        return np.take(self.rows, position[0], axis=0, out=out, mode="clip")


class NumpyBatch(BatchEnv):
    """See `BatchEnv`; arrays are numpy's, and every action is checked."""

    def _make_engine(self) -> RuleEngine:
        self._least = min(self.game.num_actions)
        if self._by_tables:
            return NumpyTables(self.game, self.num_envs, self.obs_mode)
        return RuleEngine(self.game, NumpyArrays())

    def _check_actions(self, actions: Any) -> np.ndarray:
        actions = np.asarray(actions)
        if actions.dtype.kind not in "iu":
            raise TypeError(f"actions must be integers, got an array of {actions.dtype}")
        check_action_shape(actions.shape, self)
        if not actions.dtype.isnative:
            actions = actions.astype(np.int64)
        unsigned = actions.view(
            UNSIGNED[actions.itemsize]
        )  # negative numbers become huge: one comparison does
        if unsigned.max() >= self._least and (unsigned >= np.array(self.game.num_actions)).any():
            raise range_error(self)
        return actions

    def _mask(self, mask: Any) -> np.ndarray:
        mask = np.asarray(mask)
        if mask.dtype != bool:
            raise TypeError(f"reset_mask must be an array of bool, got {mask.dtype}")
        if mask.shape != (self.num_envs,):
            raise ValueError(f"reset_mask must have shape ({self.num_envs},), got {mask.shape}")
        return mask

    def _flags(self, value: Any) -> np.ndarray:
        flags = np.zeros((self.num_envs, self.num_agents), bool)
        if value is not False:
            flags.T[...] = value
        return flags

    def _empty(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        return np.empty(shape, dtype)
