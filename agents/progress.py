"""The progress bar: on stderr, where there is a terminal and `rich`; silent elsewhere."""

import sys
from typing import Any, Self


class ProgressBar:
    """A bar with the rate and the remaining time; use as a context, or end it with `close`.

    Args:
        title: what is running.
        total: units of work in all; None if nobody knows.
        start: units done before.
        shown: False for no bar; None for a bar where stderr is a terminal.
        transient: the bar vanishes at the end.
        speed_over: seconds over which the speed is taken, for the remaining time.
    """

    def __init__(
        self,
        title: str,
        total: float | None,
        *,
        start: float = 0,
        shown: bool | None = None,
        transient: bool = False,
        speed_over: float = 30.0,
    ) -> None:
        # Elsewhere than in a terminal a bar is noise.
        wanted = sys.stderr.isatty() if shown is None else shown
        self._bar: Any = _make_bar(transient, speed_over) if wanted else None
        if self._bar is not None:
            self._task = self._bar.add_task(title, total=total, completed=start, text="")
            self._bar.start()

    @property
    def shown(self) -> bool:
        """Whether there is a bar to be seen."""
        return self._bar is not None

    def advance(self, amount: float = 1, text: str = "") -> None:
        """Moves the bar by so many units; `text` stands behind it."""
        if self._bar is not None:
            self._bar.update(self._task, advance=amount, text=text)

    def move_to(self, done: float, text: str = "") -> None:
        """Moves the bar to so many units; `text` stands behind it."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, text=text)

    def say(self, text: str) -> None:
        """A line for the person at the terminal, above the bar."""
        if self._bar is not None:
            self._bar.console.print(text)
        else:
            print(text, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Ends the bar."""
        if self._bar is not None:
            self._bar.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _make_bar(transient: bool, speed_over: float) -> Any:
    """A `rich` progress display, or None without `rich`."""
    try:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
    except ImportError:
        return None

    # `rich` shows the speed of bytes only.
    class Rate(TextColumn):
        """Units a second."""

        def render(self, task: Any) -> Any:
            """The number, or 0 while it is not known."""
            return self.text_format.format(task.speed or 0.0)

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate("{:.2f} it/s"),
        TimeElapsedColumn(), TimeRemainingColumn(), TextColumn("{task.fields[text]}"),
    )  # fmt: skip
    console = Console(stderr=True)
    return Progress(
        *columns, console=console, transient=transient, speed_estimate_period=speed_over
    )
