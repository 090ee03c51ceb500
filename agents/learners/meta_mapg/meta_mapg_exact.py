"""Meta-MAPG and Meta-PG with exact values: choosing where to start among learners.

Papers  Kim, Liu, Riemer, Sun, Abdulhai, Habibi, Lopez-Cot, Tesauro, How 2021, Meta-MAPG,
        https://arxiv.org/abs/2011.00382
        Al-Shedivat, Bansal, Burda, Sutskever, Mordatch, Abbeel 2018, Meta-PG,
        https://arxiv.org/abs/1710.03641
Source  https://github.com/dkkim93/meta-mapg (commit 2d8046f); sampled in meta_mapg.py

Everybody takes L learning steps from θ^0, of which player i chooses its own part; f_n is n's
learning rule:

    θ_n^{l+1} = θ_n^l + α_n^l f_n(θ^l)                                         (chain)
    J_i = mean over counted l of V_i(θ^l)                                      (meta-objective)

By the chain rule, ∂J_i/∂θ_i^0 is made of

    ∂V_i(θ^0)/∂θ_i^0                                                           (current policy)
    (∂θ_i^l/∂θ_i^0)ᵀ ∂V_i(θ^l)/∂θ_i^l                                          (own learning)
    Σ_{j≠i} (∂θ_j^l/∂θ_i^0)ᵀ ∂V_i(θ^l)/∂θ_j^l                                  (peer learning)

The first is the whole gradient at l = 0; for l >= 1 exact updates depend on no sample, so that the
theorem's first term has mean 0 there. Meta-PG takes the others' updates as given: the chain is cut
at θ_j, and the third term is 0. M-MAML (m_maml.py) is l = 0 .. K - 1, naive opponents and one rate
for all l.

Shapes  M chains (runs, tasks, opponents), N players, D parameters a player, L updates. θ [M, N, D].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from agents.matrix_games.differentiable import DifferentiableGame, own_gradients
from agents.matrix_games.gradient_runs import Direction


class LearningRules(NamedTuple):
    """Who chooses, and how everybody learns.

    Attributes:
        me: i, the player whose start is learned.
        shaping: whether the others' updates depend on i (Meta-MAPG) or are taken as given
            (Meta-PG).
        peer: the others' rule f_j; naive if None.
    """

    me: int = 0
    shaping: bool = True
    peer: Direction | None = None


def mine(theta: Tensor, me: int) -> Tensor:
    """1 where the entry is player i's, else 0.  [..., N, D] -> [N, 1]."""
    one_hot = torch.nn.functional.one_hot(torch.tensor(me), theta.shape[-2])
    return one_hot.bool().to(theta.device)[:, None]


def attached(theta: Tensor, which: Tensor) -> Tensor:
    """θ, a constant except where `which`.  [..., N, D], [N, 1] -> [..., N, D]."""
    return torch.where(which, theta, theta.detach())


def directions(theta: Tensor, game: DifferentiableGame, rules: LearningRules) -> Tensor:
    """f_n(θ): naive for player i, `rules.peer` for the others.  [M, N, D] -> [M, N, D]."""
    naive = own_gradients(game, theta)  # ∂V_n/∂θ_n of every player
    if rules.peer is None:
        return naive
    return torch.where(mine(theta, rules.me), naive, rules.peer(theta, game))


def chain(
    theta: Tensor, rates: Sequence[Tensor], game: DifferentiableGame, rules: LearningRules
) -> list[Tensor]:
    """θ^0 .. θ^L, differentiable if θ^0 is.

    Args:
        theta: [M, N, D], θ^0.
        rates: α^0 .. α^{L-1}, each broadcast over [M, N, D].
        game: any differentiable game.
        rules: whose start is learned, and the others' rule.
    """

    def as_given(theta: Tensor) -> Tensor:
        return theta if rules.shaping else attached(theta, mine(theta, rules.me))

    # Everybody learns at once.
    thetas = [as_given(theta)]
    for rate in rates:
        thetas.append(as_given(thetas[-1] + rate * directions(thetas[-1], game, rules)))
    return thetas


def current_policy(thetas: Sequence[Tensor], game: DifferentiableGame, me: int) -> Tensor:
    """V_i(θ^0) as a function of θ_i^0 alone.  -> [M]."""
    return game.values(attached(thetas[0], mine(thetas[0], me)))[..., me]


def own_learning(thetas: Sequence[Tensor], game: DifferentiableGame, me: int) -> Tensor:
    """V_i(θ^l), through θ_i^l alone; mean over l >= 1.  -> [M]."""
    by_own = [attached(theta, mine(theta, me)) for theta in thetas[1:]]
    return game.values(torch.stack(by_own))[..., me].mean(0)


def peer_learning(thetas: Sequence[Tensor], game: DifferentiableGame, me: int) -> Tensor:
    """V_i(θ^l), through the θ_j^l alone; mean over l >= 1.  -> [M]."""
    by_peers = [attached(theta, ~mine(theta, me)) for theta in thetas[1:]]
    return game.values(torch.stack(by_peers))[..., me].mean(0)


def meta_value(
    thetas: Sequence[Tensor], game: DifferentiableGame, me: int, first: int = 1
) -> Tensor:
    """Mean of V_i(θ^l) over l >= `first`: its gradient is the sum of the terms above.  -> [M]."""
    return torch.stack([game.values(theta)[..., me] for theta in thetas[first:]]).mean(0)


class ExactMetaGradient(NamedTuple):
    """The meta-gradient of each chain by itself.

    Attributes:
        start: [M, D], ∂J_i/∂θ_i^0.
        rates: [L, M], ∂J_i/∂α_i.
        rewards: [L + 1, M, N], a step of all players at l = 0 .. L.
        finite: [M], the chains that stayed finite.
    """

    start: Tensor
    rates: Tensor
    rewards: Tensor
    finite: Tensor


def meta_gradient(
    start: Tensor, rates: Tensor, game: DifferentiableGame, rules: LearningRules
) -> ExactMetaGradient:
    """The meta-gradient of each chain by itself, for l = 1 .. L.

    A chain that diverges counts nothing: its gradients are 0.

    Args:
        start: [M, N, D], θ^0.
        rates: [L, M, N], α.
        game: any differentiable game.
        rules: see `chain`.
    """
    start, rates = start.detach().requires_grad_(), rates.detach().requires_grad_()
    thetas = chain(start, rates[..., None].unbind(0), game, rules)
    value = meta_value(thetas, game, rules.me)
    by_start, by_rate = torch.autograd.grad(value.sum(), (start, rates))
    by_start, by_rate = by_start[:, rules.me], by_rate[..., rules.me]

    # A chain that diverged counts nothing.
    finite = torch.isfinite(by_start).all(-1) & torch.isfinite(by_rate).all(0)
    finite = finite & torch.isfinite(value.detach())
    rewards = game.report(torch.stack(thetas).detach())
    return ExactMetaGradient(
        torch.where(finite[:, None], by_start, 0.0),
        torch.where(finite, by_rate, 0.0),
        torch.where(finite[:, None], rewards, 0.0),
        finite,
    )
