"""What benchmarks read of policies on games without sampling.

Shapes  S states, J joint actions, A actions; a policy [S, A] serves either seat.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from social_dilemmas_env.exact import ExactGame, MarkovGame
from social_dilemmas_env.games.coin_boards import owned, taken

HORIZON = 50  # steps of an episode in the papers' evaluations
OPPONENTS = ("always_defect", "always_cooperate", "tit_for_tat")
SHORT = {"always_defect": "AD", "always_cooperate": "AC", "tit_for_tat": "TFT"}


def pick_ups(game: MarkovGame) -> tuple[np.ndarray, np.ndarray]:
    """Coins that are picked up, by state and joint action: of the own colour, and all.

    A coin that two players pick up counts twice. -> [S, J] twice.
    """
    origin = game.origin
    rules: Any = origin.game
    boards, players = origin.boards, rules.num_agents
    joint = boards.successors.shape[1]

    # Who stands where after every step from every board.
    before = tuple(np.repeat(column, joint) for column in boards.board)
    coins = before[players : players + rules.coins]
    takers = taken(rules, coins, boards.after[:players])

    # By board, then by state.
    own, every = np.zeros(len(before[0])), np.zeros(len(before[0]))
    for player in range(players):
        for found, mine in zip(takers, owned(rules, before, player), strict=True):
            own += found[player] * mine
            every += found[player]
    board = origin.product.board
    return own.reshape(-1, joint)[board], every.reshape(-1, joint)[board]


def own_share(game: MarkovGame, policies: Sequence[Any]) -> float:
    """The part of all pick-ups that are of the player's own coin; nan where nobody picks any up.

    Args:
        game: of which the visits of states count; of T steps or discounted.
        policies: one a player, [S, A] each.
    """
    visits = game.occupancy(policies)[:, None] * game.joint_policy(game.checked(policies))
    own, every = ((visits * count).sum() for count in pick_ups(game))
    return float(own / every) if every > 0 else float("nan")


def score_policy(
    game: ExactGame, policy: np.ndarray, opponents: Sequence[str] = OPPONENTS
) -> dict[str, float]:
    """Mean rewards a step of an episode of 50, with itself and against scripted players.

    Args:
        game: the discounted game.
        policy: [S, A], of either seat.
        opponents: whose memory this game can hold.

    Returns:
        "self", "own share", and for each opponent, by its short name, "vs AD" and "AD vs it".
    """
    episode = game.finite(HORIZON)
    pair = [policy, policy]
    scores = {"self": float(episode.score(pair).mean()), "own share": own_share(episode, pair)}
    for opponent in opponents:
        mine, theirs = episode.score([policy, opponent])
        scores[f"vs {SHORT[opponent]}"] = float(mine)
        scores[f"{SHORT[opponent]} vs it"] = float(theirs)
    return scores


def deviations(game: ExactGame, policy: np.ndarray) -> dict[str, float]:
    """What a best response earns, and what it gains on keeping to the policy; discounted.

    The seats are alike, so that one of them is enough.
    """
    _, scores = game.best_response([None, policy], 0)
    best, kept = float(scores[0]), float(game.score([policy, policy])[0])
    return {"best response": best, "epsilon": max(best - kept, 0.0)}
