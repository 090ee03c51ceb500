"""A long short-term memory over many parameter sets, differentiable any number of times.

    i, f, o = σ(x_. + h W_.),   g = tanh(x_g + h W_g)                          (gates, candidate)
    c' = f c + i g,   h' = o tanh(c')

The input is a dense layer with ReLU of the observation, computed once for each distinct one.
Meta-learning differentiates through an update, so that the hand-written backward pass of gru.py
does not serve here: plain operations do.

Paper   Hochreiter & Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735
Source  https://github.com/dkkim93/meta-mapg (commit 2d8046f), network/categorical_lstm.py
Shapes  T steps, K parameter sets, n games a set, V distinct observations, F features, H units,
        A actions; gates in the order i, f, o, g.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from agents.nn.networks import Network, Params, Shapes, Stepper, pick


def lstm_step(x: Tensor, state: tuple[Tensor, Tensor], recurrent: Tensor) -> tuple[Tensor, Tensor]:
    """One step.  [K, n, 4H], (h, c) [K, n, H], [K, H, 4H] -> (h', c')."""
    h, c = state
    size = h.shape[-1]
    gates = torch.baddbmm(x, h, recurrent)  # x + h W, all four at once
    i, f, o = torch.sigmoid(gates[..., : 3 * size]).split(size, -1)
    c = torch.addcmul(f * c, i, torch.tanh(gates[..., 3 * size :]))
    return o * torch.tanh(c), c


@dataclass(frozen=True, eq=False)
class Lstm(Network):
    """Dense-ReLU, LSTM, Dense: a `Network` (networks.py)."""

    table: Tensor
    num_actions: int
    hidden: int

    @override
    def shapes(self) -> Shapes:
        h = self.hidden
        return {
            "dense0": (self.table.shape[1], h),
            "bias0": (1, h),
            "gates": (h, 4 * h),  # input, forget, output, candidate
            "gates_bias": (1, 4 * h),
            "recurrent": (h, 4 * h),
            "out": (h, self.num_actions),
            "out_bias": (1, self.num_actions),
        }

    def of_observations(self, params: Params) -> Tensor:
        """The gates' input of every distinct observation.  [K, V, 4H]."""
        first = torch.relu(self.table @ params["dense0"] + params["bias0"])
        return first @ params["gates"] + params["gates_bias"]

    @override
    def __call__(self, params: Params, obs_ids: Tensor) -> Tensor:
        steps, sets, games = obs_ids.shape
        x = pick(self.of_observations(params), obs_ids)

        state = (x.new_zeros(sets, games, self.hidden),) * 2  # h, c
        hidden = []
        for t in range(steps):
            state = lstm_step(x[t], state, params["recurrent"])
            hidden.append(state[0])
        return torch.stack(hidden) @ params["out"] + params["out_bias"]

    @override
    def stepper(self, params: Params, games: int, steps: int) -> Stepper:
        inputs = self.of_observations(params)  # [K, V, 4H], once an episode
        state = (inputs.new_zeros(inputs.shape[0], games, self.hidden),) * 2

        def step(obs_ids: Tensor, t: int) -> Tensor:
            nonlocal state
            state = lstm_step(pick(inputs, obs_ids[None])[0], state, params["recurrent"])
            return state[0] @ params["out"] + params["out_bias"]

        return step
