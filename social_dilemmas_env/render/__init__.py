"""Pictures of a game: text, arrays of pixels, a window.

text(scene)                   "ansi": lines for a terminal or a log
frame(scene)                  "rgb_array": uint8 [height, width, 3], without a display
Window(fps)                   "human": the same picture in a window, in real time

A picture reads the scene and nothing else: it changes neither the game nor any random state.  All
pictures of one game have one size, with even sides, so that an episode can be recorded (see
`recording`).
"""

from typing import Any

import numpy as np

from social_dilemmas_env.games.coin import CoinGame
from social_dilemmas_env.render.canvas import Canvas, library
from social_dilemmas_env.render.coin import coin_picture
from social_dilemmas_env.render.describe import has_table, title
from social_dilemmas_env.render.matrix import matrix_picture
from social_dilemmas_env.render.scene import Scene
from social_dilemmas_env.render.text import scene_text
from social_dilemmas_env.render.tiles import tiles_picture


def text(scene: Scene) -> str:
    """The scene as plain text."""
    return scene_text(scene)


def frame(scene: Scene) -> np.ndarray:
    """The scene as pixels.

    Returns:
        A fresh uint8 array [height, width, 3]; height and width depend on the game alone and are
        multiples of 16.

    Raises:
        gymnasium.error.DependencyNotInstalled: pygame is missing.
    """
    return picture(scene).pixels()


def picture(scene: Scene) -> Canvas:
    """The scene as a page, in the layout that suits the game."""
    if isinstance(scene.game, CoinGame):
        return coin_picture(scene)
    return matrix_picture(scene) if has_table(scene.game) else tiles_picture(scene)


class Window:
    """A window that shows scenes; opens with the first one.

    Closing the window with the mouse ends the showing, not the run: later scenes are not drawn.
    Key presses stay in pygame's queue, for whoever plays.

    Attributes:
        closed: whether the window was closed, by `close` or by the user.
    """

    def __init__(self, fps: float):
        """At most `fps` scenes a second: `show` waits as long as needed."""
        self.fps = fps
        self.closed = False
        self._clock: Any = None

    def show(self, scene: Scene) -> None:
        """Draws a scene and lets the window answer its events.

        Raises:
            gymnasium.error.DependencyNotInstalled: pygame is missing.
            pygame.error: no window can be opened here.
        """
        if self.closed:
            return
        pygame = library()
        page = picture(scene)
        screen = self._screen(pygame, (page.width, page.height), title(scene))
        if any(event.type == pygame.QUIT for event in pygame.event.get(exclude=(pygame.KEYDOWN,))):
            self.close()
            return
        screen.blit(page.surface, (0, 0))
        pygame.display.flip()
        self._clock.tick(self.fps)

    def _screen(self, pygame: Any, size: tuple[int, int], caption: str) -> Any:
        """The window, opened if it is not there or has another size (pygame has one window a
        process).
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
            library().display.quit()
