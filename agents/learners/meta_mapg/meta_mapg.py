"""Meta-MAPG and Meta-PG from samples: learning a start, and learning rates, for learning among
learners.

Paper   Kim et al. 2021, Meta-MAPG, https://arxiv.org/abs/2011.00382, theorem 1; Meta-PG: Al-Shedivat et al. 2018,
        https://arxiv.org/abs/1710.03641
Source  https://github.com/dkkim93/meta-mapg (commit 2d8046f): meta/base.py, meta/dice.py,
meta/meta_agent.py

Everybody plays K games with φ_0, takes a step of policy gradient, plays again, ... for L steps;
player i chooses φ_0^i:

    J_n(φ_l) = mean over games of Σₜ γᵗ [ □(Σ_{s≤t} x_s) r_t^n + (1 - □(x_t)) b_t^n ]            (inner objective)
    x_t = Σ_{n in S} log π(a_t^n | φ_l^n),   S = everybody (Meta-MAPG), {n} (Meta-PG)
    φ_{l+1}^n = φ_l^n + α_l^n ∂J_n/∂φ_l^n                                                        (inner update)

The meta-gradient by φ_0^i of the return on trajectory l, with τ_m = the K games played with φ_m:

    ∇ log p(τ_0 | φ_0^i) G_i(τ_l)                                                                (current policy)
    Σ_{m=1..l} ∇ log p(τ_m | φ_m^i) G_i(τ_l)              through φ_m^i(φ_0^i)                   (own learning)
    Σ_{m=1..l} ∇ log p(τ_m | φ_m^j) G_i(τ_l)              through φ_m^j(φ_0^i)                   (peer learning)

"theorem" multiplies the log-probability of all of τ_m with the mean return of τ_l. "steps" is the
authors' code: step t of game b of τ_m is paired with the advantage at step t of game b of τ_l. The
theorem's cross products m < l are worth 1/K of that there, and the variance is far smaller.

What the terms estimate (tests/agents/exact): for updates from samples, current policy + own
learning with S = {n} and no DiCE would already be all of the gradient. DiCE's derivative of an
update is that of the *expected* update, so that own and peer learning are all of the gradient as K
grows; the cross products then count part of it twice, which "steps" divides by K.

A chain whose parameters become non-finite ends: it counts nothing, and is counted.

Shapes  M chains, N players, K games, T steps, L updates, V views, A actions, P_n parameters of
player n.
        φ: one tensor [M, P_n] a player; trajectories [T, M, K] in networks, [M, K, T] in
        estimators.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from agents.estimators import dice_with_baseline, discounted_returns, discounts, gae, loaded_dice
from agents.execution.rollout import sample
from agents.matrix_games.closed_form import other_view
from agents.nn.networks import (
    Network,
    Params,
    Tabular,
    log_softmax,
)

Phi = tuple[Tensor, ...]


class Play(NamedTuple):
    """K games of each chain.

    Attributes:
        views: [N, T, M, K], what each player saw, own action first.
        actions: [N, T, M, K].
        rewards: [N, M, K, T].
    """

    views: Tensor
    actions: Tensor
    rewards: Tensor


def unpack(net: Network, flat: Tensor) -> Params:
    """Parameters by name.  [M, P] -> name -> [M, *shape]."""
    shapes = net.shapes()
    sizes = [torch.Size(shape).numel() for shape in shapes.values()]
    parts = flat.split(sizes, 1)
    return {
        name: part.unflatten(1, shape)
        for part, (name, shape) in zip(parts, shapes.items(), strict=True)
    }


class World:
    """Two players of a matrix game, each chain with a payoff table of its own.

    Args:
        policies: a network a player, on views 0 = start, 1 + own action * A + other's action.
        payoffs: [M, A, A, 2].
        cfg: games, steps.
        draws: the randomness of play, on the CPU.
    """

    def __init__(
        self, policies: Sequence[Network], payoffs: Tensor, cfg: MetaConfig, draws: torch.Generator
    ) -> None:
        self.policies, self.payoffs, self.cfg, self.draws = tuple(policies), payoffs, cfg, draws
        self.num_actions = payoffs.shape[1]
        self._swap = other_view(self.num_actions, payoffs.device)

    @torch.no_grad()
    def play(self, phi: Phi) -> Play:
        """New games with φ."""
        cfg, sets = self.cfg, len(self.payoffs)
        pairs = zip(self.policies, phi, strict=True)
        players = [net.player(unpack(net, p), cfg.games, cfg.steps) for net, p in pairs]
        here = torch.zeros(sets, cfg.games, dtype=torch.long, device=self.payoffs.device)
        views, actions = [], []
        for t in range(cfg.steps):
            seen = torch.stack((here, self._swap[here]))
            u = torch.rand(seen.shape, generator=self.draws, dtype=torch.float64).to(here.device)
            chosen = torch.stack(
                [sample(player(v, t), x) for player, v, x in zip(players, seen, u, strict=True)]
            )
            here = 1 + chosen[0] * self.num_actions + chosen[1]
            views.append(seen)
            actions.append(chosen)
        moves = torch.stack(actions, 1)
        return Play(torch.stack(views, 1), moves, self.rewards(moves))

    def rewards(self, actions: Tensor) -> Tensor:
        """r_n,t by each chain's own table.  [N, T, M, K] -> [N, M, K, T]."""
        joint = (actions[0] * self.num_actions + actions[1]).permute(1, 2, 0)
        table = self.payoffs.flatten(1, 2).permute(2, 0, 1)
        return table.gather(2, joint.flatten(1).expand(2, -1, -1)).unflatten(2, joint.shape[1:])

    def log_prob(self, phi_n: Tensor, play: Play, n: int) -> Tensor:
        """Log π(a_t^n | φ^n) of what was played.  [M, P_n] -> [M, K, T]."""
        net = self.policies[n]
        if isinstance(net, Tabular):
            table = log_softmax(unpack(net, phi_n)["zero_table"]).flatten(1)
            index = (play.views[n] * self.num_actions + play.actions[n]).permute(1, 2, 0)
            return table.gather(1, index.flatten(1)).view(index.shape)
        logits = log_softmax(net(unpack(net, phi_n), play.views[n]))
        return logits.gather(-1, play.actions[n][..., None])[..., 0].permute(1, 2, 0)


