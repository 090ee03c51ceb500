"""What a benchmark is: rows of numbers with their source, cells that compute them, and a plot.

A benchmark file states PAPER (numbers, with source), SETTINGS (the full ones), and defines a
`Benchmark` called BENCHMARK:

    settings --cells--> Cell, Cell, ...          what has to be computed, with the rows that it fills
    cell     --score--> samples                  one number a run and quantity; runs are independent, so they come in chunks
    samples  --derive--> samples                 optional: quantities that compare cells (same run number, same seed)
    result   --plot--> picture

Everything that goes in or comes out is JSON, so that parts can be stored, resumed and computed
elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

Settings = Mapping[str, Any]
Samples = dict[str, np.ndarray]


@dataclass(frozen=True)
class Row:
    """One printed number: the paper's, and how ours is made from the samples.

    Attributes:
        name: unique in the benchmark.
        paper: the published number; None where the paper prints none.
        samples: the quantity it is made from; the name if None.
        statistic: of the samples; "std" divides by the count.
        target: where ours must lie, stated before anything is run; None: agreement within chance
            (statistics.py).
        paper_runs: how many runs the paper's number is from; read if there is no target.
        digits: decimals that the paper prints.
        unit: such as "%".
        note: one sentence for the reader: the source of a target, a departure.
        judged: False: ours is of another setting than the paper's, and the row never says
            "reproduced".
    """

    name: str
    paper: float | None
    samples: str | None = None
    statistic: Literal["mean", "std"] = "mean"
    target: tuple[float, float] | None = None
    paper_runs: int = 50
    digits: int = 2
    unit: str = ""
    note: str = ""
    judged: bool = True

    @property
    def quantity(self) -> str:
        """The key of its samples."""
        return self.samples or self.name


@dataclass(frozen=True)
class Cell:
    """One computation and the rows that it fills.

    Attributes:
        name: unique in the benchmark.
        settings: all that `score` needs to know, JSON.
        runs: how many independent runs.
        rows: made from its samples.
        chunk: runs computed, and stored, at a time; all if 0.
        cost: seconds a run, roughly; only for the progress bar.
        count: the setting that `runs` is; a cell that counts by another than "runs" is left out
            when `--runs` is given.
    """

    name: str
    settings: Settings
    runs: int
    rows: tuple[Row, ...]
    chunk: int = 0
    cost: float = 1.0
    count: str = "runs"


def checked(key: str, value: Any, default: Any) -> Any:
    """A setting of the same type as its default.

    Numbers finite and not negative, counts at least 1; or ValueError.
    """
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if isinstance(default, float) and number:
        value = float(value)
    if type(value) is not type(default):
        raise ValueError(
            f"{key} must be of type {type(default).__name__}, like {default!r}, not {value!r}"
        )
    if number and not (0 <= value < float("inf") and (isinstance(value, float) or value >= 1)):
        raise ValueError(
            f"{key} must be {'at least 1' if isinstance(value, int) else 'finite and not negative'}, not {value!r}"
        )
    return value


@dataclass(frozen=True)
class Benchmark:
    """A table or figure of a paper.

    Attributes:
        name: its module in benchmarks/, and its file of results.
        title: one line.
        source: paper, table or figure, link.
        settings: the full ones; "device" is added. "runs" is how many, "..._runs" the same of
            costlier cells.
        small: what differs in a smoke run of seconds.
        cells: settings -> cells, in the order of the table.
        score: (cell settings, runs, seed) -> {"samples": {quantity: [runs] or [runs, k]}, "curves":
            {name: [T]}}. Curves are for the plot, and are averaged over chunks. Other keys are kept
            as they are, of the first chunk.
        plot: (result, path of a PNG) -> None.
        derive: samples by cell -> samples of `derived` rows.
        derived: rows that compare cells; full only if every cell is.
        switches: settings that choose what is computed and do not make it less than full.
    """

    name: str
    title: str
    source: str
    settings: Settings
    small: Settings
    cells: Callable[[Settings], list[Cell]]
    score: Callable[[Settings, int, int], dict[str, Any]]
    plot: Callable[[dict[str, Any], Path], None]
    derive: Callable[[dict[str, Samples]], Samples] | None = None
    derived: tuple[Row, ...] = field(default=())
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
            settings["runs"] = checked("runs", runs, 1)
        unknown = sorted(set(changes) - set(settings))
        if unknown:
            raise ValueError(
                f"{self.name} has no setting {', '.join(unknown)}; there are {', '.join(settings)}"
            )
        for key, value in changes.items():
            settings[key] = checked(key, value, settings[key])
        return settings

    def full_cells(self, settings: Settings) -> set[str]:
        """Names of the cells whose settings are the file's full ones, with at least as many
        runs.
        """
        switched = {key: settings[key] for key in self.switches}
        full = {cell.name: cell for cell in self.cells(dict(self.settings) | switched)}
        return {
            cell.name
            for cell in self.cells(settings)
            if cell.name in full
            and cell.settings == full[cell.name].settings
            and cell.runs >= full[cell.name].runs
        }
