"""Meta-MAPG and Meta-PG from samples: learning a start, and rates, for learning among learners.

Papers  Meta-MAPG: Kim et al. 2021, https://arxiv.org/abs/2011.00382, theorem 1
        Meta-PG: Al-Shedivat et al. 2018, https://arxiv.org/abs/1710.03641
Source  https://github.com/dkkim93/meta-mapg (commit 2d8046f): meta/base.py, meta/dice.py,
        meta/meta_agent.py

Everybody plays K games with φ_0, takes a step of policy gradient, plays again, ... for L steps;
player i chooses φ_0^i:

    J_n(φ_l) = mean over games of
               Σₜ γᵗ [ □(Σ_{s≤t} x_s) r_t^n + (1 - □(x_t)) b_t^n ]             (inner objective)
    x_t = Σ_{n in S} log π(a_t^n | φ_l^n),   S = everybody (Meta-MAPG), {n} (Meta-PG)
    φ_{l+1}^n = φ_l^n + α_l^n ∂J_n/∂φ_l^n                                      (inner update)

The meta-gradient by φ_0^i of the return on trajectory l, with τ_m = the K games played with φ_m:

    ∇ log p(τ_0 | φ_0^i) G_i(τ_l)                                              (current policy)
    Σ_{m=1..l} ∇ log p(τ_m | φ_m^i) G_i(τ_l)     through φ_m^i(φ_0^i)          (own learning)
    Σ_{m=1..l} ∇ log p(τ_m | φ_m^j) G_i(τ_l)     through φ_m^j(φ_0^i)          (peer learning)

"theorem" multiplies the log-probability of all of τ_m with the mean return of τ_l. "steps" is the
authors' code: step t of game b of τ_m is paired with the advantage at step t of game b of τ_l. The
theorem's cross products m < l are worth 1/K of that there, and the variance is far smaller.

What the terms estimate (tests/agents/exact): for updates from samples, current policy + own
learning with S = {n} and no DiCE would already be all of the gradient. DiCE's derivative of an
update is that of the *expected* update, so that own and peer learning are all of the gradient as K
grows; the cross products then count part of it twice, which "steps" divides by K.

A chain whose parameters become non-finite ends: it counts nothing, and is counted.

Shapes  M chains, N players, K games, T steps, L updates, V observations, A actions, P_n parameters
        of player n. φ: one tensor [M, P_n] a player; trajectories [T, M, K] in networks, [M, K, T]
        in estimators.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from agents.estimators import dice_with_baseline, discounts, gae, loaded_dice
from agents.learners.meta_mapg.baseline import baselines
from agents.learners.meta_mapg.config import MetaConfig
from agents.learners.meta_mapg.games import Games, Phi, World


class Chain(NamedTuple):
    """What L updates leave.

    Attributes:
        phi: φ_0 .. φ_L, as they were.
        games: τ_0 .. τ_L.
        logp: of each, log-probabilities [M, K, T] of every player, attached to φ_0.
        base: of each, the linear baselines [N, M, K, T].
    """

    phi: list[Phi]
    games: list[Games]
    logp: list[list[Tensor]]
    base: list[Tensor]


class MetaGradient(NamedTuple):
    """The meta-gradient of each chain by itself.

    Attributes:
        start: [M, P_i], ∂/∂φ_0^i.
        rates: [L, M], ∂/∂α_i.
        rewards: [L + 1, N, M], a step.
        finite: [M], who stayed finite.
    """

    start: Tensor
    rates: Tensor
    rewards: Tensor
    finite: Tensor


# The inner loop.


def inner_objective(logp: Tensor, rewards: Tensor, base: Tensor, cfg: MetaConfig) -> Tensor:
    """J_n of each chain.  [M, K, T] each -> [M].

    By DiCE, or by loaded DiCE, whose second derivatives spread fifty times less.
    """
    if cfg.inner == "loaded":
        return loaded_dice(logp, gae(rewards, base, cfg.gamma, cfg.gae_lambda), cfg.gamma).mean(-1)
    return dice_with_baseline(logp, rewards, base, cfg.gamma).mean(-1)


def inner_step(
    phi: Phi, logp: Sequence[Tensor], games: Games, base: Tensor, cfg: MetaConfig
) -> list[Tensor]:
    """∂J_n/∂φ^n of every player, differentiable again.  -> [M, P_n] each."""
    gradients: list[Tensor] = []
    for n, p in enumerate(phi):
        # S: everybody, or the player alone; see the header.
        x = torch.stack(tuple(logp)).sum(0) if cfg.shaping else logp[n]
        total = inner_objective(x, games.rewards[n], base[n], cfg).sum()
        gradients += torch.autograd.grad(total, p, create_graph=cfg.create_graph, retain_graph=True)
    return gradients


def updated(phi: Phi, steps: Sequence[Tensor], rates: Tensor) -> Phi:
    """φ + α ∂J.  rates [N, M]."""
    return tuple(
        p + rates[n, :, None] * step for n, (p, step) in enumerate(zip(phi, steps, strict=True))
    )


def unroll(phi: Phi, rates: Tensor, world: World) -> Chain:
    """Plays and learns L times.

    Args:
        phi: φ_0, each attached.
        rates: α [L, N, M].
        world: the game, the policies, and the settings.
    """
    cfg, chain = world.cfg, Chain([], [], [], [])
    imagined = phi  # what player 0 differentiates; φ itself where the opponent is known

    for ell in range(len(rates) + 1):
        if not cfg.create_graph:
            phi = imagined = tuple(p.detach().requires_grad_() for p in phi)

        # Play, and see with what probability.
        games = world.play_games(tuple(p.detach() for p in phi))
        if cfg.opponent == "modelled":
            imagined = with_opponent_model(imagined, games, world)
        logp = [world.log_prob(p, games, n) for n, p in enumerate(imagined)]
        base = baselines(games, world.num_actions, cfg)
        chain.phi.append(phi)
        chain.games.append(games)
        chain.logp.append(logp)
        chain.base.append(base)

        # Everybody learns.
        if ell < len(rates):
            steps = inner_step(imagined, logp, games, base, cfg)
            imagined = updated(imagined, steps, rates[ell])
            if cfg.opponent == "known":
                phi = imagined
            else:
                phi = (imagined[0], unseen_update(chain, rates[ell], world))
    return chain


# Where player 0 does not know the other's φ.


def opponent_counts(games: Games, n: int, sizes: tuple[int, int]) -> Tensor:
    """A tabular model of player n from what it did: log of (count + 1).

    Sizes (V, A) -> [M, V A].
    """
    count, num_actions = sizes
    index = (games.obs_ids[n] * num_actions + games.actions[n]).permute(1, 0, 2).flatten(1)
    counts = games.rewards.new_zeros(len(index), count * num_actions)
    return (counts.scatter_add_(1, index, torch.ones_like(index, dtype=counts.dtype)) + 1).log()


def with_opponent_model(imagined: Phi, games: Games, world: World) -> Phi:
    """Player 0's own φ and a model, whose derivative is that of the imagined update."""
    sizes = (world.num_actions**2 + 1, world.num_actions)
    model = opponent_counts(games, 1, sizes).to(imagined[1].dtype)
    return imagined[0], model.requires_grad_() + (imagined[1] - imagined[1].detach())


