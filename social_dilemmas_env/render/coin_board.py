"""The board of the Coin Game: cells, the last move, coins and players."""

from collections import defaultdict
from typing import NamedTuple

from social_dilemmas_env.games.coin_rules import STEPS, CoinGame
from social_dilemmas_env.render.canvas import Box, Canvas
from social_dilemmas_env.render.coin_layout import Layout, middle_of
from social_dilemmas_env.render.describe import last_pickups, last_rewards
from social_dilemmas_env.render.palette import (
    CARD,
    LINE,
    MUTED,
    QUIET,
    Color,
    mix,
    player_color,
    player_shape,
)
from social_dilemmas_env.render.scene import Scene
from social_dilemmas_env.render.sprites import BoxStyle
from social_dilemmas_env.render.widgets import draw_chip, reward_chip

SIGN: Color = mix(LINE, MUTED, 0.35)  # of the arrowheads around the board
SIGN_SIZE = 9
BEYOND = 6  # pixels that a path may reach beyond the edge of the board
CHIPPED = 30  # least size of a player whose last reward is shown on the board


class Piece(NamedTuple):
    """Something on the board: a player or a coin, its middle and its size."""

    kind: str  # "pawn" or "coin"
    player: int  # who it is, or whose it is
    x: float
    y: float
    size: int


