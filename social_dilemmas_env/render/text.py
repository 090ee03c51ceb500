"""A scene as plain text, for terminals and logs; no colours, so that a log stays readable."""

from collections.abc import Sequence

from social_dilemmas_env.games.coin import CoinGame
from social_dilemmas_env.render.describe import (
    clock,
    coin_counts,
    forgotten,
    has_table,
    last_actions,
    last_pickups,
    last_rewards,
    mean_label,
    means,
    nothing,
    number,
    own_coins,
    pickup_words,
    remembered,
    symbols,
    title,
)
from social_dilemmas_env.render.scene import Scene

STRIP = 64  # moves in a line of history


def scene_text(scene: Scene) -> str:
    """The scene as lines of text, without a final line break."""
    lines = [f"{title(scene)} ({scene.env_id})   {clock(scene)}", ""]
    if isinstance(scene.game, CoinGame):
        lines += [*board_lines(scene), "", *coin_lines(scene), ""]
    elif has_table(scene.game):
        lines += [*payoff_lines(scene), ""]
    lines += player_lines(scene)
    if not isinstance(scene.game, CoinGame):
        lines += ["", *history_lines(scene)]
    return "\n".join(line.rstrip() for line in lines)


def grid(rows: Sequence[Sequence[str]], left: int) -> list[str]:
    """Rows of cells as aligned lines.

    The first `left` columns flush left, the others flush right.
    """
    widths = [max(len(row[c]) for row in rows) for c in range(len(rows[0]))]
    return [
        "  ".join(
            f"{cell:<{w}}" if c < left else f"{cell:>{w}}"
            for c, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def player_lines(scene: Scene) -> list[str]:
    """One line a player: move, last reward, score, mean and, in the Coin Game, own coins."""
    actions, rewards = last_actions(scene), last_rewards(scene)
    coins = coin_counts(scene) if isinstance(scene.game, CoinGame) else None
    rows = [
        ["", "player", "move", "reward", "score", mean_label(scene)]
        + ["own coins"] * (coins is not None)
    ]
    for i, (name, mean) in enumerate(zip(scene.names, means(scene), strict=True)):
        move = scene.game.action_names[i][actions[i]] if actions else "-"
        reward = number(rewards[i], signed=True) if rewards else "-"
        row = [
            str(i),
            name,
            move,
            reward,
            number(scene.scores[i]),
            "-" if mean is None else number(mean),
        ]
        rows.append(row + ([f"{coins[i][i]} of {sum(coins[i])}"] if coins is not None else []))
    return grid(rows, left=3)


def history_lines(scene: Scene) -> list[str]:
    """One line a player: a mark for each remembered move, oldest first."""
    marks = [symbols(names) for names in scene.game.action_names]
    gap = "" if all(len(mark) == 1 for row in marks for mark in row) else " "
    rows = [["", f"history ({remembered(scene).replace('–', '-')})"]]
    for i, name in enumerate(scene.names):
        moves = scene.history[-STRIP:]
        rows.append(
            [
                str(i),
                f"{name:<{max(map(len, scene.names))}}  {gap.join(marks[i][m.actions[i]] for m in moves)}",
            ]
        )
    return grid(rows, left=2)


def payoff_lines(scene: Scene) -> list[str]:
    """The payoff table of this episode, player 0's actions down, player 1's across.

    The last cell in brackets.
    """
    (rows, columns), (down, across) = scene.game.num_actions, scene.game.action_names
    last = last_actions(scene)
    lines = [["", *[f" {name} " for name in across]]]
    for r in range(rows):
        cells = []
        for c in range(columns):
            pair = ", ".join(number(x) for x in scene.rewards[2 * (r * columns + c) :][:2])
            cells.append(f"[{pair}]" if last == (r, c) else f" {pair} ")
        lines.append([down[r], *cells])
    return [f"payoffs: 0 {scene.names[0]} down, 1 {scene.names[1]} across", *grid(lines, left=1)]


def board_lines(scene: Scene) -> list[str]:
    """The board: 0 is a player, (0) a coin of player 0."""
    game: CoinGame = scene.game  # type: ignore[assignment]
    n, cells = game.num_agents, [""] * game.cells
    for i, cell in enumerate(scene.board[:n]):
        cells[cell] += f",{i}" if cells[cell] else str(i)
    for c, coin in enumerate(scene.board[n : n + game.coins]):
        cells[coin] += f"({scene.board[n + 1] if game.coins == 1 else c})"
    width = max(5, *[len(cell) for cell in cells])
    rule = "+" + ("-" * width + "+") * game.width
    rows = [cells[r * game.width : (r + 1) * game.width] for r in range(game.height)]
    lines = [f"|{'|'.join(cell.center(width) for cell in row)}|\n{rule}" for row in rows]
    legend = "0: player 0; (0): a coin of player 0; the board wraps around"
    return [rule, *[line for block in lines for line in block.split("\n")], legend]


def coin_lines(scene: Scene) -> list[str]:
    """Who took what in the last step, and the share of own coins so far."""
    took = [pickup_words(scene, pickup) for pickup in last_pickups(scene)]
    own, total = own_coins(coin_counts(scene))
    share = f"own coins: {own} of {total} ({own / total:.0%})" if total else "own coins: none taken"
    share += forgotten(scene)
    return [
        f"last step: {'; '.join(took) or ('no coin taken' if scene.history else nothing(scene))}",
        share,
    ]
