"""Lines of text as pictures, in pygame's built-in font, and how wide they are."""

from functools import lru_cache
from typing import Any, NamedTuple

from social_dilemmas_env.render.palette import INK, Color
from social_dilemmas_env.render.sprites import SUPERSAMPLING, Surface, import_library, transparent

EM = 0.6875  # height of an em in the built-in font, as a share of the size asked for


class TextStyle(NamedTuple):
    """How a line of text looks."""

    size: int  # height of an em in pixels
    color: Color = INK
    align: str = "left"  # "left", "center" or "right" of the point
    width: int | None = None  # pixels that it must fit in; None: any


def _font(size: int) -> Any:
    """The built-in font, enlarged.

    Not kept, for it dies with `pygame.quit()`, which is not ours to forbid.
    """
    pygame = import_library()
    pygame.font.init()
    return pygame.font.Font(None, round(size * SUPERSAMPLING / EM))


def printable(text: str) -> str:
    """The text without characters that the font cannot take."""
    return "".join(c if c.isprintable() and ord(c) <= 0xFFFF else "?" for c in text)


@lru_cache(maxsize=4096)
def text_width(text: str, size: int) -> int:
    """Width of a line of text in pixels."""
    large: int = _font(size).size(printable(text))[0]
    return -(-large // SUPERSAMPLING)


@lru_cache(maxsize=4096)
def truncated(text: str, size: int, width: int) -> str:
    """The text, cut off with an ellipsis if it is wider than `width`."""
    if text_width(text, size) <= width:
        return text
    length = len(text)
    while length and text_width(text[:length].rstrip() + "…", size) > width:
        length -= 1
    return text[:length].rstrip() + "…"


@lru_cache(maxsize=4096)
def text_picture(text: str, size: int, color: Color) -> tuple[Surface, int]:
    """A line of text, and the height of the middle of its capitals.

    It is drawn enlarged and scaled down like everything else, so that the letters keep their even
    distances.
    """
    pygame, font = import_library(), _font(size)
    scale = SUPERSAMPLING

    # Drawn enlarged.
    large = font.render(printable(text), True, color)
    width, height = -(-large.get_width() // scale), -(-large.get_height() // scale)
    middle = font.get_ascent() - font.metrics("H")[0][3] / 2
    canvas = transparent(max(width, 1) * scale, (height + 1) * scale, color)
    canvas.blit(large, (0, round(-middle) % scale))  # the middle falls on a whole pixel

    # Scaled down.
    small = pygame.transform.smoothscale(canvas, (max(width, 1), height + 1))
    return small, -(-round(middle) // scale)
