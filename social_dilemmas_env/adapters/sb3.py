"""A batch as a Stable-Baselines3 `VecEnv`.

There is one row for each player of each game, and one policy for all:

    from stable_baselines3 import PPO
    from social_dilemmas_env.adapters.sb3 import SB3VecEnv

    PPO("MlpPolicy", SB3VecEnv("coin_game_v0", num_envs=64), n_steps=50, seed=0).learn(100_000)

With an opponent there is one row for each game, and the policy learns in one seat:

    SB3VecEnv("coin_game_v0", num_envs=64, opponent="bundled:loqa_3x3")
"""

import math
import time
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from typing_extensions import override

from social_dilemmas_env import rng
from social_dilemmas_env.adapters.options import required_options
from social_dilemmas_env.adapters.versions import unusable
from social_dilemmas_env.envs.parallel import DilemmaEnv
from social_dilemmas_env.games.game import State
from social_dilemmas_env.make import make_vec_env
from social_dilemmas_env.modes import RenderMode
from social_dilemmas_env.single_agent.opponents import Opponent
from social_dilemmas_env.single_agent.vector_env import SingleVectorEnv
from social_dilemmas_env.validation import one_of
from social_dilemmas_env.vector.numpy_env import NumpyBatch

try:
    from stable_baselines3.common.vec_env import VecEnv
except ImportError as error:
    raise unusable("stable_baselines3", error, "SB3VecEnv") from error

MOST_IMAGES = 9  # games in one picture


