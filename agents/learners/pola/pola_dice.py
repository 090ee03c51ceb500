"""POLA-DiCE: proximal learning with opponent-learning awareness, from samples; LOLA-DiCE and naive
learning as settings.

Papers  POLA: Zhao, Lu, Grosse, Foerster 2022, https://arxiv.org/abs/2210.10125, algorithm 2
        LOLA-DiCE: Foerster, Farquhar et al. 2018, https://arxiv.org/abs/1802.05098
Source  https://github.com/Silent-Zebra/POLA, jax_files/POLA_dice_jax.py (commit b248b52)

Learner i holds θ, its opponent j starts from φ₀ (its true parameters, or a model of it: POLA-OM).

    φ_{k+1} = φ_k + η ∇_φ [ J_j(θ, φ_k) - β_in KL(π_φ₀ || π_φ_k) ],   k < K              (inner)
    θ ← Adam(θ, α, ∇_θ [ J_i(θ, φ_K(θ)) - β_out KL(π_θ_old || π_θ) ]),   M times           (outer)

    J = mean over new games Σₜ γᵗ (□(Σ_{l≤t} log π_θ π_φ) - □(Σ_{l<t} log π_θ π_φ)) ⊥Aₜ     (estimators.loaded_dice)
    KL  mean over the games just played and their steps, hidden states from 0 critic  minimise mean
    Σₜ (Σ_{l≥t} γ^{l-t} r_l + γ^{T-t} ⊥V(s_T) - V(sₜ))²,  by φ at rate lr_v too

Each outer step starts again from φ₀; both players start from the same old parameters. K = M = 1 and
β = 0 is LOLA-DiCE, K = 0 naive learning.

The derivative through φ_K is taken backwards, one inner step at a time. With g = ∂J_i/∂φ_{k+1} and
G_k(θ, φ_k) the inner gradient,

    ∂J_i/∂θ += η (∂G_k/∂θ)ᵀ g,      ∂J_i/∂φ_k = g + η (∂G_k/∂φ_k)ᵀ g

so that at most one inner step's graph need exist (`rematerialise`), and each costs one product with
a vector.

Shapes  L lanes = N learners x R runs, n games a lane, T steps, A actions, P parameters; θ, φ [L,
P]. Time is last, but as
        networks take it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from agents.estimators import dice_with_baseline, discounted_returns, gae, loaded_dice
from agents.execution.direct import Direct
from agents.nn.networks import ActorCritic, log_softmax


class Side(NamedTuple):
    """One player's side of a batch of games: views [T + 1, L, n], actions [L, n, T], rewards [L, n,
    T].
    """

    views: Tensor
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
    return log_softmax(net.logits(theta, side.views[:-1])).movedim(0, 2)


def state_values(net: ActorCritic, theta: Tensor, side: Side) -> Tensor:
    """V(s_t), t = 0 .. T, attached.  [L, P] -> [L, n, T + 1]."""
    return net.q(theta, side.views)[..., 0].movedim(0, 2)


def of_actions(log_policies: Tensor, side: Side) -> Tensor:
    """Log π(a_t | s_t).  [L, n, T, A] -> [L, n, T]."""
    return log_policies.gather(-1, side.actions[..., None])[..., 0]


def objective(logp: Tensor, rewards: Tensor, values: Tensor, cfg: "PolaDiceConfig") -> Tensor:
    """J of each game.

    Args:
        logp: [L, n, T], of the joint action, attached.
        rewards: [L, n, T].
        values: [L, n, T + 1], constants here.
        cfg: estimator, γ, λ.

    Returns:
        [L, n].
    """
    values, last = values.detach()[..., :-1], values.detach()[..., -1]
    if cfg.estimator == "loaded":
        return loaded_dice(
            logp, gae(rewards, values, cfg.gamma, cfg.gae_lambda, last), cfg.gamma, cfg.dice_decay
        )
    to_the_end = torch.cat((rewards[..., :-1], rewards[..., -1:] + cfg.gamma * last[..., None]), -1)
    return dice_with_baseline(logp, to_the_end, values, cfg.gamma)


def divergence(old: Tensor, new: Tensor, reverse: bool = False) -> Tensor:
    """KL(old || new) of each game, mean over its steps.

    KL(new || old) if `reverse`.  [L, n, T, A] -> [L, n].
    """
    first, second = (new, old) if reverse else (old, new)
    return (first.exp() * (first - second)).sum(-1).mean(-1)


def critic_loss(rewards: Tensor, values: Tensor, gamma: float) -> Tensor:
    """Σₜ (Rₜ - Vₜ)² with returns that the last value extends.

    [L, n, T], [L, n, T + 1] -> [L, n].
    """
    returns = discounted_returns(rewards, gamma, values[..., -1].detach())
    return (returns - values[..., :-1]).square().sum(-1)


def mean(x: Tensor, games: Games) -> Tensor:
    """Over the games of each lane.  [L, n] -> [L]."""
    return (x * games.share).sum(-1)


def gradient(output: Tensor, theta: Tensor, again: bool = False) -> Tensor:
    """∇ of every lane's number by its own parameters.  [L], [L, P] -> [L, P]."""
    return torch.autograd.grad(output.sum(), theta, create_graph=again)[0]


