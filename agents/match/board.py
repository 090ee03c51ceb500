"""A person at a window: the picture, the keys under it, and as much time as they want."""

from contextlib import suppress

from agents.match.human import GameStopped, question
from agents.match.keys import STOP, action_by_key, hints
from social_dilemmas_env.render.key_window import KeyWindow, WindowClosed
from social_dilemmas_env.render.scene import Scene


class Board:
    """Asks in a window.

    Args:
        scale: how many times as large as usual it is.
    """

    def __init__(self, scale: int = 1) -> None:
        self.window = KeyWindow(scale)

    def ask(self, scene: Scene, seat: int) -> int:
        """See `Screen`."""
        names = scene.game.action_names[seat]
        actions = action_by_key(names)
        shown = [*hints(names), ("q", "stop")]
        try:
            key = self.window.ask(scene, (question(scene, seat), seat), shown, {*actions, *STOP})
        except WindowClosed:
            raise GameStopped("the window was closed") from None
        if key not in actions:
            raise GameStopped("as you asked")
        return actions[key]

    def finish(self, scene: Scene, text: str) -> None:
        """See `Screen`."""
        with suppress(WindowClosed):
            self.window.ask(scene, (text, None), [("any key", "closes the window")], ())

    def close(self) -> None:
        """See `Screen`."""
        self.window.close()
