"""A game in words: its rules, and what one player sees of it.

A game of one's own may say what a player sees itself, by a method
`observation_text(observation, player) -> str`.
"""

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from social_dilemmas_env.games.coin_boards import board_of
from social_dilemmas_env.games.coin_rules import CoinGame
from social_dilemmas_env.games.game import Game, decode, encode, random_end
from social_dilemmas_env.games.matrix import MatrixGame
from social_dilemmas_env.games.public_goods import PublicGoods
from social_dilemmas_env.games.switches import action_noise
from social_dilemmas_env.registry import spec
from social_dilemmas_env.render.describe import format_number

MAX_LINES = 64  # of a payoff table in words


def rules_text(env_id: str, player: int = 0, **game_kwargs: Any) -> str:
    """The rules, for the player that sits in a seat.

    Args:
        env_id: see `list_envs`.
        player: the seat.
        **game_kwargs: the game's arguments.
    """
    entry, game = spec(env_id), spec(env_id).game(**game_kwargs)
    names, players = game.action_names[player], len(game.num_actions)
    others = [other_name(i, player) for i in range(players) if i != player]
    lines = [
        f"You play a repeated game: {entry.title}.",
        f"You are player_{player}. The other players: {', '.join(others) or 'none'}.",
        f"All players choose at the same time. {_length(game)}",
        "",
        *_description(entry.page),
        *_switches(game),
        *payoff_lines(game, player),
        f"Your actions: {', '.join(names)}.",
        "You want the sum of your own rewards over all steps to be as large as possible.",
        'Answer with one action, in a line of its own: "ACTION: ' + names[0] + '", for example.',
    ]
    return "\n".join(lines)


def _length(game: Game) -> str:
    """How long an episode is, and what becomes of actions where hands tremble."""
    steps, goes_on = game.max_cycles, getattr(game, "continuation", None)
    if goes_on is not None:
        text = f"After each step the game goes on with probability {goes_on:g}, to step {steps} at "
        text += "most."
    elif random_end(game) is not None:
        text = f"The game has at most {steps} steps, and may end before."
    else:
        text = f"The game has {steps} steps."
    if noise := action_noise(game):
        text += f" With probability {noise:g} an action is exchanged for a random one."
    return text


def other_name(other: int, player: int) -> str:
    """What a player is called in texts for another."""
    return "you" if other == player else f"player_{other}"


def _description(page: str) -> list[str]:
    """The numbered rules of the game's page."""
    _, found, rest = page.partition("## Description")
    text = rest.partition("\n## ")[0].strip() if found else ""
    return [line.strip() for line in text.splitlines()] + [""] if text else []


def _switches(game: Game) -> list[str]:
    """The values of what the description names."""
    named: list[str] = [field.name for field in fields(game)] if is_dataclass(game) else []
    pairs = [(name, getattr(game, name)) for name in named]
    plain = [f"{name}={value}" for name, value in pairs if isinstance(value, str | int | float)]
    return [f"Here: {', '.join(plain)}.", ""] if plain else []


def payoff_lines(game: Game, player: int) -> list[str]:
    """What each joint action pays, for small matrix games."""
    if not isinstance(game, MatrixGame) or np.prod(game.num_actions) > MAX_LINES:
        return []
    players = len(game.num_actions)
    lines = ["Rewards of a step:"]
    for joint in range(int(np.prod(game.num_actions))):
        actions = decode(joint, game.num_actions)
        did = _who_did_what(game, player, actions)
        paid = [game.reward_values[joint * players + n] for n in range(players)]
        got = ", ".join(
            f"{other_name(n, player)} {format_number(paid[n])}" for n in _own_first(players, player)
        )
        lines.append(f"- {did}: {got}")
    return [*lines, ""]


def _own_first(players: int, player: int) -> list[int]:
    return [player, *(n for n in range(players) if n != player)]


def _who_did_what(game: Game, player: int, actions: tuple[int, ...]) -> str:
    order = _own_first(len(actions), player)
    return ", ".join(f"{other_name(n, player)} {game.action_names[n][actions[n]]}" for n in order)


