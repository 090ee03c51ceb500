"""B games on torch, CPU or CUDA: the driver behind `make_vec_env(..., backend="torch")`.

There are two bodies of a step, with the same results.  On the CPU chance acts only on the lanes
where it has something to do (`nonzero`).  The *static* body, for CUDA, works on all lanes: its
shapes depend on nothing and the host waits for nothing, so that a CUDA graph can capture it (see
`cuda_graph`).  It can be chosen on the CPU too (`static=True`), to be tested there.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from social_dilemmas_env import rng as draws
from social_dilemmas_env.engine.array_engine import Key, RuleEngine, TableEngine
from social_dilemmas_env.games.game import Board, Column, Game
from social_dilemmas_env.vector.base import BatchEnv, Infos, Step
from social_dilemmas_env.vector.options import Options, check_action_shape, range_error

INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)


class TorchArrays:
    """See `batch_engine.Arrays`; words are int64, of which the low 32 bits count."""

    def __init__(self, device: torch.device):
        self.device = device

    def column(self, values: Any) -> Tensor:
        """See `Arrays`."""
        return torch.tensor(values, dtype=torch.int64, device=self.device)

    def arange(self, n: int) -> Tensor:
        """See `Arrays`."""
        return torch.arange(n, dtype=torch.int64, device=self.device)

    def constant(self, table: np.ndarray) -> Tensor:
        """See `Arrays`."""
        return torch.tensor(table, device=self.device)

    def word(self, column: Column) -> Column:
        """See `Arrays`."""
        return column & draws.MASK

    def words(self, key: Key, counter: Column) -> Tensor:
        """See `Arrays`."""
        return draws.word(key, counter)

    def integer(self, word: Tensor) -> Tensor:
        """See `Arrays`."""
        return word.to(torch.int64)

    def lanes(self, mask: Tensor) -> Tensor:
        """See `Arrays`."""
        return mask.nonzero()[:, 0]

    def columns(self, rows: Tensor) -> Sequence[Tensor]:
        """See `Arrays`."""
        return rows.to(torch.int64).unbind(-1)

    def stack(self, columns: Sequence[Tensor]) -> Tensor:
        """See `Arrays`."""
        return torch.stack(tuple(columns), -1)

    def take(self, table: Tensor, index: Tensor) -> Tensor:
        """See `Arrays`; several times faster than `table[index]`."""
        if index.dim() == 1:
            return table.index_select(0, index)
        return table.index_select(0, index.reshape(-1)).reshape(*index.shape, *table.shape[1:])

    def zeros(self, shape: tuple[int, ...]) -> Tensor:
        """See `Arrays`."""
        return torch.zeros(shape, dtype=torch.float32, device=self.device)

    def ones(self, spots: Sequence[Tensor], numbers: int, out: Tensor) -> Tensor:
        """See `Arrays`."""
        return out.zero_().scatter_(1, torch.stack(tuple(spots), -1), 1)

    def cast(self, column: Tensor, dtype: str) -> Tensor:
        """See `Arrays`."""
        return column.to(getattr(torch, dtype))


class TorchRules(RuleEngine):
    """The rules on tensors."""

    def luck(self, key: Key, t: Any) -> Any:
        """What chance brings to the t-th moves, as `move` takes it."""
        return self.draw(key, t)

    def lucks(self, key: Key, first: Tensor, num_steps: int) -> list[Any]:
        """`luck` for the moves first, first + 1, ...; `first` is a 0-dimensional tensor."""
        return [self.luck(key, first + k) for k in range(num_steps)]

    def move(
        self, board: Board, actions: Tensor, luck: Any, values: Tensor | None
    ) -> tuple[Board, Tensor]:
        """A joint move in operations of static shapes: new position, rewards."""
        board, codes = self.game.act(board, self.xp.columns(actions))
        if self.has_chance:
            board = self.game.chance(board, luck)
        return tuple(board), self.pay(self.xp.stack(codes), values)

    def play(
        self, board: Board, actions: Tensor, key: Key, t: Any, values: Tensor | None
    ) -> tuple[Board, Tensor]:
        """See `RuleEngine`."""
        if self.static:
            return self.move(board, actions, self.luck(key, t), values)
        return super().play(board, actions, key, t, values)


class TorchTables(TableEngine):
    """Plays from tables."""

    def play(
        self, position: Board, actions: Tensor, key: Key, t: Any, values: Tensor | None
    ) -> tuple[Board, Tensor]:
        """See `RuleEngine`."""
        if self.static:
            return self.move(position, actions, self.luck(key, t), values)
        entry = self.entry(position, actions)
        landed = self.land.index_select(0, entry)
        state = self.xp.integer(landed)
        if not self.certain:
            lanes = self.xp.lanes(landed >= self.num_states)
            key = (key[0].index_select(0, lanes), key[1].index_select(0, lanes))
            rank = self.rank(self.bases, key, t if isinstance(t, int) else t[lanes])
            state.index_copy_(
                0, lanes, self.landing.index_select(0, state.index_select(0, lanes) + rank)
            )
        return (state,), self.paid_for(entry, values)

    def luck(self, key: Key, t: Any) -> Tensor | None:
        """What chance brings to the t-th moves, as `move` takes it: [B], or [K, B] for K numbers t
        [K, 1].
        """
        return None if self.certain else self.rank(self.bases, key, t)

    def lucks(self, key: Key, first: Tensor, num_steps: int) -> Sequence[Any]:
        """`luck` for the moves first, first + 1, ..., in one go: fewer kernels than step by
        step.
        """
        if self.certain:
            return [None] * num_steps
        return self.rank(self.bases, key, first + self.xp.arange(num_steps)[:, None]).unbind(0)

    def move(
        self, position: Board, actions: Tensor, luck: Any, values: Tensor | None
    ) -> tuple[Board, Tensor]:
        """A joint move in operations of static shapes: new position, rewards."""
        entry = self.entry(position, actions)
        state = landed = self.land.index_select(0, entry)
        if luck is not None:
            state = self.landing.index_select(0, landed + luck * (landed >= self.num_states))
        return (self.xp.integer(state),), self.paid_for(entry, values)

    def entry(self, position: Board, actions: Tensor) -> Tensor:
        """Index of (state, joint action)."""
        entry = position[0]
        for player, count in enumerate(self.game.num_actions):
            entry = torch.add(actions[:, player], entry, alpha=count)
        return entry

    def paid_for(self, entry: Tensor, values: Tensor | None) -> Tensor:
        """Rewards of (state, joint action)."""
        paid = self.paid.index_select(0, entry)
        return paid if values is None else self.pay(paid, values)

    def observe(self, position: Board, out: Tensor) -> Tensor:
        """See `RuleEngine`."""
        if self.rows is None:
            return super().observe(position, out)
        return torch.index_select(self.rows, 0, position[0], out=out)


class TorchBatch(BatchEnv):
    """See `BatchEnv`; arrays are tensors on `device`."""

    def __init__(self, env_id: str, game: Game, options: Options):
        """Makes the batch; use `make_vec_env`."""
        self.device = checked_device(options.device)
        self.static = self.device.type != "cpu" if options.static is None else options.static
        super().__init__(env_id, game, options)

    def _make_engine(self) -> RuleEngine:
        xp = TorchArrays(self.device)
        if self._by_tables:
            return TorchTables(self.game, xp, self.obs_mode, static=self.static)
        return TorchRules(self.game, xp, static=self.static)

    def reset(
        self, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Tensor, Infos]:
        """See `BatchEnv`."""
        with torch.inference_mode(False):  # its tensors could not be written again outside of it
            return super().reset(seed, options)

    def step(self, actions: Tensor) -> Step:
        """See `BatchEnv`."""
        if not torch.is_inference_mode_enabled():
            return super().step(actions)
        with torch.inference_mode(False):
            return super().step(actions)

    def set_state(self, state: Any) -> None:
        """See `BatchEnv`."""
        with torch.inference_mode(False):
            super().set_state(state)

    def _may_look(self) -> bool:
        return self.options.validate or not self.static

    def _check_actions(self, actions: Any) -> Tensor:
        if not isinstance(actions, Tensor):
            raise TypeError(
                f"actions must be a torch tensor on {self.device}, got {type(actions).__name__}"
            )
        if actions.dtype not in INTEGERS:
            raise TypeError(
                f"actions must be integers (int8 to int64, or uint8), got {actions.dtype}"
            )
        check_action_shape(actions.shape, self)
        if actions.device != self.device:
            raise ValueError(f"actions must be on {self.device}, got {actions.device}")
        if self._may_look():
            low, high = torch.aminmax(actions)
            limits = self.game.num_actions
            if low < 0 or (
                high >= min(limits) and bool((actions >= self._xp.column(limits)).any())
            ):
                raise range_error(self)
        return actions

    def _mask(self, mask: Any) -> Tensor:
        mask = torch.as_tensor(mask)
        if mask.dtype != torch.bool:
            raise TypeError(f"reset_mask must be a tensor of bool, got {mask.dtype}")
        if tuple(mask.shape) != (self.num_envs,):
            raise ValueError(
                f"reset_mask must have shape ({self.num_envs},), got {tuple(mask.shape)}"
            )
        return mask.to(self.device)

    def _flags(self, value: Any) -> Tensor:
        if isinstance(value, bool):
            return torch.full(
                (self.num_envs, self.num_agents), value, dtype=torch.bool, device=self.device
            )
        return value[:, None].repeat(1, self.num_agents)

    def _empty(self, shape: tuple[int, ...], dtype: str) -> Tensor:
        return torch.empty(shape, dtype=getattr(torch, dtype), device=self.device)


def checked_device(device: Any) -> torch.device:
    """The device, with its index.

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
            f'device={str(device)!r}: there is no CUDA device here (torch {torch.__version__}); use "cpu"'
        )
    index = torch.cuda.current_device() if device.index is None else device.index
    if index >= torch.cuda.device_count():
        raise RuntimeError(
            f"device={str(device)!r}: there are {torch.cuda.device_count()} CUDA devices here"
        )
    return torch.device("cuda", index)
