"""Parts that the pictures of all games share: header, a player's card, strip of past moves."""

from typing import NamedTuple

from social_dilemmas_env.render.canvas import Box, Canvas
from social_dilemmas_env.render.describe import (
    action_symbols,
    format_number,
    history_span,
    last_actions,
    last_rewards,
    mean_label,
    mean_rewards,
    no_moves_text,
    step_text,
    title,
    with_minus_signs,
)
from social_dilemmas_env.render.lettering import TextStyle, text_width
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
from social_dilemmas_env.render.sprites import BoxStyle

WIDTH = 640  # of every picture
MARGIN = 24  # around it
HEADER = 72  # height of the header with its space
GAP = 12  # between cards
PITCH = 16  # from one past move to the next
SHOWN = 35  # past moves in a strip
BAR = 4  # height of the progress bar

TITLE = TextStyle(22)
STEP = TextStyle(15, MUTED, "right")
CAPTION = TextStyle(13, MUTED)
NAME_SIZES = (16, 14, 13, 12, 11, 10)  # of a name, the largest that fits


class Chip(NamedTuple):
    """A short text in a rounded box around a point."""

    text: str
    box: BoxStyle
    style: TextStyle

    @property
    def width(self) -> int:
        """Of the box, in pixels."""
        return text_width(self.text, self.style.size) + round(1.1 * self.style.size)