class View(NamedTuple):
    """What stays fixed during an outer step.

    Attributes:
        net: of all players, and of models.
        cfg: the settings.
        old: [L, P], θ at the start of the update.
        other: [L, P], φ₀.
        play: (θ, φ, k) -> new games; k numbers the roll-outs of an outer step.
        compute: how each piece of an outer step is computed.
    """

    net: ActorCritic
    cfg: "PolaDiceConfig"
    old: Tensor
    other: Tensor
    play: Callable[[Tensor, Tensor, int], Games]
    compute: Direct = Direct()


class InnerStep(NamedTuple):
    """What the way back needs of step k: φ_k, its games and values, log-probabilities they were
    played with, and G_k.
    """

    k: int
    other: Tensor
    games: Games
    values: Tensor
    played: tuple[Tensor, Tensor] | None
    gradient: Tensor | None


class Outer(NamedTuple):
    """∇ of the outer objective [L, P] (critic: descent turned to ascent).

    The games; J, KL and critic's loss [L].
    """

    gradient: Tensor
    games: Games
    first: Games
    objective: Tensor
    divergence: Tensor
    critic: Tensor


def critic_step(other: Tensor, games: Games, view: View) -> tuple[Tensor, Tensor]:
    """V_j(s_t) [L, n, T + 1], a constant, and ∇_φ of the critic's loss [L, P]."""
    values = state_values(view.net, other.requires_grad_(), games.other)
    descent = gradient(mean(critic_loss(games.other.rewards, values, view.cfg.gamma), games), other)
    return values.detach(), descent


def inner_gradient(own: Tensor, step: InnerStep, view: View, again: bool) -> Tensor:
    """G_k = ∇_φ [ J_j(θ, φ_k) - β_in KL(φ₀ || φ_k) ].  own [L, P] -> [L, P]."""
    cfg, games = view.cfg, step.games
    policy = log_policy(view.net, step.other.requires_grad_(), games.other)
    logp = [
        of_actions(log_policy(view.net, own, games.own), games.own),
        of_actions(policy, games.other),
    ]
    if step.played is not None:  # ratios take the place of logarithms when games are used again
        logp = [(now - then).exp() for now, then in zip(logp, step.played, strict=True)]
    total = mean(objective(logp[0] + logp[1], games.other.rewards, step.values, cfg), games)
    if cfg.beta_in and step.k:  # at k = 0 it is 0, and so is its gradient
        with torch.no_grad():
            start = log_policy(view.net, view.other, games.other)
        total = total - cfg.beta_in * mean(divergence(start, policy, cfg.reverse_kl), games)
    return gradient(total, step.other, again)


