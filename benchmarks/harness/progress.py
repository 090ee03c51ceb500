"""A progress bar with the remaining time on a terminal; a line per finished part elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[float, str], None]


@contextmanager
def progress(title: str, total: float) -> Iterator[Advance]:
    """Yields a function (amount, what was done) that moves the bar.

    Args:
        title: what is running.
        total: of all amounts.
    """
    # Without rich, or with the output in a file, lines.
    try:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
    except ImportError:
        yield print_line
        return

    console = Console(stderr=True)
    if not console.is_terminal:
        yield print_line
        return

    # The remaining time goes by an hour of parts: they differ in length.
    text = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f} %")
    times = TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn()
    with Progress(
        *text, *times, console=console, transient=True, speed_estimate_period=3600
    ) as bar:
        task = bar.add_task(title, total=total)
        yield lambda amount, what: bar.update(task, advance=amount, description=f"{title}: {what}")


def print_line(amount: float, what: str) -> None:
    """Says what was done."""
    print(f"done: {what}", file=sys.stderr, flush=True)
