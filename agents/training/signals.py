"""Being told to stop: SIGINT and SIGTERM are noted, and the run ends where it can be resumed."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def noted_signals() -> Iterator[list[int]]:
    """SIGINT and SIGTERM go into the list that this yields, instead of ending the process.

    A second SIGINT interrupts at once.  Handlers belong to the main thread: elsewhere nothing is
    noted.
    """
    noted: list[int] = []

    # A second Ctrl-C is impatience: the update is not finished.
    def note(number: int, frame: Any) -> None:
        if noted and number == signal.SIGINT:
            raise KeyboardInterrupt
        noted.append(number)

    # Python lets only the main thread set handlers.
    if threading.current_thread() is not threading.main_thread():
        yield noted
        return

    # The caller's handlers come back.
    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