def features(views: Tensor, num_views: int, dtype: torch.dtype) -> Tensor:
    """One-hot view, t/100, its square and cube, 1.  [T, M, K] -> [M, K, T, V + 4]."""
    seen = torch.nn.functional.one_hot(views.permute(1, 2, 0), num_views).to(dtype)
    t = torch.arange(len(views), dtype=dtype, device=views.device) / 100
    time = torch.stack((t, t**2, t**3, torch.ones_like(t)), -1)
    return torch.cat((seen, time.expand(*seen.shape[:-1], 4)), -1)


def linear_baseline(x: Tensor, returns: Tensor, ridge: float = 1e-5) -> Tensor:
    """b_t, ridge regression of returns to go on features, each chain by itself.  [M, K, T, F], [M,
    K, T] -> [M, K, T].

    The one-hots add up to the constant 1, so that only the ridge keeps the matrix regular: float64
    whatever the policy's.

    Source: Duan et al. 2016 (https://arxiv.org/abs/1604.06778), as in the authors'
    linear_baseline.py.
    """
    flat, y = x.flatten(1, 2).double(), returns.flatten(1).double()
    gram = flat.mT @ flat + ridge * torch.eye(x.shape[-1], dtype=flat.dtype, device=x.device)
    weights = torch.linalg.solve_ex(gram, flat.mT @ y[..., None])[0]
    return (flat @ weights)[..., 0].view(returns.shape).to(returns.dtype)


def baselines(world: World, play: Play) -> Tensor:
    """The linear baseline of both players.  -> [N, M, K, T]."""
    size, cfg = world.num_actions**2 + 1, world.cfg
    if not cfg.baseline:
        return torch.zeros_like(play.rewards)
    found = []
    for views, rewards in zip(play.views, play.rewards, strict=True):
        x = features(views, size, rewards.dtype)
        found.append(linear_baseline(x, discounted_returns(rewards, cfg.gamma)))
    return torch.stack(found)


def inner_objective(logp: Tensor, rewards: Tensor, base: Tensor, cfg: MetaConfig) -> Tensor:
    """J_n of each chain, by DiCE or loaded DiCE (whose second derivatives spread fifty times less).
    -> [M].
    """
    if cfg.inner == "loaded":
        return loaded_dice(logp, gae(rewards, base, cfg.gamma, cfg.gae_lambda), cfg.gamma).mean(-1)
    return dice_with_baseline(logp, rewards, base, cfg.gamma).mean(-1)


def inner_step(
    phi: Phi, logp: Sequence[Tensor], play: Play, base: Tensor, cfg: MetaConfig
) -> list[Tensor]:
    """∂J_n/∂φ^n of every player, differentiable again.  -> [M, P_n] each."""
    found = []
    for n, p in enumerate(phi):
        x = torch.stack(tuple(logp)).sum(0) if cfg.shaping else logp[n]
        objective = inner_objective(x, play.rewards[n], base[n], cfg).sum()
        found.append(
            torch.autograd.grad(objective, p, create_graph=cfg.create_graph, retain_graph=True)[0]
        )
    return found


