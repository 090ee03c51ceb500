"""What a player believes of the others when it cannot see their parameters.

    count       θ̂(s, a) = log (n(s, a) + 1) - log (n(s, A - 1) + 1)               (Laplace's rule; Jacq's LOLA_DiCE)
    likelihood  θ̂ ← θ̂ + δ ∇ mean over games of Σₜ log π_θ̂(aₜ | sₜ) / A             (LOLA paper 4.4, authors' train_cg.py)
    exact       θ̂ ← θ̂ - δ ∇ Σ_s KL(π_θ(. | s) || π_θ̂(. | s)) until KL < ε           (POLA's LOLA_exact.py)

Papers  Foerster et al. 2018 (https://arxiv.org/abs/1709.04326) section 4.4; Zhao et al. 2022, POLA
        (https://arxiv.org/abs/2210.10125) appendix B.1.6.

A belief is everybody's parameters as player i takes them: its own exactly, the others' estimated.
The authors' released likelihood fit pairs each agent with the model of *itself*; here player i's
belief of j is fitted to j's play.

Shapes  R runs, B games, T steps, N players, S states, A actions, D parameters; beliefs [N, R, N,
D], observer first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from agents.matrix_games.closed_form import MatrixGame, other_view
from agents.matrix_games.differentiable import DifferentiableGame, others
from agents.matrix_games.gradient_runs import Direction
from agents.matrix_games.sampled import SampledGame, pairs, weighted_visits

Model = Callable[[Tensor], Tensor]


def action_counts(states: Tensor, num_actions: int) -> Tensor:
    """How often each player took each action in each of its states.

    [T + 1, R, B] -> [R, N, S, A].
    """
    num_states = num_actions**2 + 1
    index = pairs(states, num_actions)
    joint = weighted_visits(
        index, torch.ones_like(index, dtype=torch.float64), num_states * num_actions**2
    )
    joint = joint.unflatten(-1, (num_states, num_actions, num_actions))
    return torch.stack((joint.sum(-1), joint.sum(-2)[:, other_view(num_actions, states.device)]), 1)


def counted(counts: Tensor) -> Tensor:
    """Logits of (n + 1) / (Σ n + A).  [R, N, S, A] -> θ̂ [R, N, D]."""
    logs = (counts + 1).log()
    return (logs[..., :-1] - logs[..., -1:]).flatten(-2)


def log_likelihood(log_policies: Tensor, counts: Tensor, games: int) -> Tensor:
    """Mean over games of Σₜ log π(aₜ | sₜ) / A.  [R, N, S, A] twice -> [R, N]."""
    return (counts * log_policies).sum((-1, -2)) / (games * counts.shape[-1])


def kl_divergence(log_p: Tensor, log_q: Tensor) -> Tensor:
    """KL(p || q) summed over states.  log-probabilities [..., S, A] -> [...]."""
    return (log_p.exp() * (log_p - log_q)).sum((-1, -2))


def climb(theta: Tensor, objective: Callable[[Tensor], Tensor], lr: float, steps: int) -> Tensor:
    """Plain gradient ascent on a sum of independent objectives.  [R, N, D] -> [R, N, D]."""
    for _ in range(steps):
        theta = theta.detach().requires_grad_()
        theta = theta + lr * torch.autograd.grad(objective(theta).sum(), theta)[0]
    return theta.detach()


def fit_exactly(
    theta: Tensor,
    model: Tensor,
    log_policies: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]],
    cfg: ExactModelConfig,
) -> Tensor:
    """Descends KL(true || model) until every run is below tolerance, or `cfg.steps`.

    Args:
        theta: [R, N, D], true parameters.
        model: [R, N, D'], where to start; D' may be another parametrisation.
        log_policies: (θ, θ̂) -> log policies of both, [R, N, S, A].
        cfg: learning rate, tolerance, most steps.
    """  # fmt: skip
    for _ in range(cfg.steps):
        model = model.detach().requires_grad_()
        kl = kl_divergence(*log_policies(theta, model))
        (slope,) = torch.autograd.grad(kl.sum(), model)
        unfit = kl.detach() >= cfg.tolerance
        if not unfit.any():
            break
        model = model - cfg.lr * slope * unfit[..., None]
    return model.detach()


def beliefs_of(theta: Tensor, model: Tensor) -> Tensor:
    """Own parameters, the others' models.  [R, N, D] twice -> [N, R, N, D]."""
    return torch.where(others(theta.shape[-2], theta) > 0, model, theta)


class CountModel:
    """Plays `game` once before every update and counts.  θ [R, N, D] -> beliefs [N, R, N, D]."""

    def __init__(self, game: SampledGame) -> None:
        self.game = game

    def __call__(self, theta: Tensor) -> Tensor:
        """Beliefs after one batch of play."""
        counts = action_counts(self.game.play(theta), self.game.game.num_actions)
        return beliefs_of(theta, counted(counts))


class LikelihoodModel:
    """Keeps a model from update to update and climbs its likelihood on one new batch of play a
    time.
    """

    def __init__(self, game: SampledGame, cfg: LikelihoodConfig | None = None) -> None:
        self.game, self.cfg = game, cfg or LikelihoodConfig()
        self.model: Tensor | None = None

    def __call__(self, theta: Tensor) -> Tensor:
        """Beliefs after one batch of play."""
        counts = action_counts(self.game.play(theta), self.game.game.num_actions)
        steps = self.cfg.first_steps if self.model is None else self.cfg.steps
        start = torch.zeros_like(theta) if self.model is None else self.model
        policies = self.game.game.log_policies
        self.model = climb(
            start,
            lambda x: log_likelihood(policies(x), counts, self.game.cfg.games),
            self.cfg.lr,
            steps,
        )
        return beliefs_of(theta, self.model)


class ExactModel:
    """Keeps a model from update to update and fits it to the true policies by KL."""

    def __init__(self, game: MatrixGame, cfg: ExactModelConfig | None = None) -> None:
        self.game, self.cfg = game, cfg or ExactModelConfig()
        self.model: Tensor | None = None

    def __call__(self, theta: Tensor) -> Tensor:
        """Beliefs after the fit."""
        start = torch.zeros_like(theta) if self.model is None else self.model
        policies = self.game.log_policies
        self.model = fit_exactly(
            theta, start, lambda a, b: (policies(a).detach(), policies(b)), self.cfg
        )
        return beliefs_of(theta, self.model)


def modelling(learner: Direction, model: Model) -> Direction:
    """The same learner, with beliefs in place of the others' parameters.

    Args:
        learner: direction(θ, game) -> [R, N, D].
        model: θ [R, N, D] -> beliefs [N, R, N, D], called once an update.
    """

    def direction(theta: Tensor, game: DifferentiableGame) -> Tensor:
        beliefs = model(theta)
        return torch.stack([learner(beliefs[i], game)[:, i] for i in range(game.num_players)], 1)

    return direction


@dataclass(frozen=True)
class LikelihoodConfig:
    """Maximum likelihood by gradient ascent."""

    lr: float = 0.1  # authors' train_cg.py
    first_steps: int = 50  # train_cg.py, before the first update
    steps: int = 1  # train_cg.py, before each later one


@dataclass(frozen=True)
class ExactModelConfig:
    """Fit to the true policy."""

    lr: float = 0.2  # POLA's README: om_lr_p
    tolerance: float = 1e-7  # LOLA_exact.py
    steps: int = 10_000  # LOLA_exact.py
