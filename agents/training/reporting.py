"""Where the metrics of a run go: lines of JSON, TensorBoard."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from social_dilemmas_env.extras import need

LOG_EVERY = 20  # iterations between lines of metrics


class RunningMean:
    """Means of metrics over the iterations since the last line."""

    def __init__(self) -> None:
        self._totals: dict[str, float] = {}  # of the metrics that the last update had
        self._count = 0

    def add(self, metrics: Mapping[str, float]) -> None:
        """Takes in the metrics of one iteration."""
        self._totals = {name: self._totals.get(name, 0.0) + x for name, x in metrics.items()}
        self._count += 1

    def take(self) -> dict[str, float]:
        """The means so far; the next ones start anew."""
        means = {name: total / self._count for name, total in self._totals.items()}
        self._totals, self._count = {}, 0
        return means


class MetricsFile:
    """`metrics.jsonl`: a line of JSON every so often.

    Args:
        folder: the run folder.
        start: lines after this iteration, of a run that was killed, are dropped.
    """

    def __init__(self, folder: Path, start: int) -> None:
        self.path = folder / "metrics.jsonl"
        self._forget(start)

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
        """One line."""
        # Opened anew for every line: who reads the file sees whole lines.
        with open(self.path, "a") as file:
            file.write(json.dumps({"iteration": iteration, **values}) + "\n")


def tensorboard_writer(folder: Path) -> Any:
    """TensorBoard's writer of a run folder.

    Raises:
        ImportError: it is not installed; the message says what to install.
    """
    tensorboard = need("torch.utils.tensorboard", extra="", what="logging to TensorBoard")
    return tensorboard.SummaryWriter(str(folder / "events"))


def tensorboard_wanted() -> bool:
    """Whether a run writes for TensorBoard, where that is installed: unless told otherwise."""
    return os.environ.get("SOCIAL_DILEMMAS_TENSORBOARD", "1") != "0"
