"""A window that shows a game in real time: the "human" mode."""

import os
from typing import Any

from social_dilemmas_env.render.describe import title
from social_dilemmas_env.render.frames import picture
from social_dilemmas_env.render.scene import Scene
from social_dilemmas_env.render.sprites import import_library

OFFSCREEN = ("dummy", "offscreen", "evdev")  # drivers of SDL that show nothing to anybody


def has_display() -> bool:
    """Whether a window would be seen: not where pygame falls back to drawing nowhere.

    A driver that `SDL_VIDEODRIVER` asks for counts as a display: it was wanted.

    Raises:
        gymnasium.error.DependencyNotInstalled: pygame is missing.
    """
    if os.environ.get("SDL_VIDEODRIVER"):
        return True
    pygame = import_library()
    was_open = pygame.display.get_init()
    try:
        pygame.display.init()
        return pygame.display.get_driver() not in OFFSCREEN
    except pygame.error:
        return False
    finally:
        if not was_open:
            pygame.display.quit()


class Window:
    """A window that shows scenes; opens with the first one.

    Closing the window with the mouse ends the showing, not the run: later scenes are not drawn.
    Key presses stay in pygame's queue, for whoever plays.

    Attributes:
        fps: scenes a second, at most.
        closed: whether the window was closed, by `close` or by the user.
    """

    def __init__(self, fps: float, scale: int = 1):
        """At most `fps` scenes a second: `show` waits as long as needed.

        The window is `scale` times as large as usual.
        """
        self.fps, self.scale = fps, scale
        self.closed = False
        self._clock: Any = None  # None: no window is open

    def show(self, scene: Scene) -> None:
        """Draws a scene and lets the window answer its events.

        Raises:
            gymnasium.error.DependencyNotInstalled: pygame is missing.
            pygame.error: no window can be opened here.
        """
        if self.closed:
            return
        pygame = import_library()
        canvas = picture(scene, self.scale)
        screen = self._screen(pygame, canvas.surface.get_size(), title(scene))

        # The user may have closed the window.
        if any(event.type == pygame.QUIT for event in pygame.event.get(exclude=(pygame.KEYDOWN,))):
            self.close()
            return

        screen.blit(canvas.surface, (0, 0))
        pygame.display.flip()
        self._clock.tick(self.fps)

    def _screen(self, pygame: Any, size: tuple[int, int], caption: str) -> Any:
        """The window, opened if it is not there or has another size.

        pygame has one window a process, so another game may have changed it.
        """
        pygame.display.init()
        screen = pygame.display.get_surface()
        if self._clock is None or screen is None or screen.get_size() != size:
            screen = pygame.display.set_mode(size)
            pygame.display.set_caption(caption)
            self._clock = self._clock or pygame.time.Clock()
        return screen

    def close(self) -> None:
        """Closes the window; may be called again."""
        opened, self._clock, self.closed = self._clock is not None, None, True
        if opened:
            import_library().display.quit()