def draw_header(canvas: Canvas, scene: Scene) -> None:
    """The title, how far the episode is, and a progress bar."""
    right, full = canvas.width - MARGIN, canvas.width - 2 * MARGIN

    # The step on the right; the title has what is left.
    step = step_text(scene)
    canvas.text(right, 32, step, STEP)
    room = full - text_width(step, STEP.size) - 2 * GAP
    canvas.text(MARGIN, 31, title(scene), TITLE._replace(width=room))

    # The progress bar.
    done = min(scene.t / scene.game.max_cycles, 1.0)
    canvas.box(Box(MARGIN, 52, full, BAR), BoxStyle(LINE, radius=BAR // 2))
    if scene.t:
        bar = Box(MARGIN, 52, max(round(full * done), BAR), BAR)
        canvas.box(bar, BoxStyle(MUTED, radius=BAR // 2))


def draw_card(canvas: Canvas, box: Box) -> None:
    """An empty white card."""
    canvas.box(box, BoxStyle(CARD, radius=10, border=LINE))


def draw_chip(canvas: Canvas, x: float, y: float, chip: Chip) -> None:
    """A chip with its middle at a point."""
    width, height = chip.width, round(1.65 * chip.style.size)
    canvas.box(Box(round(x - width / 2), round(y - height / 2), width, height), chip.box)
    canvas.text(x, y, chip.text, chip.style._replace(align="center"))


def reward_chip(reward: float, size: int) -> Chip:
    """A reward with its sign: dark if it is a loss, light if it is a gain or nothing."""
    text, radius = with_minus_signs(format_number(reward, signed=True)), round(0.8 * size)
    if reward < 0:
        return Chip(text, BoxStyle(INK, radius), TextStyle(size, CARD))
    return Chip(text, BoxStyle(CARD, radius, border=INK), TextStyle(size, INK))


def draw_player_card(canvas: Canvas, scene: Scene, player: int, box: Box) -> None:
    """A player's badge, name, last move, last reward, score and mean.

    Fits a box at least 96 high and 200 wide.
    """
    draw_card(canvas, box)
    left, right, top = box.x + 14, box.x + box.width - 14, box.y
    actions, rewards = last_actions(scene), last_rewards(scene)

    # First line: badge and name.
    canvas.badge(left + 13, top + 25, player, 28)
    draw_name(canvas, scene, player, Box(left + 36, top + 25, right - left - 36, 0))

    # Second line: the last reward on the right, the last move in what is left.
    middle, edge = top + box.height // 2 + 4, right
    if rewards:
        chip = reward_chip(rewards[player], 15)
        edge -= chip.width
        draw_chip(canvas, (edge + right) / 2, middle, chip)
    if actions:
        move, style = scene.game.action_names[player][actions[player]], TextStyle(20, INK)
    else:
        move, style = no_moves_text(scene), TextStyle(15, MUTED)
    canvas.text(left, middle, move, style._replace(width=edge - left - 8))

    # Third line: score and mean.
    draw_score(canvas, scene, player, Box(left, box.y + box.height - 22, right - left, 0))


def draw_name(canvas: Canvas, scene: Scene, player: int, line: Box) -> None:
    """A player's name in their colour, as large as fits the width of `line`.

    Its capitals have their middle at `line.y`.
    """
    name = scene.names[player]
    fitting = (size for size in NAME_SIZES if text_width(name, size) <= line.width)
    size = next(fitting, NAME_SIZES[-1])
    canvas.text(line.x, line.y, name, TextStyle(size, player_ink(player, CARD), width=line.width))


def draw_score(canvas: Canvas, scene: Scene, player: int, line: Box) -> None:
    """Score and mean of a player on one line, as wide as `line`.

    Capitals have their middle at `line.y`.
    """
    score = with_minus_signs(format_number(scene.scores[player]))
    x = line.x + canvas.text(line.x, line.y, "score", CAPTION)
    canvas.text(x + 5, line.y, score, TextStyle(15))

    mean = mean_rewards(scene)[player]
    if mean is not None:
        text, right = with_minus_signs(format_number(mean)), line.x + line.width
        width = canvas.text(right, line.y, text, TextStyle(15, align="right"))
        label = CAPTION._replace(align="right")
        canvas.text(right - width - 5, line.y, mean_label(scene), label)


def draw_strip(canvas: Canvas, scene: Scene, top: int, row: int) -> None:
    """The last moves, a row of squares a player, `row` pixels high.

    The newest on the right once the strip is full.
    """
    moves = scene.history[-SHOWN:]

    # The heading: which steps these are.
    canvas.text(MARGIN, top + 7, "Moves", CAPTION._replace(color=INK))
    span = history_span(scene._replace(history=moves))
    canvas.text(canvas.width - MARGIN, top + 7, span, CAPTION._replace(align="right"))

    # A row a player, a small space after every fifth move.
    for player in range(len(scene.names)):
        y = top + 22 + player * row
        draw_strip_badge(canvas, y + row / 2 - 1, player, min(row - 1, 18))
        symbols = action_symbols(scene.game.action_names[player])
        for k in range(SHOWN):
            cell = Box(MARGIN + 28 + k * PITCH + k // 5, y, PITCH - 2, row - 2)
            if k < len(moves):
                draw_past_move(canvas, cell, player, (moves[k].actions[player], symbols))
            else:
                canvas.box(cell, BoxStyle(QUIET, radius=3))


def draw_strip_badge(canvas: Canvas, y: float, player: int, size: int) -> None:
    """A player's badge in front of the strip; the number beside it where it does not fit in."""
    canvas.badge(MARGIN + 8, y, player, size)
    if size < 14:
        canvas.text(MARGIN + 26, y, str(player), TextStyle(size, MUTED, "right"))


def draw_past_move(
    canvas: Canvas, cell: Box, player: int, move: tuple[int, tuple[str, ...]]
) -> None:
    """One square of the strip, with the action's symbol where it fits.

    Pale for the first action (cooperate), full colour for the last.
    """
    action, symbols = move
    shade, symbol = action_shade(player, action, len(symbols)), symbols[action]
    canvas.box(cell, BoxStyle(shade, radius=3))
    if cell.height >= 12 and len(symbol) <= 2:
        style = TextStyle(10 if len(symbol) == 1 else 8, text_on(shade), "center")
        canvas.text(cell.x + cell.width / 2, cell.y + cell.height / 2, symbol, style)


def strip_height(players: int, row: int) -> int:
    """Height of the strip of so many players."""
    return 22 + players * row