def unseen_update(chain: Chain, rates: Tensor, world: World) -> Tensor:
    """The other player after an update of its own that player 0 does not see.  -> [M, P_1]."""
    games, base = chain.games[-1], chain.base[-1]
    own = chain.phi[-1][1].detach().requires_grad_()
    logp = world.log_prob(own, games, 1)
    total = inner_objective(logp, games.rewards[1], base[1], world.cfg).sum()
    (step,) = torch.autograd.grad(total, own)
    return (own + rates[1, :, None] * step).detach()


# The three terms, and the meta-gradient.


def pair_weight(chain: Chain, ell: int, i: int, cfg: MetaConfig) -> Tensor:
    """What log-probabilities are multiplied with.

    G_i(τ_l) [M, 1, 1], or A_t of τ_l over K [M, K, T].
    """
    rewards, base = chain.games[ell].rewards[i], chain.base[ell][i]
    if cfg.pairing == "theorem":
        return (discounts(rewards, cfg.gamma) * rewards).sum(-1).mean(-1)[:, None, None]
    return gae(rewards, base, cfg.gamma, cfg.gae_lambda) / rewards.shape[1]


def current_policy(chain: Chain, ell: int, i: int, cfg: MetaConfig) -> Tensor:
    """Log p(τ_0 | φ_0^i) G_i(τ_l).  -> [M]."""
    return (chain.logp[0][i] * pair_weight(chain, ell, i, cfg)).sum((-1, -2))


