"""Puts the results of all parts together: samples, curves and rows, the content of NAME.json."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.harness.benchmark import Benchmark, Result, Samples, Settings
from benchmarks.harness.json_files import plain
from benchmarks.harness.options import Options
from benchmarks.harness.provenance import commit, describe_device, versions
from benchmarks.harness.verdicts import mark_repeated, score_row

KNOWN = ("samples", "curves", "seconds")  # keys of a part; others are extra
ALL_CELLS = "all"  # the "cell" of rows that compare cells


def assemble(
    benchmark: Benchmark, settings: Settings, parts: dict[str, list[Result]], options: Options
) -> Result:
    """The content of NAME.json, of this run alone.

    Args:
        benchmark: what was run.
        settings: of this run.
        parts: the results of the parts of each complete cell, in order.
        options: of this run.
    """
    # By cell.
    samples = {name: concatenate_samples(results) for name, results in parts.items()}
    seconds = {name: sum(result["seconds"] for result in them) for name, them in parts.items()}
    every = [result["seconds"] for results in parts.values() for result in results]
    extra = {
        name: {key: value for key, value in results[0].items() if key not in KNOWN}
        for name, results in parts.items()
    }

    # Full: every cell is there, and run as the file says.
    cells = benchmark.cells(settings)
    full = len(benchmark.full_cells(settings)) == len(cells)
    content: Result = plain(
        {
            "benchmark": benchmark.name,
            "title": benchmark.title,
            "source": benchmark.source,
            "rows": score_rows(benchmark, settings, samples),
            "settings": dict(settings) | {"seed": options.seed},
            "full_setting": len(samples) == len(cells) and full,
            "command": options.command(benchmark.name),
            "device": describe_device(settings["device"]),
            "seconds": round(sum(every), 2),
            "seconds_by_cell": {name: round(value, 2) for name, value in seconds.items()},
            "curves": {name: average_curves(results) for name, results in parts.items()},
            "samples": {
                name: {key: round_numbers(x) for key, x in by_quantity.items()}
                for name, by_quantity in samples.items()
            },
            "extra": {name: more for name, more in extra.items() if more},
        }
    )
    return content | {"versions": versions() | commit()}


def score_rows(
    benchmark: Benchmark, settings: Settings, samples: dict[str, Samples]
) -> list[dict[str, Any]]:
    """All rows of a benchmark, those without samples as "not run"."""
    cells, full = benchmark.cells(settings), benchmark.full_cells(settings)
    rows: list[dict[str, Any]] = []
    for cell in cells:
        found = [samples.get(cell.name, {}).get(row.quantity) for row in cell.rows]
        scored = [
            score_row(row, each, cell.name in full) | {"cell": cell.name}
            for row, each in zip(cell.rows, found, strict=True)
        ]
        mark_repeated(scored, found)
        rows += scored

    # Rows that compare cells need all of them.
    if benchmark.derive:
        derived = benchmark.derive(samples) if len(samples) == len(cells) else {}
        every = len(full) == len(cells)
        rows += [
            score_row(row, derived.get(row.quantity), every) | {"cell": ALL_CELLS}
            for row in benchmark.derived
        ]
    return rows


def concatenate_samples(parts: list[Result]) -> Samples:
    """Samples of all parts of a cell: [runs] or [runs, k], NaN where a run failed."""
    return {
        key: np.concatenate([np.array(part["samples"][key], dtype=float) for part in parts])
        for key in parts[0]["samples"]
    }


def average_curves(parts: list[Result]) -> dict[str, list[float]]:
    """The mean of each curve over all runs of a cell (parts weigh by their runs)."""
    # A chunk that is cut short weighs less.
    weights = [len(next(iter(part["samples"].values()))) for part in parts]
    keys = parts[0].get("curves", {})
    stacked = {key: np.array([part["curves"][key] for part in parts], dtype=float) for key in keys}
    return {
        key: round_numbers(np.average(x, axis=0, weights=weights)) for key, x in stacked.items()
    }


def round_numbers(x: np.ndarray) -> Any:
    """Lists of numbers of 5 digits: files stay readable."""
    return np.vectorize(lambda v: float(f"{v:.5g}"), otypes=[float])(x).tolist()
