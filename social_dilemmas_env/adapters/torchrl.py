"""A batch as a TorchRL `EnvBase`, in the layout of VMAS.

The batch size is [B], with one group "player" of shape [B, N]:

    from social_dilemmas_env.adapters.torchrl import TorchRLEnv

    env = TorchRLEnv("coin_game_v0", num_envs=4096, device="cuda", seed=0)
    rollout = env.rollout(50, policy)
    rollout["player", "observation"]                    # [B, 50, N, *obs_shape]
    rollout["player", "action"]                         # [B, 50, N]

Rewards are per player, [B, N, 1] (these games are general-sum); done, terminated and truncated are
at the root, [B, 1].
"""

from functools import partial
from typing import Any, Self

import torch
from typing_extensions import override

from social_dilemmas_env import rng
from social_dilemmas_env.adapters.options import required_options
from social_dilemmas_env.adapters.versions import unusable
from social_dilemmas_env.engine.episode_metrics import metric_names
from social_dilemmas_env.make import make_vec_env
from social_dilemmas_env.vector.torch_env import TorchBatch, checked_device

try:
    from tensordict import TensorDict, TensorDictBase
    from torchrl.data import Bounded, Categorical, Composite, Unbounded
    from torchrl.envs import EnvBase
except ImportError as error:
    raise unusable("torchrl", error, "TorchRLEnv") from error

GROUP = "player"  # all players form one group


