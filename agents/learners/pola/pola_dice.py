"""POLA-DiCE: proximal learning with opponent-learning awareness, from samples.

LOLA-DiCE and naive learning are settings of it.

Papers  POLA: Zhao, Lu, Grosse, Foerster 2022, https://arxiv.org/abs/2210.10125, algorithm 2
        LOLA-DiCE: Foerster, Farquhar et al. 2018, https://arxiv.org/abs/1802.05098
Source  https://github.com/Silent-Zebra/POLA, jax_files/POLA_dice_jax.py (commit b248b52)

Learner i holds θ, its opponent j starts from φ₀ (its true parameters, or a model of it: POLA-OM).

    φ_{k+1} = φ_k + η ∇_φ [ J_j(θ, φ_k) - β_in KL(π_φ₀ || π_φ_k) ],   k < K            (inner)
    θ ← Adam(θ, α, ∇_θ [ J_i(θ, φ_K(θ)) - β_out KL(π_θ_old || π_θ) ]),   M times       (outer)

    J       mean over new games Σₜ γᵗ (□(Σ_{l≤t} log π_θ π_φ) - □(Σ_{l<t} log π_θ π_φ)) ⊥Aₜ
            (estimators.loaded_dice)
    KL      mean over the games just played and their steps, hidden states from 0
    critic  minimises mean Σₜ (Σ_{l≥t} γ^{l-t} r_l + γ^{T-t} ⊥V(s_T) - V(sₜ))²,
            by φ at rate lr_v too

Each outer step starts again from φ₀; both players start from the same old parameters. K = M = 1 and
β = 0 is LOLA-DiCE, K = 0 naive learning.

The derivative through φ_K is taken backwards, one inner step at a time. With g = ∂J_i/∂φ_{k+1}, the
cotangent, and G_k(θ, φ_k) the inner gradient,

    ∂J_i/∂θ += η (∂G_k/∂θ)ᵀ g,      ∂J_i/∂φ_k = g + η (∂G_k/∂φ_k)ᵀ g

so that at most one inner step's graph need exist (`rematerialise`), and each costs one product with
a vector.

Shapes  L lanes = N learners x R runs, n games a lane, T steps, A actions, P parameters;
        θ, φ [L, P]. Time is last, but as networks take it.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from agents.estimators import dice_with_baseline, discounted_returns, gae, loaded_dice
from agents.execution.direct import Direct
from agents.interruption import between_parts
from agents.learners.pola.config import PolaDiceConfig as PolaDiceConfig
from agents.nn.networks import ActorCritic, log_softmax, of_actions
from agents.shapes import check_shapes


class Side(NamedTuple):
    """One player's side of a batch of games.

    Attributes:
        obs_ids: [T + 1, L, n], what it saw; time first.
        actions: [L, n, T].
        rewards: [L, n, T].
    """

    obs_ids: Tensor
    actions: Tensor
    rewards: Tensor


class Games(NamedTuple):
    """What the learner and its opponent saw and did.

    `share` [L, n] is each game's part in a mean.
    """

    own: Side
    other: Side
    share: Tensor


def log_policy(net: ActorCritic, theta: Tensor, side: Side) -> Tensor:
    """Log π(. | s_t), attached.  [L, P] -> [L, n, T, A]."""
    return log_softmax(net.logits(theta, side.obs_ids[:-1])).movedim(0, 2)


def log_probability(net: ActorCritic, theta: Tensor, side: Side) -> Tensor:
    """Log π(a_t | s_t), attached.  [L, P] -> [L, n, T]."""
    return of_actions(log_policy(net, theta, side), side.actions)


def state_values(net: ActorCritic, theta: Tensor, side: Side) -> Tensor:
    """V(s_t), t = 0 .. T, attached.  [L, P] -> [L, n, T + 1]."""
    return net.q(theta, side.obs_ids)[..., 0].movedim(0, 2)


def objective(logp: Tensor, rewards: Tensor, values: Tensor, cfg: PolaDiceConfig) -> Tensor:
    """J of each game.

    Args:
        logp: [L, n, T], of the joint action, attached.
        rewards: [L, n, T].
        values: [L, n, T + 1], constants here.
        cfg: estimator, γ, λ.

    Returns:
        [L, n].
    """
    check_shapes("logp: ... T, rewards: ... T, values: ... T+1", logp, rewards, values)
    values, last = values.detach()[..., :-1], values.detach()[..., -1]
    if cfg.estimator == "loaded":
        advantages = gae(rewards, values, cfg.gamma, cfg.gae_lambda, last)
        return loaded_dice(logp, advantages, cfg.gamma, cfg.dice_decay)

    # The last reward stands for what follows: the episode is cut off, not over.
    to_the_end = torch.cat((rewards[..., :-1], rewards[..., -1:] + cfg.gamma * last[..., None]), -1)
    return dice_with_baseline(logp, to_the_end, values, cfg.gamma)


def divergence(old: Tensor, new: Tensor, reverse: bool = False) -> Tensor:
    """KL(old || new) of each game, mean over its steps.

    KL(new || old) if `reverse`.  [L, n, T, A] -> [L, n].
    """
    check_shapes("old: ... T A, new: ... T A", old, new)
    first, second = (new, old) if reverse else (old, new)
    return (first.exp() * (first - second)).sum(-1).mean(-1)


def critic_loss(rewards: Tensor, values: Tensor, gamma: float) -> Tensor:
    """Σₜ (Rₜ - Vₜ)² with returns that the last value extends.

    [L, n, T], [L, n, T + 1] -> [L, n].
    """
    check_shapes("rewards: ... T, values: ... T+1", rewards, values)
    returns = discounted_returns(rewards, gamma, values[..., -1].detach())
    return (returns - values[..., :-1]).square().sum(-1)


def mean_over_games(x: Tensor, games: Games) -> Tensor:
    """Over the games of each lane.  [L, n] -> [L]."""
    return (x * games.share).sum(-1)


def gradient(output: Tensor, theta: Tensor, create_graph: bool = False) -> Tensor:
    """∇ of every lane's number by its own parameters.  [L], [L, P] -> [L, P]."""
    return torch.autograd.grad(output.sum(), theta, create_graph=create_graph)[0]