class SB3VecEnv(VecEnv):
    """B games with N players as B * N rows; row b * N + n is player n of game b.

    Against an opponent the rows R are the B games, seen by one player.

    Steps are computed for all rows at once.  At the end of an episode a row's info holds
    "terminal_observation" and "TimeLimit.truncated", so that learners bootstrap from the last
    value, and "episode" (return "r", length "l", seconds "t"), as from `VecMonitor`.

    Args:
        env_id: see `list_envs`.
        num_envs: number of games B; `self.num_envs` is the number of rows, as Stable-Baselines3
            counts.
        opponent: None: the policy plays all seats; else who plays the others, fixed (see
            `SingleEnv`).  `env_method("set_opponent", ...)` exchanges them.
        player: the policy's seat against an opponent.
        render_mode: None, or "rgb_array": `get_images` draws the first games.
        **kwargs: `obs_mode` ("float32" or "uint8"; float32 against an opponent), `seed`, `flat`
            and the game's own arguments; see `make_vec_env`.

    Raises:
        ValueError: as `make_vec_env`; or the players have different numbers of actions, unless
            they play against an opponent.
        TypeError: as `make_vec_env` and `SingleVectorEnv`.
    """

    def __init__(
        self,
        env_id: str,
        num_envs: int,
        *,
        opponent: Opponent | None = None,
        player: int = 0,
        render_mode: Literal["rgb_array"] | None = None,
        **kwargs: Any,
    ):
        if render_mode is not None:
            one_of("render_mode", render_mode, ("rgb_array",))
        if opponent is not None:
            seed = self._play_against(env_id, num_envs, opponent, player, kwargs)
            self._begin(render_mode, (self.batch.num_envs,), seed)
            return

        options = required_options(
            "SB3VecEnv", kwargs, backend="numpy", autoreset="same_step", reuse_buffers=False
        )
        batch: Any = make_vec_env(env_id, num_envs, **options)
        self.batch: NumpyBatch | SingleVectorEnv = batch
        counts = batch.game.num_actions
        if len(set(counts)) > 1:
            raise ValueError(f"rows share one action space, and the players have {counts} actions")

        self._begin(render_mode, (batch.num_envs, batch.num_agents), None)

    def _play_against(
        self, env_id: str, num_envs: int, opponent: Opponent, player: int, kwargs: dict[str, Any]
    ) -> int | None:
        """Makes a batch of one row for each game; returns the seed of its first reset."""
        options = required_options(
            "SB3VecEnv with an opponent",
            kwargs,
            backend="numpy",
            autoreset="same_step",
            reuse_buffers=False,
            obs_mode="float32",
        )
        seed = options.pop("seed", None)
        for name in ("backend", "autoreset", "reuse_buffers", "obs_mode"):
            del options[name]
        self.batch = SingleVectorEnv(
            num_envs,
            env_id=env_id,
            opponent=opponent,
            player=player,
            autoreset_mode="SameStep",
            **options,
        )
        return None if seed is None else rng.check_seed(seed)

    def _begin(
        self, render_mode: RenderMode | None, shape: tuple[int, ...], seed: int | None
    ) -> None:
        """What both kinds of rows need.

        Args:
            render_mode: see the class.
            shape: of the actions that the batch takes, [B, N] or [B].
            seed: of the first reset.
        """
        self._shape, self._seed = shape, seed
        self._actions: np.ndarray = np.zeros(0, np.int64)  # those of `step_async`

        # One environment draws any game, from its state; the library asks the batch for its mode.
        games: Any = getattr(self.batch, "venv", self.batch)
        self._games: NumpyBatch = games
        self._painter: DilemmaEnv | None = None
        if render_mode is not None:
            self._painter = DilemmaEnv(games.env_id, games.game, render_mode)
        self.batch.render_mode = render_mode

        # The running episodes of all rows.
        rows = math.prod(shape)
        self._returns, self._lengths = np.zeros(rows), np.zeros(rows, np.int64)
        self._began = time.monotonic()
        spaces: Any = self.batch.single_observation_space, self.batch.single_action_space
        super().__init__(rows, *spaces)

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
    def set_options(self, options: Any = None) -> None:
        """There are none: rows of games that end restart by themselves.

        Raises:
            ValueError: options, which would be lost.
        """
        rows = options if isinstance(options, list) else [options]
        if given := next((row for row in rows if row), None):
            raise ValueError(
                f"SB3VecEnv has no options, got {given!r:.60}: reset() restarts all games"
            )

    @override
    def reset(self) -> np.ndarray:
        """Starts an episode in every game; observations [B * N, *obs_shape]."""
        observations, _ = self.batch.reset(seed=self._seed)
        self._seed = None
        self._returns[:], self._lengths[:] = 0, 0
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
        self._actions = actions.reshape(self._shape)

    @override
    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """One joint move in every game.

        Returns:
            Of all rows R = B * N: observations [R, *obs_shape], rewards float32 [R], ends bool [R],
            and R infos.
        """
        observations, rewards, _, truncations, info = self.batch.step(self._actions)

        observations, rewards, truncations = (
            self._rows(observations),
            rewards.reshape(-1).astype(np.float32, copy=False),
            truncations.reshape(-1),
        )
        self._returns += rewards
        self._lengths += 1

        # What there is to say of the games that have just ended.
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        if info:
            final = info["final_obs"]  # against an opponent an array of arrays, one a row
            final = self._rows(final) if len(self._shape) > 1 else final
            # Against an opponent Gymnasium's view has them one level down.
            metrics = info.get("metrics") or info.get("final_info", {}).get("metrics")
            seconds = round(time.monotonic() - self._began, 6)
            for row in np.flatnonzero(truncations):
                episode = {"r": float(self._returns[row]), "l": int(self._lengths[row])}
                infos[row] = {
                    "terminal_observation": final[row],
                    "TimeLimit.truncated": True,
                    "episode": {**episode, "t": seconds},
                }
                if metrics:
                    of_row = {k: v.reshape(-1)[row] for k, v in metrics.items()}
                    infos[row]["metrics"] = {k: float(v) for k, v in of_row.items()}
            self._returns[truncations], self._lengths[truncations] = 0, 0

        return observations, rewards, truncations, infos

    @property
    def max_cycles(self) -> int:
        """Steps after which an episode is truncated."""
        return self._games.max_cycles

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
        """Pictures uint8 [height, width, 3] of the first games, at most `MOST_IMAGES`.

        None for each row without a render mode.
        """
        if self._painter is None:
            return [None] * self.num_envs

        game, *fields = self._games.get_state()
        images: list[Any] = []
        for one in list(zip(*fields, strict=True))[:MOST_IMAGES]:
            self._painter.set_state(State(game, *one))
            images.append(self._painter.render())
        return images
