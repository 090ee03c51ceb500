"""A progress bar with the remaining time on a terminal; a line per finished part elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from agents.progress import ProgressBar

Advance = Callable[[float, str], None]


@contextmanager
def progress(title: str, total: float) -> Iterator[Advance]:
    """Yields a function (amount, what was done) that moves the bar.

    Args:
        title: what is running.
        total: of all amounts.
    """
    # The remaining time goes by an hour of parts: they differ in length.
    with ProgressBar(title, total, transient=True, speed_over=3600) as bar:
        yield bar.advance if bar.shown else print_line


def print_line(amount: float, what: str) -> None:
    """Says what was done."""
    print(f"done: {what}", file=sys.stderr, flush=True)


def describe_seconds(seconds: float) -> str:
    """Such as "12 s", "4 min", "3.1 h" or "12 days"."""
    for size, unit, digits in ((86_400.0, "days", 0), (3_600.0, "h", 1), (60.0, "min", 0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.{digits}f} {unit}"
    return f"{max(1.0, seconds):.0f} s"
