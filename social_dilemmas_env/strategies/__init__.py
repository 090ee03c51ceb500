"""Scripted players, by name.

list_strategies     the names, all of them or those defined for one game
make_strategy       a player, for one seat of one game
Strategy            what a player of many games is: `reset(num_games)`, `act(observations)`

    tft = make_strategy("tit_for_tat", "ipd_v0", player=1)
    tft.reset(num_games=1024, seed=0)
    actions = tft.act(observations[:, 1])   # [1024, 5] -> [1024]; numpy or torch, out as in

The players themselves, with their sources, are in `strategies.matrix` (cooperate or defect),
`strategies.coin` (Coin Game) and `strategies.base` (any game).
"""

from social_dilemmas_env.strategies.base import Scripted, Strategy
from social_dilemmas_env.strategies.catalogue import STRATEGIES, list_strategies, make_strategy

__all__ = ["STRATEGIES", "Scripted", "Strategy", "list_strategies", "make_strategy"]