def look_ahead(own: Tensor, view: View) -> tuple[Tensor, list[InnerStep]]:
    """φ_K, a constant, and the steps to it.  own [L, P], attached -> [L, P]."""
    cfg, compute, other = view.cfg, view.compute, view.other.detach().clone()
    attached = compute.attached and not cfg.rematerialise
    steps: list[InnerStep] = []
    for k in range(cfg.inner_steps):
        again = cfg.reuse_inner and k > 0
        games = steps[0].games if again else view.play(own.detach(), other, k)
        values, descent = compute(critic_step, other, games, view)
        played = (
            steps[0].played
            if again
            else compute(_played, own, other, games, view)
            if cfg.reuse_inner
            else None
        )
        step = InnerStep(k, other, games, values, played, None)
        found = compute(inner_gradient, own, step, view, attached)
        steps.append(step._replace(gradient=found if attached else None))
        other = other.detach() + cfg.lr_in * found.detach() - cfg.lr_v * descent
    return other, steps


@torch.no_grad()
def _played(own: Tensor, other: Tensor, games: Games, view: View) -> tuple[Tensor, Tensor]:
    """Log-probabilities at the time of playing."""
    mine, theirs = (
        of_actions(log_policy(view.net, x, s), s)
        for x, s in ((own, games.own), (other, games.other))
    )
    return mine, theirs


def through_step(own: Tensor, slope: Tensor, step: InnerStep, view: View) -> tuple[Tensor, ...]:
    """η (∂G_k/∂θ)ᵀ slope and η (∂G_k/∂φ_k)ᵀ slope.  [L, P], [L, P] -> [L, P] each."""
    own, other = own.requires_grad_(), step.other.requires_grad_()
    found = inner_gradient(own, step, view, again=True) if step.gradient is None else step.gradient
    return torch.autograd.grad(found, (own, other), view.cfg.lr_in * slope, materialize_grads=True)


def back_through(own: Tensor, slope: Tensor, steps: list[InnerStep], view: View) -> Tensor:
    """(∂φ_K/∂θ)ᵀ slope, with slope = ∂J_i/∂φ_K.  [L, P], [L, P] -> [L, P]."""
    total = torch.zeros_like(own)
    for step in reversed(steps):
        by_own, by_other = view.compute(through_step, own, slope, step, view)
        total, slope = total + by_own, slope + by_other
    return total


class Last(NamedTuple):
    """∂/∂θ and ∂/∂φ_K of the outer objective at fixed φ_K [L, P] (the latter None if K = 0).

    J, KL and critic's loss [L].
    """

    by_own: Tensor
    slope: Tensor | None
    objective: Tensor
    divergence: Tensor
    critic: Tensor


def last_step(own: Tensor, other: Tensor, games: Games, view: View) -> Last:
    """The outer objective in the games against φ_K, and its first derivatives.

    own, other [L, P].
    """
    cfg, own, other = view.cfg, own.requires_grad_(), other.requires_grad_()
    policy, values = log_policy(view.net, own, games.own), state_values(view.net, own, games.own)
    logp = of_actions(policy, games.own) + of_actions(
        log_policy(view.net, other, games.other), games.other
    )
    with torch.no_grad():
        old = log_policy(view.net, view.old, games.own)
    worth = mean(objective(logp, games.own.rewards, values, cfg), games)
    distance = mean(divergence(old, policy, cfg.reverse_kl), games)
    errors = mean(critic_loss(games.own.rewards, values, cfg.gamma), games)
    total = (worth - cfg.beta_out * distance - errors).sum()
    by_own, *slope = torch.autograd.grad(total, (own, other) if cfg.inner_steps else (own,))
    return Last(
        by_own, slope[0] if slope else None, worth.detach(), distance.detach(), errors.detach()
    )


