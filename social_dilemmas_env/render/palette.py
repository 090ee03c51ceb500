"""Colours of the pictures: a light page, and a colour for each player.

Colour-blind viewers can tell them apart.  The players' colours are those of M. Okabe and K. Ito,
"Color Universal Design" (2008).  No colour carries meaning alone: each player has a shape and a
number as well.
"""

from functools import lru_cache

Color = tuple[int, int, int]

PAPER: Color = (250, 250, 252)  # the page
CARD: Color = (255, 255, 255)
LINE: Color = (222, 226, 233)  # hairlines
QUIET: Color = (238, 240, 244)  # what is not there yet
MUTED: Color = (92, 101, 117)  # secondary text
INK: Color = (27, 34, 48)  # text
LIT: Color = (255, 241, 190)  # the cell just played

PLAYERS: tuple[Color, ...] = (
    (213, 94, 0),  # vermillion
    (0, 114, 178),  # blue
    (0, 158, 115),  # bluish green
    (204, 121, 167),  # reddish purple
    (230, 159, 0),  # orange
    (86, 180, 233),  # sky blue
    (60, 60, 60),  # black, softened
    (240, 228, 66),  # yellow
)
SHAPES = ("circle", "square", "diamond", "triangle", "hexagon", "pentagon", "star", "cross")

READABLE = 4.5  # contrast of text (WCAG 2.1, level AA)
READABLE_LARGE = 3.0  # of large bold text


def player_color(player: int) -> Color:
    """The colour of a player; after eight players they repeat, and the number tells who is who."""
    return PLAYERS[player % len(PLAYERS)]


def player_shape(player: int) -> str:
    """The shape of a player's coins and badges."""
    return SHAPES[player % len(SHAPES)]


def mix(a: Color, b: Color, share: float) -> Color:
    """The colour between `a` (share 0) and `b` (share 1)."""
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue


def luminance(color: Color) -> float:
    """Relative luminance in [0, 1], as WCAG 2.1 defines it."""
    parts = [c / 255 for c in color]  # red, green, blue in [0, 1]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(a: Color, b: Color) -> float:
    """Contrast ratio of two colours in [1, 21], as WCAG 2.1 defines it."""
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@lru_cache(maxsize=1024)
def player_ink(player: int, paper: Color = PAPER) -> Color:
    """The player's colour, darkened until text in it is readable on `paper`."""
    color, share = player_color(player), 0.0
    while contrast(mix(color, INK, share), paper) < READABLE:
        share += 0.05
    return mix(color, INK, share)


@lru_cache(maxsize=1024)
def text_on(color: Color) -> Color:
    """White where large bold text in it is readable on `color`, else dark."""
    return CARD if contrast(CARD, color) >= READABLE_LARGE else INK


@lru_cache(maxsize=1024)
def action_shade(player: int, action: int, num_actions: int) -> Color:
    """The player's colour, from pale (action 0, cooperate) to full (the last action, defect)."""
    share = 1.0 if num_actions == 1 else 0.25 + 0.75 * action / (num_actions - 1)
    return mix(CARD, player_color(player), share)