class Chain(NamedTuple):
    """What L updates leave.

    Attributes:
        phi: φ_0 .. φ_L, as they were.
        plays: τ_0 .. τ_L.
        logp: of each, log-probabilities [M, K, T] of every player, attached to φ_0.
        base: of each, the linear baselines [N, M, K, T].
    """

    phi: list[Phi]
    plays: list[Play]
    logp: list[list[Tensor]]
    base: list[Tensor]


def observed(play: Play, n: int, sizes: tuple[int, int]) -> Tensor:
    """A tabular model of player n from what it did: log of (count + 1).

    Sizes (V, A) -> [M, V A].
    """
    views, actions = sizes
    index = (play.views[n] * actions + play.actions[n]).permute(1, 0, 2).flatten(1)
    counts = torch.zeros(len(index), views * actions, dtype=play.rewards.dtype, device=index.device)
    return (counts.scatter_add_(1, index, torch.ones_like(index, dtype=counts.dtype)) + 1).log()


def beliefs(phi: Phi, before: Phi, play: Play, world: World) -> Phi:
    """What player 0 differentiates: φ.

    Or its own and a model, whose derivative is that of the imagined update `before`.
    """
    if world.cfg.opponent == "known":
        return before
    model = observed(play, 1, (world.num_actions**2 + 1, world.num_actions)).to(phi[1].dtype)
    return before[0], model.requires_grad_() + (before[1] - before[1].detach())


def unroll(phi: Phi, rates: Tensor, world: World) -> Chain:
    """Plays and learns L times.

    Args:
        phi: φ_0, each attached.
        rates: α [L, N, M].
        world: the game, the policies, and how.
    """
    cfg, chain, seen = world.cfg, Chain([], [], [], []), phi
    for l in range(len(rates) + 1):  # noqa: E741
        if not cfg.create_graph:
            phi = seen = tuple(p.detach().requires_grad_() for p in phi)
        play = world.play(tuple(p.detach() for p in phi))
        seen = beliefs(phi, seen, play, world)
        logp = [world.log_prob(p, play, n) for n, p in enumerate(seen)]
        base = baselines(world, play)
        chain.phi.append(phi)
        chain.plays.append(play)
        chain.logp.append(logp)
        chain.base.append(base)
        if l < len(rates):
            after = updated(seen, inner_step(seen, logp, play, base, cfg), rates[l])
            phi, seen = (
                (after, after)
                if cfg.opponent == "known"
                else (actual(phi, after, (play, base), rates[l], world), after)
            )
    return chain


def updated(phi: Phi, steps: Sequence[Tensor], rates: Tensor) -> Phi:
    """φ + α ∂J.  rates [N, M]."""
    return tuple(
        p + rates[n, :, None] * step for n, (p, step) in enumerate(zip(phi, steps, strict=True))
    )


def actual(phi: Phi, after: Phi, played: tuple[Play, Tensor], rates: Tensor, world: World) -> Phi:
    """Player 0 after its update, and the other after one of its own that player 0 does not see."""
    play, base = played
    own = phi[1].detach().requires_grad_()
    x = world.log_prob(own, play, 1)
    objective = inner_objective(x, play.rewards[1], base[1], world.cfg).sum()
    return after[0], (own + rates[1, :, None] * torch.autograd.grad(objective, own)[0]).detach()


def weight(chain: Chain, l: int, i: int, cfg: MetaConfig) -> Tensor:  # noqa: E741
    """What log-probabilities are multiplied with: G_i(τ_l) [M, 1, 1], or A_t of τ_l over K [M, K,
    T].
    """
    rewards, base = chain.plays[l].rewards[i], chain.base[l][i]
    if cfg.pairing == "theorem":
        return (discounts(rewards, cfg.gamma) * rewards).sum(-1).mean(-1)[:, None, None]
    return gae(rewards, base, cfg.gamma, cfg.gae_lambda) / rewards.shape[1]


def current_policy(chain: Chain, l: int, i: int, cfg: MetaConfig) -> Tensor:  # noqa: E741
    """Log p(τ_0 | φ_0^i) G_i(τ_l).  -> [M]."""
    return (chain.logp[0][i] * weight(chain, l, i, cfg)).sum((-1, -2))


def own_learning(chain: Chain, l: int, i: int, cfg: MetaConfig) -> Tensor:  # noqa: E741
    """Σ_{m=1..l} log p(τ_m | φ_m^i) G_i(τ_l).  -> [M]."""
    return (sum(chain.logp[m][i] for m in range(1, l + 1)) * weight(chain, l, i, cfg)).sum((-1, -2))