def outer_gradient(own: Tensor, view: View) -> Outer:
    """∇_θ [ J_i(θ, φ_K(θ)) - β_out KL(θ_old || θ) - critic's loss ] at θ = own, [L, P]."""
    own = own.detach().requires_grad_()
    other, steps = look_ahead(own, view)
    games = view.play(own.detach(), other, view.cfg.inner_steps)
    last = view.compute(last_step, own, other.detach(), games, view)
    through = (
        last.by_own
        if last.slope is None
        else last.by_own + back_through(own, last.slope, steps, view)
    )
    return Outer(
        through,
        games,
        steps[0].games if steps else games,
        last.objective,
        last.divergence,
        last.critic,
    )


@dataclass(frozen=True)
class PolaDiceConfig:
    """Settings; the defaults are the README's IPD command.

    Attributes:
        gamma: γ.
        horizon: T.
        batch: n, games of each learner in each roll-out.
        inner_steps: K; 0 is naive learning.
        outer_steps: M, outer steps from the same old parameters.
        lr_in: η.
        lr_out: α, of Adam.
        lr_v: the critics' rate, inside (plain descent) and outside (Adam).
        beta_in: β_in.
        beta_out: β_out.
        reverse_kl: KL(new || old), as in the paper's runs, instead of KL(old || new), as it writes.
        estimator: "loaded" DiCE with GAE, or "dice" with a baseline.
        gae_lambda: λ.
        dice_decay: κ of "loaded" DiCE; below 1 its second derivatives are biased and much less
            noisy. The published runs: 1.
        reset_optimiser: Adam created anew at every update, as in the authors' code. With M = 1 each
            step is then α sign(gradient): the published LOLA-DiCE.
        reuse_inner: K inner steps on one batch with probability ratios (the paper's POLA-DiCE-PPO),
            not new games each.
        rematerialise: compute inner graphs again on the way back instead of keeping them: less
            memory, more time.
        model_batches: batches to fit a model of the opponent at each update; 0: its true parameters
            are known.
        lr_model: the model's rate, of Adam.
        lr_model_v: its critic's.
        actor: "gru" or "tabular" (also the critic).
        hidden: units of each layer.
        layers: before the GRU, 1 or 2.
        runs: R, independent runs learned side by side.

    Raises:
        ValueError: a number of steps, games or a rate that makes no sense, or an unknown estimator
            or actor.
    """

    gamma: float = 0.96
    horizon: int = 50
    batch: int = 2000
    inner_steps: int = 2
    outer_steps: int = 200
    lr_in: float = 0.005
    lr_out: float = 0.003
    lr_v: float = 0.0005
    beta_in: float = 10.0
    beta_out: float = 100.0
    reverse_kl: bool = False
    estimator: str = "loaded"
    gae_lambda: float = 1.0
    dice_decay: float = 1.0
    reset_optimiser: bool = True
    reuse_inner: bool = False
    rematerialise: bool = False
    model_batches: int = 0
    lr_model: float = 0.003
    lr_model_v: float = 0.0005
    actor: str = "gru"
    hidden: int = 64
    layers: int = 1
    runs: int = 1

    def __post_init__(self) -> None:
        for name, least in (("horizon", 1), ("batch", 1), ("outer_steps", 1), ("hidden", 1), ("runs", 1), ("layers", 1),
                            ("inner_steps", 0), ("model_batches", 0)):  # fmt: skip
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be >= {least}, not {getattr(self, name)}")
        if self.layers > 2:
            raise ValueError(f"layers must be 1 or 2, not {self.layers}")
        rates = (
            self.lr_in,
            self.lr_out,
            self.lr_v,
            self.beta_in,
            self.beta_out,
            self.lr_model,
            self.lr_model_v,
        )
        if not all(0 <= x < float("inf") for x in rates):
            raise ValueError(
                f"rates and β must be finite and >= 0, not {', '.join(map(str, rates))}"
            )
        for name in ("gamma", "gae_lambda", "dice_decay"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie in [0, 1], not {getattr(self, name)}")
        for name, known in (("estimator", ("loaded", "dice")), ("actor", ("gru", "tabular"))):
            if getattr(self, name) not in known:
                raise ValueError(
                    f"{name} must be one of {', '.join(known)}, not {getattr(self, name)!r}"
                )
