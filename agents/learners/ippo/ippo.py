"""Independent PPO: everybody climbs its own clipped surrogate, as if the others stood still.

Papers  Schulman, Wolski, Dhariwal, Radford, Klimov 2017, PPO, https://arxiv.org/abs/1707.06347
        Duque, Aghajohari, Cooijmans, Zhang, Courville 2025, Advantage Alignment,
        https://arxiv.org/abs/2406.14662

    δ_t = r_t + γ (1 - e_t) V(s_{t+1}) - V(s_t)              e_t: the episode ended with step t
    A_t = δ_t + γλ (1 - e_t) A_{t+1}                         (GAE; then standardised)
    L   = - mean min(ρ_t A_t, clip(ρ_t, 1 - ε, 1 + ε) A_t) - c_H H + c_V mean (V - A - V_old)² / 2

with ρ_t = π(a_t | s_t) / π_old(a_t | s_t). The horizon is no end: there V(s_T) stands for what
would follow. With `alignment` w the surrogate's advantage is, in the form of the authors' later
code (`form="mean"` of loqa/advantage_alignment.py),

    A*_t = A_t^i + w (1/t) Σ_{k<t} A_k^i Σ_{j≠i} A_t^j       t from the start of its episode

Shapes  N players, n games, T steps, K parameter sets (1 if players share one, else N), S samples of
        a set. Time is last.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

import social_dilemmas_env as sde
from agents.shapes import check_shapes
from social_dilemmas_env.validation import above, at_least, between


def advantages_of(
    rewards: Tensor, values: Tensor, ends: Tensor, gamma: float, lam: float
) -> Tensor:
    """GAE over games of which some end on the way and begin anew.

    Args:
        rewards: [..., T].
        values: [..., T + 1], V(s_t); the last is of the state after the last step.
        ends: [..., T], 1 where an episode ended with the step, else 0.
        gamma: γ.
        lam: λ.

    Returns:
        [..., T], A_t.
    """
    check_shapes("rewards: ... T, values: ... T+1, ends: ... T", rewards, values, ends)
    going = 1 - ends
    errors = rewards + gamma * going * values[..., 1:] - values[..., :-1]

    # Backwards in time.
    found, following = [], torch.zeros_like(errors[..., 0])
    for error, goes_on in zip(reversed(errors.unbind(-1)), reversed(going.unbind(-1)), strict=True):
        following = error + gamma * lam * goes_on * following
        found.append(following)
    return torch.stack(found[::-1], -1)


def past_mean(advantages: Tensor, ends: Tensor) -> Tensor:
    """(1/t) Σ_{k<t} A_k over the steps before in the same episode, 0 at its start.

    [..., T], [..., T] -> [..., T].
    """
    check_shapes("advantages: ... T, ends: ... T", advantages, ends)
    steps = torch.arange(advantages.shape[-1], device=advantages.device)
    begins = torch.zeros_like(ends, dtype=torch.bool)
    begins[..., 1:] = ends[..., :-1] > 0
    first = (begins * steps).cummax(-1).values  # the step at which t's episode began

    before = advantages.cumsum(-1) - advantages
    return (before - before.gather(-1, first)) / (steps - first).clamp(min=1)


def aligned(advantages: Tensor, ends: Tensor, weight: float) -> Tensor:
    """A*_t of every player at once.  [N, n, T], [N, n, T] -> [N, n, T]."""
    others = advantages.sum(0) - advantages
    return advantages + weight * past_mean(advantages, ends) * others


def clipped_surrogate(logp: Tensor, old: Tensor, advantages: Tensor, clip_range: float) -> Tensor:
    """Mean min(ρ A, clip(ρ, 1 - ε, 1 + ε) A), which is to grow.

    Args:
        logp: [K, S], log π(a | s), attached.
        old: [K, S], of the policy that played.
        advantages: [K, S].
        clip_range: ε.

    Returns:
        [K].
    """
    check_shapes("logp: K S, old: K S, advantages: K S", logp, old, advantages)
    ratio = (logp - old).exp()
    cut = ratio.clamp(1 - clip_range, 1 + clip_range)
    return torch.minimum(ratio * advantages, cut * advantages).mean(1)


@dataclass(frozen=True)
class IppoConfig:
    """Settings of independent PPO.

    Raises:
        ValueError: a value out of its range.
    """

    horizon: int = 50  # T, steps of an iteration and the longest episode
    batch: int = 64  # n, games side by side; ours
    shared: bool = True  # one network for all players, or one each
    gamma: float = 0.96  # γ; the Coin Game's in all papers, .99 in the commons (PPO, table 3)
    gae_decay: float = 0.95  # λ; PPO, table 3
    clip_range: float = 0.2  # ε; PPO, section 6.1
    epochs: int = 4  # passes over an iteration's samples; PPO: 3 (Atari) to 10 (MuJoCo)
    minibatches: int = 4  # steps a pass; ours
    lr: float = 1e-3  # Adam's; PPO: 3e-4 for minibatches of 64, ours are larger
    entropy: float = 0.01  # c_H; PPO, table 5
    value_weight: float = 0.5  # c_V of a half square; PPO, table 5: 1 of a square
    max_norm: float | None = 0.5  # of the gradient, None for no bound; Stable-Baselines3's
    hidden: int = 64  # units of a hidden layer; PPO, section 6.1
    layers: int = 2  # hidden layers; PPO, section 6.1
    alignment: float = 0.0  # w, weight of Advantage Alignment's term; 0: PPO

    def __post_init__(self) -> None:
        counts = ("horizon", "batch", "epochs", "minibatches", "hidden", "layers")
        at_least(self, 1, *counts)
        at_least(self, 0, "entropy", "value_weight")
        between(self, 0, 1, "gamma", "gae_decay")
        above(self, 0, "clip_range", "lr", "max_norm")
        if self.minibatches > self.horizon * self.batch:
            raise ValueError(
                f"minibatches ({self.minibatches}) must be at most horizon x batch, "
                f"{self.horizon * self.batch}"
            )


def default_config(env_id: str) -> IppoConfig:
    """Default settings for a game: whole episodes of a thousand steps where boards are large."""
    if hasattr(sde.spec(env_id).game(), "classes"):
        return IppoConfig(horizon=1000, batch=8, gamma=0.99, minibatches=16)
    return IppoConfig()
