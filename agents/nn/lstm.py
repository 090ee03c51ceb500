"""A long short-term memory over many parameter sets, of plain differentiable operations:
derivatives of any order.

    i, f, o = σ(x_. + h W_.),   g = tanh(x_g + h W_g)                          (gates, candidate)
    c' = f c + i g,   h' = o tanh(c')

The input is a dense layer with ReLU of the view's observation, computed once a view. Meta-learning
differentiates through an update, so that the hand-written backward pass of gru.py does not serve
here.

Paper   Hochreiter & Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735
Source  https://github.com/dkkim93/meta-mapg (commit 2d8046f), network/categorical_lstm.py Shapes  T
steps, K parameter sets, n games a set, V views, F features, H units, A actions; gates in the order
i, f, o, g.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from agents.nn.networks import Params, Shapes, pick


def lstm_step(x: Tensor, state: tuple[Tensor, Tensor], recurrent: Tensor) -> tuple[Tensor, Tensor]:
    """One step.  [K, n, 4H], (h, c) [K, n, H], [K, H, 4H] -> (h', c')."""
    h, c = state
    size = h.shape[-1]
    gates = torch.baddbmm(x, h, recurrent)
    i, f, o = torch.sigmoid(gates[..., : 3 * size]).split(size, -1)
    c = torch.addcmul(f * c, i, torch.tanh(gates[..., 3 * size :]))
    return o * torch.tanh(c), c


@dataclass(frozen=True, eq=False)
class Lstm:
    """Dense-ReLU, LSTM, Dense: a `Network` (networks.py)."""

    table: Tensor
    num_actions: int
    hidden: int

    def shapes(self) -> Shapes:
        """See Network."""
        h = self.hidden
        return {
            "dense0": (self.table.shape[1], h),
            "bias0": (1, h),
            "gates": (h, 4 * h),
            "gates_bias": (1, 4 * h),
            "recurrent": (h, 4 * h),
            "out": (h, self.num_actions),
            "out_bias": (1, self.num_actions),
        }

    def of_views(self, params: Params) -> Tensor:
        """The gates' input of every view.  [K, V, 4H]."""
        return (
            torch.relu(self.table @ params["dense0"] + params["bias0"]) @ params["gates"]
            + params["gates_bias"]
        )

    def __call__(self, params: Params, views: Tensor) -> Tensor:
        """See Network."""
        steps, sets, games = views.shape
        x = pick(self.of_views(params), views)
        state = (x.new_zeros(sets, games, self.hidden),) * 2
        seen = []
        for t in range(steps):
            state = lstm_step(x[t], state, params["recurrent"])
            seen.append(state[0])
        return torch.stack(seen) @ params["out"] + params["out_bias"]

    def player(self, params: Params, games: int, steps: int) -> Callable[[Tensor, int], Tensor]:
        """See Network."""
        every = self.of_views(params)
        state = (every.new_zeros(every.shape[0], games, self.hidden),) * 2

        def step(views: Tensor, t: int) -> Tensor:
            nonlocal state
            state = lstm_step(pick(every, views[None])[0], state, params["recurrent"])
            return state[0] @ params["out"] + params["out_bias"]

        return step
