"""LOLA-DiCE: look-aheads through DiCE objectives of freshly sampled games.

Paper   Foerster, Farquhar et al. 2018, DiCE, https://arxiv.org/abs/1802.05098, section 5
Source  https://github.com/alshedivat/lola, lola_dice/rpg.py (commit 0e8b13e)

    θ_j^0 = θ_j,   θ_j^{k+1} = θ_j^k + η ∇_j J_j(θ_i, θ_j^k)           (look-ahead, new games each)
    f_i = ∇_i J_i(θ_i, θ_j^K)                                          (through every look-ahead)

J is the DiCE objective that `SampledGame.values` returns, so LOLA-DiCE is the exact learner's
look-ahead form on a sampled game; K = 0 is naive learning with DiCE.

Shapes  R runs, N = 2 players, D parameters a player.  θ [R, N, D].
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from agents.learners.lola.lola_exact import LolaConfig, lola
from agents.matrix_games.differentiable import DifferentiableGame


def lola_dice(theta: Tensor, game: DifferentiableGame, cfg: LolaDiceConfig | None = None) -> Tensor:
    """f_i of LOLA-DiCE for both players.

    Args:
        theta: [R, N, D].
        game: a `SampledGame` (or any game whose values are DiCE objectives; an exact game gives
            exact look-aheads).
        cfg: K and η.

    Returns:
        [R, N, D], the direction of ascent.
    """
    cfg = cfg or LolaDiceConfig()
    if cfg.lookaheads == 0:
        return lola(theta, game, LolaConfig(order=0))
    return lola(theta, game, LolaConfig(form="lookahead", eta=cfg.lr_in, lookaheads=cfg.lookaheads))


@dataclass(frozen=True)
class LolaDiceConfig:
    """LOLA-DiCE.

    Batch (64 games, 150 steps) and the estimator belong to the game, δ = .2 to the loop.

    Raises:
        ValueError: a negative number of look-aheads.
    """

    # K; authors' script 2, paper 1 to 3
    lookaheads: int = 1
    # η; the first commit of run_lola_dice.py, and Jacq.  At its last commit .1, with which K = 1
    # fails.
    lr_in: float = 0.3

    def __post_init__(self) -> None:
        if self.lookaheads < 0:
            raise ValueError(f"lookaheads must be >= 0, not {self.lookaheads}")
