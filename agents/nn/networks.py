"""Policies and action values as functions of a flat parameter vector, many sets at once.

K parameter sets are one tensor θ [K, P]; set k plays the k-th of K equal groups of games. K is the
number of independent runs for a learner's own network, and runs x snapshots for its past selves:
the same code, through batched matmul.

A network never sees observations, only *observation ids* (the vector environment's
`obs_mode="state"`), of which `table` holds the observations. Where there are fewer distinct
observations than samples, whatever depends on the observation alone is computed once for each.

    Tabular      θ[s]                                      LOQA ipd.py, "logits"
    Mlp          Dense-ReLU-...-Dense(x, t)
    Gru          Dense-ReLU (-Dense) - GRU(h) - Dense      LOQA coin_agent.py, ipd.py POLAGRU

The second layer before the GRU has no activation, as in the authors' code (inherited from POLA);
being linear it is folded into the GRU's input matrix. Initial weights are flax's: LeCun normal
(truncated), biases 0, orthogonal recurrent matrices.

Shapes  T steps, K parameter sets, n games a set, V distinct observations, F features of one,
        A actions, H hidden units.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor
from typing_extensions import override

from agents.nn.gru import gru, gru_step

Params = dict[str, Tensor]
Shapes = dict[str, tuple[int, ...]]
Stepper = Callable[[Tensor, int], Tensor]  # (observation ids [K, n], t) -> [K, n, A]


@dataclass(frozen=True, eq=False)
class Network(ABC):
    """A function (θ, observation ids) -> one number an action.

    Attributes:
        table: [V, F], the observations.
        num_actions: A.
    """

    table: Tensor
    num_actions: int

    @abstractmethod
    def shapes(self) -> Shapes:
        """Names and shapes of the parameters of one set."""

    @abstractmethod
    def __call__(self, params: Params, obs_ids: Tensor) -> Tensor:
        """[T, K, n] observation ids from the start of the episodes -> [T, K, n, A]."""

    @abstractmethod
    def stepper(self, params: Params, games: int, steps: int) -> Stepper:
        """The same one step at a time, remembering what it must, for use without gradients.

        Args:
            params: of K sets.
            games: n.
            steps: T, how often it will be called in an episode.
        """


@dataclass(frozen=True, eq=False)
class Tabular(Network):
    """θ[s], one number an observation and action, 0 at first."""

    @override
    def shapes(self) -> Shapes:
        return {"zero_table": (self.table.shape[0], self.num_actions)}

    @override
    def __call__(self, params: Params, obs_ids: Tensor) -> Tensor:
        return pick(params["zero_table"], obs_ids)

    @override
    def stepper(self, params: Params, games: int, steps: int) -> Stepper:
        return lambda obs_ids, t: pick(params["zero_table"], obs_ids)


@dataclass(frozen=True, eq=False)
class Mlp(Network):
    """Dense layers with ReLU between them.

    Attributes:
        hidden: units of each hidden layer.
        time: the raw step number is an input too.
    """

    hidden: tuple[int, ...]
    time: bool = False

    @override
    def shapes(self) -> Shapes:
        sizes = (self.table.shape[1], *self.hidden, self.num_actions)
        shapes: Shapes = {}
        # The step number is one more input of the first layer.
        for i, (fan_in, fan_out) in enumerate(pairwise(sizes)):
            shapes[f"dense{i}"] = (fan_in + (self.time and i == 0), fan_out)
            shapes[f"bias{i}"] = (1, fan_out)
        return shapes

    @override
    def __call__(self, params: Params, obs_ids: Tensor) -> Tensor:
        steps, sets, games = obs_ids.shape
        count = self.table.shape[0]
        if count > games:
            return self.of_samples(params, obs_ids)

        # Once for every (observation, step), which are fewer than the samples.
        every = torch.arange(count, device=obs_ids.device).expand(steps, sets, count)
        index = obs_ids[..., None].expand(*obs_ids.shape, self.num_actions)
        return self.of_samples(params, every).gather(2, index)

    def of_samples(self, params: Params, obs_ids: Tensor, start: int = 0) -> Tensor:
        """[T, K, n] -> [T, K, n, A], sample by sample; the first step is number `start`."""
        x = first_layer(self, params, obs_ids, start)
        for i in range(1, len(self.hidden) + 1):
            x = torch.relu(x) @ params[f"dense{i}"] + params[f"bias{i}"]
        return x

    @override
    def stepper(self, params: Params, games: int, steps: int) -> Stepper:
        return lambda obs_ids, t: self.of_samples(params, obs_ids[None], t)[0]


@dataclass(frozen=True, eq=False)
class Gru(Network):
    """Dense-ReLU, a second Dense if `layers` is 2, GRU, Dense.

    Attributes:
        hidden: H, units of each layer.
        layers: before the GRU, 1 or 2.
        time: the raw step number is an input too.
    """

    hidden: int
    layers: int = 2
    time: bool = False

    @override
    def shapes(self) -> Shapes:
        h = self.hidden
        second: Shapes = {"dense1": (h, h), "bias1": (1, h)} if self.layers == 2 else {}
        return {
            "dense0": (self.table.shape[1] + self.time, h),
            "bias0": (1, h),
            **second,
            "gates": (h, 3 * h),  # reset, update, candidate
            "gates_bias": (1, 3 * h),
            "recurrent": (h, 3 * h),
            "candidate_bias": (1, h),
            "out": (h, self.num_actions),
            "out_bias": (1, self.num_actions),
        }

    @override
    def __call__(self, params: Params, obs_ids: Tensor) -> Tensor:
        hidden = gru(self.inputs(params, obs_ids), params["recurrent"], params["candidate_bias"])
        return hidden @ params["out"] + params["out_bias"]

    def inputs(self, params: Params, obs_ids: Tensor) -> Tensor:
        """What enters the gates.  [T, K, n] -> [T, K, n, 3H]."""
        steps, _, games = obs_ids.shape
        if self.once_for_each(steps * games):
            return pick(self.of_observations(params), obs_ids)

        # Sample by sample, with the step number if it counts.
        first = torch.relu(first_layer(self, params, obs_ids))
        return first @ self.folded(params) + self.folded_bias(params)

    def once_for_each(self, samples: int) -> bool:
        """Whether to compute the layers before the GRU once for each distinct observation.

        They must ignore time, and observations be fewer than samples.
        """
        return not self.time and self.table.shape[0] <= samples

    def of_observations(self, params: Params) -> Tensor:
        """The gates' input of every distinct observation.  [K, V, 3H]."""
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

    @override
    def stepper(self, params: Params, games: int, steps: int) -> Stepper:
        recurrent, bias = params["recurrent"].contiguous(), params["candidate_bias"]
        hidden = recurrent.new_zeros(recurrent.shape[0], games, self.hidden)

        # What does not depend on the step is computed once an episode.
        inputs = self.of_observations(params) if self.once_for_each(games * steps) else None
        folded, folded_bias = self.folded(params), self.folded_bias(params)

        def step(obs_ids: Tensor, t: int) -> Tensor:
            nonlocal hidden
            if inputs is None:
                first = torch.relu(first_layer(self, params, obs_ids[None], t)[0])
                x = first @ folded + folded_bias
            else:
                x = pick(inputs, obs_ids[None])[0]
            hidden = gru_step(x, hidden, recurrent, bias)
            return hidden @ params["out"] + params["out_bias"]

        return step


