"""Picture of a repeated game of two players with few actions: payoff table, players, past moves."""

from typing import NamedTuple

from social_dilemmas_env.render.canvas import Box, Canvas, rounded_up
from social_dilemmas_env.render.describe import format_number, last_actions, with_minus_signs
from social_dilemmas_env.render.lettering import TextStyle, text_width
from social_dilemmas_env.render.palette import CARD, INK, LINE, LIT, MUTED, player_ink
from social_dilemmas_env.render.scene import Scene
from social_dilemmas_env.render.sprites import BoxStyle
from social_dilemmas_env.render.widgets import (
    GAP,
    HEADER,
    MARGIN,
    WIDTH,
    draw_header,
    draw_player_card,
    draw_strip,
    strip_height,
)

TABLE = Box(MARGIN, HEADER, 344, 264)
TABLE_HEAD = 62  # height of the head of the table
CARDS = Box(MARGIN + 344 + 16, HEADER, WIDTH - 2 * MARGIN - 360, 264)
STRIP_TOP = HEADER + 264 + 16
STRIP_ROW = 20  # height of a row of the strip
HEIGHT = rounded_up(STRIP_TOP + strip_height(2, STRIP_ROW) + MARGIN - 4)
PAYOFF_SIZES = (26, 24, 22, 20, 18, 16, 14, 13, 12, 11, 10)  # the largest that fits; else 9


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
        x, y = self.left + column * self.width, self.top + row * self.height
        return Box(x, y, self.width - 4, self.height - 4)


def matrix_picture(scene: Scene, scale: int = 1) -> Canvas:
    """Draws the scene, `scale` times as large as it is laid out."""
    canvas = Canvas(WIDTH, HEIGHT, scale)
    draw_header(canvas, scene)
    draw_payoff_table(canvas, scene, table_of(scene))

    # The players, one above the other.
    height = (CARDS.height - GAP) // 2
    for player in range(2):
        card = Box(CARDS.x, CARDS.y + player * (height + GAP), CARDS.width, height)
        draw_player_card(canvas, scene, player, card)

    draw_strip(canvas, scene, STRIP_TOP, STRIP_ROW)
    return canvas


def table_of(scene: Scene) -> Table:
    """Cells as large as the room allows, beside the names of player 0's actions."""
    rows, columns = scene.game.num_actions
    longest = max(text_width(name, 15) for name in scene.game.action_names[0])
    side = min(max(longest + 12, 40), 112)

    width, height = (TABLE.width - side + 4) // columns, (TABLE.height - TABLE_HEAD + 4) // rows
    left = TABLE.x + TABLE.width - columns * width + 4
    return Table(rows, columns, left, TABLE.y + TABLE_HEAD, width, height)


def draw_payoff_table(canvas: Canvas, scene: Scene, table: Table) -> None:
    """The payoffs of this episode: player 0's actions down, player 1's across.

    The cell just played is lit.
    """
    last = last_actions(scene)
    draw_table_heads(canvas, scene, table)

    size = payoff_size(scene, table)
    for row in range(table.rows):
        for column in range(table.columns):
            box, lit = table.cell(row, column), last == (row, column)
            canvas.box(box, BoxStyle(LIT, 8, INK, 2) if lit else BoxStyle(CARD, 8, LINE))
            joint = 2 * (row * table.columns + column)  # of player 0's reward; player 1's follows
            draw_payoffs(canvas, box, scene.rewards[joint : joint + 2], size)


def draw_table_heads(canvas: Canvas, scene: Scene, table: Table) -> None:
    """Badges of the players and the names of their actions; those just played dark."""
    last = last_actions(scene) or (-1, -1)
    down, across = scene.game.action_names

    # Badges: player 1 above the middle, player 0 beside the first row.
    middle = table.left + (table.columns * table.width - 4) / 2
    canvas.badge(middle, TABLE.y + 13, 1, 24)
    canvas.badge(TABLE.x + 12, table.top - 16, 0, 24)

    # Names of player 0's actions.
    room = table.left - TABLE.x - 10
    for row, name in enumerate(down):
        color = INK if last[0] == row else MUTED
        box = table.cell(row, 0)
        canvas.text(TABLE.x, box.y + box.height / 2, name, TextStyle(15, color, width=room))

    # Names of player 1's actions.
    for column, name in enumerate(across):
        color = INK if last[1] == column else MUTED
        box = table.cell(0, column)
        style = TextStyle(15, color, "center", box.width)
        canvas.text(box.x + box.width / 2, table.top - 16, name, style)


def payoff_size(scene: Scene, table: Table) -> int:
    """The largest size in which the two numbers of every cell fit."""
    box = table.cell(0, 0)
    numbers = [with_minus_signs(format_number(reward)) for reward in scene.rewards]
    for size in PAYOFF_SIZES:
        widest = max(text_width(number, size) for number in numbers)
        if widest <= (0.58 if size > 13 else 0.72) * box.width and 2.3 * size <= box.height:
            return size
    return 9


def inset(box: Box) -> int:
    """Space between the numbers and the sides of a cell."""
    return max(box.width // 12, 4)


def draw_payoffs(canvas: Canvas, box: Box, pair: tuple[float, ...], size: int) -> None:
    """Two rewards, each in its player's colour.

    Player 0's to the lower left, player 1's to the upper right.
    """
    x, y, rise = box.x + box.width / 2, box.y + box.height / 2, min(box.height * 0.21, size * 0.9)
    for player, side in ((0, -1), (1, 1)):
        number = with_minus_signs(format_number(pair[player]))
        reach = min(0.24 * box.width, box.width / 2 - inset(box) - text_width(number, size) / 2)
        style = TextStyle(size, player_ink(player, LIT), "center")
        canvas.text(x + side * reach, y - side * rise, number, style)
