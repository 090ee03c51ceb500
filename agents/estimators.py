"""Estimators of values and of their derivatives of any order, from sampled trajectories.

One formula, one function.  A score-function estimator replaces V(θ) = E_θ[G] by a surrogate J of
the sampled trajectory whose derivatives, averaged over trajectories, are the derivatives of V.
MagicBox makes this hold for every order:

    □(x) = exp(x - ⊥(x)),      □ → 1,   ∇□(x) = □(x) ∇x                   (⊥ stops the gradient)

`logp` is always the log-probability of the *joint* action, Σ_n log πₙ(aₙ,ₜ | sₜ): the opponent's
part must be in it.  It does not depend on the player's own parameters, but without it ∂²V/∂θ₁∂θ₂,
the term that LOLA lives on, comes out wrong (tests/agents/exact).

Papers  DiCE         Foerster, Farquhar, Al-Shedivat, Rocktäschel, Xing, Whiteson 2018,
                     https://arxiv.org/abs/1802.05098
        Loaded DiCE  Farquhar, Whiteson, Foerster 2019, https://arxiv.org/abs/1909.10549
        GAE          Schulman, Moritz, Levine, Jordan, Abbeel 2016, https://arxiv.org/abs/1506.02438

Shapes  ... any batch (runs, games, players), T steps, t from 0.  Time is always the last axis.
        Tensors of one call broadcast.
"""

import torch
from torch import Tensor

from agents.shapes import check_shapes


def discounts(like: Tensor, gamma: float) -> Tensor:
    """γᵗ for t in [0, T).  like [..., T] -> [T]."""
    return gamma ** torch.arange(like.shape[-1], dtype=like.dtype, device=like.device)


def discounted_sum(weights: Tensor, rewards: Tensor, gamma: float) -> Tensor:
    """What every surrogate here is.

        J = Σₜ γᵗ wₜ rₜ

    Args:
        weights: [..., T], wₜ: functions of log-probabilities, attached to the graph.
        rewards: [..., T], rₜ, or whatever stands in its place.
        gamma: γ.

    Returns:
        [...], J.
    """
    return (weights * discounts(rewards, gamma) * rewards).sum(-1)


def discounted_returns(rewards: Tensor, gamma: float, bootstrap: Tensor | None = None) -> Tensor:
    """Returns to go.

        Gₜ = rₜ + γ Gₜ₊₁,      G_T = v(s_T)

    Args:
        rewards: [..., T], rₜ.
        gamma: γ.
        bootstrap: [...], v(s_T), the value where the episode was cut; 0 if None.

    Returns:
        [..., T], Gₜ.
    """
    check_shapes("rewards: ... T, bootstrap: ...", rewards, bootstrap)
    following = torch.zeros_like(rewards[..., 0]) if bootstrap is None else bootstrap

    # Backwards in time.
    returns = []
    for reward in reversed(rewards.unbind(-1)):
        following = reward + gamma * following
        returns.append(following)
    return torch.stack(returns[::-1], -1)


def gae(
    rewards: Tensor, values: Tensor, gamma: float, lam: float, bootstrap: Tensor | None = None
) -> Tensor:
    """Generalised advantage estimates.

        δₜ = rₜ + γ vₜ₊₁ - vₜ,      v_T = bootstrap
        Aₜ = δₜ + γ λ Aₜ₊₁,         A_T = 0

    λ = 1 is the return minus the value, λ = 0 the temporal difference.

    Args:
        rewards: [..., T], rₜ.
        values: [..., T], vₜ = v(sₜ). Attached values stay attached: detach them for an actor's
            loss.
        gamma: γ.
        lam: λ in [0, 1].
        bootstrap: [...], v(s_T); 0 if None.

    Returns:
        [..., T], Aₜ.
    """
    check_shapes("rewards: ... T, values: ... T, bootstrap: ...", rewards, values, bootstrap)
    last = torch.zeros_like(values[..., 0]) if bootstrap is None else bootstrap

    # vₜ₊₁: the values moved by a step, the bootstrap in the last place.
    following = torch.cat((values[..., 1:], last[..., None].expand(*values.shape[:-1], 1)), -1)
    return discounted_returns(rewards + gamma * following - values, gamma * lam)


def magic_box(x: Tensor) -> Tensor:
    """□(x) = exp(x - ⊥(x)).  Value 1; derivatives those of exp(x) / ⊥(exp(x)).  [...] -> [...]."""
    return torch.exp(x - x.detach())


