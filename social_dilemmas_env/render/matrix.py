"""Picture of a repeated game of two players with few actions: payoff table, players, past moves."""

from typing import NamedTuple

from social_dilemmas_env.render.canvas import Box, Canvas, Paint, Type, rounded_up, text_width
from social_dilemmas_env.render.describe import last_actions, number, typeset
from social_dilemmas_env.render.palette import CARD, INK, LINE, LIT, MUTED, player_ink
from social_dilemmas_env.render.scene import Scene
from social_dilemmas_env.render.widgets import (
    GAP,
    HEAD,
    MARGIN,
    WIDTH,
    head,
    player_card,
    strip,
    strip_height,
)

TABLE = Box(MARGIN, HEAD, 344, 264)
ACROSS = 62  # height of the head of the table
CARDS = Box(MARGIN + 344 + 16, HEAD, WIDTH - 2 * MARGIN - 360, 264)
ROW = 20  # of the strip
HEIGHT = rounded_up(HEAD + 264 + 16 + strip_height(2, ROW) + MARGIN - 4)


class Table(NamedTuple):
    """Where the cells of a payoff table are."""

    rows: int
    columns: int
    left: int  # of the first cell
    top: int
    width: int  # of a cell
    height: int

    def cell(self, row: int, column: int) -> Box:
        """The box of a cell."""
        return Box(
            self.left + column * self.width,
            self.top + row * self.height,
            self.width - 4,
            self.height - 4,
        )


def matrix_picture(scene: Scene) -> Canvas:
    """Draws the scene."""
    canvas = Canvas(WIDTH, HEIGHT)
    head(canvas, scene)
    payoff_table(canvas, scene, table_of(scene))
    height = (CARDS.height - GAP) // 2
    for player in range(2):
        player_card(
            canvas,
            scene,
            player,
            Box(CARDS.x, CARDS.y + player * (height + GAP), CARDS.width, height),
        )
    strip(canvas, scene, HEAD + 264 + 16, ROW)
    return canvas


def table_of(scene: Scene) -> Table:
    """Cells as large as the room allows, beside the names of player 0's actions."""
    rows, columns = scene.game.num_actions
    longest = max(text_width(name, 15) for name in scene.game.action_names[0])
    side = min(max(longest + 12, 40), 112)
    width, height = (TABLE.width - side + 4) // columns, (TABLE.height - ACROSS + 4) // rows
    return Table(
        rows, columns, TABLE.x + TABLE.width - columns * width + 4, TABLE.y + ACROSS, width, height
    )


def payoff_table(canvas: Canvas, scene: Scene, table: Table) -> None:
    """The table of this episode: player 0's actions down, player 1's across, the cell just played
    lit.
    """
    last = last_actions(scene)
    heads(canvas, scene, table)
    size = payoff_size(scene, table)
    for row in range(table.rows):
        for column in range(table.columns):
            box, lit = table.cell(row, column), last == (row, column)
            canvas.box(box, Paint(LIT, 8, INK, 2) if lit else Paint(CARD, 8, LINE))
            joint = 2 * (row * table.columns + column)
            payoffs(canvas, box, scene.rewards[joint : joint + 2], size)


def heads(canvas: Canvas, scene: Scene, table: Table) -> None:
    """Badges of the players and the names of their actions; those just played dark."""
    last = last_actions(scene) or (-1, -1)
    down, across = scene.game.action_names
    middle = table.left + (table.columns * table.width - 4) / 2
    canvas.badge(middle, TABLE.y + 13, 1, 24)
    room = table.left - TABLE.x - 10
    canvas.badge(TABLE.x + 12, table.top - 16, 0, 24)
    for row, name in enumerate(down):
        color = INK if last[0] == row else MUTED
        box = table.cell(row, 0)
        canvas.text(TABLE.x, box.y + box.height / 2, name, Type(15, color, width=room))
    for column, name in enumerate(across):
        color = INK if last[1] == column else MUTED
        box = table.cell(0, column)
        canvas.text(
            box.x + box.width / 2, table.top - 16, name, Type(15, color, "center", box.width)
        )


def payoff_size(scene: Scene, table: Table) -> int:
    """The largest size in which the two numbers of every cell fit."""
    box, numbers = table.cell(0, 0), [typeset(number(x)) for x in scene.rewards]
    for size in (26, 24, 22, 20, 18, 16, 14, 13, 12, 11, 10):
        widest = max(text_width(words, size) for words in numbers)
        if widest <= (0.58 if size > 13 else 0.72) * box.width and 2.3 * size <= box.height:
            return size
    return 9


def inset(box: Box) -> int:
    """Space between the numbers and the sides of a cell."""
    return max(box.width // 12, 4)


def payoffs(canvas: Canvas, box: Box, pair: tuple[float, ...], size: int) -> None:
    """Two rewards: player 0's to the lower left, player 1's to the upper right, each in the
    player's colour.
    """
    x, y, rise = box.x + box.width / 2, box.y + box.height / 2, min(box.height * 0.21, size * 0.9)
    for player, side in ((0, -1), (1, 1)):
        words = typeset(number(pair[player]))
        reach = min(0.24 * box.width, box.width / 2 - inset(box) - text_width(words, size) / 2)
        canvas.text(
            x + side * reach, y - side * rise, words, Type(size, player_ink(player, LIT), "center")
        )