def draw_cells(canvas: Canvas, game: CoinGame, layout: Layout) -> None:
    """The empty cells and, where the board wraps around, arrowheads around them.

    Who leaves on one side comes back on the other.
    """
    cell, inset = layout.cell, 2 if layout.cell >= 40 else 1
    high, wide = game.height * cell, game.width * cell

    # The board and its cells.
    board = Box(layout.x - 3, layout.y - 3, wide + 6, high + 6)
    canvas.box(board, BoxStyle(CARD, radius=9, border=LINE))
    style, side = BoxStyle(QUIET, radius=min(7, cell // 5)), cell - 2 * inset
    for index in range(game.cells):
        x, y = middle_of(game, layout, index)
        canvas.box(Box(round(x - cell / 2) + inset, round(y - cell / 2) + inset, side, side), style)

    if game.walls:
        return

    # The signs of the torus: left and right of each row, above and below each column.
    for row in range(game.height):
        y = middle_of(game, layout, row * game.width)[1]
        canvas.arrowhead((layout.x - 10, y), SIGN_SIZE, "left", SIGN)
        canvas.arrowhead((layout.x + wide + 10, y), SIGN_SIZE, "right", SIGN)
    for column in range(game.width):
        x = middle_of(game, layout, column)[0]
        canvas.arrowhead((x, layout.y - 10), SIGN_SIZE, "up", SIGN)
        canvas.arrowhead((x, layout.y + high + 10), SIGN_SIZE, "down", SIGN)


def draw_last_move(canvas: Canvas, scene: Scene, layout: Layout) -> None:
    """A pale emblem where a coin lay, and each player's path."""
    game: CoinGame = scene.game  # type: ignore[assignment]

    for pickup in last_pickups(scene):
        x, y = middle_of(game, layout, pickup.cell)
        pale = mix(QUIET, player_color(pickup.owner), 0.35)
        shape = f"badge_{player_shape(pickup.owner)}"
        canvas.sprite((x, y), shape, pale, round(layout.cell * 0.94))

    move = scene.history[-1]
    for player, action in enumerate(move.actions):
        draw_path(canvas, game, layout, (player, move.board[player], action))


def draw_path(canvas: Canvas, game: CoinGame, layout: Layout, step: tuple[int, int, int]) -> None:
    """A bar from a player's last cell to the new one; around the torus it is cut in two.

    Args:
        canvas: to draw on.
        game: the rules.
        layout: where the cells are.
        step: the player, the cell before, the action.
    """
    player, cell, action = step
    if game.move(cell, action) == cell:
        return  # it stayed, or a wall stopped it
    rows, columns = STEPS[game.letters[action]]

    # A few players have a lane each, so that their paths do not cover each other.
    thick = min(max(round(layout.cell * 0.07), 3), 8)
    lane = (player - (game.num_agents - 1) / 2) * thick * 1.4 if game.num_agents <= 4 else 0.0

    # One leg, or two: off the board on one side, and onto it from the other.
    start, end = middle_of(game, layout, cell), middle_of(game, layout, game.move(cell, action))
    x, y = start[0] + columns * layout.cell, start[1] + rows * layout.cell
    far = (end[0] - columns * layout.cell, end[1] - rows * layout.cell)
    legs = [(start, (x, y))] if (x, y) == end else [(start, (x, y)), (far, end)]

    # Each leg is a thin box.
    color = mix(QUIET, player_color(player), 0.55)
    for a, b in legs:
        left, right = sorted((a[0], b[0]))
        top, low = sorted((a[1], b[1]))
        bar = Box(round(left), round(top + lane - thick / 2), round(right - left), thick)
        if rows:
            bar = Box(round(left + lane - thick / 2), round(top), thick, round(low - top))
        canvas.box(clipped(bar, game, layout), BoxStyle(color, radius=thick // 2))


def clipped(bar: Box, game: CoinGame, layout: Layout) -> Box:
    """The part of a bar on the board and a little beyond its edge."""
    left, top = max(bar.x, layout.x - BEYOND), max(bar.y, layout.y - BEYOND)
    right = min(bar.x + bar.width, layout.x + game.width * layout.cell + BEYOND)
    low = min(bar.y + bar.height, layout.y + game.height * layout.cell + BEYOND)
    return Box(left, top, right - left, low - top)


def pieces_of(scene: Scene, layout: Layout) -> list[Piece]:
    """Where the coins and the players are drawn.

    Those on one cell side by side, so that all are seen.
    """
    game: CoinGame = scene.game  # type: ignore[assignment]
    n = game.num_agents

    # What is in each cell: coins, then players.
    contents: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for index, cell in enumerate(scene.board[n : n + game.coins]):
        owner = scene.board[n + 1] if game.coins == 1 else index
        contents[cell].append(("coin", owner))
    for player, cell in enumerate(scene.board[:n]):
        contents[cell].append(("pawn", player))

    pieces = []
    for cell, kinds in contents.items():
        x, y = middle_of(game, layout, cell)
        for (kind, player), (dx, dy, share) in zip(kinds, arrangement(len(kinds)), strict=True):
            size = round(layout.cell * share * (0.92 if kind == "coin" else 1.0))
            pieces.append(Piece(kind, player, x + dx * layout.cell, y + dy * layout.cell, size))
    return pieces


def arrangement(count: int) -> list[tuple[float, float, float]]:
    """Places for so many things in a cell of side 1: x and y from its middle, and a size."""
    if count == 1:
        return [(0.0, 0.0, 0.76)]

    # The smallest square that holds them.
    across = 2
    while across * across < count:
        across += 1
    rows = -(-count // across)

    places = []
    for k in range(count):
        row = k // across
        in_row = min(across, count - row * across)
        x = (k % across - (in_row - 1) / 2) * 0.92 / across
        y = (row - (rows - 1) / 2) * 0.92 / across
        places.append((x, y, 0.9 / across))
    return places


def draw_pieces(canvas: Canvas, scene: Scene, layout: Layout) -> None:
    """Coins, players, and what the players got in the last step."""
    rewards = last_rewards(scene) or (0.0,) * len(scene.names)
    pieces = pieces_of(scene, layout)

    for piece in pieces:
        draw = canvas.coin if piece.kind == "coin" else canvas.pawn
        draw(piece.x, piece.y, piece.player, piece.size)

    # Rewards over everything else: beside the head of a player alone in a cell, else above it.
    for piece in pieces:
        if piece.kind == "pawn" and rewards[piece.player] and piece.size >= CHIPPED:
            chip = reward_chip(rewards[piece.player], max(round(piece.size * 0.19), 11))
            alone = piece.size > 0.6 * layout.cell
            right, up = (0.34, 0.36) if alone else (0.0, 0.62)
            draw_chip(canvas, piece.x + piece.size * right, piece.y - piece.size * up, chip)
