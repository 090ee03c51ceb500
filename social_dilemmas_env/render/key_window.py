"""A window that shows a game and waits for keys: for a person who plays."""

from collections.abc import Collection, Sequence
from typing import Any

from social_dilemmas_env.render.canvas import Box, Canvas, rounded_up
from social_dilemmas_env.render.describe import title
from social_dilemmas_env.render.frames import picture
from social_dilemmas_env.render.lettering import TextStyle, text_width
from social_dilemmas_env.render.palette import CARD, INK, LINE, MUTED, QUIET, player_ink
from social_dilemmas_env.render.scene import Scene
from social_dilemmas_env.render.sprites import BoxStyle, import_library
from social_dilemmas_env.render.widgets import MARGIN, Chip, draw_chip

WAIT = 100  # milliseconds between looks at the events
QUESTION = TextStyle(16)
KEY, NAME = TextStyle(14, INK, "center"), TextStyle(14, MUTED)
PITCH = 30  # from one row of keys to the next

Hints = Sequence[tuple[str, str]]  # (keys, what they do)


class WindowClosed(Exception):
    """The person closed the window."""


class KeyWindow:
    """Shows scenes with the keys under them, and waits for one of the keys.

    Needs pygame, and a display.
    """

    def __init__(self, scale: int = 1) -> None:
        self.scale = scale
        self._screen: Any = None

    def ask(
        self, scene: Scene, line: tuple[str, int | None], keys: Hints, known: Collection[str]
    ) -> str:
        """Shows a scene and waits.

        Args:
            scene: what to draw.
            line: what to say under it, and in whose player's colour.
            keys: what to show of the keys.
            known: names of the keys that are waited for; empty: any key.

        Returns:
            The name of the key, as pygame calls it.

        Raises:
            WindowClosed: by the person.
            gymnasium.error.DependencyNotInstalled: pygame is missing.
            pygame.error: no window can be opened here.
        """
        pygame = import_library()
        canvas = self._canvas(scene, line, keys)
        self._open(pygame, canvas.surface.get_size(), title(scene))
        self._draw(pygame, canvas)

        while True:
            event = pygame.event.wait(WAIT)
            if event.type == pygame.QUIT:
                self.close()
                raise WindowClosed
            if event.type == pygame.KEYDOWN:
                name: str = pygame.key.name(event.key)
                if name in known or not known:
                    return name
            if event.type in (pygame.VIDEOEXPOSE, pygame.WINDOWEXPOSED):
                self._draw(pygame, canvas)

    def _canvas(self, scene: Scene, line: tuple[str, int | None], keys: Hints) -> Canvas:
        """The picture, and under it the line and the keys."""
        above = picture(scene, self.scale)
        rows = rows_of(keys, above.width - 2 * MARGIN)
        height = rounded_up(above.height + 34 + PITCH * len(rows) + 10)
        canvas = Canvas(above.width, height, self.scale)
        canvas.surface.blit(above.surface, (0, 0))

        # A band of its own.
        band = Box(0, above.height, above.width, height - above.height)
        canvas.box(band, BoxStyle(QUIET))
        canvas.box(Box(0, above.height, above.width, 1), BoxStyle(LINE))
        text, player = line
        color = INK if player is None else player_ink(player, QUIET)
        style = QUESTION._replace(color=color, width=above.width - 2 * MARGIN)
        canvas.text(MARGIN, above.height + 20, text, style)
        for k, row in enumerate(rows):
            draw_keys(canvas, row, above.height + 34 + PITCH * k + PITCH // 2)
        return canvas

    def _open(self, pygame: Any, size: tuple[int, int], caption: str) -> None:
        pygame.display.init()
        screen = pygame.display.get_surface()
        if self._screen is None or screen is None or screen.get_size() != size:
            self._screen = pygame.display.set_mode(size)
            pygame.display.set_caption(caption)

    def _draw(self, pygame: Any, canvas: Canvas) -> None:
        self._screen.blit(canvas.surface, (0, 0))
        pygame.display.flip()

    def close(self) -> None:
        """Closes the window; may be called again."""
        opened, self._screen = self._screen is not None, None
        if opened:
            import_library().display.quit()


def chip_of(keys: str) -> Chip:
    """A key as a small box."""
    return Chip(keys, BoxStyle(CARD, 6, INK), KEY)


def width_of(hint: tuple[str, str]) -> int:
    """Pixels that a key and its meaning need."""
    return chip_of(hint[0]).width + 8 + text_width(hint[1], NAME.size) + 20


def rows_of(keys: Hints, room: int) -> list[list[tuple[str, str]]]:
    """The keys in as few rows as they fit in."""
    rows: list[list[tuple[str, str]]] = [[]]
    for hint in keys:
        if rows[-1] and sum(map(width_of, [*rows[-1], hint])) > room:
            rows.append([])
        rows[-1].append(hint)
    return rows


def draw_keys(canvas: Canvas, row: Hints, y: int) -> None:
    """One row of keys."""
    x = float(MARGIN)
    for hint in row:
        chip = chip_of(hint[0])
        draw_chip(canvas, x + chip.width / 2, y, chip)
        canvas.text(x + chip.width + 8, y, hint[1], NAME)
        x += width_of(hint)
