"""Small pictures that are made once and kept: sprites, boxes, arrowheads.

pygame is imported when the first picture is made, never before, and only its parts that need no
window are used.
"""

from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from social_dilemmas_env.extras import need
from social_dilemmas_env.render.palette import CARD, Color

Surface = Any  # pygame.Surface
SUPERSAMPLING = 4  # shapes are drawn this much larger and scaled down, which smooths their edges


class BoxStyle(NamedTuple):
    """How a box looks."""

    fill: Color = CARD
    radius: int = 0  # of the corners, in pixels
    border: Color | None = None  # None: no border
    line: int = 1  # width of the border, in pixels, drawn inside
    alpha: int = 255  # 255: opaque


def import_library(name: str = "pygame") -> Any:
    """A library of the `render` extra.

    Raises:
        DependencyNotInstalled: it is missing; the message says what to install.
    """
    return need(name, extra="render", what="rendering")


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
    pygame = import_library()
    return pygame.image.load(BytesIO(asset(f"{name}.png").read_bytes()), f"{name}.png")


@lru_cache(maxsize=1024)
def sprite(name: str, color: Color, size: int) -> Surface:
    """A sprite in this colour, `size` pixels wide and high."""
    pygame = import_library()
    picture = pygame.transform.smoothscale(master(name), (size, size))
    picture.fill((*color, 255), special_flags=pygame.BLEND_RGBA_MULT)
    return picture


def transparent(width: int, height: int, color: Color) -> Surface:
    """An empty picture; its hidden colour is what smooth edges fade into."""
    pygame = import_library()
    surface = pygame.Surface((width, height), pygame.SRCALPHA)
    surface.fill((*color, 0))
    return surface


@lru_cache(maxsize=1024)
def box_picture(width: int, height: int, style: BoxStyle) -> Surface:
    """A box with smooth corners."""
    pygame = import_library()
    scale = SUPERSAMPLING
    large = transparent(width * scale, height * scale, style.border or style.fill)
    inner, radius = large.get_rect(), style.radius * scale

    # The border is a larger box beneath.
    if style.border is not None:
        pygame.draw.rect(large, (*style.border, style.alpha), inner, border_radius=radius)
        inner = inner.inflate(-2 * style.line * scale, -2 * style.line * scale)
        radius -= style.line * scale

    pygame.draw.rect(large, (*style.fill, style.alpha), inner, border_radius=max(radius, 0))
    return pygame.transform.smoothscale(large, (width, height))


@lru_cache(maxsize=256)
def arrowhead(size: int, direction: str, color: Color) -> Surface:
    """A small triangle that points "left", "right", "up" or "down"."""
    pygame = import_library()
    n = size * SUPERSAMPLING
    large = transparent(n, n, color)
    corners = [(n * 0.25, n * 0.05), (n * 0.75, n * 0.5), (n * 0.25, n * 0.95)]
    pygame.draw.polygon(large, color, corners)

    angle = {"right": 0, "up": 90, "left": 180, "down": 270}[direction]
    return pygame.transform.smoothscale(pygame.transform.rotate(large, angle), (size, size))
