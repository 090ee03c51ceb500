"""Policies and action values as functions of a flat parameter vector, for many parameter sets at
once.

K parameter sets are one tensor θ [K, P]; set k plays the k-th of K equal groups of games. K is the
number of independent runs for a learner's own network, and runs x snapshots for its past selves:
the same code, through batched matmul.

A network never sees observations, only *view ids* (the vector environment's `obs_mode="state"`), of
which `table` holds the observations. Where there are fewer views than samples, whatever depends on
the view alone is computed once a view.

    Tabular      θ[s]                                                              LOQA ipd.py, "logits"
    Mlp          Dense-ReLU-...-Dense(x, t)
    Gru          Dense-ReLU (-Dense) - GRU(h) - Dense                              LOQA coin_agent.py, ipd.py POLAGRU

The second layer before the GRU has no activation, as in the authors' code (inherited from POLA);
being linear it is folded into the GRU's input matrix. Initial weights are flax's: LeCun normal
(truncated), biases 0, orthogonal recurrent matrices.

Shapes  T steps, K parameter sets, n games a set, V views, F features of an observation, A actions,
H hidden units.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import torch
from torch import Tensor

from agents.nn.gru import gru, gru_step

Params = dict[str, Tensor]
Shapes = dict[str, tuple[int, ...]]


class Network(Protocol):
    """A function (θ, views) -> one number an action; `table` [V, F] holds the observations."""

    @property
    def table(self) -> Tensor:
        """[V, F]."""

    def shapes(self) -> Shapes:
        """Names and shapes of the parameters of one set."""

    def __call__(self, params: Params, views: Tensor) -> Tensor:
        """[T, K, n] view ids from the start of the episodes -> [T, K, n, A]."""

    def player(self, params: Params, games: int, steps: int) -> Callable[[Tensor, int], Tensor]:
        """One step at a time, without gradients: `(views [K, n], t) -> [K, n, A]`, remembering what
        it must.
        """


@dataclass(frozen=True, eq=False)
class Tabular:
    """θ[s], one number a view and action, 0 at first."""

    table: Tensor
    num_actions: int

    def shapes(self) -> Shapes:
        """See Network."""
        return {"zero_table": (self.table.shape[0], self.num_actions)}

    def __call__(self, params: Params, views: Tensor) -> Tensor:
        """See Network."""
        return pick(params["zero_table"], views)

    def player(self, params: Params, games: int, steps: int) -> Callable[[Tensor, int], Tensor]:
        """See Network."""
        return lambda views, t: pick(params["zero_table"], views)


@dataclass(frozen=True, eq=False)
class Mlp:
    """Dense layers with ReLU between them; the raw step number is an input if `time` is set."""

    table: Tensor
    num_actions: int
    hidden: tuple[int, ...]
    time: bool = False

    def shapes(self) -> Shapes:
        """See Network."""
        sizes = (self.table.shape[1], *self.hidden, self.num_actions)
        shapes: Shapes = {}
        for i, (fan_in, fan_out) in enumerate(pairwise(sizes)):
            shapes[f"dense{i}"] = (fan_in + (self.time and i == 0), fan_out)
            shapes[f"bias{i}"] = (1, fan_out)
        return shapes

    def __call__(self, params: Params, views: Tensor) -> Tensor:
        """See Network; evaluated once for every (view, step) if that is fewer than the samples."""
        steps, sets, games = views.shape
        count = self.table.shape[0]
        if count <= games:
            every = torch.arange(count, device=views.device).expand(steps, sets, count)
            return self.of_samples(params, every).gather(
                2, views[..., None].expand(*views.shape, self.num_actions)
            )
        return self.of_samples(params, views)

    def of_samples(self, params: Params, views: Tensor, start: int = 0) -> Tensor:
        """[T, K, n] -> [T, K, n, A], sample by sample; the first step is number `start`."""
        x = first_layer(self, params, views, start)
        for i in range(1, len(self.hidden) + 1):
            x = torch.relu(x) @ params[f"dense{i}"] + params[f"bias{i}"]
        return x

    def player(self, params: Params, games: int, steps: int) -> Callable[[Tensor, int], Tensor]:
        """See Network."""
        return lambda views, t: self.of_samples(params, views[None], t)[0]


@dataclass(frozen=True, eq=False)
class Gru:
    """Dense-ReLU, a second Dense if `layers` is 2, GRU, Dense.

    The raw step number is an input if `time` is set.
    """

    table: Tensor
    num_actions: int
    hidden: int
    layers: int = 2
    time: bool = False

    def shapes(self) -> Shapes:
        """See Network; gates are in the order reset, update, candidate."""
        h = self.hidden
        second: Shapes = {"dense1": (h, h), "bias1": (1, h)} if self.layers == 2 else {}
        return {
            "dense0": (self.table.shape[1] + self.time, h),
            "bias0": (1, h),
            **second,
            "gates": (h, 3 * h),
            "gates_bias": (1, 3 * h),
            "recurrent": (h, 3 * h),
            "candidate_bias": (1, h),
            "out": (h, self.num_actions),
            "out_bias": (1, self.num_actions),
        }

    def __call__(self, params: Params, views: Tensor) -> Tensor:
        """See Network."""
        hidden = gru(self.inputs(params, views), params["recurrent"], params["candidate_bias"])
        return hidden @ params["out"] + params["out_bias"]

    def inputs(self, params: Params, views: Tensor) -> Tensor:
        """What enters the gates.  [T, K, n] -> [T, K, n, 3H]."""
        steps, _, games = views.shape
        if self.by_view(steps * games):
            return pick(self.of_views(params), views)
        return torch.relu(first_layer(self, params, views)) @ self.folded(
            params
        ) + self.folded_bias(params)

    def by_view(self, samples: int) -> bool:
        """Whether to compute the layers before the GRU once a view: if they ignore time, and views
        are few.
        """
        return not self.time and self.table.shape[0] <= samples

    def of_views(self, params: Params) -> Tensor:
        """The gates' input of every view.  [K, V, 3H]."""
        first = torch.relu(self.table @ params["dense0"] + params["bias0"])
        return first @ self.folded(params) + self.folded_bias(params)

    def folded(self, params: Params) -> Tensor:
        """The linear layers between the ReLU and the gates as one matrix.  [K, H, 3H]."""
        return params["dense1"] @ params["gates"] if self.layers == 2 else params["gates"]

    def folded_bias(self, params: Params) -> Tensor:
        """Their bias.  [K, 1, 3H]."""
        if self.layers == 2:
            return params["bias1"] @ params["gates"] + params["gates_bias"]
        return params["gates_bias"]

    def player(self, params: Params, games: int, steps: int) -> Callable[[Tensor, int], Tensor]:
        """See Network."""
        recurrent, bias = params["recurrent"].contiguous(), params["candidate_bias"]
        hidden = recurrent.new_zeros(recurrent.shape[0], games, self.hidden)
        every = self.of_views(params) if self.by_view(games * steps) else None
        folded, folded_bias = self.folded(params), self.folded_bias(params)

        def step(views: Tensor, t: int) -> Tensor:
            nonlocal hidden
            if every is None:
                x = torch.relu(first_layer(self, params, views[None], t)[0]) @ folded + folded_bias
            else:
                x = pick(every, views[None])[0]
            hidden = gru_step(x, hidden, recurrent, bias)
            return hidden @ params["out"] + params["out_bias"]

        return step


