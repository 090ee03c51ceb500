"""What a player takes the others to be when it cannot see their parameters.

    count       θ̂(s, a) = log (n(s, a) + 1) - log (n(s, A - 1) + 1)         (Laplace's rule)
    likelihood  θ̂ ← θ̂ + δ ∇ mean over games of Σₜ log π_θ̂(aₜ | sₜ) / A      (maximum likelihood)
    exact       θ̂ ← θ̂ - δ ∇ Σ_s KL(π_θ(. | s) || π_θ̂(. | s)) until KL < ε (to the true policy)

Papers  likelihood: Foerster et al. 2018, https://arxiv.org/abs/1709.04326, section 4.4
        exact: Zhao et al. 2022, POLA, https://arxiv.org/abs/2210.10125, appendix B.1.6
Source  count: Jacq's LOLA_DiCE; likelihood: authors' train_cg.py; exact: POLA's LOLA_exact.py

An estimate is everybody's parameters as player i takes them: its own exactly, the others' modelled.
The authors' released likelihood fit pairs each agent with the model of *itself*; here player i's
model of j is fitted to j's play.

Shapes  R runs, B games, T steps, N players, S states, A actions, D parameters;
        models [R, N, D]; estimates [N, R, N, D], observer first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from agents.matrix_games.closed_form import other_view
from agents.matrix_games.differentiable import DifferentiableGame, others
from agents.matrix_games.gradient_runs import Direction
from agents.matrix_games.sampled import SampledGame, pairs, weighted_visits
from agents.shapes import check_shapes
from social_dilemmas_env.deprecation import moved_names

Model = Callable[[Tensor], Tensor]


def action_counts(states: Tensor, num_actions: int) -> Tensor:
    """How often each player took each action in each of its states.

    [T + 1, R, B] -> [R, N, S, A].
    """
    check_shapes("states: T+1 R B", states)
    num_states = num_actions**2 + 1

    # n(s, a, b), s in player 0's words.
    index = pairs(states, num_actions)
    once = torch.ones_like(index, dtype=torch.float64)
    joint = weighted_visits(index, once, num_states * num_actions**2)
    joint = torch.unflatten(joint, -1, (num_states, num_actions, num_actions))

    # Each player's own actions, the second's by the states that it sees.
    first, second = joint.sum(-1), joint.sum(-2)
    return torch.stack((first, second[:, other_view(num_actions, states.device)]), 1)


def counted(counts: Tensor) -> Tensor:
    """θ̂(s, a) = log (n(s, a) + 1) - log (n(s, A - 1) + 1).  [R, N, S, A] -> θ̂ [R, N, D].

    The logits of (n + 1) / (Σ n + A).
    """
    check_shapes("counts: R N S A", counts)
    logs = (counts + 1).log()  # a state that was never visited counts 1 for each action
    return (logs[..., :-1] - logs[..., -1:]).flatten(-2)


def log_likelihood(log_policies: Tensor, counts: Tensor, games: int) -> Tensor:
    """Mean over games of Σₜ log π(aₜ | sₜ) / A.  [R, N, S, A] twice -> [R, N]."""
    check_shapes("log_policies: R N S A, counts: R N S A", log_policies, counts)
    return (counts * log_policies).sum((-1, -2)) / (games * counts.shape[-1])


def kl_divergence(log_p: Tensor, log_q: Tensor) -> Tensor:
    """KL(p || q) summed over states.  Log-probabilities [..., S, A] twice -> [...]."""
    check_shapes("log_p: ... S A, log_q: ... S A", log_p, log_q)
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

    Returns:
        [R, N, D'], the fitted model, detached.
    """
    for _ in range(cfg.steps):
        model = model.detach().requires_grad_()
        kl = kl_divergence(*log_policies(theta, model))
        (gradient,) = torch.autograd.grad(kl.sum(), model)

        # Runs move until they fit, each player's model by itself.
        unfit = kl.detach() >= cfg.tolerance  # [R, N]
        if not unfit.any():
            break
        model = model - cfg.lr * gradient * unfit[..., None]
    return model.detach()


def estimates_of(theta: Tensor, model: Tensor) -> Tensor:
    """Own parameters, the others' models.  [R, N, D] twice -> [N, R, N, D]."""
    check_shapes("theta: R N D, model: R N D", theta, model)
    return torch.where(others(theta.shape[-2], theta) > 0, model, theta)


class CountModel:
    """Plays `game` once before every update and counts.  θ [R, N, D] -> estimates [N, R, N, D]."""

    def __init__(self, game: SampledGame) -> None:
        self.game = game

    def __call__(self, theta: Tensor) -> Tensor:
        """Estimates after one batch of play.  [R, N, D] -> [N, R, N, D]."""
        counts = action_counts(self.game.play(theta), self.game.game.num_actions)
        return estimates_of(theta, counted(counts))


class LikelihoodModel:
    """Keeps a model from update to update; climbs its likelihood on a new batch of play each time.

    θ [R, N, D] -> estimates [N, R, N, D].
    """

    def __init__(self, game: SampledGame, cfg: LikelihoodConfig | None = None) -> None:
        self.game, self.cfg = game, cfg or LikelihoodConfig()
        self.model: Tensor | None = None

    def __call__(self, theta: Tensor) -> Tensor:
        """Estimates after one batch of play.  [R, N, D] -> [N, R, N, D]."""
        counts = action_counts(self.game.play(theta), self.game.game.num_actions)
        steps = self.cfg.first_steps if self.model is None else self.cfg.steps
        start = torch.zeros_like(theta) if self.model is None else self.model

        def objective(model: Tensor) -> Tensor:
            return log_likelihood(self.game.game.log_policies(model), counts, self.game.cfg.games)

        self.model = climb(start, objective, self.cfg.lr, steps)
        return estimates_of(theta, self.model)


def modelling(learner: Direction, model: Model) -> Direction:
    """The same learner, with estimates in place of the others' parameters.

    Args:
        learner: direction(θ, game) -> [R, N, D].
        model: θ [R, N, D] -> estimates [N, R, N, D], called once an update.
    """

    def direction(theta: Tensor, game: DifferentiableGame) -> Tensor:
        estimates = model(theta)
        return torch.stack([learner(estimates[i], game)[:, i] for i in range(game.num_players)], 1)

    return direction


@dataclass(frozen=True)
class LikelihoodConfig:
    """Maximum likelihood by gradient ascent."""

    lr: float = 0.1  # δ; authors' train_cg.py
    first_steps: int = 50  # before the first update; train_cg.py
    steps: int = 1  # before each later one; train_cg.py


@dataclass(frozen=True)
class ExactModelConfig:
    """Fit to the true policy."""

    lr: float = 0.2  # δ; POLA's README: om_lr_p
    tolerance: float = 1e-7  # ε, of the KL summed over states; LOLA_exact.py
    steps: int = 10_000  # most steps of a fit; LOLA_exact.py


__getattr__ = moved_names(__name__, {"beliefs_of": "estimates_of"})
