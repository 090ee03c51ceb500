"""Advantage Alignment: reward actions after which the others' gains are my gains.

Paper   Duque, Aghajohari, Cooijmans, Zhang, Courville, ICLR 2025, https://arxiv.org/abs/2406.14662
Source  https://github.com/jduquevan/advantage-alignment, commit 2065e43; the Coin Game agents are
        in LOQA's repository

LOQA's shaping gradient without the opponent model's normaliser, - mean_t A_t ∇Q_j(s_t, b_t), is a
policy gradient with another advantage. Summed the other way round,

    A*_t = A_t^i + w γ Σ_{k<t} (γλ)^{t-k-1} A_k^i Σ_{j≠i} A_t^j                (aligned advantage)

    A^i  own advantages, of the past: how well the others have treated me
    A^j  = R_t^j - V_j(s_t), the others' present advantage: how well my action treats them

so my action gets credit for helping whoever has helped me. Three forms:

    "loaded"   the published Coin Game agents: LOQA's loss with its normaliser constant, whose
               gradient this is
    "aligned"  the formula above, written as the policy gradient that it is
    "mean"     the authors' later code: GAE advantages, standardised; the past is its plain mean,
               (1/t) Σ_{k<t} A_k^i

The first two have the same gradient (tests/agents/exact). All take any number of players.

Shapes  ... any batch (players j, runs R, games n), T steps. Time is last.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from agents.estimators import discounted_returns, gae
from agents.learners.loqa import loqa
from agents.learners.loqa.data import ActorData
from agents.shapes import check_shapes
from social_dilemmas_env.validation import one_of


def discounted_past(advantages: Tensor, gamma: float, decay: float) -> Tensor:
    """γ Σ_{k<t} (γλ)^{t-k-1} A_k, 0 at t = 0.  [..., T] -> [..., T]."""
    # Σ_{k≤t} (γλ)^{t-k} A_k: returns to go, with time reversed.
    so_far = discounted_returns(advantages.flip(-1), gamma * decay).flip(-1)
    return gamma * torch.cat((torch.zeros_like(so_far[..., :1]), so_far[..., :-1]), -1)


def mean_past(advantages: Tensor) -> Tensor:
    """(1/t) Σ_{k<t} A_k, 0 at t = 0.  [..., T] -> [..., T]."""
    count = torch.arange(advantages.shape[-1], dtype=advantages.dtype, device=advantages.device)
    return (advantages.cumsum(-1) - advantages) / count.clamp(min=1)


def aligned(own: Tensor, past: Tensor, others: Tensor, weight: float) -> Tensor:
    """A*_t = A_t^i + w past_t Σ_j A_t^j.  [R, n, T], [R, n, T], [J, R, n, T] -> [R, n, T]."""
    check_shapes("own: R n T, past: R n T, others: J R n T", own, past, others)
    return own + weight * past * others.sum(0)


def loss(data: ActorData, cfg: "AlignmentConfig") -> Tensor:
    """- mean_t A*_t log π_i(a_t | s_t).  -> [R]."""
    if cfg.form == "loaded":
        return loqa.loss(data, cfg)

    own, others = data.advantages.detach(), data.others
    if cfg.form == "aligned":
        theirs = discounted_returns(others.rewards, cfg.gamma) - others.values
        past = discounted_past(own, cfg.gamma, cfg.decay)
    else:
        values = data.values.detach()
        own = standardised_gae(data.rewards, values[..., :-1], values[..., -1], cfg)
        last = others.values[..., -1]  # in place of V_j(s_T), which nobody has computed
        theirs = standardised_gae(others.rewards, others.values, last, cfg)
        past = mean_past(own)

    weight = cfg.weight if data.shaping else 0.0
    return loqa.actor_loss(aligned(own, past, theirs, weight), data.logp)


def standardised_gae(
    rewards: Tensor, values: Tensor, last: Tensor, cfg: "AlignmentConfig"
) -> Tensor:
    """GAE, mean 0 and standard deviation 1 over a run's batch.  -> [..., R, n, T].

    Args:
        rewards: [..., R, n, T].
        values: [..., R, n, T].
        last: [..., R, n], V(s_T).
        cfg: γ, λ.
    """
    return loqa.standardised(gae(rewards, values, cfg.gamma, cfg.gae_decay, last))


@dataclass(frozen=True)
class AlignmentConfig(loqa.LoqaConfig):
    """LOQA's settings with those of the published Coin Game checkpoints (`aa_baseline_*`).

    Raises:
        ValueError: see LoqaConfig; an unknown form.
    """

    clip: float | None = 10.0
    actor_hidden: int = 64
    actor_layers: int = 1
    stop_normaliser: bool = True
    # "loaded", "aligned" or "mean"; see above. Only "loaded" looks at `n_step` and the opponent
    # model's settings
    form: str = "loaded"
    gae_decay: float = 0.95  # λ of GAE, for "mean"

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("form", self.form, ("loaded", "aligned", "mean"))


def default_config(env_id: str) -> AlignmentConfig:
    """Default settings for a game."""
    if env_id == "coin_game_v0":
        return AlignmentConfig()
    return AlignmentConfig(**{**vars(loqa.default_config(env_id)), "stop_normaliser": True})
