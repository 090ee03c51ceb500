"""Naive learning: every player climbs its own exact value as if the others stood still.

Paper   Foerster et al. 2018, LOLA, section 4.1 ("NL-Ex"), https://arxiv.org/abs/1709.04326
Source  https://github.com/alshedivat/lola, train_exact.py (commit 0e8b13e), whose `--no-lola` flag
        has no effect there

    f_i(θ) = ∇_i V_i(θ),      θ_i ← θ_i + δ f_i(θ)                     (naive learner)

Shapes  R independent runs, N players, D parameters a player.
"""

from dataclasses import dataclass

from torch import Tensor

from agents.matrix_games.differentiable import DifferentiableGame, own_gradients


@dataclass(frozen=True)
class NaiveConfig:
    """A naive learner has nothing to set; δ belongs to the loop (`gradient_runs.RunConfig.lr`)."""


def naive(theta: Tensor, game: DifferentiableGame, cfg: NaiveConfig | None = None) -> Tensor:
    """f_i = ∇_i V_i for every player.  [R, N, D] -> [R, N, D]."""
    return own_gradients(game, theta)