def peer_learning(chain: Chain, l: int, i: int, cfg: MetaConfig) -> Tensor:  # noqa: E741
    """Σ_{m=1..l} log p(τ_m | φ_m^j) G_i(τ_l), j the other.  -> [M]."""
    return (sum(chain.logp[m][1 - i] for m in range(1, l + 1)) * weight(chain, l, i, cfg)).sum(
        (-1, -2)
    )


def surrogate(chain: Chain, i: int, cfg: MetaConfig) -> Tensor:
    """Mean over l = 1 .. L of the terms; Meta-PG has no third.  -> [M]."""
    terms = [current_policy, own_learning] + [peer_learning] * cfg.shaping
    counted = range(1, len(chain.plays))
    return torch.stack([term(chain, k, i, cfg) for term in terms for k in counted]).sum(0) / len(
        counted
    )


class MetaGradient(NamedTuple):
    """∂/∂φ_0^i [M, P_i] and ∂/∂α_i [L, M] of each chain by itself, rewards a step [L + 1, N, M],
    who stayed finite [M].
    """

    start: Tensor
    rates: Tensor
    rewards: Tensor
    finite: Tensor


def meta_gradients(
    phi: Phi, rates: Tensor, world: World, players: Sequence[int]
) -> list[MetaGradient]:
    """The meta-gradient of each of `players` from one chain.

    Args:
        phi: φ_0 of each chain, [M, P_n] a player.
        rates: α [L, N, M].
        world: the game, the policies, and how.
        players: who meta-learns.
    """
    phi, rates = tuple(p.detach().requires_grad_() for p in phi), rates.detach().requires_grad_()
    chain = unroll(phi, rates, world)
    alive = torch.stack(
        [torch.isfinite(p.detach()).all(-1) for each in chain.phi for p in each]
    ).all(0)
    rewards = torch.stack([play.rewards.mean((-1, -2)) for play in chain.plays])
    found = []
    for i in players:
        objective = surrogate(chain, i, world.cfg)
        objective = objective + world.cfg.entropy * entropy(world, phi[i], chain.plays[0], i)
        start, rate = torch.autograd.grad(
            objective.sum(), (phi[i], rates), retain_graph=True, materialize_grads=True
        )
        rate = rate[:, i]
        finite = alive & torch.isfinite(start).all(-1) & torch.isfinite(rate).all(0)
        found.append(
            MetaGradient(
                torch.where(finite[:, None], start, 0.0),
                torch.where(finite, rate, 0.0),
                rewards,
                finite,
            )
        )
    return found


def entropy(world: World, phi: Tensor, play: Play, n: int) -> Tensor:
    """Σ_t H(π(. | φ_0)) of the policy that starts, mean over games.  -> [M]."""
    if not world.cfg.entropy:
        return phi.new_zeros(len(phi))
    net = world.policies[n]
    logits = log_softmax(net(unpack(net, phi), play.views[n]))
    return -(logits.exp() * logits).sum((0, -1)).mean(-1)


@dataclass(frozen=True)
class MetaConfig:
    """Inner loop and estimator; the authors' ipd.yaml but for the sizes.

    Raises:
        ValueError: sizes below 1, a discount outside [0, 1), an unknown pairing or opponent.
    """

    chain: int = 7  # L; ipd.yaml
    games: int = 64  # K; ipd.yaml
    steps: int = 150  # T; ipd.yaml
    gamma: float = 0.96  # ipd.yaml
    gae_lambda: float = 0.95  # ipd.yaml
    entropy: float = 0.5  # w_H on φ_0; ipd.yaml
    shaping: bool = True  # the authors' --opponent-shaping; without it: Meta-PG
    pairing: Literal["steps", "theorem"] = "steps"  # the authors' code; the paper's theorem
    inner: Literal["loaded", "dice"] = "loaded"  # ours; the authors' dice.py
    opponent: Literal["known", "modelled"] = "known"  # what i knows of the others' φ
    baseline: bool = True  # the linear feature baseline
    create_graph: bool = True  # False at meta-test, where nothing is differentiated

    def __post_init__(self) -> None:
        if min(self.chain, self.games, self.steps) < 1:
            raise ValueError(
                f"chain, games and steps must be >= 1, not {self.chain}, {self.games} and {self.steps}"
            )
        if not 0 <= self.gamma < 1 or not 0 <= self.gae_lambda <= 1:
            raise ValueError(
                f"gamma must lie in [0, 1), gae_lambda in [0, 1], not {self.gamma!r}, {self.gae_lambda!r}"
            )
        choices = {
            "pairing": ("steps", "theorem"),
            "inner": ("loaded", "dice"),
            "opponent": ("known", "modelled"),
        }
        for name, words in choices.items():
            if getattr(self, name) not in words:
                raise ValueError(
                    f"{name} must be {' or '.join(map(repr, words))}, not {getattr(self, name)!r}"
                )
