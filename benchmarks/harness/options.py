"""What a run of a benchmark is told: the words of the command line."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from agents.tasks.options import ExecutorOptions
from benchmarks.harness.benchmark import Settings

RESULTS = Path(__file__).parents[1] / "results"


@dataclass(frozen=True)
class Options:
    """How a benchmark is run."""

    runs: int | None = None  # number of runs; None for the file's own
    seed: int = 0  # all randomness comes from it
    out: Path = RESULTS  # folder of the results
    small: bool = False  # the smoke settings
    only: tuple[str, ...] = ()  # patterns of cells to run; all if empty
    # Where parts are computed: here, one after another, unless told otherwise.
    executor: ExecutorOptions = field(default_factory=lambda: ExecutorOptions(jobs=1))
    device: str = "cpu"  # "cpu", "cuda" or "auto"
    fresh: bool = False  # forget the wanted cells' stored parts, rows and half-done trainings
    changes: Settings = field(default_factory=dict)  # settings by name

    def command(self, name: str) -> str:
        """The command line that says the same.

        Where it writes and computes does not matter to the numbers.
        """
        words = ["python -m benchmarks run", name]
        if self.runs is not None:
            words.append(f"--runs {self.runs}")
        if self.seed:
            words.append(f"--seed {self.seed}")
        if self.small:
            words.append("--scale small")
        words += [f"--only {pattern!r}" for pattern in self.only]
        if self.device != "cpu":
            words.append(f"--device {self.device}")
        words += [f"--set {key}={value}" for key, value in self.changes.items()]
        return " ".join(words)
