"""What `info_metrics=True` puts into infos at the end of an episode: sums over its steps.

    return            sum of the rewards, undiscounted
    cooperation_rate  fraction of moves that cooperate, where the game's words have such a move
    own_coins         Coin Game: coins of one's own colour that one picked up
    stolen_coins      Coin Game: coins of another's colour

and in the commons (games with `social_counts`), the same for every player but for zaps:

    collective_return  sum of the returns of all players
    equality           1 - Gini coefficient of the returns; 1 where nobody earned anything
    zaps               Harvest and Clean Up: shots that one fired
    survival           GovSim's commons: steps after which the pool was still alive

They are the definitions of `social_dilemmas_env.metrics` and `social_dilemmas_env.social_metrics`,
summed while the game is played.  Steps before a `set_state` are not in them, for a `State` does not
hold them.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from social_dilemmas_env.games.coin_boards import picked_up
from social_dilemmas_env.games.coin_rules import CoinGame
from social_dilemmas_env.games.game import Board, Column, Game, counted, social_counts

SOCIAL = ("collective_return", "equality")  # computed from the returns, at the end
COOPERATE = ("cooperate", "stag", "dove")  # names of an action 0 that cooperates

Array = Any  # a numpy array or a torch tensor


def metric_names(game: Game) -> tuple[str, ...]:
    """The metrics that this game has."""
    social = () if social_counts(game) is None else SOCIAL
    return (*summed_names(game), *social)


def summed_names(game: Game) -> tuple[str, ...]:
    """Those of them that are sums over steps."""
    cooperates = all(names[0] in COOPERATE for names in game.action_names)
    coins = ("own_coins", "stolen_coins") if isinstance(game, CoinGame) else ()
    counts = social_counts(game) or ()
    return ("return", *(("cooperation_rate",) if cooperates else ()), *coins, *counts)


def social_values(returns: Array) -> dict[str, Array]:
    """The `SOCIAL` metrics of returns [B, N] that are not negative: [B, N] each, all players'."""
    players = returns.shape[1]
    total = returns.sum(1)

    # All pairs; a total of 0 has no gaps, and is divided by 1.
    gaps = abs(returns[:, :, None] - returns[:, None, :]).sum((1, 2))
    gini = gaps / (2 * players * (total + (total == 0)))
    same = returns * 0
    return dict(zip(SOCIAL, (same + total[:, None], same + 1 - gini[:, None]), strict=True))


class OneGame:
    """The metrics of one running episode."""

    def __init__(self, game: Game):
        self.game, self.names = game, summed_names(game)
        self.has_coins = "own_coins" in self.names
        self.is_social = social_counts(game) is not None
        self.clear()

    def clear(self) -> None:
        """An episode begins."""
        self.steps = 0
        self.sums = {name: [0.0] * len(self.game.num_actions) for name in self.names}

    def add(
        self, before: Board, after: Board, moves: Sequence[int], rewards: Sequence[float]
    ) -> None:
        """One joint move, and the boards around it."""
        amounts: dict[str, Sequence[Column]] = {"return": rewards}
        if "cooperation_rate" in self.sums:
            amounts["cooperation_rate"] = [move == 0 for move in moves]
        if self.has_coins:
            amounts["own_coins"], amounts["stolen_coins"] = _pickups(self.game, before, after)
        if self.is_social:
            amounts |= counted(self.game, before, after, moves)

        self.steps += 1
        for name, amount in amounts.items():
            sums = self.sums[name]
            self.sums[name] = [old + more for old, more in zip(sums, amount, strict=True)]

    def of_players(self) -> list[dict[str, float]]:
        """The metrics of the episode, for each player."""
        players = range(len(self.game.num_actions))
        totals = [{name: float(sums[n]) for name, sums in self.sums.items()} for n in players]
        for total in totals:
            if "cooperation_rate" in total:
                total["cooperation_rate"] /= max(self.steps, 1)
        if self.is_social:
            for name, values in social_values(np.array([self.sums["return"]])).items():
                for total, value in zip(totals, values[0].tolist(), strict=True):
                    total[name] = value
        return totals


class ManyGames:
    """The metrics of B running episodes, as arrays [B, N]; `xp` is an engine's `Arrays`."""

    def __init__(self, game: Game, num_envs: int, xp: Any):
        self.game, self.names = game, summed_names(game)
        self.has_coins = "own_coins" in self.names
        self.is_social = social_counts(game) is not None
        shape = (num_envs, len(game.num_actions))
        self.steps = xp.cast(xp.zeros((num_envs, 1)), "float64")
        self.sums = {name: xp.cast(xp.zeros(shape), "float64") for name in self.names}

    def clear(self, lanes: Any) -> None:
        """Episodes begin, in some games or (None) in all."""
        where = slice(None) if lanes is None else lanes
        for array in (self.steps, *self.sums.values()):
            array[where] = 0

    def add(self, boards: tuple[Board, Board], actions: Array, rewards: Array, xp: Any) -> None:
        """One joint move in every game, and the boards around it."""
        self.steps += 1
        self.sums["return"] += rewards
        if "cooperation_rate" in self.sums:
            self.sums["cooperation_rate"] += actions == 0

        if self.has_coins:
            own, stolen = _pickups(self.game, *boards)
            self.sums["own_coins"] += xp.stack(own)
            self.sums["stolen_coins"] += xp.stack(stolen)
        if self.is_social:
            moves = xp.columns(actions)
            for name, amounts in counted(self.game, *boards, moves).items():
                self.sums[name] += xp.stack(amounts)

    def infos(self, ended: Array) -> dict[str, Any]:
        """Metrics float64 [B, N] of the games [B] that have just ended, 0 for others."""
        metrics = dict(self.sums)
        if self.is_social:
            metrics |= social_values(self.sums["return"])
        metrics = {name: values * ended[:, None] for name, values in metrics.items()}
        if "cooperation_rate" in metrics:
            metrics["cooperation_rate"] = metrics["cooperation_rate"] / (self.steps + 1e-300)
        return {"metrics": metrics, "_metrics": ended}


def _pickups(game: Any, before: Board, after: Board) -> tuple[list[Column], list[Column]]:
    return picked_up(game, before, after[: game.num_agents])
