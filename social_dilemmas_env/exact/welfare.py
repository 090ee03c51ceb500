"""What a society can earn, and Schelling's curves: games of which everything is known.

T. Schelling, "Hockey Helmets, Concealed Weapons, and Daylight Saving", J. Conflict Resolution 17
(1973): C(k) is what a player earns who cooperates while k others defect, D(k) one who defects.
"""

from collections.abc import Callable
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from social_dilemmas_env.exact.chance import Floats
from social_dilemmas_env.exact.markov_game import MarkovGame

PRECISION = 1e-12  # of values, where the game has no end
SWEEPS = 200_000


class Curves(NamedTuple):
    """Schelling's curves by how many others defect, [N] each."""

    cooperate: Floats
    defect: Floats


def best_welfare(game: MarkovGame) -> float:
    """The most that all players together can earn a step, if one hand moves them all.

    It reads the whole state: where players see less, or have a smaller memory, it bounds them.

    Raises:
        ArithmeticError: gamma is so near 1 that the values do not settle.
    """
    joint = game.rewards.sum(-1)  # [S, J]
    values = np.zeros(len(joint))
    backup = _backup(game, joint)

    # By backward induction, or until nothing changes: the backup contracts by gamma.
    if game.horizon is not None:
        for _ in range(game.horizon):
            values = backup(values)
        return float(game.per_step * (game.start @ values))

    for _ in range(SWEEPS):
        better = backup(values)
        if np.abs(better - values).max() <= PRECISION * max(1.0, float(np.abs(better).max())):
            return float(game.per_step * (game.start @ better))
        values = better
    raise ArithmeticError(f"values have not settled after {SWEEPS:,} sweeps at gamma {game.gamma}")


def _backup(game: MarkovGame, rewards: Floats) -> Callable[[Floats], Floats]:
    """One step of value iteration for a planner with these rewards [S, J]."""

    def backup(values: Floats) -> Floats:
        following = np.concatenate([values, game.chance @ values])
        best: Floats = (rewards + game.gamma * following[game.successors]).max(1)
        return best

    return backup


def schelling(
    game: MarkovGame, cooperate: Any = "always_cooperate", defect: Any = "always_defect"
) -> Curves:
    """Schelling's curves of two strategies, scores a step; means over all choices of seats.

    Args:
        game: from `exact_game`.
        cooperate: who counts as a cooperator: whatever `game.policy` takes.
        defect: who counts as a defector.

    Returns:
        C(k) and D(k) for k = 0 .. N - 1 others who defect.
    """
    players = game.num_agents
    found: tuple[list[list[float]], list[list[float]]] = (
        [[] for _ in range(players)],
        [[] for _ in range(players)],
    )
    tables = [[game.check(who, n) for n in range(players)] for who in (cooperate, defect)]

    for count in range(players + 1):
        for seats in combinations(range(players), count):
            scores = game.score([tables[n in seats][n] for n in range(players)])
            for n in range(players):
                defects = n in seats
                found[defects][count - defects].append(float(scores[n]))

    return Curves(*(np.array([np.mean(each) for each in curve]) for curve in found))
