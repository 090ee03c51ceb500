"""A page to draw on, without a display: boxes, text and sprites as small pictures that are made
once and kept.

pygame is imported when the first picture is made, never before, and only its parts that need no
window are used.
"""

from functools import lru_cache
from importlib import import_module
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from gymnasium.error import DependencyNotInstalled

from social_dilemmas_env.render.palette import (
    CARD,
    INK,
    PAPER,
    Color,
    player_color,
    player_shape,
    text_on,
)

Surface = Any  # pygame.Surface
FINER = 4  # shapes are drawn this much larger and scaled down, which smooths their edges
EM = 0.6875  # height of an em in pygame's built-in font, as a share of the size asked for
PACKAGES = {
    "PIL.Image": "pillow",
    "imageio_ffmpeg": "imageio-ffmpeg",
}  # module -> what pip calls it
BUILT_ALONG = 16  # widths and heights are multiples of it: what video encoders like


class Box(NamedTuple):
    """A rectangle: left, top, width, height in pixels."""

    x: int
    y: int
    width: int
    height: int


class Paint(NamedTuple):
    """How a box looks.

    Corners of `radius` pixels, a border of `line` pixels drawn inside, `alpha` 255 for opaque.
    """

    fill: Color = CARD
    radius: int = 0
    border: Color | None = None
    line: int = 1
    alpha: int = 255


class Type(NamedTuple):
    """How text looks: height of an em, colour, "left", "center" or "right" of the point, and the
    width it must fit.
    """

    size: int
    color: Color = INK
    align: str = "left"
    width: int | None = None