def first_layer(net: Any, params: Params, views: Tensor, start: int = 0) -> Tensor:
    """X W + b, with a row of W for the step number if the network takes it.

    [T, K, n] -> [T, K, n, H].
    """
    weight, features = params["dense0"], net.table.shape[1]
    x = net.table[views] @ weight[:, :features] + params["bias0"]
    if net.time:
        t = torch.arange(start, start + views.shape[0], dtype=x.dtype, device=x.device)
        x = x + t[:, None, None, None] * weight[:, features:]
    return x


def pick(values: Tensor, views: Tensor) -> Tensor:
    """Rows of each set's own table.  [K, V, ...], [..., K, n] -> [..., K, n, ...]."""
    sets, count = values.shape[:2]
    first = torch.arange(sets, device=views.device)[:, None] * count
    rows = values.reshape(sets * count, -1).index_select(0, (views + first).reshape(-1))
    return rows.view(*views.shape, *values.shape[2:])


def log_softmax(logits: Tensor) -> Tensor:
    """Log softmax over the last, short axis: 8 times as fast on a CPU with that axis first.

    [..., A] -> [..., A].
    """
    return torch.log_softmax(logits.movedim(-1, 0).contiguous(), 0).movedim(0, -1)


@dataclass(frozen=True, eq=False)
class ActorCritic:
    """A policy and action values, in one flat vector [K, P] of parameters: the actor's first."""

    actor: Network
    critic: Network

    def parts(self) -> dict[str, tuple[int, int, tuple[int, ...]]]:
        """Name -> (first, last + 1, shape) in the flat vector."""
        parts, position = {}, 0
        for prefix, net in (("actor", self.actor), ("critic", self.critic)):
            for name, shape in net.shapes().items():
                end = position + math.prod(shape)
                parts[f"{prefix}.{name}"] = (position, end, shape)
                position = end
        return parts

    @property
    def size(self) -> int:
        """P."""
        return max(end for _, end, _ in self.parts().values())

    @property
    def actor_size(self) -> int:
        """How many of them are the actor's."""
        return sum(math.prod(shape) for shape in self.actor.shapes().values())

    def unpack(self, theta: Tensor, part: str) -> Params:
        """The parameters of "actor" or "critic" as views of θ.  [K, P] -> name -> [K, *shape]."""
        parts = self.parts()
        pieces = theta.split(
            [end - first for first, end, _ in parts.values()], 1
        )  # one node of the graph, not one each
        return {
            name.partition(".")[2]: piece.unflatten(1, shape)
            for piece, (name, (_, _, shape)) in zip(pieces, parts.items(), strict=True)
            if name.startswith(part)
        }

    def logits(self, theta: Tensor, views: Tensor) -> Tensor:
        """[K, P], [T, K, n] -> [T, K, n, A]."""
        return self.actor(self.unpack(theta, "actor"), views)

    def q(self, theta: Tensor, views: Tensor) -> Tensor:
        """[K, P], [T, K, n] -> [T, K, n, A]."""
        return self.critic(self.unpack(theta, "critic"), views)

    def initial(self, sets: int, generator: torch.Generator, zero_critic: bool = False) -> Tensor:
        """Fresh parameters, drawn on the CPU so that every device starts alike.  [K, P].

        Args:
            sets: K.
            generator: of the draws.
            zero_critic: the critic's output layer starts at 0, and with it every action value.
        """
        theta = torch.zeros(sets, self.size)
        for name, (first, end, shape) in self.parts().items():
            for k in range(sets):
                theta[k, first:end] = initial(name, shape, generator).reshape(-1)
        if zero_critic:
            *_, (first, _, _), (_, end, _) = self.parts().values()  # its last matrix and bias
            theta[:, first:end] = 0
        return theta


def initial(name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Flax's default initial value of a parameter, by its name."""
    value = torch.zeros(shape)
    if name.endswith("recurrent"):
        for gate in value.split(shape[0], 1):
            gate.copy_(
                torch.nn.init.orthogonal_(torch.empty(shape[0], shape[0]), generator=generator)
            )
    elif not name.endswith("bias") and "bias" not in name and "zero" not in name:
        std = shape[0] ** -0.5 / 0.87962566103423978  # that of a unit normal cut off at 2
        torch.nn.init.trunc_normal_(value, std=std, a=-2 * std, b=2 * std, generator=generator)
    return value
