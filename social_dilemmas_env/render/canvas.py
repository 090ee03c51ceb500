"""A canvas to draw on, without a display: boxes, text, sprites."""

from typing import NamedTuple

import numpy as np

from social_dilemmas_env.render.lettering import TextStyle, text_picture, truncated
from social_dilemmas_env.render.palette import (
    CARD,
    INK,
    PAPER,
    Color,
    player_color,
    player_shape,
    text_on,
)
from social_dilemmas_env.render.sprites import (
    BoxStyle,
    Surface,
    arrowhead,
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
    """A picture in the making; all positions in pixels from its upper left corner.

    Everything is laid out at scale 1 and drawn `scale` times as large, as sharp as at scale 1.
    """

    def __init__(self, width: int, height: int, scale: int = 1):
        self.width, self.height, self.scale = width, height, scale
        self.surface: Surface = import_library().Surface((scale * width, scale * height))
        self.surface.fill(PAPER)

    def box(self, box: Box, style: BoxStyle) -> None:
        """Draws a box."""
        if box.width > 0 and box.height > 0:
            x, y, width, height = (self.scale * side for side in box)
            larger = style._replace(radius=self.scale * style.radius, line=self.scale * style.line)
            self.surface.blit(box_picture(width, height, larger), (x, y))

    def text(self, x: float, y: float, text: str, style: TextStyle) -> int:
        """Draws a line of text whose capitals have their middle at height `y`.

        Returns its width in pixels.
        """
        if style.width is not None:
            text = truncated(text, style.size, style.width)
        picture, middle = text_picture(text, self.scale * style.size, style.color)
        width: int = picture.get_width()
        shift = {"left": 0.0, "center": width / 2, "right": float(width)}[style.align]
        place = (round(self.scale * x - shift), round(self.scale * y) - middle)
        self.surface.blit(picture, place)
        return -(-width // self.scale)

    def center(self, picture: Surface, x: float, y: float) -> None:
        """Draws a picture, made for this scale, with its middle at a point."""
        width, height = picture.get_size()
        place = (round(self.scale * x - width / 2), round(self.scale * y - height / 2))
        self.surface.blit(picture, place)

    def sprite(self, at: tuple[float, float], name: str, color: Color, size: int) -> None:
        """A sprite, `size` pixels large, with its middle at a point."""
        self.center(sprite(name, color, self.scale * size), *at)

    def arrowhead(self, at: tuple[float, float], size: int, direction: str, color: Color) -> None:
        """An arrowhead with its middle at a point."""
        self.center(arrowhead(self.scale * size, direction, color), *at)

    def badge(self, x: float, y: float, player: int, size: int) -> None:
        """A player's shape, colour and number, with its middle at a point."""
        self._numbered(f"badge_{player_shape(player)}", (x, y), player, size)

    def coin(self, x: float, y: float, player: int, size: int) -> None:
        """A coin of a player."""
        self._numbered(f"coin_{player_shape(player)}", (x, y), player, size)

    def _numbered(self, name: str, at: tuple[float, float], player: int, size: int) -> None:
        color = player_color(player)
        self.sprite(at, name, color, size)
        if size >= NUMBERED:
            self.number(at, player, TextStyle(round(size * 0.5), text_on(color)))

    def pawn(self, x: float, y: float, player: int, size: int) -> None:
        """A player on the board."""
        self.sprite((x, y), "player", player_color(player), size)

        # The player's shape on the chest, and the number in it.
        chest = (x, y + 0.17 * size)
        self.sprite(chest, f"badge_{player_shape(player)}", CARD, max(round(size * 0.42), 1))
        if size >= NUMBERED_PAWN:
            self.number(chest, player, TextStyle(round(size * 0.21), INK))

    def number(self, at: tuple[float, float], player: int, style: TextStyle) -> None:
        """A player's number, a little lower on shapes whose middle is low."""
        low = 0.2 if player_shape(player) == "triangle" else 0.0
        size = style.size - (2 if player > 9 else 0)
        fitting = style._replace(size=max(size, 6), align="center")
        self.text(at[0], at[1] + low * style.size, str(player), fitting)

    def pixels(self) -> np.ndarray:
        """The picture as uint8 [scale * height, scale * width, 3], a fresh array."""
        data = bytearray(import_library().image.tobytes(self.surface, "RGB"))
        width, height = self.surface.get_size()
        return np.frombuffer(data, np.uint8).reshape(height, width, 3)