def library(name: str = "pygame") -> Any:
    """A library of the `render` extra.

    Raises:
        DependencyNotInstalled: it is missing; the message says what to install.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise DependencyNotInstalled(
            f'rendering needs {PACKAGES.get(name, name)}: pip install "social-dilemmas-env[render]"'
        ) from error


def asset(name: str) -> Traversable:
    """A file of `render_assets`: from the installed package, or next to the package in a checkout.

    Raises:
        FileNotFoundError: it is in neither place.
    """
    try:
        places: list[Traversable] = [files("social_dilemmas_env.render_assets")]
    except ModuleNotFoundError:  # an editable install or a checkout
        places = []
    places.append(Path(__file__).parents[2] / "render_assets")
    for place in places:
        if (place / name).is_file():
            return place / name
    raise FileNotFoundError(
        f"render_assets/{name} is missing; looked in {', '.join(map(str, places))}"
    )


@lru_cache(maxsize=64)
def master(name: str) -> Surface:
    """A grey sprite as it was drawn."""
    return library().image.load(BytesIO(asset(f"{name}.png").read_bytes()), f"{name}.png")


@lru_cache(maxsize=1024)
def sprite(name: str, color: Color, size: int) -> Surface:
    """A sprite in this colour, `size` pixels wide and high."""
    pygame = library()
    picture = pygame.transform.smoothscale(master(name), (size, size))
    picture.fill((*color, 255), special_flags=pygame.BLEND_RGBA_MULT)
    return picture


def blank(width: int, height: int, color: Color) -> Surface:
    """A transparent picture; its hidden colour is what smooth edges fade into."""
    pygame = library()
    surface = pygame.Surface((width, height), pygame.SRCALPHA)
    surface.fill((*color, 0))
    return surface


@lru_cache(maxsize=1024)
def box_picture(width: int, height: int, paint: Paint) -> Surface:
    """A box with smooth corners."""
    pygame = library()
    large = blank(width * FINER, height * FINER, paint.border or paint.fill)
    inner, radius = large.get_rect(), paint.radius * FINER
    if paint.border is not None:
        pygame.draw.rect(large, (*paint.border, paint.alpha), inner, border_radius=radius)
        inner, radius = (
            inner.inflate(-2 * paint.line * FINER, -2 * paint.line * FINER),
            radius - paint.line * FINER,
        )
    pygame.draw.rect(large, (*paint.fill, paint.alpha), inner, border_radius=max(radius, 0))
    return pygame.transform.smoothscale(large, (width, height))


@lru_cache(maxsize=256)
def wedge(size: int, direction: str, color: Color) -> Surface:
    """A small triangle that points "left", "right", "up" or "down"."""
    pygame = library()
    n = size * FINER
    large = blank(n, n, color)
    pygame.draw.polygon(
        large, color, [(n * 0.25, n * 0.05), (n * 0.75, n * 0.5), (n * 0.25, n * 0.95)]
    )
    angle = {"right": 0, "up": 90, "left": 180, "down": 270}[direction]
    return pygame.transform.smoothscale(pygame.transform.rotate(large, angle), (size, size))


def _font(size: int) -> Any:
    """The built-in font, enlarged.

    Not kept, for it dies with `pygame.quit()`, which is not ours to forbid.
    """
    pygame = library()
    pygame.font.init()
    return pygame.font.Font(None, round(size * FINER / EM))


def printable(text: str) -> str:
    """The text without characters that the font cannot take."""
    return "".join(c if c.isprintable() and ord(c) <= 0xFFFF else "?" for c in text)


@lru_cache(maxsize=4096)
def text_width(text: str, size: int) -> int:
    """Width of a line of text in pixels."""
    return -int(-_font(size).size(printable(text))[0] // FINER)


@lru_cache(maxsize=4096)
def fitted(text: str, size: int, width: int) -> str:
    """The text, cut off with an ellipsis if it is wider than `width`."""
    if text_width(text, size) <= width:
        return text
    kept = len(text)
    while kept and text_width(text[:kept].rstrip() + "…", size) > width:
        kept -= 1
    return text[:kept].rstrip() + "…"


@lru_cache(maxsize=4096)
def text_picture(text: str, size: int, color: Color) -> tuple[Surface, int]:
    """A line of text, and the height of the middle of its capitals.

    It is drawn enlarged and scaled down like everything else, so that the letters keep their even
    distances.
    """
    pygame, font = library(), _font(size)
    large = font.render(printable(text), True, color)
    width, height = -(-large.get_width() // FINER), -(-large.get_height() // FINER)
    middle = font.get_ascent() - font.metrics("H")[0][3] / 2
    page = blank(max(width, 1) * FINER, (height + 1) * FINER, color)
    page.blit(large, (0, round(-middle) % FINER))  # the middle falls on a whole pixel
    return pygame.transform.smoothscale(page, (max(width, 1), height + 1)), -(
        -round(middle) // FINER
    )


def rounded_up(pixels: float) -> int:
    """The next size that video encoders like."""
    return -int(-pixels // BUILT_ALONG) * BUILT_ALONG


class Canvas:
    """A page; all positions in pixels from its upper left corner."""

    def __init__(self, width: int, height: int):
        """Makes an empty page."""
        self.width, self.height = width, height
        self.surface: Surface = library().Surface((width, height))
        self.surface.fill(PAPER)

    def box(self, box: Box, paint: Paint) -> None:
        """Draws a box."""
        if box.width > 0 and box.height > 0:
            self.surface.blit(box_picture(box.width, box.height, paint), (box.x, box.y))

    def text(self, x: float, y: float, text: str, type_: Type) -> int:
        """Draws a line of text whose capitals have their middle at height `y`.

        Returns its width in pixels.
        """
        if type_.width is not None:
            text = fitted(text, type_.size, type_.width)
        picture, middle = text_picture(text, type_.size, type_.color)
        width = picture.get_width()
        shift = {"left": 0.0, "center": width / 2, "right": float(width)}[type_.align]
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
        if size >= 14:
            self.number(at, player, Type(round(size * 0.5), text_on(color)))

    def pawn(self, x: float, y: float, player: int, size: int) -> None:
        """A player on the board."""
        self.center(sprite("player", player_color(player), size), x, y)
        chest = (x, y + 0.17 * size)
        self.center(
            sprite(f"badge_{player_shape(player)}", CARD, max(round(size * 0.42), 1)), *chest
        )
        if size >= 28:
            self.number(chest, player, Type(round(size * 0.21), INK))

    def number(self, at: tuple[float, float], player: int, type_: Type) -> None:
        """A player's number, a little lower on shapes whose middle is low."""
        low = 0.2 if player_shape(player) == "triangle" else 0.0
        size = type_.size - (2 if player > 9 else 0)
        self.text(
            at[0],
            at[1] + low * type_.size,
            str(player),
            type_._replace(size=max(size, 6), align="center"),
        )

    def pixels(self) -> np.ndarray:
        """The page as uint8 [height, width, 3], a fresh array."""
        data = bytearray(library().image.tobytes(self.surface, "RGB"))
        return np.frombuffer(data, np.uint8).reshape(self.height, self.width, 3)
