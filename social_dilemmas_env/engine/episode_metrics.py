"""What `info_metrics=True` puts into infos at the end of an episode: sums over its steps.

    return            sum of the rewards, undiscounted
    cooperation_rate  fraction of moves that cooperate, where the game's words have such a move
    own_coins         Coin Game: coins of one's own colour that one picked up
    stolen_coins      Coin Game: coins of another's colour

They are the definitions of `social_dilemmas_env.metrics`, summed while the game is played.  Steps
before a `set_state` are not in them, for a `State` does not hold them.
"""

from collections.abc import Sequence
from typing import Any

from social_dilemmas_env.games.coin_boards import picked_up
from social_dilemmas_env.games.coin_rules import CoinGame
from social_dilemmas_env.games.game import Board, Column, Game

COOPERATE = ("cooperate", "stag", "dove")  # names of an action 0 that cooperates

Array = Any  # a numpy array or a torch tensor


def metric_names(game: Game) -> tuple[str, ...]:
    """The metrics that this game has."""
    cooperates = all(names[0] in COOPERATE for names in game.action_names)
    coins = ("own_coins", "stolen_coins") if isinstance(game, CoinGame) else ()
    return ("return", *(("cooperation_rate",) if cooperates else ()), *coins)


class OneGame:
    """The metrics of one running episode."""

    def __init__(self, game: Game):
        self.game, self.names = game, metric_names(game)
        self.has_coins = "own_coins" in self.names
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
        return totals


class ManyGames:
    """The metrics of B running episodes, as arrays [B, N]; `xp` is an engine's `Arrays`."""

    def __init__(self, game: Game, num_envs: int, xp: Any):
        self.game, self.names = game, metric_names(game)
        self.has_coins = "own_coins" in self.names
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

    def infos(self, ended: Array) -> dict[str, Any]:
        """Metrics float64 [B, N] of the games [B] that have just ended, 0 for others."""
        metrics = {name: sums * ended[:, None] for name, sums in self.sums.items()}
        if "cooperation_rate" in metrics:
            metrics["cooperation_rate"] = metrics["cooperation_rate"] / (self.steps + 1e-300)
        return {"metrics": metrics, "_metrics": ended}


def _pickups(game: Any, before: Board, after: Board) -> tuple[list[Column], list[Column]]:
    return picked_up(game, before, after[: game.num_agents])
