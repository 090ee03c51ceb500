"""Picture of any other game: a tile a player, and the past moves."""

from functools import lru_cache
from typing import NamedTuple

from social_dilemmas_env.render.canvas import Box, Canvas, rounded_up
from social_dilemmas_env.render.describe import (
    format_number,
    last_actions,
    last_rewards,
    summary_text,
    with_minus_signs,
)
from social_dilemmas_env.render.lettering import TextStyle
from social_dilemmas_env.render.palette import CARD, INK, action_shade, player_ink, text_on
from social_dilemmas_env.render.scene import Scene
from social_dilemmas_env.render.sprites import BoxStyle
from social_dilemmas_env.render.widgets import (
    CAPTION,
    GAP,
    HEADER,
    MARGIN,
    WIDTH,
    draw_card,
    draw_header,
    draw_player_card,
    draw_strip,
    strip_height,
)

ACROSS = 7  # most tiles in a row
SUMMARY = 32  # height of the line that sums up the last move


class Layout(NamedTuple):
    """Where the tiles are."""

    columns: int
    width: int  # of a tile
    height: int
    gap: int
    strip_top: int
    strip_row: int  # height of a row of the strip
    picture: int  # height of the picture

    def tile(self, player: int) -> Box:
        """The box of a player."""
        row, column = divmod(player, self.columns)
        x = MARGIN + column * (self.width + self.gap)
        y = HEADER + SUMMARY + row * (self.height + self.gap)
        return Box(x, y, self.width, self.height)


@lru_cache(maxsize=64)
def layout_of(players: int) -> Layout:
    """Large cards for up to four players, small tiles for more."""
    # The tiles.
    columns = 2 if players <= 4 else -(-players // -(-players // ACROSS))
    gap = GAP if players <= 4 else 8
    width = (WIDTH - 2 * MARGIN - gap * (columns - 1)) // columns
    height = 112 if players <= 4 else 92

    # The strip under them.
    row = 20 if players <= 4 else 16 if players <= 12 else 10
    top = HEADER + SUMMARY + -(-players // columns) * (height + gap) + 4
    picture = rounded_up(top + strip_height(players, row) + MARGIN - 4)
    return Layout(columns, width, height, gap, top, row, picture)


def tiles_picture(scene: Scene, scale: int = 1) -> Canvas:
    """Draws the scene, `scale` times as large as it is laid out."""
    players = len(scene.names)
    layout = layout_of(players)
    canvas = Canvas(WIDTH, layout.picture, scale)
    draw_header(canvas, scene)

    summary = CAPTION._replace(size=15, width=WIDTH - 2 * MARGIN)
    canvas.text(MARGIN, HEADER + 10, summary_text(scene), summary)
    for player in range(players):
        draw = draw_player_card if players <= 4 else draw_tile
        draw(canvas, scene, player, layout.tile(player))

    draw_strip(canvas, scene, layout.strip_top, layout.strip_row)
    return canvas


def draw_tile(canvas: Canvas, scene: Scene, player: int, box: Box) -> None:
    """A player's badge, last reward, name, last action and score in a small box."""
    draw_card(canvas, box)
    middle, right = box.x + box.width / 2, box.x + box.width - 8
    rewards, actions = last_rewards(scene), last_actions(scene)

    # First line: badge and last reward.
    canvas.badge(box.x + 16, box.y + 16, player, 20)
    if rewards:
        reward = with_minus_signs(format_number(rewards[player], True))
        canvas.text(right, box.y + 16, reward, TextStyle(13, INK, "right"))

    # Second line: the name.
    style = TextStyle(12, player_ink(player, CARD), "center", box.width - 10)
    canvas.text(middle, box.y + 38, scene.names[player], style)

    # Third line: the last action, pale for the first one, full for the last one.
    if actions:
        names = scene.game.action_names[player]
        shade = action_shade(player, actions[player], len(names))
        canvas.box(Box(box.x + 6, box.y + 48, box.width - 12, 18), BoxStyle(shade, radius=5))
        style = TextStyle(12, text_on(shade), "center", box.width - 16)
        canvas.text(middle, box.y + 57, names[actions[player]], style)

    # Fourth line: the score.
    score = with_minus_signs(format_number(scene.scores[player]))
    canvas.text(middle, box.y + 79, score, TextStyle(16, INK, "center", box.width - 10))
