"""Where the metrics of a run go: lines of JSON, TensorBoard."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents.atomic_write import write_atomically
from agents.errors import CheckpointError
from social_dilemmas_env.extras import need
from social_dilemmas_env.regular_file import read_regular

MAX_METRICS = 1 << 32  # bytes; a line of twenty metrics takes some hundred
LOG_EVERY = 20  # iterations between lines of metrics


class RunningMean:
    """Means of metrics over the iterations since the last line.

    Args:
        totals: sums so far, by metric, of a run that is gone on with.
        count: of how many iterations.
    """

    def __init__(self, totals: Mapping[str, float] | None = None, count: int = 0) -> None:
        self.totals = dict(totals or {})  # of the metrics that the last update had
        self.count = count

    def add(self, metrics: Mapping[str, float], iteration: int) -> None:
        """Takes in the metrics of one iteration; the first one after a line starts anew."""
        # Counted from the start of the run, so that a resumed run has equal lines.
        if (iteration - 1) % LOG_EVERY == 0:
            self.totals, self.count = {}, 0
        self.totals = {name: self.totals.get(name, 0.0) + x for name, x in metrics.items()}
        self.count += 1

    def means(self) -> dict[str, float]:
        """The means so far."""
        return {name: total / self.count for name, total in self.totals.items()}

    def facts(self) -> dict[str, Any]:
        """What a checkpoint keeps of it: the arguments that make it again."""
        return {"totals": self.totals, "count": self.count}


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
        """Drops lines, by a new file that takes the old one's place as a whole."""
        if not self.path.exists():
            return

        try:
            there = read_regular(self.path, MAX_METRICS)
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{self.path}: not readable: {error}") from error
        lines = there.decode(errors="replace").splitlines()
        kept = "".join(line + "\n" for line in lines if _is_until(line, start)).encode()
        if kept != there:
            write_atomically(self.path, kept)

    def write(self, iteration: int, values: Mapping[str, float]) -> None:
        """One line."""
        # Opened anew for every line: who reads the file sees whole lines; and somebody may have
        # deleted the folder, which the next checkpoint makes again.
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "a") as file:
            file.write(json.dumps({"iteration": iteration, **values}) + "\n")


def _is_until(line: str, last: int) -> bool:
    """Whether a line is whole, and of an iteration up to the last one."""
    try:
        return bool(json.loads(line)["iteration"] <= last)
    except (ValueError, KeyError, TypeError, RecursionError):  # half a line: the disk was full
        return False


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
