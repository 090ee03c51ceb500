"""POLA with one imagined step in policy space: log π + Q / β, through a learned Q.

    log π̂(b | s) = log π_φ(b | s) + Q_j(s, b) / β - log of the normaliser     (the other's answer)

It is the proximal step of POLA's inner loop, linearised (agents/exact/pola.py, "mirror"), and moves
the other as far in a table as in a network.  Q_j is the other's own critic, learned in games with
the policies as they are; my policy enters through its value of what it did, as in LOQA (loqa.py):

    Q̂_j(s_t, b_t) = R_t + Σ_{k≥t} (γλ)^{k-t} ⊥(R_k - V_j(s_k)) log π_θ(a_k | s_k)
    ∇_θ J_i = E Σ_t γᵗ [ Aₜ ∇log π_θ(a_t | s_t) + δₜ ∇Q̂_j(s_t, b_t) / β ]      in games against π̂

    A   generalised advantages, λ
    δ   those of one step, r + γ V(s') - V(s): products of two long sums from one game would praise
        what both have in common

LOQA's opponent plays softmax(Q / temperature) and is met as it is; this one starts from what it
plays, and the games are those against its answer.  The normaliser's derivative is left out: it
multiplies Σ_b π̂(b) δ(s, b), which is 0.  Only first derivatives are taken.

Shapes  as in pola_dice.py: L lanes, n games, T steps, A actions, P parameters.
"""

import torch
from torch import Tensor

from agents.estimators import discounted_returns, discounted_sum, gae, policy_gradient
from agents.interruption import between_parts
from agents.learners.loqa.loqa import shaped_returns, td_advantages
from agents.learners.pola.pola_dice import (
    Games,
    LastStep,
    Outer,
    OuterProblem,
    Side,
    critic_loss,
    divergence,
    log_policy,
    mean_over_games,
    state_values,
)
from agents.nn.networks import ActorCritic, log_softmax, of_actions


def action_values(net: ActorCritic, theta: Tensor, side: Side) -> Tensor:
    """Q(s_t, .), t = 0 .. T, attached.  [L, P] -> [L, n, T + 1, A]."""
    return net.q(theta, side.obs_ids)[..., 1:].movedim(0, 2)


@torch.no_grad()
def answer_values(other: Tensor, side: Side, problem: OuterProblem) -> Tensor:
    """V_j(s_t) = Σ_b π̂(b | s_t) Q_j(s_t, b), t = 0 .. T.  [L, P] -> [L, n, T + 1]."""
    q = action_values(problem.net, other, side)
    logits = problem.net.logits(other, side.obs_ids).movedim(0, 2)
    chances = log_softmax(logits + q / problem.cfg.beta_in).exp()
    return (chances * q).sum(-1)


def surrogate(logp: Tensor, games: Games, values: Tensor, problem: OuterProblem) -> Tensor:
    """What has the gradient above, of each game.

    Args:
        logp: [L, n, T], log π_θ(a_t | s_t), attached.
        games: against the other's answer.
        values: [L, n, T + 1], my critic's, constants.
        problem: φ₀, γ, λ, β.

    Returns:
        [L, n].
    """
    cfg, rewards = problem.cfg, games.own.rewards
    decay = cfg.gamma * cfg.gae_lambda

    # The other's return as a function of my policy.
    theirs = answer_values(problem.other, games.other, problem)
    returns = discounted_returns(games.other.rewards, cfg.gamma, theirs[..., -1])
    shaped = shaped_returns(logp, returns, theirs[..., :-1], decay)

    # My own actions, and the other's answer to them.
    advantages = gae(rewards, values[..., :-1], cfg.gamma, cfg.gae_lambda, values[..., -1])
    praise = td_advantages(rewards, values, cfg.gamma)
    own = policy_gradient(logp, advantages, cfg.gamma)
    return own + discounted_sum(praise, shaped - shaped.detach(), cfg.gamma) / cfg.beta_in


def q_loss(own: Tensor, games: Games, problem: OuterProblem) -> Tensor:
    """Σₜ (Rₜ - Q(s_t, a_t))² with returns that V(s_T) = Σ π Q extends, of each game.  -> [L, n]."""
    side, gamma = games.own, problem.cfg.gamma
    q = action_values(problem.net, own, side)
    with torch.no_grad():
        logits = problem.net.logits(own, side.obs_ids[-1:])[0]
        last = (log_softmax(logits).exp() * q[..., -1, :]).sum(-1)
    returns = discounted_returns(side.rewards, gamma, last)
    return (returns - of_actions(q[..., :-1, :], side.actions)).square().sum(-1)


def critic_errors(own: Tensor, first: Games, games: Games, problem: OuterProblem) -> Tensor:
    """Both critics' losses: Q's where all play as they are, V's against the answer.  -> [L]."""
    values = state_values(problem.net, own, games.own)
    errors = critic_loss(games.own.rewards, values, problem.cfg.gamma)
    actions = mean_over_games(q_loss(own, first, problem), first)
    return mean_over_games(errors, games) + actions


def mirror_step(own: Tensor, first: Games, games: Games, problem: OuterProblem) -> LastStep:
    """The outer objective's gradient by θ = own, [L, P]."""
    cfg, net, own = problem.cfg, problem.net, own.requires_grad_()
    policy = log_policy(net, own, games.own)
    logp = of_actions(policy, games.own.actions)
    with torch.no_grad():
        old = log_policy(net, problem.old, games.own)
        values = state_values(net, own, games.own)

    value = mean_over_games(surrogate(logp, games, values, problem), games)
    distance = mean_over_games(divergence(old, policy, cfg.reverse_kl), games)
    errors = critic_errors(own, first, games, problem)
    total = (value - cfg.beta_out * distance - errors).sum()
    (by_own,) = torch.autograd.grad(total, own)
    return LastStep(by_own, None, value.detach(), distance.detach(), errors.detach())


def play_both(own: Tensor, problem: OuterProblem) -> tuple[Games, Games]:
    """Games with the other as it is, and with its answer."""
    first = problem.play(own.detach(), problem.other, 0)
    between_parts()
    games = problem.play(own.detach(), problem.other, 1)
    between_parts()
    return first, games


def mirror_gradient(own: Tensor, problem: OuterProblem) -> Outer:
    """`outer_gradient` with a mirror look-ahead.  θ [L, P]."""
    own = own.detach()
    first, games = play_both(own, problem)
    last = problem.compute(mirror_step, own, first, games, problem)
    return Outer(last.by_own, games, first, last.objective, last.divergence, last.critic)
