"""Arguments of the Coin Game, checked before anything is made of them."""

import math
from typing import Any

from social_dilemmas_env.games.coin_rules import CoinGame
from social_dilemmas_env.modes import COIN_SWITCHES
from social_dilemmas_env.validation import finite, flag, horizon, integer, one_of

MAX_CODES = 1 << 62  # boards are counted in int64
MAX_REWARDS = 1 << 20  # different rewards, one code each: 13 players who split coins have more


def check_coin_game(game: CoinGame) -> None:
    """Checks the switches of the rules, and what it would cost.

    Raises:
        ValueError: an unknown switch, a board too small for the rules, too many states or rewards.
        TypeError: a switch of another type.
    """
    for name, known in COIN_SWITCHES.items():
        one_of(name, getattr(game, name), known)
    for name in ("coin_avoids_players", "distinct_starts", "stay", "walls"):
        flag(name, getattr(game, name))
    horizon(game.max_cycles)

    # The coins.
    if game.coins not in (1, game.num_agents):
        raise ValueError(
            f"coins must be 1 or num_agents ({game.num_agents}: one of each colour), "
            f"got {game.coins}"
        )
    if game.coins > 1 and game.coin_color == "random":
        raise ValueError(
            'coin_color="random" needs coins=1: with one coin for each player the colours are fixed'
        )

    # The board.
    distinct_players = game.num_agents * game.distinct_starts
    needed = game.num_agents + 1 if game.coin_avoids_players else distinct_players
    if game.cells < needed:
        raise ValueError(
            f"a {game.height}x{game.width} board is too small for {game.num_agents} players: "
            f"these rules need at least {needed} cells"
        )

    # What it would cost, before anything of that size is made.
    bits = (game.num_agents + game.coins) * math.log2(game.cells)
    if bits > math.log2(MAX_CODES) or math.prod(game.sizes) >= MAX_CODES:
        raise ValueError(
            f"{game.num_agents} players on a {game.height}x{game.width} board have too many "
            "states to count"
        )
    if game.most_parts >= MAX_REWARDS:
        raise ValueError(
            f'ties="split" among {game.num_agents} players cuts coins into {game.share} parts, '
            f"and makes more than {MAX_REWARDS} different rewards; at most 12 players can split"
        )


def board_sides(grid_size: Any) -> tuple[int, int]:
    """Height and width of a board, from a pair or one number.

    Raises:
        ValueError: neither, or a side below 2.
        TypeError: a side that is not an integer.
    """
    pair = grid_size if isinstance(grid_size, tuple | list) else (grid_size, grid_size)
    if len(pair) != 2:
        raise ValueError(
            f"grid_size must be an integer or a pair (height, width), got {grid_size!r}"
        )
    height, width = (integer("grid_size", side, 2) for side in pair)
    return height, width


def payoff_pair(payoffs: Any) -> tuple[float, float]:
    """What a coin gains whoever takes it, and what it loses its owner.

    Raises:
        ValueError: no pair, a gain below 0 or a loss above.
        TypeError: something that is no number.
    """
    if not isinstance(payoffs, tuple | list) or len(payoffs) != 2:
        raise ValueError(f"payoffs must be a pair (gain, loss), got {payoffs!r}")
    gain, loss = (finite("payoffs", payoff) for payoff in payoffs)
    if gain < 0 or loss > 0:
        raise ValueError(
            f"payoffs: the gain must be at least 0 and the loss at most 0, got {payoffs!r}"
        )
    return gain, loss
