"""Games whose value is a differentiable function of the players' parameters, and the derivatives
learners need.

An iterated matrix game (matrix_value.py), a one-shot game and a two-variable toy are the same thing
to a learner: N players, D real parameters each, and

    V_i(θ_1, ..., θ_N)                                        the value of player i
    ξ_i = ∇_i V_i                                             its own gradient

Learners differentiate through one another's steps, so each player gets its own copy of everybody's
parameters, its *view*:

    view i = (θ_1, ..., θ_N)                                  the copy that player i differentiates

Everything player i imagines happens in view i. One backward pass over the sum of all runs and all
views then yields every player's derivative at once, since neither runs nor views depend on one
another.

Shapes  R independent runs, N players, D parameters a player. θ [R, N, D]; views [N, R, N, D];
values [..., N].
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


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
    """A game without states or time: V is given as a function of θ.

    Attributes:
        payoff: [..., N, D] -> [..., N].
    """

    payoff: Callable[[Tensor], Tensor]
    num_players: int = 2
    dim: int = 1
    device: str | torch.device = "cpu"

    def values(self, theta: Tensor) -> Tensor:
        """V_n(θ).  [..., N, D] -> [..., N]."""
        check_theta(theta, self)
        return self.payoff(theta)

    def report(self, theta: Tensor) -> Tensor:
        """V_n itself.  [..., N, D] -> [..., N]."""
        return self.values(theta)


def tandem(device: str = "cpu") -> StatelessGame:
    """L_1 = (x + y)² - 2x,  L_2 = (x + y)² - 2y,  V = -L.

    Every player would rather be the one who pulls; the stable fixed points are the line x + y = 1,
    where LOLA does not settle. Letcher et al. 2019 (https://arxiv.org/abs/1811.08469), section 4.
    """

    def payoff(theta: Tensor) -> Tensor:
        own = theta[..., 0]
        return 2 * own - own.sum(-1, keepdim=True) ** 2

    return StatelessGame(payoff, device=device)


def zero_sum(device: str = "cpu") -> StatelessGame:
    """V_1 = x y,  V_2 = -x y: the bilinear game, whose only fixed point is the origin.

    Simultaneous gradient ascent spirals away from it; learners that look ahead spiral in. Balduzzi
    et al. 2018 (https://arxiv.org/abs/1802.05642).
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
    output: Tensor, inputs: Tensor, weights: Tensor | None = None, keep: bool = True
) -> Tensor:
    """weightsᵀ ∂output/∂inputs, zero where there is no dependence; `keep` makes it differentiable
    again.

    `weights` may itself carry a graph: it is a constant for this derivative and a function for the
    next one, which is what a stop-gradient inside a learner that others differentiate has to mean.
    """
    if not output.requires_grad:
        return torch.zeros_like(inputs)
    weights = torch.ones_like(output) if weights is None else weights
    how = {"create_graph": keep, "retain_graph": True, "materialize_grads": True}
    return torch.autograd.grad(output, inputs, weights, **how)[0]


def views_of(theta: Tensor) -> Tensor:
    """One copy of all parameters for each player to differentiate.  [R, N, D] -> [N, R, N, D]."""
    theta = theta if theta.requires_grad else theta.detach().requires_grad_()
    return theta.expand(theta.shape[-2], *theta.shape)


def of_self(x: Tensor) -> Tensor:
    """Entries (i, :, i, :): what each player's view says of that player.

    [N, R, N, D] -> [R, N, D].
    """
    return x.diagonal(dim1=0, dim2=2).movedim(-1, -2)


def self_values(values: Tensor, shift: int = 0) -> Tensor:
    """V_{i+shift mod N} in view i.  [N, R, N] -> [R, N]."""
    return values.roll(-shift, -1).diagonal(dim1=0, dim2=2)


def others(num_players: int, like: Tensor, shift: int | None = None) -> Tensor:
    """1 where the entry of view i is another player's (player i+shift's, if given), else 0.

    [N, 1, N, 1].
    """
    eye = torch.eye(num_players, dtype=like.dtype, device=like.device)
    return (1 - eye if shift is None else eye.roll(shift, 1))[:, None, :, None]


def own_gradients(game: DifferentiableGame, theta: Tensor) -> Tensor:
    """ξ_i = ∇_i V_i.  [R, N, D] -> [R, N, D]."""
    views = views_of(theta)
    return of_self(grad(self_values(game.values(views)), views, keep=theta.requires_grad))


def opponents_gradients(values: Tensor, views: Tensor) -> Tensor:
    """ξ_j for every j ≠ i, in view i, zero for i itself.

    Values [N, R, N] of views [N, R, N, D] -> [N, R, N, D].
    """
    n = values.shape[-1]
    each = [grad(self_values(values, s), views) * others(n, views, s) for s in range(1, n)]
    return torch.stack(each).sum(0) if n > 2 else each[0]
