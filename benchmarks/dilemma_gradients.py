"""True and sampled gradients of LOLA-DiCE and Meta-MAPG in the iterated prisoner's dilemma.

LOLA's formulas take any differentiable game: an exact one gives the truth, a sampled one batches.
Meta-MAPG has its exact twin; both have two logits a state here.

Shapes  L batches at once, N = 2 players, D parameters a player.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

import social_dilemmas_env as sde
from agents.learners.lola.lola_exact import LolaConfig, opponents_steps
from agents.learners.meta_mapg import meta_mapg, meta_mapg_exact
from agents.learners.meta_mapg.config import MetaConfig
from agents.learners.meta_mapg.games import World
from agents.matrix_games.closed_form import MatrixGame
from agents.matrix_games.differentiable import (
    DifferentiableGame,
    grad,
    of_self,
    others,
    replicas_of,
    self_values,
)
from agents.matrix_games.parametrisations import softmax
from agents.matrix_games.sampled import SampledGame
from agents.nn.networks import Tabular
from benchmarks.gradient_quality import Parts

# Logits of C in every state.
POLICIES = {"uniform": 0.0, "two defectors": -2.0}


def dilemma(gamma: float, two_logits: bool = False) -> MatrixGame:
    """The prisoner's dilemma of two tables: a logit a state, or one for each action."""
    payoffs = sde.payoffs("ipd_v0")
    return MatrixGame(payoffs, gamma, parametrisation=softmax(2) if two_logits else None)


def lola_parts(theta: Tensor, game: DifferentiableGame, cfg: LolaConfig) -> Parts:
    """LOLA's look-ahead form of player 0, its two terms apart.  [L, N, D] -> Parts [L, D].

    Their sum is `lola_dice` on the same game.
    """
    replicas = replicas_of(theta)
    step = opponents_steps(replicas, game.values(replicas), game, cfg)
    moved = replicas + step
    by_moved = grad(self_values(game.values(moved)), moved, create_graph=False)

    # Through my own parameters, and through the other's step.
    answer = by_moved * others(game.num_players, by_moved)
    shaping = of_self(grad(step, replicas, answer, create_graph=False))
    return Parts(of_self(by_moved)[:, 0], shaping[:, 0])


def lola_batches(game: SampledGame, theta: Tensor, cfg: LolaConfig, batches: int) -> Parts:
    """L gradients, each from games of its own.  [N, D] -> Parts [L, D]."""
    return lola_parts(theta.expand(batches, -1, -1).clone(), game, cfg)


# Meta-MAPG: the start φ_0 of player 0.


def meta_gradient(start: Tensor, rates: Tensor, gamma: float) -> Parts:
    """The exact meta-gradient: own learning, peer learning.

    Args:
        start: φ_0 [N, D] of both.
        rates: α [L, N], of L updates.
        gamma: γ.

    Returns:
        Parts [D].
    """
    game = dilemma(gamma, two_logits=True)
    theta = start[None].clone().requires_grad_()
    rules = meta_mapg_exact.LearningRules()
    thetas = meta_mapg_exact.chain(theta, rates[..., None].unbind(0), game, rules)
    own, peer = (
        torch.autograd.grad(term(thetas, game, 0).sum(), theta, retain_graph=True)[0][0, 0]
        for term in (meta_mapg_exact.own_learning, meta_mapg_exact.peer_learning)
    )
    return Parts(own, peer)


def meta_batches(
    start: Tensor, rates: Tensor, cfg: MetaConfig, batches: int, generator: torch.Generator
) -> Parts:
    """L meta-gradients, each of a chain of its own.

    Args:
        start: φ_0 [N, D].
        rates: α [L, N].
        cfg: games, steps, estimator.
        batches: how many chains.
        generator: of their play.

    Returns:
        Parts [chains, D].
    """
    payoffs = torch.as_tensor(sde.payoffs("ipd_v0"), dtype=start.dtype)
    table = Tabular(torch.zeros(payoffs.shape[0] ** 2 + 1, 1), payoffs.shape[0])
    world = World([table] * 2, payoffs.expand(batches, -1, -1, -1), cfg, generator)
    phi = tuple(p.expand(batches, -1).clone().requires_grad_() for p in start)
    chain = meta_mapg.unroll(phi, rates[..., None].expand(-1, -1, batches), world)

    # Everything, and what goes through the other: its third term.
    whole = meta_mapg.surrogate(chain, 0, cfg)
    mine = meta_mapg.surrogate(chain, 0, replace(cfg, shaping=False))
    by_whole, own = (
        torch.autograd.grad(x.sum(), phi[0], retain_graph=True)[0] for x in (whole, mine)
    )
    return Parts(own, by_whole - own)
