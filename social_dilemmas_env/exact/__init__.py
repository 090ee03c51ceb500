"""Games without sampling: values, best responses and equilibria by linear algebra.

    import social_dilemmas_env as sde

    game = sde.exact_game("coin_game_v0", memory="last_pickup", gamma=0.96)
    tft = game.policy("tit_for_tat")                   # [S, A], for any seat
    game.score([tft, "always_defect"])                 # [N] mean reward a step, discounted
    game.best_response([None, tft], player=0)          # policy [S, A], scores [N]
    print(game.certificate([tft, tft]))
    game.finite(horizon=50).score([tft, tft])          # the 50-step game, undiscounted
    best_welfare(game), schelling(game)                # what all can earn; C(k) and D(k)

Needs scipy: pip install -e ".[exact]".  The mathematics is in docs/exact_games.md.
"""

from collections.abc import Sequence
from typing import Any

from social_dilemmas_env.exact.build import exact_game
from social_dilemmas_env.exact.certificate import Certificate
from social_dilemmas_env.exact.chance import TooLarge
from social_dilemmas_env.exact.finite import FiniteGame
from social_dilemmas_env.exact.game import ExactGame
from social_dilemmas_env.exact.markov_game import MarkovGame
from social_dilemmas_env.exact.memory import Automaton, PerPlayer, Step, per_player
from social_dilemmas_env.exact.policy_files import load_policy, save_policy
from social_dilemmas_env.exact.solvers import SolverError
from social_dilemmas_env.exact.welfare import Curves, best_welfare, schelling

__all__ = [
    "Automaton",
    "Certificate",
    "Curves",
    "ExactGame",
    "FiniteGame",
    "MarkovGame",
    "PerPlayer",
    "SolverError",
    "Step",
    "TooLarge",
    "best_welfare",
    "certificate",
    "exact_game",
    "load_policy",
    "per_player",
    "save_policy",
    "schelling",
]


def certificate(game: MarkovGame, policies: Sequence[Any]) -> Certificate:
    """How far policies are from a Nash equilibrium of a game, against every strategy.

    Args:
        game: from `exact_game`, or its `finite`.
        policies: one a player.
    """
    return game.certificate(policies)
