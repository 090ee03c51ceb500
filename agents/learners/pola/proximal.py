"""POLA's outer step in policy space: the parameters are fitted to it by KL.

The outer gradient, through the other's answer or not, is a sum of score functions of my own moves,

    ∇_θ J_i = E Σ_games Σ_t W_t ∇log π_θ(a_t | s_t)

in the games against φ_K and in those of the inner steps: W_t is the derivative of the objective by
log π_θ(a_t | s_t).  One step up that gradient in a network's parameters moves policies that are far
apart together.  A proximal step in policy space (the paper's equations (1) and (2)) maximises

    Σ_games Σ_t [ W_t π(a_t | s_t) / π_old(a_t | s_t) - β γᵗ KL(π(. | s_t) || π_old(. | s_t)) ]

on one batch, whose solution in a table is π_old exp(W̄(s, a) / β), W̄ the mean of W_t / γᵗ:
`epochs` steps of Adam lead there, however the policy is parametrised.

Papers  POLA, https://arxiv.org/abs/2210.10125; several steps on one batch, with a penalty: PPO,
        Schulman et al. 2017, https://arxiv.org/abs/1707.06347
Shapes  as in pola_dice.py: L lanes, n games, T steps, A actions, P parameters.
"""

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from agents.estimators import discounted_sum
from agents.interruption import between_parts
from agents.learners.pola import mirror
from agents.learners.pola.pola_dice import (
    Games,
    InnerStep,
    LastStep,
    OuterProblem,
    critic_loss,
    divergence,
    inner_ascent,
    log_policy,
    log_probability,
    look_ahead,
    mean_over_games,
    objective,
    state_values,
)
from agents.nn.networks import of_actions


class Scored(NamedTuple):
    """Games, and what each of my moves in them is worth.

    Attributes:
        games: whose own side was played by π_old.
        weights: [L, n, T], W_t; the games' shares are in it.
    """

    games: Games
    weights: Tensor


class Batches(NamedTuple):
    """What a proximal step is fitted to.

    Attributes:
        last: the games against φ_K.
        inner: those of the inner steps.
        first: against φ₀.
        critic: [L], the critic's loss before the fit.
    """

    last: Scored
    inner: tuple[Scored, ...]
    first: Games
    critic: Tensor


def last_scores(own: Tensor, other: Tensor, games: Games, problem: OuterProblem) -> LastStep:
    """The derivatives of the objective by my log-probabilities (`by_own`, [L, n, T]) and by φ_K."""
    cfg, net, other = problem.cfg, problem.net, other.requires_grad_()
    with torch.no_grad():
        mine = log_probability(net, own, games.own)
        values = state_values(net, own, games.own)
        errors = mean_over_games(critic_loss(games.own.rewards, values, cfg.gamma), games)

    mine = mine.detach().requires_grad_()
    logp = mine + log_probability(net, other, games.other)
    value = mean_over_games(objective(logp, games.own.rewards, values, cfg), games)
    weights, by_other = torch.autograd.grad(value.sum(), (mine, other))
    return LastStep(weights, by_other, value.detach(), torch.zeros_like(value), errors)


def inner_scores(
    own: Tensor, cotangent: Tensor, step: InnerStep, problem: OuterProblem
) -> tuple[Tensor, ...]:
    """η gᵀ ∂G_k by my log-probabilities [L, n, T], and by φ_k [L, P]."""
    with torch.no_grad():
        mine = log_probability(problem.net, own, step.games.own)
    mine, other = mine.detach().requires_grad_(), step.other.requires_grad_()

    ascent = inner_ascent(mine, step, problem, create_graph=True)
    scaled = problem.rate * cotangent
    return torch.autograd.grad(ascent, (mine, other), scaled, materialize_grads=True)


