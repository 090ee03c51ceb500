"""Being told to end while tasks run."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def raising_on_terminate(hint: str = "") -> Iterator[None]:
    """Within it SIGTERM raises SystemExit, so that workers end too; the caller's handler returns.

    Handlers belong to the main thread: elsewhere nothing changes.

    Args:
        hint: said on standard error where the work is stopped, how to go on; "" for nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: Any) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        if hint:
            print(f"stopped; {hint}", file=sys.stderr)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
