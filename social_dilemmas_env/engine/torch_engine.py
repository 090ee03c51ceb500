"""What plays B games on torch, CPU or CUDA.

There are two bodies of a step, with the same results.  On the CPU chance acts only on the lanes
where it has something to do (`nonzero`).  The *static* body, for CUDA, works on all lanes: its
shapes depend on nothing and the host waits for nothing, so that a CUDA graph can capture it (see
`vector.cuda_graph`).  It can be chosen on the CPU too (`static=True`), to be tested there.

The static body is also there in two halves, for a graph that plays many steps: `chance_draws`, what
chance brings to the next moves, and `move`, a joint move given that.
"""

from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from social_dilemmas_env import rng
from social_dilemmas_env.engine.array_engine import Arrays, Encoded, Key
from social_dilemmas_env.engine.static_engine import StaticRules, StaticTables
from social_dilemmas_env.games.commons.arrays import RuleArrays
from social_dilemmas_env.games.game import Column

# Tables on their devices, for as long as some engine holds them.
_SHARED: WeakValueDictionary[Any, Tensor] = WeakValueDictionary()


def word_of(key: Key, counter: Any) -> Tensor:
    """`rng.word` of counters below 2^32, in int32, whose products wrap round: half the time.

    Args:
        key: int64 tensors.
        counter: int64 tensor, or an int.

    Returns:
        int64, of which the low 32 bits count.
    """
    start, stride = (part.to(torch.int32) for part in key)
    # A counter as an int stays one, as a graph may be recorded, but with a sign.
    is_int = isinstance(counter, int)
    signed = counter - (counter >> 31 << 32) if is_int else counter.to(torch.int32)
    x: Tensor = stride * signed + start

    # `rng.mix`; a shift of int32 brings copies of the sign, which are cut off.
    for bits, factor in ((16, 0x7FEB352D), (15, 0x846CA68B - (1 << 32)), (16, 1)):
        x ^= (x >> bits).bitwise_and_((1 << 32 - bits) - 1)
        x *= factor
    return x.to(torch.int64).bitwise_and_(rng.MASK)


class TorchArrays(Arrays, RuleArrays):
    """Words are int64, of which the low 32 bits count."""

    def __init__(self, device: torch.device, *, static: bool = False):
        self.device, self.static = device, static

    @override
    def column(self, values: Any) -> Tensor:
        return torch.tensor(values, dtype=torch.int64, device=self.device)

    @override
    def arange(self, n: int) -> Tensor:
        return torch.arange(n, dtype=torch.int64, device=self.device)

    @override
    def constant(self, table: np.ndarray) -> Tensor:
        return torch.tensor(table, device=self.device)

    @override
    def shared(self, make: Callable[..., np.ndarray], *args: Any) -> Tensor:
        name = (make, args, self.device)
        table = _SHARED.get(name)
        if table is None:
            with torch.inference_mode(False):  # others use it outside of inference mode
                _SHARED[name] = table = self.constant(make(*args))
        return table

    @override
    def word(self, column: Column) -> Column:
        return column & rng.MASK

    @override
    def words(self, key: Key, counter: Column) -> Tensor:
        return rng.word(key, counter)  # type: ignore[no-any-return]

    @override
    def uniform(self, key: Key, counter: Column, n: Column) -> Tensor:
        return rng.bounded(word_of(key, counter & rng.MASK), n)  # type: ignore[no-any-return]

    @override
    def integer(self, word: Tensor) -> Tensor:
        return word.to(torch.int64)

    @override
    def lanes(self, mask: Tensor) -> Tensor:
        return mask.nonzero()[:, 0]

    @override
    def columns(self, rows: Tensor) -> Sequence[Tensor]:
        return rows.to(torch.int64).unbind(-1)

    @override
    def stack(self, columns: Sequence[Tensor]) -> Tensor:
        return torch.stack(tuple(columns), -1)

    @override
    def take(self, table: Tensor, index: Tensor) -> Tensor:
        # Several times faster than `table[index]`.
        if index.dim() == 1:
            return table.index_select(0, index)
        return table.index_select(0, index.reshape(-1)).reshape(*index.shape, *table.shape[1:])

    @override
    def zeros(self, shape: tuple[int, ...]) -> Tensor:
        return torch.zeros(shape, dtype=torch.float32, device=self.device)

    @override
    def fill_one_hot(self, one_positions: Sequence[Tensor], numbers: int, out: Tensor) -> Tensor:
        return out.zero_().scatter_(1, torch.stack(tuple(one_positions), -1), 1)

    @override
    def cast(self, column: Tensor, dtype: str) -> Tensor:
        return column.to(getattr(torch, dtype))

    @override
    def pile(self, columns: Sequence[Tensor]) -> Tensor:
        return torch.stack(tuple(columns))

    @override
    def join(self, arrays: Sequence[Tensor]) -> Tensor:
        return torch.cat(tuple(arrays))

    @override
    def where(self, mask: Tensor, this: Any, other: Any) -> Tensor:
        return torch.where(mask, this, other)

    @override
    def put(self, array: Tensor, index: Tensor, values: Tensor) -> Tensor:
        array.view(-1).scatter_(0, index.reshape(-1), values.reshape(-1))
        return array

    @override
    def with_row(self, array: Tensor, k: int, row: Tensor) -> Tensor:
        array[k] = row
        return array

    @override
    def order(self, keys: Tensor) -> Tensor:
        # A stable sort takes three times as long as one of keys that differ: they are below 2^32.
        places = torch.arange(len(keys), device=keys.device)[:, None]
        return torch.argsort(keys * len(keys) + places, dim=0)

    @override
    def count_neighbours(self, neighbours: Tensor, marked: Tensor) -> Tensor:
        counted = marked.view(torch.uint8) if marked.dtype == torch.bool else marked
        count = neighbours @ counted.to(torch.float32)
        return count.to(torch.int32).to(torch.uint8)  # five times as fast as in one go

    @override
    def count_up(self, marked: Tensor) -> Tensor:
        return marked.cumsum(0, dtype=torch.int16)

    @override
    def where_needed(
        self, mask: Tensor, change: Callable[..., Tensor], columns: Sequence[Tensor]
    ) -> Tensor:
        if self.static:
            return change(*columns)
        lanes = mask.nonzero()[:, 0]
        if not len(lanes):
            return columns[0]
        here = change(*[column.index_select(-1, lanes) for column in columns])
        return columns[0].index_copy(-1, lanes, here)

    @override
    def look(self, ground: Tensor, windows: Tensor, where: Tensor) -> Tensor:
        index = self.take(windows, where).view(len(ground), -1)
        return ground.gather(1, index).view(*where.shape, -1)


