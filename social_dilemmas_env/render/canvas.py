"""A canvas to draw on, without a display: boxes, text, sprites."""

from typing import NamedTuple

import numpy as np

from social_dilemmas_env.render.lettering import TextStyle, text_picture, truncated
from social_dilemmas_env.render.palette import (
    CARD,
    INK,
    PAPER,
    player_color,
    player_shape,
    text_on,
)
from social_dilemmas_env.render.sprites import (
    BoxStyle,
    Surface,
    box_picture,
    import_library,
    sprite,
)

SIDE_MULTIPLE = 16  # widths and heights are multiples of it: what video encoders like
NUMBERED = 14  # least size of a badge or coin that bears its player's number
NUMBERED_PAWN = 28  # of a pawn


class Box(NamedTuple):
    """A rectangle: left, top, width, height in pixels."""

    x: int
    y: int
    width: int
    height: int


def rounded_up(pixels: float) -> int:
    """The next size that video encoders like."""
    return -int(-pixels // SIDE_MULTIPLE) * SIDE_MULTIPLE


class Canvas:
    """A picture in the making; all positions in pixels from its upper left corner."""

    def __init__(self, width: int, height: int):
        self.width, self.height = width, height
        self.surface: Surface = import_library().Surface((width, height))
        self.surface.fill(PAPER)

    def box(self, box: Box, style: BoxStyle) -> None:
        """Draws a box."""
        if box.width > 0 and box.height > 0:
            self.surface.blit(box_picture(box.width, box.height, style), (box.x, box.y))

    def text(self, x: float, y: float, text: str, style: TextStyle) -> int:
        """Draws a line of text whose capitals have their middle at height `y`.

        Returns its width in pixels.
        """
        if style.width is not None:
            text = truncated(text, style.size, style.width)
        picture, middle = text_picture(text, style.size, style.color)
        width: int = picture.get_width()
        shift = {"left": 0.0, "center": width / 2, "right": float(width)}[style.align]
        self.surface.blit(picture, (round(x - shift), round(y) - middle))
        return width

    def center(self, picture: Surface, x: float, y: float) -> None:
        """Draws a picture with its middle at a point."""
        width, height = picture.get_size()
        self.surface.blit(picture, (round(x - width / 2), round(y - height / 2)))

    def badge(self, x: float, y: float, player: int, size: int) -> None:
        """A player's shape, colour and number, with its middle at a point."""
        self._numbered(f"badge_{player_shape(player)}", (x, y), player, size)

    def coin(self, x: float, y: float, player: int, size: int) -> None:
        """A coin of a player."""
        self._numbered(f"coin_{player_shape(player)}", (x, y), player, size)

    def _numbered(self, name: str, at: tuple[float, float], player: int, size: int) -> None:
        color = player_color(player)
        self.center(sprite(name, color, size), *at)
        if size >= NUMBERED:
            self.number(at, player, TextStyle(round(size * 0.5), text_on(color)))

    def pawn(self, x: float, y: float, player: int, size: int) -> None:
        """A player on the board."""
        self.center(sprite("player", player_color(player), size), x, y)

        # The player's shape on the chest, and the number in it.
        chest = (x, y + 0.17 * size)
        emblem = sprite(f"badge_{player_shape(player)}", CARD, max(round(size * 0.42), 1))
        self.center(emblem, *chest)
        if size >= NUMBERED_PAWN:
            self.number(chest, player, TextStyle(round(size * 0.21), INK))

    def number(self, at: tuple[float, float], player: int, style: TextStyle) -> None:
        """A player's number, a little lower on shapes whose middle is low."""
        low = 0.2 if player_shape(player) == "triangle" else 0.0
        size = style.size - (2 if player > 9 else 0)
        fitting = style._replace(size=max(size, 6), align="center")
        self.text(at[0], at[1] + low * style.size, str(player), fitting)

    def pixels(self) -> np.ndarray:
        """The picture as uint8 [height, width, 3], a fresh array."""
        data = bytearray(import_library().image.tobytes(self.surface, "RGB"))
        return np.frombuffer(data, np.uint8).reshape(self.height, self.width, 3)