def own_learning(chain: Chain, ell: int, i: int, cfg: MetaConfig) -> Tensor:
    """Σ_{m=1..l} log p(τ_m | φ_m^i) G_i(τ_l).  -> [M]."""
    return learning(chain, ell, (i, i), cfg)


def peer_learning(chain: Chain, ell: int, i: int, cfg: MetaConfig) -> Tensor:
    """Σ_{m=1..l} log p(τ_m | φ_m^j) G_i(τ_l), j the other.  -> [M]."""
    return learning(chain, ell, (1 - i, i), cfg)


def learning(chain: Chain, ell: int, who: tuple[int, int], cfg: MetaConfig) -> Tensor:
    """Σ_{m=1..l} log p(τ_m | φ_m^n) G_i(τ_l) for players (n, i).  -> [M]."""
    n, i = who
    # Σ_m log p(τ_m | φ_m^n), step by step of every game.
    logp = chain.logp[1][n]
    for m in range(2, ell + 1):
        logp = logp + chain.logp[m][n]
    return (logp * pair_weight(chain, ell, i, cfg)).sum((-1, -2))


def surrogate(chain: Chain, i: int, cfg: MetaConfig) -> Tensor:
    """Mean over l = 1 .. L of the terms; Meta-PG has no third.  -> [M]."""
    # One number a term and l; all of them weigh the same.
    terms = [current_policy, own_learning] + [peer_learning] * cfg.shaping
    counted = range(1, len(chain.games))
    total = torch.stack([term(chain, ell, i, cfg) for term in terms for ell in counted]).sum(0)
    return total / len(counted)


def meta_gradients(
    phi: Phi, rates: Tensor, world: World, players: Sequence[int]
) -> list[MetaGradient]:
    """The meta-gradient of each of `players` from one chain.

    Args:
        phi: φ_0 of each chain, [M, P_n] a player.
        rates: α [L, N, M].
        world: the game, the policies, and the settings.
        players: who meta-learns.
    """
    phi, rates = tuple(p.detach().requires_grad_() for p in phi), rates.detach().requires_grad_()
    chain = unroll(phi, rates, world)
    rewards = torch.stack([games.rewards.mean((-1, -2)) for games in chain.games])
    parameters = [p.detach() for each in chain.phi for p in each]
    alive = torch.stack([torch.isfinite(p).all(-1) for p in parameters]).all(0)

    gradients = []
    for i in players:
        objective = surrogate(chain, i, world.cfg)
        objective = objective + world.cfg.entropy * entropy(world, phi[i], chain.games[0], i)
        start, rate = torch.autograd.grad(
            objective.sum(), (phi[i], rates), retain_graph=True, materialize_grads=True
        )
        rate = rate[:, i]

        # A chain that diverged counts nothing.
        finite = alive & torch.isfinite(start).all(-1) & torch.isfinite(rate).all(0)
        start = torch.where(finite[:, None], start, 0.0)
        gradients.append(MetaGradient(start, torch.where(finite, rate, 0.0), rewards, finite))
    return gradients


def entropy(world: World, phi: Tensor, games: Games, n: int) -> Tensor:
    """Σ_t H(π(. | φ_0)) of the policy that starts, mean over games.  -> [M]."""
    if not world.cfg.entropy:
        return phi.new_zeros(len(phi))
    log_policy = world.log_policy(phi, games, n)
    return -(log_policy.exp() * log_policy).sum((0, -1)).mean(-1)