def first_layer(net: Mlp | Gru, params: Params, obs_ids: Tensor, start: int = 0) -> Tensor:
    """X W + b, with a row of W for the step number if the network takes it.

    [T, K, n] -> [T, K, n, H].
    """
    weight, features = params["dense0"], net.table.shape[1]  # [K, F (+ 1), H]
    x = net.table[obs_ids] @ weight[:, :features] + params["bias0"]
    if net.time:
        t = torch.arange(start, start + obs_ids.shape[0], dtype=x.dtype, device=x.device)
        x = x + t[:, None, None, None] * weight[:, features:]
    return x


def pick(values: Tensor, obs_ids: Tensor) -> Tensor:
    """Rows of each set's own table.  [K, V, ...], [..., K, n] -> [..., K, n, ...]."""
    # All tables one below the other, so that one index_select serves all sets.
    sets, count = values.shape[:2]
    first = torch.arange(sets, device=obs_ids.device)[:, None] * count
    rows = values.reshape(sets * count, -1).index_select(0, (obs_ids + first).reshape(-1))
    return rows.view(*obs_ids.shape, *values.shape[2:])


def log_softmax(logits: Tensor) -> Tensor:
    """Log softmax over the last, short axis.  [..., A] -> [..., A].

    8 times as fast on a CPU with that axis first.
    """
    return torch.log_softmax(logits.movedim(-1, 0).contiguous(), 0).movedim(0, -1)


def of_actions(values: Tensor, actions: Tensor) -> Tensor:
    """The entry of the action taken.  [..., A], [...] -> [...]."""
    return values.gather(-1, actions[..., None])[..., 0]


@dataclass(frozen=True, eq=False)
class ActorCritic:
    """A policy and action values, in one flat vector [K, P] of parameters: the actor's first."""

    actor: Network
    critic: Network

    def parts(self) -> dict[str, tuple[int, int, tuple[int, ...]]]:
        """Name -> (first, last + 1, shape) in the flat vector."""
        parts, position = {}, 0
        # The order is part of the format of checkpoints.
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
        # One split is one node of the graph, not one a parameter.
        pieces = theta.split([end - first for first, end, _ in parts.values()], 1)
        return {
            name.partition(".")[2]: piece.unflatten(1, shape)
            for piece, (name, (_, _, shape)) in zip(pieces, parts.items(), strict=True)
            if name.startswith(part)
        }

    def logits(self, theta: Tensor, obs_ids: Tensor) -> Tensor:
        """[K, P], [T, K, n] -> [T, K, n, A]."""
        return self.actor(self.unpack(theta, "actor"), obs_ids)

    def q(self, theta: Tensor, obs_ids: Tensor) -> Tensor:
        """[K, P], [T, K, n] -> [T, K, n, A]."""
        return self.critic(self.unpack(theta, "critic"), obs_ids)

    def initial(self, sets: int, generator: torch.Generator, zero_critic: bool = False) -> Tensor:
        """Fresh parameters, drawn on the CPU so that every device starts alike.  [K, P].

        Args:
            sets: K.
            generator: of the draws.
            zero_critic: the critic's output layer starts at 0, and with it every action value.
        """
        theta = torch.zeros(sets, self.size)
        # Parameter by parameter, then set by set: the order of the draws is that of seeded results.
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

    # Recurrent matrices are orthogonal, gate by gate; weights LeCun normal; biases and tables 0.
    if name.endswith("recurrent"):
        for gate in value.split(shape[0], 1):
            square = torch.empty(shape[0], shape[0])
            gate.copy_(torch.nn.init.orthogonal_(square, generator=generator))
    elif not name.endswith("bias") and "bias" not in name and "zero" not in name:
        std = shape[0] ** -0.5 / 0.87962566103423978  # that of a unit normal cut off at 2
        torch.nn.init.trunc_normal_(value, std=std, a=-2 * std, b=2 * std, generator=generator)
    return value
