"""Games as differentiable functions of the players' parameters, and the derivatives learners need.

An iterated matrix game (closed_form.py), a one-shot game and a two-variable toy are the same thing
to a learner: N players, D real parameters each, and

    V_i(θ_1, ..., θ_N)                                        the value of player i
    ξ_i = ∇_i V_i                                             its own gradient

Learners differentiate through one another's steps, so each player gets its own copy of everybody's
parameters, its *replica*:

    replica i = (θ_1, ..., θ_N)                               the copy that player i differentiates

Everything player i imagines happens in replica i.  One backward pass over the sum of all runs and
all replicas then yields every player's derivative at once, since neither runs nor replicas depend
on one another.

Shapes  R independent runs, N players, D parameters a player.
        θ [R, N, D]; replicas [N, R, N, D], owner first; values [..., N].
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from agents.shapes import check_shapes
from social_dilemmas_env.deprecation import moved_names


class DifferentiableGame(Protocol):
    """What a learner may know of a game."""

    @property
    def num_players(self) -> int:
        """N."""
        ...

    @property
    def dim(self) -> int:
        """D, parameters a player."""
        ...

    @property
    def device(self) -> str | torch.device:
        """Where its tensors live."""
        ...

    def values(self, theta: Tensor) -> Tensor:
        """V_n(θ).  [..., N, D] -> [..., N], differentiable to third order."""
        ...

    def report(self, theta: Tensor) -> Tensor:
        """The number that papers show: payoff a step, (1 - γ) V in an iterated game.

        [..., N, D] -> [..., N].
        """
        ...


@dataclass(frozen=True)
class StatelessGame:
    """A game without states or time: V is given as a function of θ."""

    payoff: Callable[[Tensor], Tensor]  # V: [..., N, D] -> [..., N]
    num_players: int = 2  # N
    dim: int = 1  # D
    device: str | torch.device = "cpu"  # where its tensors live

    def values(self, theta: Tensor) -> Tensor:
        """V_n(θ).  [..., N, D] -> [..., N]."""
        check_theta(theta, self)
        return self.payoff(theta)

    def report(self, theta: Tensor) -> Tensor:
        """V_n itself.  [..., N, D] -> [..., N]."""
        return self.values(theta)


def tandem(device: str = "cpu") -> StatelessGame:
    """The tandem game, from losses L = -V.

        L_1 = (x + y)² - 2x,      L_2 = (x + y)² - 2y

    Every player would rather be the one who pulls; the stable fixed points are the line x + y = 1,
    where LOLA does not settle.  Letcher et al. 2019 (https://arxiv.org/abs/1811.08469), section 4.
    """

    def payoff(theta: Tensor) -> Tensor:
        own = theta[..., 0]
        return 2 * own - own.sum(-1, keepdim=True) ** 2

    return StatelessGame(payoff, device=device)


def zero_sum(device: str = "cpu") -> StatelessGame:
    """The bilinear game, whose only fixed point is the origin.

        V_1 = x y,      V_2 = -x y

    Simultaneous gradient ascent spirals away from it; learners that look ahead spiral in.
    Balduzzi et al. 2018 (https://arxiv.org/abs/1802.05642).
    """

    def payoff(theta: Tensor) -> Tensor:
        product = theta[..., 0].prod(-1)
        return torch.stack((product, -product), -1)

    return StatelessGame(payoff, device=device)


def check_theta(theta: Tensor, game: DifferentiableGame) -> None:
    """Raises ValueError unless θ ends in [N, D]."""
    if tuple(theta.shape[-2:]) != (game.num_players, game.dim):
        raise ValueError(
            f"parameters of shape {tuple(theta.shape)} do not end in (players, parameters) = "
            f"({game.num_players}, {game.dim})"
        )


def grad(
    output: Tensor, inputs: Tensor, cotangent: Tensor | None = None, create_graph: bool = True
) -> Tensor:
    """A vector-Jacobian product, zero where there is no dependence.

        cotangentᵀ ∂output/∂inputs

    Args:
        output: any shape.
        inputs: any shape, the leaf or intermediate tensor to differentiate by.
        cotangent: shaped as `output`; ones if None.  It may itself carry a graph: it is a constant
            for this derivative and a function for the next one, which is what a stop-gradient
            inside a learner that others differentiate has to mean.
        create_graph: whether the result can be differentiated again.

    Returns:
        Shaped as `inputs`.
    """
    if not output.requires_grad:
        return torch.zeros_like(inputs)

    # The graph is kept: callers differentiate the same values several times.
    cotangent = torch.ones_like(output) if cotangent is None else cotangent
    return torch.autograd.grad(
        output,
        inputs,
        cotangent,
        retain_graph=True,
        create_graph=create_graph,
        materialize_grads=True,
    )[0]


def replicas_of(theta: Tensor) -> Tensor:
    """One copy of all parameters for each player to differentiate.  [R, N, D] -> [N, R, N, D]."""
    check_shapes("theta: R N D", theta)
    # A learner that others differentiate stays in their graph.
    theta = theta if theta.requires_grad else theta.detach().requires_grad_()
    return theta.expand(theta.shape[-2], *theta.shape)


def of_self(x: Tensor) -> Tensor:
    """Entries (i, :, i, :): what each player's replica says of that player.

    [N, R, N, D] -> [R, N, D].
    """
    check_shapes("x: N R N D", x)
    return x.diagonal(dim1=0, dim2=2).movedim(-1, -2)


def self_values(values: Tensor, shift: int = 0) -> Tensor:
    """V_{i+shift mod N} in replica i.  [N, R, N] -> [R, N]."""
    check_shapes("values: N R N", values)
    return values.roll(-shift, -1).diagonal(dim1=0, dim2=2)


def others(num_players: int, like: Tensor, shift: int | None = None) -> Tensor:
    """1 where the entry of replica i is another player's, else 0.

    Args:
        num_players: N.
        like: gives dtype and device.
        shift: mark player i + shift mod N only; all players but i if None.

    Returns:
        [N, 1, N, 1].
    """
    eye = torch.eye(num_players, dtype=like.dtype, device=like.device)
    return (1 - eye if shift is None else eye.roll(shift, 1))[:, None, :, None]


def own_gradients(game: DifferentiableGame, theta: Tensor) -> Tensor:
    """ξ_i = ∇_i V_i.  [R, N, D] -> [R, N, D]."""
    replicas = replicas_of(theta)  # [N, R, N, D]
    own = self_values(game.values(replicas))
    return of_self(grad(own, replicas, create_graph=theta.requires_grad))


def opponents_gradients(values: Tensor, replicas: Tensor) -> Tensor:
    """ξ_j for every j ≠ i, in replica i, zero for i itself.

    Args:
        values: [N, R, N], of the replicas.
        replicas: [N, R, N, D].

    Returns:
        [N, R, N, D].
    """
    check_shapes("values: N R N, replicas: N R N D", values, replicas)
    n = values.shape[-1]

    # One backward pass for each distance s: in replica i it yields player i + s.
    each = [grad(self_values(values, s), replicas) * others(n, replicas, s) for s in range(1, n)]
    return torch.stack(each).sum(0) if n > 2 else each[0]


__getattr__ = moved_names(__name__, {"views_of": "replicas_of"})
