"""B games on numpy: the batch behind `make_vec_env(..., backend="numpy")`."""

import math
from typing import Any

import numpy as np
from typing_extensions import override

from social_dilemmas_env.engine.array_engine import Key, RuleEngine
from social_dilemmas_env.engine.bound_engine import BoundEngine
from social_dilemmas_env.engine.numpy_engine import NumpyArrays, NumpyTables, key_of
from social_dilemmas_env.engine.numpy_walkers import NumpyWalkers
from social_dilemmas_env.engine.walker_tables import in_halves
from social_dilemmas_env.games.game import is_bound
from social_dilemmas_env.vector.array_pool import ArrayPool
from social_dilemmas_env.vector.base import BatchEnv
from social_dilemmas_env.vector.options import integer_array, shape_error

MIN_ALIGNED = 1 << 19  # numbers; below, aligning and keeping an array costs more than it gains
MOST_KEPT = (1 << 25) - (1 << 12)  # bytes: glibc learns from no larger block
UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}  # by bytes


class NumpyBatch(BatchEnv):
    """`BatchEnv` whose arrays are numpy's; every action is checked."""

    @override
    def _wants_tables(self) -> bool:
        self._in_halves = self.options.tables is None and in_halves(self.game)
        return not self._in_halves and super()._wants_tables()

    @override
    def _make_engine(self) -> RuleEngine:
        # glibc keeps twice as much freed memory as the largest block that it has seen freed.
        # Without this one, never touched, a step's results go back and are fetched page by page.
        size = 8 * self.num_envs * self.num_agents * math.prod(self.game.observation_shape)
        np.empty(min(size, MOST_KEPT), np.uint8)

        self._pool = ArrayPool()  # of observations
        self._fewest_actions = min(self.game.num_actions)
        reward_dtype = "float64" if self.options.exact_rewards else "float32"
        if is_bound(self.game):
            xp = NumpyArrays()
            return BoundEngine(self.game, xp, self.obs_mode, reward_dtype=reward_dtype)
        if self._in_halves:
            return NumpyWalkers(self.game, self.num_envs, reward_dtype)
        if self._by_tables:
            return NumpyTables(self.game, self.num_envs, self.obs_mode, reward_dtype)
        return RuleEngine(self.game, NumpyArrays(), reward_dtype=reward_dtype)

    @override
    def _key(self, stem: np.ndarray, episode: np.ndarray) -> Key:
        return key_of(stem, self.books.word(episode))

    @override
    def check_actions(self, actions: Any) -> np.ndarray:
        plain = type(actions) is np.ndarray and actions.dtype.kind in "iu"
        given = actions if plain else integer_array(actions)
        if given.shape != self._actions_shape:
            raise shape_error(given.shape, self._actions_shape)
        if not given.dtype.isnative:
            given = given.astype(np.int64)

        # As unsigned, negative numbers are huge: one comparison does.
        unsigned = given.view(UNSIGNED[given.itemsize])
        suspicious = np.maximum.reduce(unsigned, axis=None) >= self._fewest_actions
        if suspicious and (unsigned >= np.array(self.game.num_actions)).any():
            raise self.range_error()
        return given

    @override
    def _flags(self, value: Any) -> np.ndarray:
        flags = np.zeros(self._actions_shape, bool)
        if value is not False:
            flags.T[...] = value
        return flags

    @override
    def _empty(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        small = shape[0] * shape[1] < MIN_ALIGNED
        return np.empty(shape, dtype) if small else self._pool.empty(shape, dtype)
