"""What a benchmark is: rows of numbers with their source, cells that compute them, and a plot.

A benchmark file states PAPER (numbers, with source), SETTINGS (the full ones), and defines a
`Benchmark` called BENCHMARK:

    settings --cells-->  Cell, Cell, ...   what is to be computed, with the rows that it fills
    cell     --score-->  samples           one number a run and quantity; runs are independent,
                                           so they come in chunks
    samples  --derive--> samples           optional: quantities that compare cells (same run
                                           number, same seed)
    result   --plot-->   picture

Everything that goes in or comes out is JSON, so that parts can be stored, resumed and computed
elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

Settings = Mapping[str, Any]
Result = dict[str, Any]
Samples = dict[str, np.ndarray]


@dataclass(frozen=True)
class Row:
    """One printed number: the paper's, and how ours is computed from the samples."""

    name: str  # unique in the benchmark
    paper: float | None  # the published number; None where the paper prints none
    samples: str | None = None  # the quantity that ours is computed from; the name if None
    statistic: Literal["mean", "std"] = "mean"  # of the samples; "std" divides by the count
    # Where ours must lie, stated before anything is run; None: within chance (verdicts.py).
    target: tuple[float, float] | None = None
    paper_runs: int = 50  # how many runs the paper's number is from; read if there is no target
    digits: int = 2  # decimals that the paper prints
    unit: str = ""  # such as "%"
    note: str = ""  # one sentence for the reader: the source of a target, a departure
    span: float | None = None  # how far apart values can be: 1 for a probability; None: not known
    judged: bool = True  # False: of another setting than the paper's, and never "reproduced"

    @property
    def quantity(self) -> str:
        """The key of its samples."""
        return self.samples or self.name


@dataclass(frozen=True)
class Cell:
    """One computation and the rows that it fills."""

    name: str  # unique in the benchmark
    settings: Settings  # all that `score` needs to know, JSON
    runs: int  # how many independent runs
    rows: tuple[Row, ...]  # computed from its samples
    chunk: int = 0  # runs computed, and stored, at a time; all if 0
    cost: float = 1.0  # seconds a run, roughly, where no stored result says how long it took
    # The setting that `runs` is; a cell that counts by another than "runs" is left out when
    # `--runs` is given.
    count: str = "runs"


def pick_settings(settings: Settings, *names: str, prefix: str = "") -> dict[str, Any]:
    """Some of the settings, by their names without the prefix."""
    return {name: settings[prefix + name] for name in names}


def validate_setting(key: str, value: Any, default: Any) -> Any:
    """A setting of the same type as its default.

    Numbers are finite and not negative, counts at least 1.

    Raises:
        ValueError: the value is something else.
    """
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if isinstance(default, float) and number:
        value = float(value)

    if type(value) is not type(default):
        kind = type(default).__name__
        raise ValueError(f"{key} must be of type {kind}, like {default!r}, not {value!r}")
    if isinstance(value, int) and number and value < 1:
        raise ValueError(f"{key} must be at least 1, not {value!r}")
    if isinstance(value, float) and not 0 <= value < float("inf"):
        raise ValueError(f"{key} must be finite and not negative, not {value!r}")
    return value


@dataclass(frozen=True)
class Benchmark:
    """A table or figure of a paper."""

    name: str  # its module in benchmarks/, and its file of results
    title: str  # one line
    source: str  # paper, table or figure, link
    # The full ones; "device" is added. "runs" is how many, "..._runs" the same of costlier cells.
    settings: Settings
    small: Settings  # what differs in a smoke run of seconds
    cells: Callable[[Settings], list[Cell]]  # settings -> cells, in the order of the table
    # (cell settings, runs, seed) -> {"samples": {quantity: [runs] or [runs, k]},
    #                                 "curves": {name: [T]}}.
    # Curves are for the plot, and are averaged over chunks; other keys are kept as they are, of the
    # first chunk.
    score: Callable[[Settings, int, int], Result]
    plot: Callable[[Result, Path], None]  # (result, path of a PNG)
    # Samples by cell -> samples of `derived` rows.
    derive: Callable[[dict[str, Samples]], Samples] | None = None
    derived: tuple[Row, ...] = ()  # rows that compare cells; full only if every cell is
    # Settings that choose what is computed and do not make it less than full.
    switches: tuple[str, ...] = ("device",)

    def settings_for(
        self, runs: int | None = None, small: bool = False, /, **changes: Any
    ) -> dict[str, Any]:
        """The settings of one invocation.

        Args:
            runs: sets "runs".
            small: start from the smoke settings.
            **changes: any setting by name.

        Raises:
            ValueError: an unknown setting, or fewer than one run.
        """
        settings = {"device": "cpu"} | dict(self.settings) | (dict(self.small) if small else {})
        if runs is not None:
            settings["runs"] = validate_setting("runs", runs, 1)

        unknown = ", ".join(sorted(set(changes) - set(settings)))
        if unknown:
            raise ValueError(
                f"{self.name} has no setting {unknown}; there are {', '.join(settings)}"
            )
        return settings | {
            key: validate_setting(key, value, settings[key]) for key, value in changes.items()
        }

    def full_cells(self, settings: Settings) -> set[str]:
        """Names of the cells that are run as the file says, with at least as many runs."""
        switched = {key: settings[key] for key in self.switches}
        full = {cell.name: cell for cell in self.cells(dict(self.settings) | switched)}

        def is_full(cell: Cell) -> bool:
            reference = full.get(cell.name)
            return (
                reference is not None
                and cell.settings == reference.settings
                and cell.runs >= reference.runs
            )

        return {cell.name for cell in self.cells(settings) if is_full(cell)}
