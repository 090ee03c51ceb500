"""M-MAML: learning where to start among learners, with exact values.

Paper   Lu, Willi, Schroeder de Witt, Foerster 2022, M-FOS, https://arxiv.org/abs/2205.01447 (its
        exact stand-in for Meta-MAPG: Kim et al. 2021, https://arxiv.org/abs/2011.00382)
Source  https://github.com/luchris429/Model-Free-Opponent-Shaping, generate_mamaml in
        environments.py (commit 3efb169)

A naive learner whose first parameters φ and step size α are learned, through K of its own and its
opponent's updates; the chain is that of Meta-MAPG (meta_mapg_exact.py), with the value before any
update counted too:

    θ_0^0 = φ,            θ_0^{k+1} = θ_0^k + α ∇_0 V_0(θ^k)                   (this player)
    θ_1^0 ~ N(0, I),      θ_1^{k+1} = θ_1^k + δ ∇_1 V_1(θ^k)                   (a naive opponent)
    J(φ, α) = mean over opponents of Σ_{k<K} V_0(θ^k)                          (meta-objective)
    (φ, α) ← Adam ascent on J, differentiating through both players' updates

φ ~ N(0, I) and α ~ U(0, 1) at the start, and every meta-update draws new opponents.

The published tournament uses φ only: its players adapt with step size 1, and the φ that the authors
ship carry no α. `alpha=1` learns φ for that use; a φ learned together with α is for α, which often
goes to 0.

Shapes  R independent runs (one φ and α each), B opponents a run, N = 2 players, D parameters a
        player, K updates.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from agents.learners.meta_mapg.meta_mapg_exact import LearningRules, chain, meta_value
from agents.matrix_games.differentiable import DifferentiableGame, grad
from agents.nn.adam import adam_direction
from agents.sampling import seeded_generator
from social_dilemmas_env.validation import at_least


@dataclass
class MetaLearned:
    """What meta-training leaves.

    Attributes:
        init: [R, D], φ.
        alpha: [R], α.
        curve: [M + 1, R], payoff a step over the K updates, before each of M meta-updates and
            after the last one; every entry is over other opponents.
    """

    init: Tensor
    alpha: Tensor
    curve: Tensor


def objective(
    init: Tensor, alpha: Tensor, opponents: Tensor, game: DifferentiableGame, cfg: MMamlConfig
) -> Tensor:
    """J(φ, α) / K, the mean value of this player over its K updates.

    Args:
        init: [R, D], φ.
        alpha: [R], α.
        opponents: [R, B, D], the opponents' first parameters.
        game: any differentiable 2-player game.
        cfg: K and δ.

    Returns:
        [R], attached to φ and α.
    """
    runs, batch, dim = opponents.shape
    theta = torch.stack((init[:, None].expand(runs, batch, dim), opponents), 2).flatten(0, 1)
    rates = torch.stack((alpha, torch.full_like(alpha, cfg.opponent_lr)), -1)
    rates = rates.repeat_interleave(batch, 0)[..., None]

    thetas = chain(theta, [rates] * (cfg.unroll - 1), game, LearningRules())
    return meta_value(thetas, game, me=0, first=0).view(runs, batch).mean(1)


def meta_train(game: DifferentiableGame, cfg: MMamlConfig | None = None) -> MetaLearned:
    """Learns φ and α in R independent runs.

    A run whose φ or α would become non-finite keeps its last finite ones.

    Args:
        game: any differentiable 2-player game.
        cfg: how.

    Raises:
        ValueError: a game of another number of players.
    """
    cfg = cfg or MMamlConfig()
    if game.num_players != 2:
        raise ValueError(f"M-MAML knows one opponent, not {game.num_players - 1}")
    generator = seeded_generator(cfg.seed)
    learned, learns = initial(game, cfg, generator)
    step, curve = adam_direction(), []

    for m in range(cfg.iterations + 1):
        # New opponents for every meta-update, and once more to see what the last one gave.
        shape = (cfg.runs, cfg.batch, game.dim)
        opponents = torch.randn(shape, dtype=torch.float64, generator=generator).to(game.device)
        learned = learned.detach().requires_grad_(m < cfg.iterations)
        value = objective(learned[:, :-1], learned[:, -1], opponents, game, cfg)
        curve.append((1 - getattr(game, "gamma", 0.0)) * value.detach())
        if m == cfg.iterations:
            break

        ascent = grad(value.sum(), learned, create_graph=False).nan_to_num(0.0)
        new = learned.detach() + learns * cfg.meta_lr * step(ascent)
        learned = torch.where(torch.isfinite(new).all(-1, keepdim=True), new, learned.detach())

    return MetaLearned(learned[:, :-1].detach(), learned[:, -1].detach(), torch.stack(curve))


def initial(
    game: DifferentiableGame, cfg: MMamlConfig, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """φ and α at first, [R, D + 1]; which of them are learned, [D + 1]."""
    init = torch.randn(cfg.runs, game.dim, dtype=torch.float64, generator=generator)
    alpha = torch.rand(cfg.runs, 1, dtype=torch.float64, generator=generator)
    learns = torch.ones(game.dim + 1, dtype=torch.float64, device=game.device)
    if cfg.alpha is not None:
        alpha[:], learns[-1] = cfg.alpha, 0.0
    return torch.cat((init, alpha), 1).to(game.device), learns


@dataclass(frozen=True)
class MMamlConfig:
    """Meta-training; all values but the batch are generate_mamaml's.

    Raises:
        ValueError: counts below 1 (iterations below 0).
    """

    runs: int = 10  # the authors ship ten φ a game
    batch: int = 32  # B; ours: the released code does not say
    unroll: int = 100  # K
    iterations: int = 1000  # meta-updates
    meta_lr: float = 0.01  # Adam
    opponent_lr: float = 1.0  # δ
    alpha: float | None = None  # α; None: learned from U(0, 1)
    seed: int = 0  # of starts and opponents

    def __post_init__(self) -> None:
        at_least(self, 1, "runs", "batch", "unroll")
        at_least(self, 0, "iterations")
