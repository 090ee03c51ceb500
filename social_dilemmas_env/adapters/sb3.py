"""A batch as a Stable-Baselines3 `VecEnv`.

There is one row for each player of each game, and one policy for all:

    from stable_baselines3 import PPO
    from social_dilemmas_env.adapters.sb3 import SB3VecEnv

    PPO("MlpPolicy", SB3VecEnv("coin_game_v0", num_envs=64), n_steps=50, seed=0).learn(100_000)
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from typing_extensions import override

from social_dilemmas_env import rng
from social_dilemmas_env.adapters.options import required_options
from social_dilemmas_env.extras import missing
from social_dilemmas_env.make import make_vec_env
from social_dilemmas_env.vector.numpy_env import NumpyBatch

try:
    from stable_baselines3.common.vec_env import VecEnv
except ModuleNotFoundError as error:
    raise missing(error.name or "stable_baselines3", "sb3", "SB3VecEnv") from error


class SB3VecEnv(VecEnv):
    """B games with N players as B * N rows; row b * N + n is player n of game b.

    Steps are computed for all rows at once.  At the end of an episode a row's info holds
    "terminal_observation" and "TimeLimit.truncated", so that learners bootstrap from the last
    value.

    Args:
        env_id: see `list_envs`.
        num_envs: number of games B; `self.num_envs` is the number of rows, as Stable-Baselines3
            counts.
        **kwargs: `obs_mode` ("float32" or "uint8"), `seed` and the game's own arguments; see
            `make_vec_env`.

    Raises:
        ValueError: as `make_vec_env`; or the players have different numbers of actions.
        TypeError: as `make_vec_env`.
    """

    def __init__(self, env_id: str, num_envs: int, **kwargs: Any):
        options = required_options(
            "SB3VecEnv", kwargs, backend="numpy", autoreset="same_step", reuse_buffers=False
        )
        batch: Any = make_vec_env(env_id, num_envs, **options)
        self.batch: NumpyBatch = batch
        counts = self.batch.game.num_actions
        if len(set(counts)) > 1:
            raise ValueError(f"rows share one action space, and the players have {counts} actions")

        self._actions: np.ndarray = np.zeros(0, np.int64)  # [B, N], those of `step_async`
        self._seed: int | None = None  # of the next reset
        rows = self.batch.num_envs * self.batch.num_agents
        super().__init__(rows, self.batch.single_observation_space, self.batch.single_action_space)

    @override
    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Sets the seed of the next reset, which fixes all games.

        Args:
            seed: an integer in [0, 2^63); None: one from the operating system.

        Returns:
            For each row the seed that was set.
        """
        self._seed = rng.fresh_seed() if seed is None else rng.check_seed(seed)
        return [self._seed] * self.num_envs

    @override
    def reset(self) -> np.ndarray:
        """Starts an episode in every game; observations [B * N, *obs_shape]."""
        observations, _ = self.batch.reset(self._seed)
        self._seed = None
        self.reset_infos = [{} for _ in range(self.num_envs)]
        self._reset_options()
        return self._rows(observations)

    @override
    def step_async(self, actions: np.ndarray) -> None:
        """Takes the actions of all rows, [B * N].

        Raises:
            ValueError: actions of another shape.
        """
        actions = np.asarray(actions)
        if actions.shape != (self.num_envs,):
            raise ValueError(
                f"actions must have shape ({self.num_envs},), one a row; got {actions.shape}"
            )
        self._actions = actions.reshape(self.batch.num_envs, self.batch.num_agents)

    @override
    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """One joint move in every game.

        Returns:
            Of all rows R = B * N: observations [R, *obs_shape], rewards float32 [R], ends bool [R],
            and R infos.
        """
        observations, rewards, _, truncations, info = self.batch.step(self._actions)

        # The last observations of the games that have just ended.
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        if info:
            final = self._rows(info["final_obs"])
            for row in np.flatnonzero(truncations):
                infos[row] = {"terminal_observation": final[row], "TimeLimit.truncated": True}

        return self._rows(observations), rewards.reshape(-1), truncations.reshape(-1), infos

    def _rows(self, observations: np.ndarray) -> np.ndarray:
        """[B, N, *obs_shape] -> [B * N, *obs_shape]."""
        shape: Any = self.observation_space.shape
        return observations.reshape(self.num_envs, *shape)

    @override
    def close(self) -> None:
        """Nothing to close."""

    @override
    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """An attribute of the batch, once for each row asked for."""
        return [getattr(self.batch, attr_name)] * len(list(self._get_indices(indices)))

    @override
    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Sets an attribute of the batch, which all rows share."""
        setattr(self.batch, attr_name, value)

    @override
    def env_method(
        self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any
    ) -> list[Any]:
        """Calls a method of the batch once; its result, once for each row asked for."""
        result = getattr(self.batch, method_name)(*method_args, **method_kwargs)
        return [result] * len(list(self._get_indices(indices)))

    @override
    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        """No row is wrapped."""
        return [False] * len(list(self._get_indices(indices)))

    @override
    def get_images(self) -> Sequence[np.ndarray | None]:
        """Batches are not rendered."""
        return [None] * self.num_envs
