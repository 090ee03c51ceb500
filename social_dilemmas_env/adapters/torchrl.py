"""A batch as a TorchRL `EnvBase`, in the layout of VMAS: batch size [B], and one group "player" of
shape [B, N].

    from social_dilemmas_env.adapters.torchrl import TorchRLEnv

    env = TorchRLEnv("coin_game_v0", num_envs=4096, device="cuda", seed=0)
    rollout = env.rollout(50, policy)         # ("player", "observation") [B, 50, N, *obs_shape], ("player", "action"), ...

Rewards are per player, [B, N, 1] (these games are general-sum); done, terminated and truncated are
at the root, [B, 1].
"""

from typing import Any

import torch

from social_dilemmas_env import rng as draws
from social_dilemmas_env.adapters import refuse
from social_dilemmas_env.make import make_vec_env
from social_dilemmas_env.vector.torch_env import TorchBatch, checked_device

try:
    from tensordict import TensorDict, TensorDictBase
    from torchrl.data import Bounded, Categorical, Composite, Unbounded
    from torchrl.envs import EnvBase
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f'{error}: pip install "social-dilemmas-env[torchrl]"', name=error.name
    ) from error

GROUP = "player"


class TorchRLEnv(EnvBase):
    """B games of N players.

    Attributes:
        batch: the games.
        group_map: {"player": ["player_0", ...]}.

    Args:
        env_id: see `list_envs`.
        num_envs: number of games B.
        device: see `make_vec_env`.
        seed: of the first reset; None: from the operating system.
        **kwargs: `obs_mode`, `validate` and the game's own arguments; see `make_vec_env`.

    Raises:
        ValueError: as `make_vec_env`; or the players have different numbers of actions.
        TypeError: as `make_vec_env`.
    """

    batch_locked = True

    def __init__(
        self,
        env_id: str,
        num_envs: int,
        device: Any = "cpu",
        seed: int | None = None,
        **kwargs: Any,
    ):
        """See the class."""
        refuse("TorchRLEnv", kwargs, {"reuse_buffers": (False,)})
        batch: Any = make_vec_env(
            env_id, num_envs, "torch", device, autoreset="disabled", seed=seed, **kwargs
        )
        if len(set(batch.game.num_actions)) > 1:
            raise ValueError(
                f"a group shares one action space, and the players have {batch.game.num_actions} actions"
            )
        super().__init__(device=checked_device(device), batch_size=torch.Size([batch.num_envs]))
        self.batch: TorchBatch = batch
        self.group_map = {GROUP: list(batch.possible_agents)}
        self._next_seed: int | None = None
        self._make_specs()

    def _make_specs(self) -> None:
        batch, device = self.batch, self.device
        games, players = (batch.num_envs,), (batch.num_envs, batch.num_agents)
        if batch.obs_mode == "state":
            views = int(batch.single_observation_space.n)  # type: ignore[union-attr]
            observation = Categorical(views, shape=players, dtype=torch.int32, device=device)
        else:
            shape, dtype = (*players, *batch.game.observation_shape), getattr(torch, batch.obs_mode)
            observation = Bounded(0, 1, shape=shape, dtype=dtype, device=device)
        action = Categorical(
            batch.game.num_actions[0], shape=players, dtype=torch.int64, device=device
        )
        reward = Unbounded(shape=(*players, 1), dtype=torch.float32, device=device)

        def grouped(**inner: Any) -> Composite:
            return Composite(
                {GROUP: Composite(inner, shape=players, device=device)}, shape=games, device=device
            )

        def flag() -> Categorical:
            return Categorical(2, shape=(*games, 1), dtype=torch.bool, device=device)

        self.observation_spec = grouped(observation=observation)
        self.action_spec = grouped(action=action)
        self.reward_spec = grouped(reward=reward)
        self.done_spec = Composite(
            done=flag(), terminated=flag(), truncated=flag(), shape=games, device=device
        )

    def _reset(self, tensordict: TensorDictBase | None = None, **kwargs: Any) -> TensorDictBase:
        """Restarts all games, or those that `tensordict["_reset"]` marks."""
        mask = None if tensordict is None else tensordict.get("_reset", None)
        options = None if mask is None else {"reset_mask": mask.reshape(self.batch.num_envs)}
        if options and self.batch.clock is None:
            options = None  # the first reset is of all games
        observations, _ = self.batch.reset(self._next_seed, options)
        self._next_seed = None
        return self._tensordict(observations, self._over())

    def _step(self, tensordict: TensorDictBase) -> TensorDictBase:
        observations, rewards, _, truncations, _ = self.batch.step(tensordict[GROUP, "action"])
        return self._tensordict(observations, truncations[:, :1], reward=rewards[..., None])

    def _over(self) -> torch.Tensor:
        """Games that have ended and were not reset, [B, 1]."""
        over = self.batch.over
        return (
            torch.full((self.batch.num_envs, 1), over, device=self.device)
            if isinstance(over, bool)
            else over[:, None].clone()
        )

    def _tensordict(
        self, observation: torch.Tensor, truncated: torch.Tensor, **more: torch.Tensor
    ) -> TensorDictBase:
        players = (self.batch.num_envs, self.batch.num_agents)
        group = TensorDict(
            {"observation": observation, **more}, batch_size=players, device=self.device
        )
        flags = {
            "done": truncated,
            "terminated": torch.zeros_like(truncated),
            "truncated": truncated.clone(),
        }
        return TensorDict({GROUP: group, **flags}, batch_size=self.batch_size, device=self.device)

    def _set_seed(self, seed: int | None) -> None:
        """The seed of the next reset."""
        self._next_seed = draws.fresh_seed() if seed is None else draws.check_seed(seed)
