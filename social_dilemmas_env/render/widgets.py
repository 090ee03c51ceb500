"""Parts that the pictures of all games share: the head line, a player's card, the strip of past
moves.
"""

from typing import NamedTuple

from social_dilemmas_env.render.canvas import Box, Canvas, Paint, Type, text_width
from social_dilemmas_env.render.describe import (
    clock,
    last_actions,
    last_rewards,
    mean_label,
    means,
    nothing,
    number,
    remembered,
    symbols,
    title,
    typeset,
)
from social_dilemmas_env.render.palette import (
    CARD,
    INK,
    LINE,
    MUTED,
    QUIET,
    action_shade,
    player_ink,
    text_on,
)
from social_dilemmas_env.render.scene import Scene

WIDTH = 640  # of every picture
MARGIN = 24
HEAD = 72  # height of the head line with its space
GAP = 12  # between cards
PITCH = 16  # from one past move to the next
SHOWN = 35  # past moves in a strip
BAR = 4  # height of the progress bar

TITLE = Type(22)
STEP = Type(15, MUTED, "right")
CAPTION = Type(13, MUTED)
NAMES = (16, 14, 13)  # sizes of a name, the largest that fits


class Chip(NamedTuple):
    """A short text in a rounded box around a point."""

    text: str
    paint: Paint
    type: Type


def head(canvas: Canvas, scene: Scene) -> None:
    """The title, how far the episode is, and a progress bar."""
    right = canvas.width - MARGIN
    when = clock(scene)
    canvas.text(right, 32, when, STEP)
    room = right - MARGIN - text_width(when, STEP.size) - 2 * GAP
    canvas.text(MARGIN, 31, title(scene), TITLE._replace(width=room))
    full = right - MARGIN
    done = min(scene.t / scene.game.max_cycles, 1.0)
    canvas.box(Box(MARGIN, 52, full, BAR), Paint(LINE, radius=BAR // 2))
    if scene.t:
        canvas.box(
            Box(MARGIN, 52, max(round(full * done), BAR), BAR), Paint(MUTED, radius=BAR // 2)
        )


def card(canvas: Canvas, box: Box) -> None:
    """An empty white card."""
    canvas.box(box, Paint(CARD, radius=10, border=LINE))


def chip(canvas: Canvas, x: float, y: float, look: Chip) -> int:
    """Draws a chip with its middle at a point; returns its width."""
    size = look.type.size
    width, height = text_width(look.text, size) + round(1.1 * size), round(1.65 * size)
    canvas.box(Box(round(x - width / 2), round(y - height / 2), width, height), look.paint)
    canvas.text(x, y, look.text, look.type._replace(align="center"))
    return width


def reward_chip(reward: float, size: int) -> Chip:
    """A reward with its sign: dark if it is a loss, light if it is a gain or nothing."""
    words = typeset(number(reward, signed=True))
    if reward < 0:
        return Chip(words, Paint(INK, radius=round(0.8 * size)), Type(size, CARD))
    return Chip(words, Paint(CARD, radius=round(0.8 * size), border=INK), Type(size, INK))


def player_card(canvas: Canvas, scene: Scene, player: int, box: Box) -> None:
    """A player's badge, name, last move, last reward, score and mean.

    Fits a box at least 96 high and 200 wide.
    """
    card(canvas, box)
    left, right, top = box.x + 14, box.x + box.width - 14, box.y
    canvas.badge(left + 13, top + 25, player, 28)
    name(canvas, scene, player, Box(left + 36, top + 25, right - left - 36, 0))
    actions, rewards = last_actions(scene), last_rewards(scene)
    middle = top + box.height // 2 + 4
    edge = right
    if rewards:
        mark = reward_chip(rewards[player], 15)
        edge -= text_width(mark.text, 15) + round(1.1 * 15)
        chip(canvas, (edge + right) / 2, middle, mark)
    move = scene.game.action_names[player][actions[player]] if actions else nothing(scene)
    look = Type(20 if actions else 15, INK if actions else MUTED, width=edge - left - 8)
    canvas.text(left, middle, move, look)
    score_line(canvas, scene, player, Box(left, box.y + box.height - 22, right - left, 0))


def name(canvas: Canvas, scene: Scene, player: int, line: Box) -> None:
    """A player's name in their colour, as large as fits the width of `line`, its capitals' middle
    at `line.y`.
    """
    words = scene.names[player]
    size = next((size for size in NAMES if text_width(words, size) <= line.width), NAMES[-1])
    canvas.text(line.x, line.y, words, Type(size, player_ink(player, CARD), width=line.width))


def score_line(canvas: Canvas, scene: Scene, player: int, line: Box) -> None:
    """Score and mean of a player on one line, as wide as `line`, with the middle of its capitals at
    `line.y`.
    """
    mean = means(scene)[player]
    x = line.x + canvas.text(line.x, line.y, "score", CAPTION)
    canvas.text(x + 5, line.y, typeset(number(scene.scores[player])), Type(15))
    if mean is not None:
        right = line.x + line.width
        width = canvas.text(right, line.y, typeset(number(mean)), Type(15, align="right"))
        canvas.text(right - width - 5, line.y, mean_label(scene), CAPTION._replace(align="right"))


def strip(canvas: Canvas, scene: Scene, top: int, row: int) -> None:
    """The last moves, a row of squares a player, `row` pixels high.

    The newest on the right once the strip is full.
    """
    canvas.text(MARGIN, top + 7, "Moves", CAPTION._replace(color=INK))
    moves = scene.history[-SHOWN:]
    covered = remembered(scene._replace(history=moves))
    canvas.text(canvas.width - MARGIN, top + 7, covered, CAPTION._replace(align="right"))
    for player in range(len(scene.names)):
        y = top + 22 + player * row
        strip_badge(canvas, y + row / 2 - 1, player, min(row - 1, 18))
        marks = symbols(scene.game.action_names[player])
        for k in range(SHOWN):
            cell = Box(MARGIN + 28 + k * PITCH + k // 5, y, PITCH - 2, row - 2)
            if k < len(moves):
                past_move(canvas, cell, player, (moves[k].actions[player], marks))
            else:
                canvas.box(cell, Paint(QUIET, radius=3))


def strip_badge(canvas: Canvas, y: float, player: int, size: int) -> None:
    """A player's badge in front of the strip; the number beside it where it does not fit in."""
    canvas.badge(MARGIN + 8, y, player, size)
    if size < 14:
        canvas.text(MARGIN + 26, y, str(player), Type(size, MUTED, "right"))


def past_move(canvas: Canvas, cell: Box, player: int, move: tuple[int, tuple[str, ...]]) -> None:
    """One square of the strip: pale for the first action (cooperate), full colour for the last, and
    its mark.
    """
    action, marks = move
    shade = action_shade(player, action, len(marks))
    canvas.box(cell, Paint(shade, radius=3))
    mark = marks[action]
    if cell.height >= 12 and len(mark) <= 2:
        type_ = Type(10 if len(mark) == 1 else 8, text_on(shade), "center")
        canvas.text(cell.x + cell.width / 2, cell.y + cell.height / 2, mark, type_)


def strip_height(players: int, row: int) -> int:
    """Height of the strip of so many players."""
    return 22 + players * row
