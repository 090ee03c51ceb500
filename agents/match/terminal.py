"""A person at a terminal: the text view, and a key or a line for each move.

Where the input is a terminal of a POSIX system a key is enough; elsewhere, and in a pipe, a line.
"""

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from agents.match.human import GameStopped, question
from agents.match.keys import STOP, action_by_key, hints
from social_dilemmas_env import render
from social_dilemmas_env.render.scene import Scene

# What terminals send for arrows.
ARROWS = {"A": "up", "B": "down", "C": "right", "D": "left"}
CLEAR = "\x1b[H\x1b[2J"


class Terminal:
    """Asks in lines of text.

    Args:
        source: where moves come from; the standard input if None.
        sink: where the game is shown; the standard output if None.
    """

    def __init__(self, source: TextIO | None = None, sink: TextIO | None = None) -> None:
        self.source = sys.stdin if source is None else source
        self.sink = sys.stdout if sink is None else sink
        self.by_key = self.source.isatty() and _termios() is not None
        self._pressed = ""

    def ask(self, scene: Scene, seat: int) -> int:
        """See `Screen`."""
        names = scene.game.action_names[seat]
        actions, words = action_by_key(names), {name.lower(): a for a, name in enumerate(names)}
        shown = "   ".join(f"[{keys}] {name}" for keys, name in hints(names))
        self._show(scene, f"{question(scene, seat)}   {shown}   [q] stop")

        while True:
            key = self._read().strip().lower() or "space"
            if key in actions or key in words:
                return actions[key] if key in actions else words[key]
            if key in STOP:
                raise GameStopped("as you asked")
            self._write(f"{key!r:.20} is no move; {shown}   [q] stop\n> ")

    def finish(self, scene: Scene, text: str) -> None:
        """See `Screen`."""
        self._show(scene, text, prompt="\n")

    def close(self) -> None:
        """Nothing to close."""

    def _show(self, scene: Scene, below: str, prompt: str = "\n> ") -> None:
        # One place on the screen in a terminal; one game after another in a log.
        start = CLEAR if self.by_key and self.sink.isatty() else ""
        self._write(f"{start}{render.text(scene)}\n\n{below}{prompt}")

    def _write(self, text: str) -> None:
        self.sink.write(text)
        self.sink.flush()

    def _read(self) -> str:
        """A key or a line.

        Raises:
            GameStopped: the input has ended.
        """
        if not self.by_key:
            line = self.source.readline()
            if not line:
                raise GameStopped("there is no keyboard: the input has ended")
            return line

        # What was pressed meanwhile comes first.
        if not self._pressed:
            with _single_keys(self.source):
                self._pressed = os.read(self.source.fileno(), 64).decode(errors="ignore")
        key, self._pressed = _first_key(self._pressed)
        if key in ("", "\x04"):
            raise GameStopped("there is no keyboard: the input has ended")
        return key


def _first_key(pressed: str) -> tuple[str, str]:
    """The name of the first key of what a terminal sent, and the rest."""
    if pressed[:2] in ("\x1b[", "\x1bO"):
        return ARROWS.get(pressed[2:3], "another key"), pressed[3:]
    named = {" ": "space", "\x1b": "escape", "\n": "enter", "\r": "enter"}
    return named.get(pressed[:1], pressed[:1]), pressed[1:]


def _termios() -> Any:
    """The module that reads single keys; None on systems without."""
    try:
        return importlib.import_module("termios")
    except ImportError:
        return None


@contextmanager
def _single_keys(source: TextIO) -> Iterator[None]:
    """The terminal hands over each key as it is pressed, and is put back afterwards."""
    termios, tty = _termios(), importlib.import_module("tty")
    before = termios.tcgetattr(source)
    try:
        tty.setcbreak(source, termios.TCSANOW)  # keys that were typed ahead stay
        yield
    finally:
        termios.tcsetattr(source, termios.TCSANOW, before)