class TorchRLEnv(EnvBase):  # type: ignore[misc]  # an untyped library
    """B games of N players.

    Attributes:
        batch: the games.
        group_map: {"player": ["player_0", ...]}.

    Args:
        env_id: see `list_envs`.
        num_envs: number of games B.
        device: see `make_vec_env`.
        seed: of the first reset; None: from the operating system.
        **kwargs: `obs_mode`, `validate`, `flat` and the game's own arguments; see `make_vec_env`.

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
        options = required_options(
            "TorchRLEnv", kwargs, backend="torch", autoreset="disabled", reuse_buffers=False
        )
        batch: Any = make_vec_env(env_id, num_envs, device=device, seed=seed, **options)
        counts = batch.game.num_actions
        if len(set(counts)) > 1:
            raise ValueError(
                f"a group shares one action space, and the players have {counts} actions"
            )

        super().__init__(device=checked_device(device), batch_size=torch.Size([batch.num_envs]))
        self.batch: TorchBatch = batch
        self._remake = partial(make_vec_env, env_id, num_envs, seed=seed, **options)
        self.group_map = {GROUP: list(batch.possible_agents)}
        self._next_seed: int | None = None
        self._make_specs()

    @property
    def max_cycles(self) -> int:
        """Steps after which an episode is truncated."""
        return self.batch.max_cycles

    @override
    def to(self, device: Any = None, **kwargs: Any) -> Self:
        """Moves the games too, which go on where they are.

        Raises:
            ValueError: neither the CPU nor CUDA; or a dtype, which is no matter of games.
            RuntimeError: a CUDA device that is not there.
        """
        if kwargs or isinstance(device, torch.dtype):
            raise ValueError("TorchRLEnv.to moves games to a device, and takes nothing else")
        if device is None or checked_device(device) == self.batch.device:
            return self

        # A batch of its own there.
        batch: Any = self._remake(device=device)
        if self.batch.clock is not None:
            batch.set_state(self.batch.get_state())
        self.batch = batch
        return super().to(checked_device(device))  # type: ignore[no-any-return]

    def _make_specs(self) -> None:
        """The shapes and types of everything that is read and returned."""
        batch, device = self.batch, self.device
        games, players = (batch.num_envs,), (batch.num_envs, batch.num_agents)

        def grouped(**inner: Any) -> Composite:
            group = Composite(inner, shape=players, device=device)
            return Composite({GROUP: group}, shape=games, device=device)

        def flag() -> Categorical:
            return Categorical(2, shape=(*games, 1), dtype=torch.bool, device=device)

        # Of the players.
        actions = batch.game.num_actions[0]
        action = Categorical(actions, shape=players, dtype=torch.int64, device=device)
        reward = Unbounded(shape=(*players, 1), dtype=torch.float32, device=device)
        seen = {"observation": self._observation_spec(players)}
        if batch.options.info_metrics:
            number = Unbounded(shape=players, dtype=torch.float64, device=device)
            names = metric_names(batch.game)
            seen["metrics"] = Composite(
                {name: number.clone() for name in names}, shape=players, device=device
            )
        self.observation_spec = grouped(**seen)
        self.action_spec = grouped(action=action)
        self.reward_spec = grouped(reward=reward)

        # Of the games: all players of one end together.
        self.done_spec = Composite(
            done=flag(), terminated=flag(), truncated=flag(), shape=games, device=device
        )

    def _observation_spec(self, players: tuple[int, int]) -> Any:
        """What players observe: an id [B, N], or an array [B, N, *obs_shape]."""
        batch = self.batch
        if batch.obs_mode == "state":
            ids = int(batch.single_observation_space.n)  # type: ignore[union-attr]
            return Categorical(ids, shape=players, dtype=torch.int32, device=self.device)

        shape, dtype = (*players, *batch.game.observation_shape), getattr(torch, batch.obs_mode)
        return Bounded(0, 1, shape=shape, dtype=dtype, device=self.device)

    @override
    def _reset(self, tensordict: TensorDictBase | None = None, **kwargs: Any) -> TensorDictBase:
        """Restarts all games, or those that `tensordict["_reset"]` marks.

        Raises:
            ValueError: `seed` or `options`, which are given otherwise.
        """
        for name, instead in (("seed", "set_seed(...)"), ("options", 'tensordict["_reset"]')):
            if kwargs.get(name) is not None:
                raise ValueError(f"TorchRLEnv.reset takes no {name}: use {instead}")

        mask = None if tensordict is None else tensordict.get("_reset", None)
        options = None if mask is None else {"reset_mask": mask.reshape(self.batch.num_envs)}
        if self.batch.clock is None:
            options = None  # the first reset is of all games

        observations, _ = self.batch.reset(self._next_seed, options)
        self._next_seed = None
        return self._tensordict(observations, self._ended(), **self._metrics({}))

    @override
    def _step(self, tensordict: TensorDictBase) -> TensorDictBase:
        """One joint move in every game."""
        observations, rewards, _, truncations, infos = self.batch.step(tensordict[GROUP, "action"])
        more = {"reward": rewards[..., None], **self._metrics(infos)}
        return self._tensordict(observations, truncations[:, :1], **more)

    def _metrics(self, infos: dict[str, Any]) -> dict[str, Any]:
        """The entry "metrics", where it is asked for: float64 [B, N] each, 0 but at an end."""
        if not self.batch.options.info_metrics:
            return {}
        players = (self.batch.num_envs, self.batch.num_agents)
        zeros = torch.zeros(players, dtype=torch.float64, device=self.device)
        given = infos.get("metrics", {})
        entries = {name: given.get(name, zeros.clone()) for name in metric_names(self.batch.game)}
        return {"metrics": TensorDict(entries, batch_size=players, device=self.device)}

    def _ended(self) -> torch.Tensor:
        """Games that have ended and were not reset, bool [B, 1]."""
        over = self.batch.over
        if isinstance(over, bool):  # all games run in step
            return torch.full((self.batch.num_envs, 1), over, device=self.device)
        column: torch.Tensor = over[:, None]
        return column.clone()

    def _tensordict(
        self, observation: torch.Tensor, truncated: torch.Tensor, **more: Any
    ) -> TensorDictBase:
        """Entries of the players [B, N, ...] in their group, flags [B, 1] at the root."""
        players = (self.batch.num_envs, self.batch.num_agents)
        group = TensorDict(
            {"observation": observation, **more}, batch_size=players, device=self.device
        )

        # No game terminates: the end of the horizon is a truncation.
        flags = {
            "done": truncated,
            "terminated": torch.zeros_like(truncated),
            "truncated": truncated.clone(),
        }
        return TensorDict({GROUP: group, **flags}, batch_size=self.batch_size, device=self.device)

    @override
    def _set_seed(self, seed: int | None) -> None:
        """The seed of the next reset."""
        self._next_seed = rng.fresh_seed() if seed is None else rng.check_seed(seed)
