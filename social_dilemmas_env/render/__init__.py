"""Pictures of a game: text, arrays of pixels, a window.

text(scene)                   "ansi": lines for a terminal or a log
frame(scene)                  "rgb_array": uint8 [height, width, 3], without a display
Window(fps)                   "human": the same picture in a window, in real time

A picture reads the scene and nothing else: it changes neither the game nor any random state.  All
pictures of one game have one size, with even sides, so that an episode can be recorded (see
`video`).
"""

from social_dilemmas_env.render.frames import frame, picture
from social_dilemmas_env.render.scene import Scene
from social_dilemmas_env.render.text import scene_text
from social_dilemmas_env.render.window import Window

__all__ = ["Window", "frame", "picture", "text"]


def text(scene: Scene) -> str:
    """The scene as plain text."""
    return scene_text(scene)
