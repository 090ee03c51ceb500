"""B games on torch, CPU or CUDA: the batch behind `make_vec_env(..., backend="torch")`."""

from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from social_dilemmas_env.engine.array_engine import RuleEngine
from social_dilemmas_env.engine.bound_engine import BoundEngine
from social_dilemmas_env.engine.torch_engine import TorchArrays, TorchRules, TorchTables
from social_dilemmas_env.games.game import Game, is_bound
from social_dilemmas_env.vector.base import BatchEnv, Infos, Step
from social_dilemmas_env.vector.options import Options, shape_error

INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)  # types of actions


class TorchBatch(BatchEnv):
    """`BatchEnv` whose arrays are tensors on `device`.

    Tensors made in inference mode could not be written again outside of it, so this class leaves
    it wherever it makes some.

    Attributes:
        static: whether a step is made of static shapes, which a CUDA graph can capture.
    """

    def __init__(self, env_id: str, game: Game, options: Options):
        """Makes the batch; use `make_vec_env`."""
        self.device = checked_device(options.device)
        # Waiting for a CUDA device would cost more than work on lanes where nothing happens.
        self.static = self.device.type != "cpu" if options.static is None else options.static
        self._table: Tensor | None = None  # this batch's own `observation_table`, once asked for
        super().__init__(env_id, game, options)

    @property
    @override
    def observation_table(self) -> Tensor:
        # Engines share theirs, and no tensor is read-only: whoever writes gets a copy to write in.
        if self._table is None:
            with torch.inference_mode(False):
                self._table = super().observation_table.clone()
        return self._table

    @override
    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_table": None}

    @override
    def _make_engine(self) -> RuleEngine:
        xp = TorchArrays(self.device, static=self.static)
        more: dict[str, Any] = {"static": self.static}
        if self.options.exact_rewards:
            more["reward_dtype"] = "float64"
        if is_bound(self.game):
            return BoundEngine(self.game, xp, self.obs_mode, **more)
        if self._by_tables:
            return TorchTables(self.game, xp, self.obs_mode, **more)
        return TorchRules(self.game, xp, **more)

    @override
    def reset(
        self, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Tensor, Infos]:
        with torch.inference_mode(False):
            return super().reset(seed, options)

    @override
    def step(self, actions: Tensor) -> Step:
        if not torch.is_inference_mode_enabled():  # entering a context takes time
            return super().step(actions)
        with torch.inference_mode(False):
            return super().step(actions)

    @override
    def set_state(self, state: Any) -> None:
        with torch.inference_mode(False):
            super().set_state(state)

    @override
    def _may_look(self) -> bool:
        return self.options.validate or not self.static

    @override
    def check_actions(self, actions: Any) -> Tensor:
        if not isinstance(actions, Tensor):
            raise TypeError(
                f"actions must be a torch tensor on {self.device}, got {type(actions).__name__}"
            )
        if actions.dtype not in INTEGERS:
            raise TypeError(
                f"actions must be integers (int8 to int64, or uint8), got {actions.dtype}"
            )
        if actions.shape != self._actions_shape:
            raise shape_error(actions.shape, self._actions_shape)
        if actions.device != self.device:
            raise ValueError(f"actions must be on {self.device}, got {actions.device}")

        if self._may_look() and not self._in_range(actions):
            raise self.range_error()
        return actions

    def _in_range(self, actions: Tensor) -> bool:
        # The least and the greatest decide, where all players have the same actions.
        low, high = torch.aminmax(actions)
        limits = self.game.num_actions
        if low < 0:
            return False
        if high < min(limits):
            return True

        return not bool((actions >= self.engine.xp.column(limits)).any())

    @override
    def _mask(self, mask: Any) -> Tensor:
        given = torch.as_tensor(mask)
        if given.dtype != torch.bool:
            raise TypeError(f"reset_mask must be a tensor of bool, got {given.dtype}")
        if tuple(given.shape) != (self.num_envs,):
            raise ValueError(
                f"reset_mask must have shape ({self.num_envs},), got {tuple(given.shape)}"
            )
        return given.to(self.device)

    @override
    def _flags(self, value: Any) -> Tensor:
        if isinstance(value, bool):
            return torch.full(self._actions_shape, value, dtype=torch.bool, device=self.device)
        flags: Tensor = value[:, None].repeat(1, self.num_agents)
        return flags

    @override
    def _empty(self, shape: tuple[int, ...], dtype: str) -> Tensor:
        return torch.empty(shape, dtype=getattr(torch, dtype), device=self.device)


def checked_device(device: Any) -> torch.device:
    """The device, with its index.

    Args:
        device: "cpu", "cuda", "cuda:1", or a torch.device.

    Raises:
        ValueError: neither the CPU nor CUDA.
        RuntimeError: a CUDA device that is not there.
    """
    try:
        device = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(f'device must be "cpu", "cuda" or "cuda:<n>", got {device!r}') from error
    if device.type == "cpu":
        return torch.device("cpu")
    if device.type != "cuda":
        raise ValueError(f'device must be "cpu", "cuda" or "cuda:<n>", got {device!r}')
    if not torch.cuda.is_available():
        raise RuntimeError(
            f"device={str(device)!r}: there is no CUDA device here (torch {torch.__version__}); "
            'use "cpu"'
        )

    index = torch.cuda.current_device() if device.index is None else device.index
    if index >= torch.cuda.device_count():
        raise RuntimeError(
            f"device={str(device)!r}: there are {torch.cuda.device_count()} CUDA devices here"
        )
    return torch.device("cuda", index)