def dice(logp: Tensor, rewards: Tensor, gamma: float) -> Tensor:
    """DiCE: derivatives of every order.

        J = Σₜ γᵗ □(Σ_{l≤t} logpₗ) rₜ

    E[∂ᵏJ] = ∂ᵏV for every k, for all players' parameters. Subtracting from rₜ a number that does
    not depend on the trajectory changes none of the derivatives and lowers their variance.

    Args:
        logp: [..., T], log-probability of the joint action at t, attached to the graph.
        rewards: [..., T], rₜ.
        gamma: γ.

    Returns:
        [...], J, whose value is the discounted return.
    """
    check_shapes("logp: ... T, rewards: ... T", logp, rewards)
    return discounted_sum(magic_box(logp.cumsum(-1)), rewards, gamma)


def dice_baseline(logp: Tensor, values: Tensor, gamma: float) -> Tensor:
    """The baseline term of DiCE with a critic, to be added to `dice`.

        B = Σₜ γᵗ (1 - □(logpₜ)) vₜ

    Its value is 0 and so is the expectation of all its derivatives; it lowers the variance of the
    first one only.

    Args:
        logp: [..., T], log-probability of the joint action at t, attached.
        values: [..., T], vₜ, detached here.
        gamma: γ.

    Returns:
        [...], B.
    """
    check_shapes("logp: ... T, values: ... T", logp, values)
    # Detached: a baseline is not learned through the policy's loss.
    return discounted_sum(1 - magic_box(logp), values.detach(), gamma)


def dice_with_baseline(logp: Tensor, rewards: Tensor, values: Tensor, gamma: float) -> Tensor:
    """DiCE with a critic's baseline.

        J = Σₜ γᵗ □(Σ_{l≤t} logpₗ) rₜ + Σₜ γᵗ (1 - □(logpₜ)) vₜ

    Args:
        logp: [..., T], log-probability of the joint action at t, attached.
        rewards: [..., T], rₜ.
        values: [..., T], vₜ = v(sₜ), a function of the state (and t), never of the action at t.
        gamma: γ.

    Returns:
        [...], J, whose value is the discounted return.
    """
    return dice(logp, rewards, gamma) + dice_baseline(logp, values, gamma)


def loaded_dice(logp: Tensor, advantages: Tensor, gamma: float, decay: float = 1.0) -> Tensor:
    """Loaded DiCE: any advantage estimate, low variance in every order.

        J = Σₜ γᵗ (□(wₜ) - □(wₜ - logpₜ)) ⊥(Aₜ),      wₜ = Σ_{l≤t} κ^{t-l} logpₗ

    E[∂ᵏJ] = ∂ᵏV for k ≥ 1 if κ = 1 and E[Aₜ | s₀, a₀, ..., sₜ, aₜ] is the advantage of aₜ in sₜ, up
    to a function of sₜ. The first derivative does not depend on κ; in higher ones κ < 1 forgets how
    moves long past made the present advantage likely: bias for less variance. The value of J is 0.

    Args:
        logp: [..., T], log-probability of the joint action at t, attached.
        advantages: [..., T], Aₜ, for instance `gae`; detached here.
        gamma: γ.
        decay: κ.

    Returns:
        [...], J.
    """
    check_shapes("logp: ... T, advantages: ... T", logp, advantages)
    w = decayed_sums(logp, decay)  # [..., T]
    return discounted_sum(magic_box(w) - magic_box(w - logp), advantages.detach(), gamma)


def decayed_sums(x: Tensor, decay: float) -> Tensor:
    """wₜ = Σ_{l≤t} κ^{t-l} xₗ, κ = `decay`.  [..., T] -> [..., T]."""
    if decay == 1.0:
        return x.cumsum(-1)  # the same numbers, in O(T)
    steps = torch.arange(x.shape[-1], dtype=x.dtype, device=x.device)
    # A [T, T] matrix of κ^{t-l}, zero where l > t.
    return x @ (decay ** (steps - steps[:, None]).clamp(min=0)).triu()


def policy_gradient(logp: Tensor, advantages: Tensor, gamma: float) -> Tensor:
    """REINFORCE: the first derivative only.

        J = Σₜ γᵗ logpₜ ⊥(Aₜ)

    Args:
        logp: [..., T], log-probability of the player's own action at t (the joint one gives the
            same expectation).
        advantages: [..., T], return to go minus any function of sₜ; detached here.
        gamma: γ. The factor γᵗ makes this the gradient of V; most deep learners leave it out (γ = 1
            here).

    Returns:
        [...], J, whose value means nothing.
    """
    check_shapes("logp: ... T, advantages: ... T", logp, advantages)
    return discounted_sum(logp, advantages.detach(), gamma)
