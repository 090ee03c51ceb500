"""LOLA with exact values: Learning with Opponent-Learning Awareness.

Paper   Foerster et al. 2018, https://arxiv.org/abs/1709.04326, sections 4.2 (first order) and 4.5 (higher order)
Source  https://github.com/alshedivat/lola, train_exact.py (commit 0e8b13e)

Player i expects each other player j to take one learning step Δ_j and climbs its value after that
step:

    Δ_j = η ∇_j V_j                                                                   (opponent's step, order 1)
    Δ_j = η f_j of order k - 1                                                        (opponent's step, order k)

    lookahead   f_i = ∇_i V_i(θ_i, θ_j + Δ_j(θ))                                      (DiCE, POLA)
    taylor      f_i = ∇_i [ V_i + Σ_j ∇_j V_i · Δ_j ]                                 (SOS; the authors' `--pseudo`)
    shaping     f_i = ∇_i V_i + Σ_j (∇_i Δ_j)ᵀ ∇_j V_i                                (LOLA paper: ∇_j V_i held fixed)

A learner that models a LOLA learner differentiates through everything its opponent does, also
through ∇_i V_j inside the opponent's shaping term: holding ∇_j V_i fixed concerns only the
learner's own derivative (`hold="own"`). With `hold="all"` the inner ∇V are constants too, as plain
stop-gradients would make them. The paper has no code for this.

Shapes  R independent runs, N players, D parameters a player; [N, R, N, D] has one copy ("view") a
player, see
        differentiable.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from torch import Tensor

from agents.matrix_games.differentiable import (
    DifferentiableGame,
    grad,
    of_self,
    opponents_gradients,
    others,
    own_gradients,
    self_values,
    views_of,
)


def opponents_step(
    views: Tensor, values: Tensor, game: DifferentiableGame, cfg: LolaConfig
) -> Tensor:
    """Δ_j for every j ≠ i in view i, zero for i itself.

    [N, R, N, D], values [N, R, N] -> [N, R, N, D].
    """
    if cfg.order == 1:
        return cfg.eta * opponents_gradients(values, views)
    lower = lola(views.flatten(0, 1), game, replace(cfg, order=cfg.order - 1))
    return cfg.eta * lower.view(views.shape) * others(views.shape[0], views)


def shaping(
    views: Tensor, values: Tensor, step: Tensor, keep: bool = False, hold: str = "own"
) -> Tensor:
    """∇_i V_i + Σ_j (∇_i Δ_j)ᵀ ∇_j V_i with ∇_j V_i held fixed.  -> [R, N, D]."""
    gradient = grad(self_values(values), views, keep=keep)
    fixed = gradient.detach() if hold == "all" else gradient
    return of_self(gradient + grad(step, views, fixed * others(views.shape[0], views), keep=keep))


def taylor(views: Tensor, values: Tensor, step: Tensor, keep: bool = False) -> Tensor:
    """∇_i [ V_i + Σ_j ∇_j V_i · Δ_j ].  -> [R, N, D]."""
    gradient = grad(self_values(values), views)
    return of_self(gradient + grad((gradient * step).sum(), views, keep=keep))


def lookahead(views: Tensor, step: Tensor, game: DifferentiableGame, keep: bool = False) -> Tensor:
    """∇_i V_i(θ_i, θ_j + Δ_j(θ)).  -> [R, N, D]."""
    return of_self(grad(self_values(game.values(views + step)), views, keep=keep))


def imagined_steps(
    views: Tensor, values: Tensor, game: DifferentiableGame, cfg: LolaConfig
) -> Tensor:
    """Σ of `cfg.lookaheads` steps of the others, each from where the one before ended.  -> [N, R,
    N, D].
    """
    total = opponents_step(views, values, game, cfg)
    for _ in range(cfg.lookaheads - 1):
        there = views + total
        total = total + opponents_step(there, game.values(there), game, cfg)
    return total


def lola(theta: Tensor, game: DifferentiableGame, cfg: LolaConfig | None = None) -> Tensor:
    """f_i of LOLA for every player, in the form and order of `cfg`; differentiable if θ requires
    grad.

    Args:
        theta: [R, N, D].
        game: any differentiable game of N >= 2 players.
        cfg: form, order, η, number of look-aheads.

    Returns:
        [R, N, D], the direction of ascent.
    """
    cfg = cfg or LolaConfig()
    if cfg.order == 0:
        return own_gradients(game, theta)
    keep, views = theta.requires_grad, views_of(theta)
    values = game.values(views)
    step = imagined_steps(views, values, game, cfg)
    if cfg.form == "lookahead":
        direction = lookahead(views, step, game, keep)
    elif cfg.form == "taylor":
        direction = taylor(views, values, step, keep)
    else:
        direction = shaping(views, values, step, keep, cfg.hold)
    return direction if keep else direction.detach()


@dataclass(frozen=True)
class LolaConfig:
    """What kind of LOLA.

    Raises:
        ValueError: an unknown form, order < 0, or no look-ahead.
    """

    form: Literal["shaping", "taylor", "lookahead"] = (
        "shaping"  # paper section 4.2 drops the other terms
    )
    order: int = 1  # paper section 4.5; 0 is the naive learner
    eta: float = 1.0  # authors' run_lola.py: lr_correction = 1
    lookaheads: int = (
        1  # steps the opponent is expected to take; 1 to 3 in Jacq's LOLA_DiCE, ipd_exact.py
    )
    hold: Literal["own", "all"] = (
        "own"  # ours: the exact derivative of the opponent's rule, see above
    )

    def __post_init__(self) -> None:
        if self.form not in ("shaping", "taylor", "lookahead"):
            raise ValueError(f"form must be 'shaping', 'taylor' or 'lookahead', not {self.form!r}")
        if self.order < 0 or self.lookaheads < 1:
            raise ValueError(
                f"order must be >= 0 and lookaheads >= 1, not {self.order} and {self.lookaheads}"
            )