class OuterProblem(NamedTuple):
    """What stays fixed during an outer step.

    Attributes:
        net: of all players, and of models.
        cfg: the settings.
        old: [L, P], θ at the start of the update.
        other: [L, P], φ₀.
        play: (θ, φ, k) -> new games; k numbers the roll-outs of an outer step.
        compute: how each piece of an outer step is computed.
        eta: η of each lane, [L, 1]; None for the setting `lr_in`.
    """

    net: ActorCritic
    cfg: PolaDiceConfig
    old: Tensor
    other: Tensor
    play: Callable[[Tensor, Tensor, int], Games]
    compute: Direct = Direct()
    eta: Tensor | None = None

    @property
    def rate(self) -> Tensor | float:
        """η."""
        return self.cfg.lr_in if self.eta is None else self.eta


class InnerStep(NamedTuple):
    """What the way back needs of step k.

    Attributes:
        k: its number.
        other: [L, P], φ_k.
        games: played with it.
        values: [L, n, T + 1], the opponent's.
        behaviour: log-probabilities [L, n, T] of both when the games were played, if they are used
            again and ratios take the place of logarithms.
        gradient: G_k [L, P], attached; None if it is to be computed again.
    """

    k: int
    other: Tensor
    games: Games
    values: Tensor
    behaviour: tuple[Tensor, Tensor] | None
    gradient: Tensor | None


def critic_step(other: Tensor, games: Games, problem: OuterProblem) -> tuple[Tensor, Tensor]:
    """V_j(s_t) [L, n, T + 1], a constant, and ∇_φ of the critic's loss [L, P]."""
    values = state_values(problem.net, other.requires_grad_(), games.other)
    errors = critic_loss(games.other.rewards, values, problem.cfg.gamma)
    return values.detach(), gradient(mean_over_games(errors, games), other)


def inner_gradient(
    own: Tensor, step: InnerStep, problem: OuterProblem, create_graph: bool
) -> Tensor:
    """G_k = ∇_φ [ J_j(θ, φ_k) - β_in KL(φ₀ || φ_k) ].  own [L, P] -> [L, P]."""
    mine = log_probability(problem.net, own, step.games.own)
    return inner_ascent(mine, step, problem, create_graph)


def inner_ascent(
    mine: Tensor, step: InnerStep, problem: OuterProblem, create_graph: bool
) -> Tensor:
    """G_k, by the log-probabilities [L, n, T] of the learner's actions.  -> [L, P]."""
    cfg, net, games = problem.cfg, problem.net, step.games
    policy = log_policy(net, step.other.requires_grad_(), games.other)
    logp = [mine, of_actions(policy, games.other.actions)]
    if step.behaviour is not None:
        logp = [(now - then).exp() for now, then in zip(logp, step.behaviour, strict=True)]

    value = objective(logp[0] + logp[1], games.other.rewards, step.values, cfg)
    total = mean_over_games(value, games)
    if cfg.beta_in and step.k:  # at k = 0 it is 0, and so is its gradient
        with torch.no_grad():
            start = log_policy(net, problem.other, games.other)
        distance = divergence(start, policy, cfg.reverse_kl)
        total = total - cfg.beta_in * mean_over_games(distance, games)
    return gradient(total, step.other, create_graph)