def observation_text(game: Game, observation: Any, player: int = 0) -> str:
    """What one player sees, in words.

    Args:
        game: the rules.
        observation: [*observation_shape], or flat; of that player.
        player: the seat.

    Raises:
        ValueError: an observation of another game.
    """
    own = getattr(game, "observation_text", None)
    seen = np.asarray(observation)
    if seen.size != int(np.prod(game.observation_shape)):
        raise ValueError(
            f"observations of this game have {int(np.prod(game.observation_shape))} numbers, "
            f"this one has {seen.size}"
        )
    if own is not None:
        return str(own(seen, player))
    if isinstance(game, CoinGame):
        return _coin_text(game, seen, player)

    state = int(seen.reshape(-1).argmax())
    if isinstance(game, MatrixGame):
        return _matrix_text(game, state, player)
    if isinstance(game, PublicGoods):
        return _public_goods_text(game, state)
    return f"You see ones at the positions {np.flatnonzero(seen.reshape(-1)).tolist()}."


def _coin_text(game: CoinGame, seen: np.ndarray, player: int) -> str:
    """Where everybody stands, in words and as a map."""
    planes = seen.reshape(1, -1, game.height, game.width)  # a memory's planes are not read
    board = [int(column[0]) for column in board_of(game, planes, player)]
    n = game.num_agents

    edge = "walls all round" if game.walls else "who leaves it on one side comes back on the other"
    lines = [
        f"The board has {game.height} rows and {game.width} columns, counted from 0 at the upper "
        f"left; {edge}."
    ]
    # A sentence for everybody and for every coin, and what stands in each cell.
    contents: dict[int, list[str]] = {}
    for i in _own_first(n, player):
        verb = "are" if i == player else "is"
        lines.append(f"{other_name(i, player).capitalize()} {verb} at {_place(game, board[i])}.")
        contents.setdefault(board[i], []).append("you" if i == player else f"p{i}")
    for c in range(game.coins):
        owner = board[n + 1] if game.coins == 1 else c
        whose = "your" if owner == player else f"player_{owner}'s"
        lines.append(f"A coin lies at {_place(game, board[n + c])}: {whose} coin.")
        contents.setdefault(board[n + c], []).append("$you" if owner == player else f"$p{owner}")

    # The map, its columns of one width.
    cells = [" ".join(contents.get(cell, ["."])) for cell in range(game.cells)]
    width = max(map(len, cells))
    rows = [cells[row * game.width : (row + 1) * game.width] for row in range(game.height)]
    return "\n".join([*lines, *("| ".join(cell.ljust(width) for cell in row) for row in rows)])


def _place(game: CoinGame, cell: int) -> str:
    row, column = divmod(cell, game.width)
    return f"row {row}, column {column}"


def _matrix_text(game: MatrixGame, state: int, player: int) -> str:
    """The last joint action."""
    if state == 0:
        return "Nothing has been played yet."
    shift = 0 if game.view == "joint" else player
    counts = game.num_actions[shift:] + game.num_actions[:shift]
    turned = decode(state - 1, counts)
    players = len(counts)
    actions = tuple(int(turned[(n - shift) % players]) for n in range(players))

    joint = int(encode(actions, game.num_actions))
    paid = game.reward_values[joint * players + player]
    noise = ", but for a little noise" if game.reward_noise else ""
    did = _who_did_what(game, player, actions)
    return f"In the last step: {did}. It paid you {format_number(paid)}{noise}."


def _public_goods_text(game: PublicGoods, state: int) -> str:
    """The own move, and how many others contributed."""
    if state == 0:
        return "Nothing has been played yet."
    mine, fewer = divmod(state - 1, game.num_agents)
    others = game.num_agents - 1 - fewer
    did = game.action_names[0][mine]
    paid = game.factor * (others + 1 - mine) / game.num_agents - (1 - mine)
    return (
        f"In the last step: you {did}, and {others} of {game.num_agents - 1} others cooperated. "
        f"It paid you {format_number(paid)}."
    )
