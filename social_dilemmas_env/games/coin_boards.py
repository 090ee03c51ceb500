"""Boards of the Coin Game read back from observations, and who picked up what between two."""

from collections.abc import Sequence
from typing import Any

from social_dilemmas_env.games.coin_rules import CoinGame
from social_dilemmas_env.games.game import Board, Column


def board_columns(game: CoinGame) -> int:
    """How many columns of a board say where things are: players, coins, the owner of one coin."""
    return game.num_agents + game.coins + (game.coins == 1)


def board_of(game: CoinGame, observations: Any, player: int = 0) -> Board:
    """The board that `player` observes.

    Args:
        game: the rules; `game.view` says whether the planes are counted from `player` on or from
            player 0 on.
        observations: [B, 2 N, height, width], zeros and ones, or more planes, which are not read; a
            numpy array or a torch tensor.
        player: whose observations they are.

    Returns:
        The columns of players, coins and owner, int64 [B] each, in the numbering of the game, not
        of the player.
    """
    n, shift = game.num_agents, 0 if game.view == "joint" else player

    # Where the one stands in each plane.
    planes = observations.reshape(len(observations), -1, game.cells)[:, : 2 * n]
    peaks = planes.argmax(-1)
    order = [(i - shift) % n for i in range(n)]  # the plane of player i
    cells = [peaks[:, plane] for plane in order]

    # The coins: one plane each, or a single coin whose plane is its colour.
    if game.coins > 1:
        return (*cells, *[peaks[:, n + plane] for plane in order])
    coin = planes[:, n:].reshape(len(observations), -1).argmax(-1)
    return (*cells, coin % game.cells, (coin // game.cells + shift) % n)


def taken(game: CoinGame, coins: Sequence[Column], cells: Sequence[Column]) -> list[list[Column]]:
    """Per coin and player, 1 if the player got the coin, else 0.

    Args:
        game: the rules, which say who gets a coin that several players reach.
        coins: cells of the coins before the step; `game.cells` or more for none.
        cells: cells of the players after it.
    """
    return [game.takers([(cell == coin) * 1 for cell in cells]) for coin in coins]


def owned(game: CoinGame, board: Board, player: int) -> list[Column]:
    """Per coin on the board, 1 if it has the player's colour, else 0."""
    if game.coins > 1:
        return [int(c == player) for c in range(game.coins)]
    return [(board[game.num_agents + 1] == player) * 1]


def picked_up(
    game: CoinGame, before: Board, cells: Sequence[Column]
) -> tuple[list[Column], list[Column]]:
    """Per player, how many coins of their own colour they got in a step, and how many of others'.

    Args:
        game: the rules.
        before: the board before the step.
        cells: cells of the players after it.
    """
    n, own, other = game.num_agents, [], []
    got = taken(game, before[n : n + game.coins], cells)

    for i in range(n):
        pairs = [(players[i], m) for players, m in zip(got, owned(game, before, i), strict=True)]
        own.append(sum(mine * m for mine, m in pairs))
        other.append(sum(mine * (1 - m) for mine, m in pairs))
    return own, other