def score_games(own: Tensor, problem: OuterProblem) -> Batches:
    """Plays an outer step at θ = own [L, P], and scores every move in it."""
    own = own.detach()
    if problem.cfg.look_ahead == "mirror":
        return _mirror_batches(own, problem)

    # No graph of the inner steps is kept: each is computed again on the way back.
    again = problem._replace(cfg=replace(problem.cfg, rematerialise=True))
    other, steps = look_ahead(own, again)
    games = problem.play(own, other, problem.cfg.inner_steps)
    between_parts()
    last = problem.compute(last_scores, own, other.detach(), games, problem)

    cotangent, inner = last.by_other, list[Scored]()
    for step in reversed(steps):
        between_parts()
        assert cotangent is not None, "the objective depends on the other"
        weights, by_other = problem.compute(inner_scores, own, cotangent, step, again)
        cotangent = cotangent + by_other
        inner.append(Scored(step.games, weights))
    first = steps[0].games if steps else games
    return Batches(Scored(games, last.by_own), tuple(inner), first, last.critic)


def _mirror_batches(own: Tensor, problem: OuterProblem) -> Batches:
    first, games = mirror.play_both(own, problem)
    last = problem.compute(mirror_scores, own, first, games, problem)
    return Batches(Scored(games, last.by_own), (), first, last.critic)


def mirror_scores(own: Tensor, first: Games, games: Games, problem: OuterProblem) -> LastStep:
    """`last_scores` with a mirror look-ahead."""
    with torch.no_grad():
        mine = log_probability(problem.net, own, games.own)
        values = state_values(problem.net, own, games.own)
        errors = mirror.critic_errors(own, first, games, problem)

    mine = mine.detach().requires_grad_()
    value = mean_over_games(mirror.surrogate(mine, games, values, problem), games)
    (weights,) = torch.autograd.grad(value.sum(), mine)
    return LastStep(weights, None, value.detach(), torch.zeros_like(value), errors)


class Fit(NamedTuple):
    """A step of the fit: ∇ [L, P], the KL [L] and the critic's loss [L] before it."""

    gradient: Tensor
    divergence: Tensor
    critic: Tensor


@torch.no_grad()
def old_policies(old: Tensor, batches: Batches, problem: OuterProblem) -> tuple[Tensor, ...]:
    """Log π_old(. | s_t) in each batch, [L, n, T, A] each.  old [L, P]."""
    every = (batches.last, *batches.inner)
    return tuple(log_policy(problem.net, old, scored.games.own) for scored in every)


def fit_gradient(
    theta: Tensor, old: tuple[Tensor, ...], batches: Batches, problem: OuterProblem
) -> Fit:
    """∇ of the proximal objective and of the critic's descent at θ [L, P].

    Args:
        theta: [L, P].
        old: of `old_policies`.
        batches: what is fitted.
        problem: the settings.
    """
    cfg, net, theta = problem.cfg, problem.net, theta.requires_grad_()
    every, total = (batches.last, *batches.inner), theta.new_zeros(len(theta))
    distance = torch.zeros_like(total)

    # The policy: what the moves are worth, and how far it is from the old one.
    for (games, weights), before in zip(every, old, strict=True):
        policy = log_policy(net, theta, games.own)
        ratios = of_actions(policy - before, games.own.actions).exp()
        gaps = (policy.exp() * (policy - before)).sum(-1)
        far = discounted_sum(torch.ones_like(gaps), gaps, cfg.gamma)
        total = total + (weights * ratios).sum((-2, -1))
        total = total - cfg.beta_step * mean_over_games(far, games) / len(every)
        distance = distance + mean_over_games(divergence(before, policy), games) / len(every)

    # The critic: plain regression on the same games.
    if cfg.look_ahead == "mirror":
        errors = mirror.critic_errors(theta, batches.first, batches.last.games, problem)
    else:
        own = batches.last.games.own
        losses = critic_loss(own.rewards, state_values(net, theta, own), cfg.gamma)
        errors = mean_over_games(losses, batches.last.games)
    (gradient,) = torch.autograd.grad((total - errors).sum(), theta)
    return Fit(gradient, distance.detach(), errors.detach())
