"""What a training run says while it runs: a line of JSON every so often, TensorBoard if it is
there, a bar in a terminal.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Reporter:
    """Metrics of a run; use as a context.

    Args:
        folder: the run folder; `metrics.jsonl` (and TensorBoard's files in `events/`) go there.
        start: lines after this iteration, of a run that was killed, are dropped.
        total: iterations in all; None if only time limits the run.
        quiet: no progress bar.
    """

    def __init__(self, folder: Path, start: int, total: int | None, quiet: bool = False) -> None:
        self.path = folder / "metrics.jsonl"
        self._forget(start)
        self.board = _tensorboard(folder / "events")
        shown = not quiet and sys.stderr.isatty()
        self.bar: Any
        self.task: Any
        self.bar, self.task = _bar(start, total) if shown else (None, None)

    def _forget(self, start: int) -> None:
        if not self.path.exists():
            return
        kept = []
        for line in self.path.read_text().splitlines():
            try:
                if json.loads(line)["iteration"] <= start:
                    kept.append(line)
            except (ValueError, KeyError, TypeError):  # half a line, written when the disk was full
                continue
        self.path.write_text("".join(line + "\n" for line in kept))

    def write(self, iteration: int, values: Mapping[str, float]) -> None:
        """One line of `metrics.jsonl`."""
        with open(self.path, "a") as file:
            file.write(json.dumps({"iteration": iteration, **values}) + "\n")
        if self.board is not None:
            for name, value in values.items():
                self.board.add_scalar(name, value, iteration)

    def progress(self, iteration: int, values: Mapping[str, float]) -> None:
        """Moves the bar."""
        if self.bar is not None:
            reward = values.get("reward")
            self.bar.update(
                self.task,
                completed=iteration,
                reward="" if reward is None else f"reward {reward:+.3f}",
            )

    def say(self, text: str) -> None:
        """A line for the person at the terminal."""
        (self.bar.console.print if self.bar is not None else _to_stderr)(text)

    def __enter__(self) -> "Reporter":
        if self.bar is not None:
            self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()
        if self.board is not None:
            self.board.close()


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _tensorboard(folder: Path) -> Any:
    if os.environ.get("SOCIAL_DILEMMAS_TENSORBOARD", "1") == "0":
        return None
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder))


def _bar(start: int, total: int | None) -> tuple[Any, Any]:
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
        return None, None

    class Rate(TextColumn):
        def render(self, task: Any) -> Any:
            return self.text_format.format(task.speed or 0.0)

    columns = (
        TextColumn("training"), BarColumn(), MofNCompleteColumn(), Rate("{:.2f} it/s"), TimeElapsedColumn(),
        TimeRemainingColumn(), TextColumn("{task.fields[reward]}"),
    )  # fmt: skip
    bar = Progress(*columns, console=Console(stderr=True))
    return bar, bar.add_task("training", total=total, completed=start, reward="")