def look_ahead(own: Tensor, problem: OuterProblem) -> tuple[Tensor, list[InnerStep]]:
    """φ_K, a constant, and the steps to it.  own [L, P], attached -> [L, P]."""
    cfg, compute, other = problem.cfg, problem.compute, problem.other.detach().clone()
    attached = compute.attached and not cfg.rematerialise
    steps: list[InnerStep] = []

    for k in range(cfg.inner_steps):
        between_parts()

        # New games, or those of the first step with ratios instead of logarithms.
        reuse = cfg.reuse_inner and k > 0
        games = steps[0].games if reuse else problem.play(own.detach(), other, k)
        between_parts()
        values, descent = compute(critic_step, other, games, problem)
        between_parts()
        behaviour = steps[0].behaviour if reuse else None
        if cfg.reuse_inner and not reuse:
            behaviour = compute(log_probabilities, own, other, games, problem)

        # One step of plain ascent on the objective, of plain descent on the critic's loss.
        step = InnerStep(k, other, games, values, behaviour, None)
        ascent = compute(inner_gradient, own, step, problem, attached)
        steps.append(step._replace(gradient=ascent if attached else None))
        other = other.detach() + problem.rate * ascent.detach() - cfg.lr_v * descent
    return other, steps


@torch.no_grad()
def log_probabilities(
    own: Tensor, other: Tensor, games: Games, problem: OuterProblem
) -> tuple[Tensor, Tensor]:
    """Those of both players' actions at the time of playing.  [L, n, T] each."""
    mine = log_probability(problem.net, own, games.own)
    return mine, log_probability(problem.net, other, games.other)


def inner_step_vjp(
    own: Tensor, cotangent: Tensor, step: InnerStep, problem: OuterProblem
) -> tuple[Tensor, ...]:
    """η (∂G_k/∂θ)ᵀ g and η (∂G_k/∂φ_k)ᵀ g.  θ [L, P], g [L, P] -> [L, P] each."""
    own, other = own.requires_grad_(), step.other.requires_grad_()
    ascent = step.gradient
    if ascent is None:
        ascent = inner_gradient(own, step, problem, create_graph=True)
    # One reverse pass for both: the Jacobians are never made.
    scaled = problem.rate * cotangent
    return torch.autograd.grad(ascent, (own, other), scaled, materialize_grads=True)


def look_ahead_vjp(
    own: Tensor, cotangent: Tensor, steps: list[InnerStep], problem: OuterProblem
) -> Tensor:
    """(∂φ_K/∂θ)ᵀ g, with g = ∂J_i/∂φ_K.  [L, P], [L, P] -> [L, P]."""
    # From the last step to the first; what is left of g goes on through the other's parameters.
    total = torch.zeros_like(own)
    for step in reversed(steps):
        between_parts()
        by_own, by_other = problem.compute(inner_step_vjp, own, cotangent, step, problem)
        total, cotangent = total + by_own, cotangent + by_other
    return total


class LastStep(NamedTuple):
    """The outer objective at fixed φ_K.

    Attributes:
        by_own: [L, P], its derivative by θ.
        by_other: [L, P], by φ_K; None if K = 0.
        objective: [L], J.
        divergence: [L], KL.
        critic: [L], the critic's loss.
    """

    by_own: Tensor
    by_other: Tensor | None
    objective: Tensor
    divergence: Tensor
    critic: Tensor


def last_step(own: Tensor, other: Tensor, games: Games, problem: OuterProblem) -> LastStep:
    """The outer objective in the games against φ_K, and its first derivatives.

    own, other [L, P].
    """
    cfg, net, own, other = problem.cfg, problem.net, own.requires_grad_(), other.requires_grad_()
    policy, values = log_policy(net, own, games.own), state_values(net, own, games.own)
    logp = of_actions(policy, games.own.actions) + log_probability(net, other, games.other)
    with torch.no_grad():
        old = log_policy(net, problem.old, games.own)

    value = mean_over_games(objective(logp, games.own.rewards, values, cfg), games)
    distance = mean_over_games(divergence(old, policy, cfg.reverse_kl), games)
    errors = mean_over_games(critic_loss(games.own.rewards, values, cfg.gamma), games)
    total = (value - cfg.beta_out * distance - errors).sum()

    by_own, *by_other = torch.autograd.grad(total, (own, other) if cfg.inner_steps else (own,))
    cotangent = by_other[0] if by_other else None
    return LastStep(by_own, cotangent, value.detach(), distance.detach(), errors.detach())


class Outer(NamedTuple):
    """An outer step.

    Attributes:
        gradient: [L, P], ∇ of the outer objective (the critic's descent turned to ascent).
        games: against φ_K.
        first: against φ₀.
        objective: [L], J.
        divergence: [L], KL.
        critic: [L], the critic's loss.
    """

    gradient: Tensor
    games: Games
    first: Games
    objective: Tensor
    divergence: Tensor
    critic: Tensor


def outer_gradient(own: Tensor, problem: OuterProblem) -> Outer:
    """∇_θ [ J_i(θ, φ_K(θ)) - β_out KL(θ_old || θ) - critic's loss ] at θ = own, [L, P]."""
    own = own.detach().requires_grad_()
    other, steps = look_ahead(own, problem)
    between_parts()
    games = problem.play(own.detach(), other, problem.cfg.inner_steps)
    between_parts()
    last = problem.compute(last_step, own, other.detach(), games, problem)

    total = last.by_own
    if last.by_other is not None:
        total = total + look_ahead_vjp(own, last.by_other, steps, problem)
    first = steps[0].games if steps else games
    return Outer(total, games, first, last.objective, last.divergence, last.critic)
