"""A scene as plain text, for terminals and logs; no colours, so that a log stays readable."""

from collections.abc import Sequence

from social_dilemmas_env.games.coin_rules import CoinGame
from social_dilemmas_env.games.commons.game import CommonsGame
from social_dilemmas_env.games.game import caption
from social_dilemmas_env.render.commons import commons_lines
from social_dilemmas_env.render.describe import (
    action_symbols,
    coin_counts,
    format_number,
    has_payoff_table,
    history_note,
    history_span,
    last_actions,
    last_pickups,
    last_rewards,
    mean_label,
    mean_rewards,
    no_moves_text,
    own_coins,
    pickup_text,
    step_text,
    title,
)
from social_dilemmas_env.render.scene import Scene

STRIP = 64  # moves in a line of history, at most


def scene_text(scene: Scene) -> str:
    """The scene as lines of text, without a final line break."""
    lines = [f"{title(scene)} ({scene.env_id})   {step_text(scene)}", ""]
    if isinstance(scene.game, CoinGame):
        lines += [*board_lines(scene), "", *coin_lines(scene), ""]
    elif isinstance(scene.game, CommonsGame):
        lines += [*commons_lines(scene), ""]
    elif has_payoff_table(scene.game):
        lines += [*payoff_lines(scene), ""]
    elif spoken := caption(scene.game, scene.board):
        lines += [spoken, ""]
    lines += player_lines(scene)
    if not isinstance(scene.game, CoinGame):
        lines += ["", *history_lines(scene)]
    return "\n".join(line.rstrip() for line in lines)


def grid(rows: Sequence[Sequence[str]], left: int) -> list[str]:
    """Rows of cells as aligned lines.

    The first `left` columns flush left, the others flush right.
    """
    widths = [max(len(row[c]) for row in rows) for c in range(len(rows[0]))]

    def line(row: Sequence[str]) -> str:
        cells = [
            cell.ljust(width) if c < left else cell.rjust(width)
            for c, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return "  ".join(cells)

    return [line(row) for row in rows]


def player_lines(scene: Scene) -> list[str]:
    """One line a player: move, last reward, score, mean and, in the Coin Game, own coins."""
    actions, rewards = last_actions(scene), last_rewards(scene)
    header = ["", "player", "move", "reward", "score", mean_label(scene)]
    rows = [header]
    for i, (name, mean) in enumerate(zip(scene.names, mean_rewards(scene), strict=True)):
        move = scene.game.action_names[i][actions[i]] if actions else "-"
        reward = format_number(rewards[i], signed=True) if rewards else "-"
        average = "-" if mean is None else format_number(mean)
        rows.append([str(i), name, move, reward, format_number(scene.scores[i]), average])

    # A column more in the Coin Game.
    if isinstance(scene.game, CoinGame):
        header.append("own coins")
        for i, counts in enumerate(coin_counts(scene)):
            rows[1 + i].append(f"{counts[i]} of {sum(counts)}")

    return grid(rows, left=3)


def history_lines(scene: Scene) -> list[str]:
    """One line a player: a mark for each remembered move, oldest first."""
    marks = [action_symbols(names) for names in scene.game.action_names]
    gap = "" if all(len(mark) == 1 for row in marks for mark in row) else " "
    width = max(map(len, scene.names))

    rows = [["", f"history ({history_span(scene).replace('–', '-')})"]]
    for i, name in enumerate(scene.names):
        moves = [marks[i][move.actions[i]] for move in scene.history[-STRIP:]]
        rows.append([str(i), f"{name:<{width}}  {gap.join(moves)}"])

    return grid(rows, left=2)


def payoff_lines(scene: Scene) -> list[str]:
    """The payoff table of this episode, player 0's actions down, player 1's across.

    The last cell in brackets.
    """
    (rows, columns), (down, across) = scene.game.num_actions, scene.game.action_names
    last = last_actions(scene)

    lines = [["", *[f" {name} " for name in across]]]
    for row in range(rows):
        cells = []
        for column in range(columns):
            joint = 2 * (row * columns + column)  # of player 0's reward; player 1's follows
            pair = ", ".join(format_number(x) for x in scene.rewards[joint : joint + 2])
            cells.append(f"[{pair}]" if last == (row, column) else f" {pair} ")
        lines.append([down[row], *cells])

    header = f"payoffs: 0 {scene.names[0]} down, 1 {scene.names[1]} across"
    return [header, *grid(lines, left=1)]


def board_lines(scene: Scene) -> list[str]:
    """The board: 0 is a player, (0) a coin of player 0."""
    game: CoinGame = scene.game  # type: ignore[assignment]
    n, cells = game.num_agents, [""] * game.cells

    # What stands in each cell: the players, then the coins.
    for i, cell in enumerate(scene.board[:n]):
        cells[cell] += f",{i}" if cells[cell] else str(i)
    for c, coin in enumerate(scene.board[n : n + game.coins]):
        owner = scene.board[n + 1] if game.coins == 1 else c
        cells[coin] += f"({owner})"

    # The cells, all of one width, between rules.
    width = max(5, *[len(cell) for cell in cells])
    rule = "+" + ("-" * width + "+") * game.width
    lines = [rule]
    for row in range(game.height):
        texts = [cell.center(width) for cell in cells[row * game.width : (row + 1) * game.width]]
        lines += [f"|{'|'.join(texts)}|", rule]

    legend = "0: player 0; (0): a coin of player 0; the board wraps around"
    return [*lines, legend]


def coin_lines(scene: Scene) -> list[str]:
    """Who took what in the last step, and the share of own coins so far."""
    took = "; ".join(pickup_text(scene, pickup) for pickup in last_pickups(scene))
    none_taken = "no coin taken" if scene.history else no_moves_text(scene)

    own, total = own_coins(coin_counts(scene))
    share = f"own coins: {own} of {total} ({own / total:.0%})" if total else "own coins: none taken"
    return [f"last step: {took or none_taken}", share + history_note(scene)]
