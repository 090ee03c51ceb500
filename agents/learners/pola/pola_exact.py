"""POLA with exact values: Proximal Learning with Opponent-Learning Awareness.

Paper   Zhao, Lu, Grosse, Foerster 2022, https://arxiv.org/abs/2210.10125, algorithms 1 (outer
        POLA), 3 (LOLA), 7
Source  https://github.com/Silent-Zebra/POLA, LOLA_exact.py (commit b248b52)

LOLA's step depends on how policies are parametrised.  POLA replaces it by a proximal problem in the
space of policies:

    θ_i' = argmax V_i(θ_i', θ_j''(θ_i')) - β_out KL(π_θ_i || π_θ_i')                      (outer)
    θ_j''(θ_i') = θ_j + K steps of
                  η ∇_j [ V_j(θ_i', θ_j'') - β_in KL(π_θ_j || π_θ_j'') ]                  (inner)

Outer POLA solves the outer problem by gradient ascent with rate α until the policy stands still,
K = 1 and β_in = 0.  `outer_steps = 1` with many inner steps is algorithm 7; with β_out = 0 and
K = 1 as well it is LOLA's look-ahead step.

KL is summed over the S states, as in the authors' code: β here is theirs, and a fifth of the
paper's (an average).  Every player starts from the same old parameters; player i works in its
replica i (differentiable.py), where the others are either the true parameters or a model of them,
in a parametrisation of its own.

Shapes  R runs, N = 2 players, D parameters a player, D' of a model, S states, A actions.
        Own parameters [N, R, D], one row a player; what player i takes everybody to be
        [N, R, N, D'].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from agents.interruption import between_parts
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
from agents.shapes import check_shapes
from social_dilemmas_env.deprecation import moved_names

Logits = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class OuterProblem:
    """What stays fixed while every player solves its proximal problem."""

    game: MatrixGame  # its `parametrisation` is the players' own
    model: Tensor  # [N, R, N, D'], what player i takes everybody to be (its own entry is not read)
    model_logits: Logits  # [..., D'] -> [..., S, A - 1]
    cfg: PolaConfig  # rates, β, steps

    def log_policies(self, logits: Tensor) -> Tensor:
        """[..., S, A - 1] -> [..., S, A]."""
        return torch.stack(log_action_probabilities(logits), -1)

    def values(self, own: Tensor, model: Tensor) -> Tensor:
        """V_n in replica i.  [N, R, D], [N, R, N, D'] -> [N, R, N]."""
        check_shapes("own: N R D, model: N R N M", own, model)
        logits = torch.where(
            others(self.game.num_players, own)[..., None] > 0,
            self.model_logits(model),
            self.game.to_logits(own)[:, :, None],
        )
        return self.game.values_of_logits(logits)


def inner_solution(own: Tensor, problem: OuterProblem) -> Tensor:
    """θ_j''(θ_i') of the inner problem, in every replica.

        θ_j'' ← θ_j'' + η ∇_j [ V_j(θ_i', θ_j'') - β_in KL(π_θ_j || π_θ_j'') ],      K times

    Args:
        own: [N, R, D], θ_i'.
        problem: its model is where θ_j'' starts.

    Returns:
        [N, R, N, D'], attached to `own`.
    """
    check_shapes("own: N R D", own)
    cfg = problem.cfg
    start = problem.log_policies(problem.model_logits(problem.model)).detach()
    model = problem.model.detach().requires_grad_()

    for _ in range(cfg.inner_steps):
        objective = problem.values(own, model)
        if cfg.beta_in:
            now = problem.log_policies(problem.model_logits(model))
            objective = objective - cfg.beta_in * kl_divergence(start, now)
        model = model + cfg.lr_in * opponents_gradients(objective, model)
    return model


def outer_gradient(own: Tensor, old: Tensor, problem: OuterProblem) -> Tensor:
    """∇_i [ V_i(θ_i', θ_j''(θ_i')) - β_out KL(old || π_θ_i') ].

    Args:
        own: [N, R, D], θ_i'.
        old: [N, R, S, A], log-probabilities of the policies before the update.
        problem: the game and what everybody takes the others to be.

    Returns:
        [N, R, D].
    """
    check_shapes("own: N R D, old: N R S A", own, old)
    own = own.detach().requires_grad_()
    objective = self_values(problem.values(own, inner_solution(own, problem))).T
    if problem.cfg.beta_out:
        new = problem.log_policies(problem.game.to_logits(own))
        objective = objective - problem.cfg.beta_out * kl_divergence(old, new)
    return grad(objective, own, create_graph=False)


def proximal_point(theta: Tensor, problem: OuterProblem) -> Tensor:
    """Ascends the outer problem from θ until each player's policy stands still.

    Or for `cfg.outer_steps` steps.  A player stands still when KL(before || after) and
    KL(after || before) are both below `cfg.tolerance`.

    Args:
        theta: [R, N, D].
        problem: the game and what everybody takes the others to be.

    Returns:
        [R, N, D].
    """
    check_shapes("theta: R N D", theta)
    cfg = problem.cfg
    own = theta.detach().transpose(0, 1)
    now = old = problem.log_policies(problem.game.to_logits(own))
    moving = torch.ones_like(own[..., 0], dtype=torch.bool)  # [N, R]

    for _ in range(cfg.outer_steps):
        between_parts()
        step = cfg.lr_out * outer_gradient(own, old, problem)
        own = torch.where(moving[..., None], own + step, own)

        # Who stands still now?
        before, now = now, problem.log_policies(problem.game.to_logits(own))
        change = torch.maximum(kl_divergence(before, now), kl_divergence(now, before))
        moving = moving & ~(change < cfg.tolerance)
        if not moving.any():
            break
    return own.transpose(0, 1)


def pola(theta: Tensor, game: MatrixGame, cfg: PolaConfig | None = None) -> Tensor:
    """Where POLA moves from θ: a direction for the loop with rate 1.

    Args:
        theta: [R, N, D].
        game: a 2-player matrix game; its parametrisation is the players'.
        cfg: rates, β, steps.

    Returns:
        [R, N, D].

    Raises:
        ValueError: another kind of game, or θ of another shape.
    """
    check_matrix_game(game)
    check_theta(theta, game)
    model = theta.detach().expand(game.num_players, *theta.shape)
    problem = OuterProblem(game, model, game.to_logits, cfg or PolaConfig())
    return proximal_point(theta, problem) - theta.detach()


class PolaOm:
    """POLA (or LOLA) against models of the others, refitted exactly before every update.

    It is a `direction(θ, game)`.

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
        self.parametrisation, self.cfg, self.seed = parametrisation, cfg, seed
        self.fit = fit or ExactModelConfig()
        self.model: Tensor | None = None

    def __call__(self, theta: Tensor, game: MatrixGame) -> Tensor:
        """Refit, then move.  [R, N, D] -> [R, N, D]."""
        check_matrix_game(game)
        check_theta(theta, game)
        if self.model is None:
            self.model = self.parametrisation.initial(len(theta), self.seed).to(theta.device)

        def log_policies(true: Tensor, model: Tensor) -> tuple[Tensor, Tensor]:
            modelled = torch.stack(log_action_probabilities(self.parametrisation.logits(model)), -1)
            return game.log_policies(true).detach(), modelled

        self.model = fit_exactly(theta.detach(), self.model, log_policies, self.fit)

        # The same model for every player: its own entry is not read.
        model = self.model.expand(game.num_players, *self.model.shape)
        problem = OuterProblem(game, model, self.parametrisation.logits, self.cfg)
        return proximal_point(theta, problem) - theta.detach()


def check_matrix_game(game: object) -> None:
    """Raises ValueError unless the game is a MatrixGame."""
    if not isinstance(game, MatrixGame):
        raise ValueError(
            "POLA needs policies to measure their distance: a MatrixGame, "
            f"not a {type(game).__name__}"
        )


@dataclass(frozen=True)
class PolaConfig:
    """Outer POLA at f = 1.33 with a tabular policy.

    Raises:
        ValueError: no step to take, or a negative β.
    """

    lr_in: float = 5.0  # η; README: --lr_policies_inner
    lr_out: float = 0.3  # α; README: --lr_policies_outer
    beta_out: float = 0.1  # β_out; README: --outer_beta
    outer_steps: int = 5000  # most iterations of the outer problem; LOLA_exact.py
    tolerance: float = 1e-8  # KL below which a policy stands still; LOLA_exact.py
    inner_steps: int = 1  # K; LOLA_exact.py; 100 or 200 in appendix B.1.6
    beta_in: float = 0.0  # β_in; no inner proximal term in outer POLA; 3 in appendix B.1.6

    def __post_init__(self) -> None:
        if self.outer_steps < 1 or self.inner_steps < 1 or min(self.beta_in, self.beta_out) < 0:
            raise ValueError(
                f"outer_steps and inner_steps must be >= 1 and β >= 0, not {self.outer_steps}, "
                f"{self.inner_steps}, {self.beta_in}, {self.beta_out}"
            )


__getattr__ = moved_names(__name__, {"View": "OuterProblem", "imagined": "inner_solution"})
