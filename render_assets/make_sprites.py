"""Draws the sprites of this folder: `python render_assets/make_sprites.py`.

Every sprite is a grey master that the renderer multiplies by a player's colour: white becomes that
colour, grey a darker shade, black stays.  Shapes are drawn four times too large and scaled down,
which smooths their edges.
"""

import math
from pathlib import Path

import pygame

SIZE = 128  # of a sprite, in pixels
SCALE = 4  # drawn this much larger
FULL = SIZE * SCALE
WHITE, RIM, GROOVE = (255, 255, 255), (178, 178, 178), (222, 222, 222)
SHAPES = ("circle", "square", "diamond", "triangle", "hexagon", "pentagon", "star", "cross")


def corners(shape: str) -> list[tuple[float, float]]:
    """Corners of a shape about the origin, of a size that looks like a circle of radius 1."""
    # Shapes of their own.
    if shape == "star":
        return [polar(90 + 36 * k, 1.06 if k % 2 == 0 else 0.60) for k in range(10)]
    if shape == "cross":
        arm = (0.46, 0.96)
        quarter = [(arm[1], -arm[0]), (arm[1], arm[0]), (arm[0], arm[0])]
        return [turn(p, -90 * k) for k in range(4) for p in quarter]

    # Regular polygons: number of corners, angle of the first one, radius.
    count, start, radius = {
        "square": (4, 45, 1.18),
        "diamond": (4, 0, 1.06),
        "triangle": (3, 90, 1.16),
        "hexagon": (6, 0, 1.0),
        "pentagon": (5, 90, 1.06),
    }[shape]
    return [polar(start + 360 / count * k, radius) for k in range(count)]


def polar(degrees: float, radius: float) -> tuple[float, float]:
    """A point in the plane, y pointing down."""
    return radius * math.cos(math.radians(degrees)), -radius * math.sin(math.radians(degrees))


def turn(point: tuple[float, float], degrees: float) -> tuple[float, float]:
    """A point turned about the origin."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return c * point[0] + s * point[1], -s * point[0] + c * point[1]


def blob(surface: pygame.Surface, shape: str, radius: float, color: tuple[int, ...]) -> None:
    """A filled shape of about this radius with rounded corners, in the middle of the surface."""
    middle = FULL / 2
    if shape == "circle":
        pygame.draw.circle(surface, color, (middle, middle), radius)
        return

    # Some shapes sit a little lower; corners are rounded by a disc of radius `bend`.
    down = {"triangle": 0.16, "pentagon": 0.05, "star": 0.05}.get(shape, 0.0)
    bend = radius * (0.10 if shape in ("star", "cross") else 0.20)
    points = [
        (middle + x * (radius - bend), middle + (y + down) * (radius - bend))
        for x, y in corners(shape)
    ]
    pygame.draw.polygon(surface, color, points)

    # The disc, rolled around the outline.
    for a, b in zip(points, points[1:] + points[:1], strict=True):
        pygame.draw.circle(surface, color, a, bend)
        dx, dy = b[0] - a[0], b[1] - a[1]
        nx, ny = -dy / math.hypot(dx, dy) * bend, dx / math.hypot(dx, dy) * bend
        edge = [
            (a[0] + nx, a[1] + ny),
            (b[0] + nx, b[1] + ny),
            (b[0] - nx, b[1] - ny),
            (a[0] - nx, a[1] - ny),
        ]
        pygame.draw.polygon(surface, color, edge)


def empty() -> pygame.Surface:
    """A transparent surface of the large size; its hidden grey is what smooth edges fade into."""
    surface = pygame.Surface((FULL, FULL), pygame.SRCALPHA)
    surface.fill((*RIM, 0))
    return surface


def coin(shape: str) -> pygame.Surface:
    """A coin: a rim, a groove and a face for the number."""
    surface = empty()
    for share, color in ((0.94, RIM), (0.86, WHITE), (0.70, GROOVE), (0.65, WHITE)):
        blob(surface, shape, share * FULL / 2, color)
    return surface


def badge(shape: str) -> pygame.Surface:
    """A plain shape, for labels and for the chest of a player."""
    surface = empty()
    surface.fill((*WHITE, 0))
    blob(surface, shape, 0.90 * FULL / 2, WHITE)
    return surface


def player() -> pygame.Surface:
    """A pawn: a head and broad shoulders on a soft shadow."""
    surface, middle, unit = empty(), FULL / 2, FULL / 100

    # The shadow, darker towards its middle.
    for ring in range(30):
        wide, high = (92 - 1.1 * ring) * unit, (15 - 0.35 * ring) * unit
        pygame.draw.ellipse(
            surface, (0, 0, 0, 3 * ring), (middle - wide / 2, 91 * unit - high / 2, wide, high)
        )

    # Shoulders and head, each with a rim.
    for grow, color in ((0.0, RIM), (-3.2, WHITE)):
        body = pygame.Rect(0, 0, (80 + 2 * grow) * unit, (53 + 2 * grow) * unit)
        body.center = (round(middle), round(66 * unit))
        top, low = round((32 + grow) * unit), round((12 + grow) * unit)
        pygame.draw.rect(
            surface, color, body, 0, border_top_left_radius=top, border_top_right_radius=top,
            border_bottom_left_radius=low, border_bottom_right_radius=low,
        )  # fmt: skip
    for radius, color in ((21.5, RIM), (18.3, WHITE)):
        pygame.draw.circle(surface, color, (middle, 25 * unit), radius * unit)
    return surface


def apple() -> pygame.Surface:
    """An apple: two round halves, a notch on top, a stem and a leaf."""
    surface, middle, unit = empty(), FULL / 2, FULL / 100
    for grow, color in ((0.0, RIM), (-4.0, WHITE)):
        for side in (-1, 1):
            place = (middle + 17 * side * unit, 58 * unit)
            pygame.draw.circle(surface, color, place, (31 + grow) * unit)

    # Stem and leaf, dark.
    stem = [(48, 40), (52, 40), (57, 12), (52, 10)]
    pygame.draw.polygon(surface, (70, 70, 70), [(x * unit, y * unit) for x, y in stem])
    leaf = pygame.Rect(55 * unit, 10 * unit, 30 * unit, 16 * unit)
    pygame.draw.ellipse(surface, (110, 110, 110), leaf)
    return surface


def dirt() -> pygame.Surface:
    """Dirt: blots of different sizes."""
    surface, unit = empty(), FULL / 100
    for x, y, radius in ((34, 38, 22), (66, 58, 24), (34, 74, 13), (70, 24, 11)):
        for grow, color in ((0, RIM), (-4, WHITE)):
            pygame.draw.circle(surface, color, (x * unit, y * unit), (radius + grow) * unit)
    return surface


def main() -> None:
    """Writes every sprite next to this file."""
    sprites = {"player": player(), "apple": apple(), "dirt": dirt()}
    for shape in SHAPES:
        sprites[f"coin_{shape}"], sprites[f"badge_{shape}"] = coin(shape), badge(shape)
    for name, surface in sprites.items():
        small = pygame.transform.smoothscale(surface, (SIZE, SIZE))
        pygame.image.save(small, str(Path(__file__).with_name(f"{name}.png")))


if __name__ == "__main__":
    main()
