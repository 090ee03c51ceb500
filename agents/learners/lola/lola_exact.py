"""LOLA with exact values: Learning with Opponent-Learning Awareness.

Paper   Foerster et al. 2018, https://arxiv.org/abs/1709.04326, sections 4.2 (first order) and 4.5
        (higher order)
Source  https://github.com/alshedivat/lola, train_exact.py (commit 0e8b13e)

Player i expects each other player j to take one learning step Δ_j and climbs its value after that
step:

    Δ_j = η ∇_j V_j                                      (opponent's step, order 1)
    Δ_j = η f_j of order k - 1                           (opponent's step, order k)

    lookahead   f_i = ∇_i V_i(θ_i, θ_j + Δ_j(θ))         (DiCE, POLA)
    taylor      f_i = ∇_i [ V_i + Σ_j ∇_j V_i · Δ_j ]    (SOS; the authors' `--pseudo`)
    shaping     f_i = ∇_i V_i + Σ_j (∇_i Δ_j)ᵀ ∇_j V_i   (LOLA paper: ∇_j V_i held fixed)

A learner that models a LOLA learner differentiates through everything its opponent does, also
through ∇_i V_j inside the opponent's shaping term: holding ∇_j V_i fixed concerns only the
learner's own derivative (`hold="own"`).  With `hold="all"` the inner ∇V are constants too, as plain
stop-gradients would make them.  The paper has no code for this.

Shapes  R independent runs, N players, D parameters a player.  θ [R, N, D]; replicas [N, R, N, D],
        one copy of θ a player (differentiable.py).
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
    replicas_of,
    self_values,
)
from agents.shapes import check_shapes
from social_dilemmas_env.deprecation import moved_names


def opponents_step(
    replicas: Tensor, values: Tensor, game: DifferentiableGame, cfg: LolaConfig
) -> Tensor:
    """Δ_j for every j ≠ i in replica i, zero for i itself.

    Args:
        replicas: [N, R, N, D].
        values: [N, R, N], of the replicas.
        game: the game.
        cfg: η and the order.

    Returns:
        [N, R, N, D].
    """
    check_shapes("replicas: N R N D, values: N R N", replicas, values)
    if cfg.order == 1:
        return cfg.eta * opponents_gradients(values, replicas)
    lower = lola(replicas.flatten(0, 1), game, replace(cfg, order=cfg.order - 1))
    return cfg.eta * lower.view(replicas.shape) * others(replicas.shape[0], replicas)


def opponents_steps(
    replicas: Tensor, values: Tensor, game: DifferentiableGame, cfg: LolaConfig
) -> Tensor:
    """Σ of `cfg.lookaheads` steps of the others, each from where the one before ended.

    Arguments and result as `opponents_step`.
    """
    total = opponents_step(replicas, values, game, cfg)
    for _ in range(cfg.lookaheads - 1):
        moved = replicas + total
        total = total + opponents_step(moved, game.values(moved), game, cfg)
    return total


def lookahead(
    replicas: Tensor, step: Tensor, game: DifferentiableGame, create_graph: bool = False
) -> Tensor:
    """∇_i V_i(θ_i, θ_j + Δ_j(θ)).  Replicas and Δ [N, R, N, D] -> [R, N, D]."""
    check_shapes("replicas: N R N D, step: N R N D", replicas, step)
    values = self_values(game.values(replicas + step))
    return of_self(grad(values, replicas, create_graph=create_graph))


def taylor(replicas: Tensor, values: Tensor, step: Tensor, create_graph: bool = False) -> Tensor:
    """∇_i [ V_i + Σ_j ∇_j V_i · Δ_j ].  [N, R, N, D], [N, R, N], Δ [N, R, N, D] -> [R, N, D]."""
    check_shapes("replicas: N R N D, values: N R N, step: N R N D", replicas, values, step)
    gradient = grad(self_values(values), replicas)
    product = grad((gradient * step).sum(), replicas, create_graph=create_graph)
    return of_self(gradient + product)


def shaping(
    replicas: Tensor, values: Tensor, step: Tensor, create_graph: bool = False, hold: str = "own"
) -> Tensor:
    """∇_i V_i + Σ_j (∇_i Δ_j)ᵀ ∇_j V_i with ∇_j V_i held fixed.

    [N, R, N, D], [N, R, N], Δ [N, R, N, D] -> [R, N, D].
    """
    check_shapes("replicas: N R N D, values: N R N, step: N R N D", replicas, values, step)
    gradient = grad(self_values(values), replicas, create_graph=create_graph)
    held = gradient.detach() if hold == "all" else gradient
    # As a cotangent, ∇_j V_i is a constant for this derivative.
    cotangent = held * others(replicas.shape[0], replicas)
    return of_self(gradient + grad(step, replicas, cotangent, create_graph=create_graph))


def lola(theta: Tensor, game: DifferentiableGame, cfg: LolaConfig | None = None) -> Tensor:
    """f_i of LOLA for every player, in the form and order of `cfg`.

    Differentiable if θ requires grad.

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

    # What each player expects the others to do.
    create_graph, replicas = theta.requires_grad, replicas_of(theta)
    values = game.values(replicas)
    step = opponents_steps(replicas, values, game, cfg)

    # Its own derivative.
    if cfg.form == "lookahead":
        direction = lookahead(replicas, step, game, create_graph)
    elif cfg.form == "taylor":
        direction = taylor(replicas, values, step, create_graph)
    else:
        direction = shaping(replicas, values, step, create_graph, cfg.hold)
    return direction if create_graph else direction.detach()


@dataclass(frozen=True)
class LolaConfig:
    """What kind of LOLA.

    Raises:
        ValueError: an unknown form, order < 0, or no look-ahead.
    """

    # which f_i; paper section 4.2 drops the other terms
    form: Literal["shaping", "taylor", "lookahead"] = "shaping"
    # k; paper section 4.5; 0 is the naive learner
    order: int = 1
    # η; authors' run_lola.py: lr_correction = 1
    eta: float = 1.0
    # steps the opponent is expected to take; 1 to 3 in Jacq's LOLA_DiCE, ipd_exact.py
    lookaheads: int = 1
    # which ∇V are constants, see the top of this file; ours: the exact derivative of the
    # opponent's rule
    hold: Literal["own", "all"] = "own"

    def __post_init__(self) -> None:
        if self.form not in ("shaping", "taylor", "lookahead"):
            raise ValueError(f"form must be 'shaping', 'taylor' or 'lookahead', not {self.form!r}")
        if self.order < 0 or self.lookaheads < 1:
            raise ValueError(
                f"order must be >= 0 and lookaheads >= 1, not {self.order} and {self.lookaheads}"
            )


__getattr__ = moved_names(__name__, {"imagined_steps": "opponents_steps"})
