"""Baselines of the exact family: LookAhead, consensus optimisation and Stable Opponent Shaping.

Papers  Letcher, Foerster, Balduzzi, Rocktäschel, Whiteson 2019, https://arxiv.org/abs/1811.08469
        Mescheder, Nowozin, Geiger 2017 (consensus), https://arxiv.org/abs/1705.10461
Source  https://github.com/aletcher/stable-opponent-shaping (notebook)

    ξ_i = ∇_i V_i                     H the Jacobian of ξ, H_o its blocks i ≠ j
    χ_i = Σ_j (∇_i ξ_j)ᵀ ∇_j V_i      LOLA's shaping term

    LookAhead   ξ_0 = ξ + α H_o ξ                                   (each answers the others' step)
    consensus   ξ - λ Hᵀ ξ                                          (ascent on V, descent on |ξ|²/2)
    SOS         ξ_0 + p α χ                                         (LOLA where it is safe)

    p_1 = 1 if α<χ, ξ_0> >= 0, else min(1, -a |ξ_0|² / α<χ, ξ_0>)   (never turn against LookAhead)
    p_2 = |ξ|² if |ξ| < b, else 1                                   (fade out near a fixed point)
    p   = min(p_1, p_2)

The paper minimises losses L = -V; signs above are for ascent, and the sum ξ + α H_o ξ + α χ is LOLA
in its Taylor form.

Shapes  R independent runs, N players, D parameters a player.  Norms and products run over all
        players of one run.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from agents.matrix_games.differentiable import (
    DifferentiableGame,
    grad,
    of_self,
    opponents_gradients,
    others,
    own_gradients,
    replicas_of,
    self_values,
)
from agents.shapes import check_shapes


def look_ahead(theta: Tensor, game: DifferentiableGame, cfg: SosConfig | None = None) -> Tensor:
    """ξ + α H_o ξ.  [R, N, D] -> [R, N, D]."""
    xi, H_o_xi, _ = sos_terms(theta, game)
    return xi + (cfg or SosConfig()).alpha * H_o_xi


def consensus(
    theta: Tensor, game: DifferentiableGame, cfg: ConsensusConfig | None = None
) -> Tensor:
    """ξ - λ Hᵀ ξ = ξ - λ ∇ |ξ|²/2.  [R, N, D] -> [R, N, D]."""
    tracked = theta if theta.requires_grad else theta.detach().requires_grad_()
    xi = own_gradients(game, tracked)
    Ht_xi = grad((xi**2).sum() / 2, tracked, create_graph=theta.requires_grad)
    direction = xi - (cfg or ConsensusConfig()).weight * Ht_xi
    return direction if theta.requires_grad else direction.detach()


def sos(theta: Tensor, game: DifferentiableGame, cfg: SosConfig | None = None) -> Tensor:
    """ξ_0 + p α χ.  [R, N, D] -> [R, N, D]."""
    cfg = cfg or SosConfig()
    xi, H_o_xi, chi = sos_terms(theta, game)
    xi_0, shaping = xi + cfg.alpha * H_o_xi, cfg.alpha * chi
    return xi_0 + sos_weight(xi, xi_0, shaping, cfg)[:, None, None] * shaping


def sos_weight(xi: Tensor, xi_0: Tensor, shaping: Tensor, cfg: SosConfig) -> Tensor:
    """The weight p = min(p_1, p_2) of each run.  ξ, ξ_0 and α χ, [R, N, D] each -> [R]."""
    check_shapes("xi: R N D, xi_0: R N D, shaping: R N D", xi, xi_0, shaping)

    # Never turn against LookAhead.
    along = (shaping * xi_0).sum((1, 2))
    against = torch.clamp(-cfg.a * (xi_0**2).sum((1, 2)) / along, max=1)
    p_1 = torch.where(along >= 0, torch.ones_like(along), against)

    # Fade out near a fixed point.
    norm = (xi**2).sum((1, 2))
    p_2 = torch.where(norm < cfg.b**2, norm, torch.ones_like(norm))
    return torch.minimum(p_1, p_2)


def sos_terms(theta: Tensor, game: DifferentiableGame) -> tuple[Tensor, Tensor, Tensor]:
    """ξ, H_o ξ and χ.  [R, N, D] -> three [R, N, D]."""
    create_graph, replicas = theta.requires_grad, replicas_of(theta)
    values = game.values(replicas)
    xi_j = opponents_gradients(values, replicas)
    gradient = grad(self_values(values), replicas)

    # The products' other factors are passed as cotangents: constants for this derivative, functions
    # for the next one.
    step = xi_j if create_graph else xi_j.detach()
    H_o_xi = grad(gradient, replicas, step, create_graph=create_graph)
    opponents = gradient * others(game.num_players, replicas)
    chi = grad(xi_j, replicas, opponents, create_graph=create_graph)

    if not create_graph:
        gradient, H_o_xi, chi = gradient.detach(), H_o_xi.detach(), chi.detach()
    return of_self(gradient), of_self(H_o_xi), of_self(chi)


@dataclass(frozen=True)
class SosConfig:
    """Stable Opponent Shaping, and LookAhead, which reads α only."""

    alpha: float = 1.0  # α; notebook: 1 in the IPD (0.1 in the tandem game)
    a: float = 0.5  # of p_1; notebook
    b: float = 0.1  # of p_2; notebook


@dataclass(frozen=True)
class ConsensusConfig:
    """Consensus optimisation."""

    # λ; ours: with it the IPD ends at 1.68, the notebook's plot at 1.70 (0.1 ends at 1.99)
    weight: float = 1.0
