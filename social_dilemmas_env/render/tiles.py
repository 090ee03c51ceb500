"""Picture of any other game: a tile a player, and the past moves."""

from functools import lru_cache
from typing import NamedTuple

from social_dilemmas_env.render.canvas import Box, Canvas, Paint, Type, rounded_up
from social_dilemmas_env.render.describe import (
    last_actions,
    last_rewards,
    number,
    summary,
    typeset,
)
from social_dilemmas_env.render.palette import CARD, INK, action_shade, player_ink, text_on
from social_dilemmas_env.render.scene import Scene
from social_dilemmas_env.render.widgets import (
    CAPTION,
    GAP,
    HEAD,
    MARGIN,
    WIDTH,
    card,
    head,
    player_card,
    strip,
    strip_height,
)

ACROSS = 7  # most tiles in a row
SUMMARY = 32  # height of the line that sums up the last move


class Plan(NamedTuple):
    """Where the tiles are."""

    columns: int
    width: int
    height: int  # of a tile
    gap: int
    strip_top: int
    strip_row: int
    picture: int  # height of the picture

    def tile(self, player: int) -> Box:
        """The box of a player."""
        row, column = divmod(player, self.columns)
        x, y = (
            MARGIN + column * (self.width + self.gap),
            HEAD + SUMMARY + row * (self.height + self.gap),
        )
        return Box(x, y, self.width, self.height)


@lru_cache(maxsize=64)
def plan(players: int) -> Plan:
    """Large cards for up to four players, small tiles for more."""
    columns = 2 if players <= 4 else -(-players // -(-players // ACROSS))
    gap = GAP if players <= 4 else 8
    width = (WIDTH - 2 * MARGIN - gap * (columns - 1)) // columns
    height = 112 if players <= 4 else 92
    rows = -(-players // columns)
    row = 20 if players <= 4 else 16 if players <= 12 else 10
    top = HEAD + SUMMARY + rows * (height + gap) + 4
    return Plan(
        columns,
        width,
        height,
        gap,
        top,
        row,
        rounded_up(top + strip_height(players, row) + MARGIN - 4),
    )


def tiles_picture(scene: Scene) -> Canvas:
    """Draws the scene."""
    players = len(scene.names)
    where = plan(players)
    canvas = Canvas(WIDTH, where.picture)
    head(canvas, scene)
    canvas.text(
        MARGIN, HEAD + 10, summary(scene), CAPTION._replace(size=15, width=WIDTH - 2 * MARGIN)
    )
    for player in range(players):
        draw = player_card if players <= 4 else tile
        draw(canvas, scene, player, where.tile(player))
    strip(canvas, scene, where.strip_top, where.strip_row)
    return canvas


def tile(canvas: Canvas, scene: Scene, player: int, box: Box) -> None:
    """A player's badge, name, last action and score in a small box."""
    card(canvas, box)
    middle = box.x + box.width / 2
    canvas.badge(box.x + 16, box.y + 16, player, 20)
    rewards, actions = last_rewards(scene), last_actions(scene)
    if rewards:
        canvas.text(
            box.x + box.width - 8,
            box.y + 16,
            typeset(number(rewards[player], True)),
            Type(13, INK, "right"),
        )
    canvas.text(
        middle,
        box.y + 38,
        scene.names[player],
        Type(12, player_ink(player, CARD), "center", box.width - 10),
    )
    if actions:
        names = scene.game.action_names[player]
        shade = action_shade(player, actions[player], len(names))
        canvas.box(Box(box.x + 6, box.y + 48, box.width - 12, 18), Paint(shade, radius=5))
        word = Type(12, text_on(shade), "center", box.width - 16)
        canvas.text(middle, box.y + 57, names[actions[player]], word)
    canvas.text(
        middle,
        box.y + 79,
        typeset(number(scene.scores[player])),
        Type(16, INK, "center", box.width - 10),
    )
