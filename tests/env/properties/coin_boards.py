"""Hypothesis strategies for Coin Games, boards and moves, and what symmetries do to them."""

import math
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

import social_dilemmas_env as sde
from social_dilemmas_env import rng
from social_dilemmas_env.games.coin_rules import CoinGame

fast = settings(max_examples=300, deadline=None, derandomize=True)


class Choices:
    """Choices read off a byte string: one draw of hypothesis instead of twenty, and it still
    shrinks to the simplest."""

    def __init__(self, data: bytes):
        self.data = iter(data)

    def below(self, n: int) -> int:
        """An integer in [0, n), 0 when the string is used up."""
        return next(self.data, 0) % n

    def among(self, *options: Any) -> Any:
        """One of the options."""
        return options[self.below(len(options))]


def game_from(choices: Choices, max_players: int = 4, **fixed: Any) -> CoinGame:
    """Rules with any switches that fit together."""
    players = 2 + choices.below(max_players - 1)
    height, width = 2 + choices.below(4), 2 + choices.below(4)
    if height * width <= players:
        height = players
    switches: dict[str, Any] = {
        "coins": choices.among(1, players),
        "ties": choices.among("both", "red", "split"),
        "coin_color": choices.among("alternate", "random"),
        "coin_avoids_players": choices.among(True, False),
        "distinct_starts": choices.among(False, True),
        "moves": choices.among("LRUD", "RLDU"),
        "view": choices.among("ego", "joint"),
        **fixed,
    }
    if switches["coins"] > 1:
        switches["coin_color"] = "alternate"
    return sde.spec("coin_game_v0").game(grid_size=(height, width), num_agents=players, **switches)  # type: ignore


def position_from(data: bytes, **fixed: Any) -> tuple[CoinGame, tuple[int, ...], list[int]]:
    """A game, a board of it (reachable or not) and a joint action.  Meetings are made likely."""
    choices = Choices(data)
    game = game_from(choices, **fixed)
    few = [choices.below(game.cells) for _ in range(3)]
    cells = [choices.among(*few) for _ in range(game.num_agents)]
    actions = [choices.below(4) for _ in cells]
    likely = [*few, *map(game.move, cells, actions)]
    coins = [choices.among(*likely) for _ in range(game.coins)]
    owner = [choices.below(game.num_agents)] if game.coins == 1 else []
    return game, (*cells, *coins, *owner), actions


def coin_games(**fixed: Any) -> Any:
    """Strategy: rules."""
    return st.binary(min_size=10, max_size=10).map(lambda data: game_from(Choices(data), **fixed))


def positions(**fixed: Any) -> Any:
    """Strategy: (rules, board, joint action)."""
    return st.binary(min_size=30, max_size=30).map(lambda data: position_from(data, **fixed))


def words(seed: int) -> Any:
    """A `draw` for the rules: uniform columns from fixed words."""
    return lambda stream, n: rng.bounded(rng.draw(seed, stream), n) if n > 1 else 0


def outcomes(game: CoinGame, board: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Every board that chance can make of a marked board, each as often as it is likely.

    None if there are too many.
    """
    counts = game.chances(board)
    return sorted(
        tuple(game.chance(board, lambda stream, n, digits=digits: int(digits[stream])))
        for digits in np.ndindex(*counts)
    )


def few_outcomes(game: CoinGame, board: tuple[int, ...]) -> bool:
    """Whether they can be listed."""
    return math.prod(game.chances(board)) <= 400


def rotated(game: CoinGame, board: tuple[int, ...], k: int) -> tuple[int, ...]:
    """The board if player k were player 0, k + 1 were 1, and so on."""
    n = game.num_agents
    cells, coins, owner = board[:n], board[n : n + game.coins], board[n + game.coins :]
    cells = cells[k:] + cells[:k]
    if owner:
        return (*cells, *coins, owner[0] if owner[0] == n else (owner[0] - k) % n)
    return (*cells, *coins[k:], *coins[:k])


def moved(game: CoinGame, board: tuple[int, ...], where: Any) -> tuple[int, ...]:
    """The board with every cell (row, column) put where `where(row, column)` says.

    Marks and the owner stay.
    """
    columns = []
    for value, name in zip(board, game.columns, strict=True):
        if name != "owner" and value < game.cells:
            row, column = where(*divmod(value, game.width))
            value = row % game.height * game.width + column % game.width
        columns.append(value)
    return tuple(columns)