class TorchRules(StaticRules):
    """The rules on tensors."""

    def chance_draws(self, key: Key, first: Tensor, num_steps: int) -> Sequence[Any]:
        """`chance_draw` for the moves first, first + 1, ...; `first` is a 0-dimensional tensor."""
        return [self.chance_draw(key, first + k) for k in range(num_steps)]


class TorchTables(StaticTables):
    """Plays from tables."""

    @override
    def play(
        self, encoded: Encoded, actions: Tensor, key: Key, t: Any, episode_rewards: Tensor | None
    ) -> tuple[Encoded, Tensor]:
        if self.static:
            return super().play(encoded, actions, key, t, episode_rewards)

        # What the players do.
        entry = self.entry(encoded, actions)
        next_code = self.next_codes.index_select(0, entry)
        state = self.xp.integer(next_code)

        # What chance does, on the boards that wait for it.
        if not self.certain:
            lanes = self.xp.lanes(next_code >= self.num_states)
            key = (key[0].index_select(0, lanes), key[1].index_select(0, lanes))
            index = self.outcome_index(self.bases, key, t if isinstance(t, int) else t[lanes])
            outcome = self.successors.index_select(0, state.index_select(0, lanes) + index)
            state.index_copy_(0, lanes, outcome)
        return (state,), self.entry_rewards(entry, episode_rewards)

    def chance_draws(self, key: Key, first: Tensor, num_steps: int) -> Sequence[Any]:
        """`chance_draw` for the moves first, first + 1, ..., in one go.

        That is fewer kernels than step by step.
        """
        if self.certain:
            return [None] * num_steps
        t = first + self.xp.arange(num_steps)[:, None]
        return self.outcome_index(self.bases, key, t).unbind(0)  # type: ignore[no-any-return]

    @override
    def entry(self, encoded: Encoded, actions: Tensor) -> Tensor:
        entry: Tensor = encoded[0]
        for player, count in enumerate(self.game.num_actions):
            entry = torch.add(actions[:, player], entry, alpha=count)
        return entry

    @override
    def observe(self, encoded: Encoded, out: Tensor) -> Tensor:
        if self.state_observations is None:
            return super().observe(encoded, out)  # type: ignore[no-any-return]
        return torch.index_select(self.state_observations, 0, encoded[0], out=out)
