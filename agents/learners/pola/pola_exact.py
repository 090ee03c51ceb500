"""POLA with exact values: Proximal Learning with Opponent-Learning Awareness.

Paper   Zhao, Lu, Grosse, Foerster 2022, https://arxiv.org/abs/2210.10125, algorithms 1 (outer POLA), 3 (LOLA), 7
Source  https://github.com/Silent-Zebra/POLA, LOLA_exact.py (commit b248b52)

LOLA's step depends on how policies are parametrised. POLA replaces it by a proximal problem in the
space of policies:

    θ_i' = argmax V_i(θ_i', θ_j''(θ_i')) - β_out KL(π_θ_i || π_θ_i')                                   (outer)
    θ_j''(θ_i') = θ_j + K steps of η ∇_j [ V_j(θ_i', θ_j'') - β_in KL(π_θ_j || π_θ_j'') ]              (inner)

Outer POLA solves the outer problem by gradient ascent with rate α until the policy stands still, K
= 1 and β_in = 0. `outer_steps = 1` with many inner steps is algorithm 7; with β_out = 0 and K = 1
as well it is LOLA's look-ahead step.

KL is summed over the S states, as in the authors' code: β here is theirs, and a fifth of the
paper's (an average). Every player starts from the same old parameters; player i works in its view i
(differentiable.py), where the others are either the true parameters or a model of them, in a
parametrisation of its own.

Shapes  R runs, N = 2 players, D parameters a player, D' of a model, S states, A actions. Own
parameters [N, R, D], one
        row a player; what player i takes everybody to be [N, R, N, D'].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from agents.matrix_games.closed_form import MatrixGame, log_action_probabilities
from agents.matrix_games.differentiable import (
    check_theta,
    grad,
    opponents_gradients,
    others,
    self_values,
)
from agents.matrix_games.opponent_models import ExactModelConfig, fit_exactly, kl_divergence
from agents.matrix_games.parametrisations import Parametrisation

Logits = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class View:
    """What stays fixed while every player solves its proximal problem.

    Attributes:
        game: its `parametrisation` is the players' own.
        model: [N, R, N, D'], what player i takes everybody to be (its own entry is not read).
        model_logits: [..., D'] -> [..., S, A - 1].
        cfg: POLA's settings.
    """

    game: MatrixGame
    model: Tensor
    model_logits: Logits
    cfg: PolaConfig

    def log_policies(self, logits: Tensor) -> Tensor:
        """[..., S, A - 1] -> [..., S, A]."""
        return torch.stack(log_action_probabilities(logits), -1)

    def values(self, own: Tensor, model: Tensor) -> Tensor:
        """V_n in view i.  [N, R, D], [N, R, N, D'] -> [N, R, N]."""
        logits = torch.where(
            others(self.game.num_players, own)[..., None] > 0,
            self.model_logits(model),
            self.game.to_logits(own)[:, :, None],
        )
        return self.game.values_of_logits(logits)


def imagined(own: Tensor, view: View) -> Tensor:
    """θ_j''(θ_i') of the inner problem, in every view.  own [N, R, D] -> [N, R, N, D']."""
    cfg = view.cfg
    start = view.log_policies(view.model_logits(view.model)).detach()
    model = view.model.detach().requires_grad_()
    for _ in range(cfg.inner_steps):
        objective = view.values(own, model)
        if cfg.beta_in:
            objective = objective - cfg.beta_in * kl_divergence(
                start, view.log_policies(view.model_logits(model))
            )
        model = model + cfg.lr_in * opponents_gradients(objective, model)
    return model


def outer_gradient(own: Tensor, old: Tensor, view: View) -> Tensor:
    """∇_i [ V_i(θ_i', θ_j''(θ_i')) - β_out KL(old || π_θ_i') ].

    Own [N, R, D], old [N, R, S, A].
    """
    own = own.detach().requires_grad_()
    objective = self_values(view.values(own, imagined(own, view))).T
    if view.cfg.beta_out:
        objective = objective - view.cfg.beta_out * kl_divergence(
            old, view.log_policies(view.game.to_logits(own))
        )
    return grad(objective, own, keep=False)


def proximal_point(theta: Tensor, view: View) -> Tensor:
    """Ascends the outer problem from θ until each player's policy stands still, or
    `cfg.outer_steps`.

    A player stands still when KL(before || after) and KL(after || before) are both below
    `cfg.tolerance`.

    Args:
        theta: [R, N, D].
        view: the game and what everybody takes the others to be.

    Returns:
        [R, N, D].
    """
    own = theta.detach().transpose(0, 1)
    now = old = view.log_policies(view.game.to_logits(own))
    moving = torch.ones_like(own[..., 0], dtype=torch.bool)
    for _ in range(view.cfg.outer_steps):
        own = torch.where(
            moving[..., None], own + view.cfg.lr_out * outer_gradient(own, old, view), own
        )
        before, now = now, view.log_policies(view.game.to_logits(own))
        change = torch.maximum(kl_divergence(before, now), kl_divergence(now, before))
        moving = moving & ~(change < view.cfg.tolerance)
        if not moving.any():
            break
    return own.transpose(0, 1)


def pola(theta: Tensor, game: MatrixGame, cfg: PolaConfig | None = None) -> Tensor:
    """Where POLA moves from θ: a direction for the loop with rate 1.  [R, N, D] -> [R, N, D].

    Args:
        theta: [R, N, D].
        game: a 2-player matrix game; its parametrisation is the players'.
        cfg: rates, β, steps.

    Raises:
        ValueError: another kind of game, or θ of another shape.
    """
    check_matrix_game(game)
    check_theta(theta, game)
    model = theta.detach().expand(game.num_players, *theta.shape)
    return (
        proximal_point(theta, View(game, model, game.to_logits, cfg or PolaConfig()))
        - theta.detach()
    )


class PolaOm:
    """POLA (or LOLA) against models of the others, refitted exactly before every update:
    `direction(θ, game)`.

    Args:
        parametrisation: of the models.
        cfg: POLA's settings.
        fit: of the models.
        seed: of the models' first parameters.
    """

    def __init__(
        self,
        parametrisation: Parametrisation,
        cfg: PolaConfig,
        fit: ExactModelConfig | None = None,
        seed: int = 0,
    ) -> None:
        self.parametrisation, self.cfg, self.fit, self.seed = (
            parametrisation,
            cfg,
            fit or ExactModelConfig(),
            seed,
        )
        self.model: Tensor | None = None

    def __call__(self, theta: Tensor, game: MatrixGame) -> Tensor:
        """Refit, then move.  [R, N, D] -> [R, N, D]."""
        check_matrix_game(game)
        if self.model is None:
            self.model = self.parametrisation.initial(len(theta), self.seed).to(theta.device)
        view = View(game, self.model, self.parametrisation.logits, self.cfg)

        def both(true: Tensor, model: Tensor) -> tuple[Tensor, Tensor]:
            return game.log_policies(true).detach(), view.log_policies(
                self.parametrisation.logits(model)
            )

        self.model = fit_exactly(theta.detach(), self.model, both, self.fit)
        believed = self.model.expand(game.num_players, *self.model.shape)
        return (
            proximal_point(theta, View(game, believed, self.parametrisation.logits, self.cfg))
            - theta.detach()
        )


def check_matrix_game(game: object) -> None:
    """Raises ValueError unless the game is a MatrixGame."""
    if not isinstance(game, MatrixGame):
        raise ValueError(
            f"POLA needs policies to measure their distance: a MatrixGame, not a {type(game).__name__}"
        )


@dataclass(frozen=True)
class PolaConfig:
    """Outer POLA at f = 1.33 with a tabular policy; the other commands are in reference section 11.

    Raises:
        ValueError: no step to take, or a negative β.
    """

    lr_in: float = 5.0  # η, README: --lr_policies_inner
    lr_out: float = 0.3  # α, README: --lr_policies_outer
    beta_out: float = 0.1  # README: --outer_beta
    outer_steps: int = 5000  # LOLA_exact.py: most iterations of the outer problem
    tolerance: float = 1e-8  # LOLA_exact.py
    inner_steps: int = 1  # K, LOLA_exact.py; 100 or 200 in appendix B.1.6
    beta_in: float = 0.0  # no inner proximal term in outer POLA; 3 in appendix B.1.6

    def __post_init__(self) -> None:
        if self.outer_steps < 1 or self.inner_steps < 1 or min(self.beta_in, self.beta_out) < 0:
            raise ValueError(
                f"outer_steps and inner_steps must be >= 1 and β >= 0, not {self.outer_steps}, {self.inner_steps}, "
                f"{self.beta_in}, {self.beta_out}"
            )
