"""Judges stored results anew, by the rules of today and from the numbers that are stored.

Nothing is run, and no number of ours changes; only "verdict", "full_setting" where a row is no
longer judged, "note" and "target" as the benchmark's file has them today.  Rows that compare cells
and that the file states today are computed from the stored samples, where nobody has before.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from benchmarks.harness.assembly import ALL_CELLS
from benchmarks.harness.benchmark import Benchmark, Result, Row, Samples
from benchmarks.harness.merging import origin_of
from benchmarks.harness.verdicts import finite_runs, mark_repeated, score_row, target, verdict


def rejudge(benchmark: Benchmark, result: Result) -> Result:
    """A stored result with the verdicts of today; rows that the benchmark no longer has stay."""
    result = copy.deepcopy(result)
    result["rows"] = _with_derived(benchmark, result)
    samples = _stored_samples(result)

    # Cell by cell, as they were computed.
    for cell in dict.fromkeys(row.get("cell", ALL_CELLS) for row in result["rows"]):
        stored = [row for row in result["rows"] if row.get("cell", ALL_CELLS) == cell]
        rows = _rows(benchmark, result, cell)
        known = [scored for scored in stored if scored["name"] in rows]
        found = [_find(benchmark, samples, cell, rows[scored["name"]]) for scored in known]
        for scored, each in zip(known, found, strict=True):
            _judge(rows[scored["name"]], scored, each)
        mark_repeated(known, found)
    return result


def _stored_samples(result: Result) -> dict[str, Samples]:
    """By cell."""
    return {
        cell: {name: np.array(x, dtype=float) for name, x in by_name.items()}
        for cell, by_name in result["samples"].items()
    }


def _with_derived(benchmark: Benchmark, result: Result) -> list[dict[str, Any]]:
    """The stored rows; those that compare cells and have no runs yet from the stored samples."""
    stored = {row["name"]: row for row in result["rows"]}
    missing = [r for r in benchmark.derived if not stored.get(r.name, {"runs": 0})["runs"]]
    if not missing or not benchmark.derive:
        return list(stored.values())

    # Of cells that are there.
    try:
        found = benchmark.derive(_stored_samples(result))
    except KeyError:
        return list(stored.values())
    cells = result["samples"]
    full = all(
        c in benchmark.full_cells(benchmark.settings_for() | _settings(result, c)) for c in cells
    )
    for row in missing:
        if row.quantity in found or row.name not in stored:
            scored = score_row(row, found.get(row.quantity), full)
            stored[row.name] = scored | {"cell": ALL_CELLS}
    return list(stored.values())


def _settings(result: Result, cell: str) -> dict[str, Any]:
    """That a stored cell was computed with."""
    settings: dict[str, Any] = origin_of(result, cell)["settings"]
    return settings


def _rows(benchmark: Benchmark, result: Result, cell: str) -> dict[str, Row]:
    """The rows of a cell by name, with the settings that it was computed with."""
    if cell == ALL_CELLS:
        return {row.name: row for row in benchmark.derived}
    settings = benchmark.settings_for() | _settings(result, cell)
    return {
        row.name: row
        for each in benchmark.cells(settings)
        if each.name == cell
        for row in each.rows
    }


def _find(
    benchmark: Benchmark, samples: dict[str, Samples], cell: str, row: Row
) -> np.ndarray | None:
    """The stored samples of a row; None if they are not there."""
    if cell != ALL_CELLS:
        return samples.get(cell, {}).get(row.quantity)
    try:
        return benchmark.derive(samples).get(row.quantity) if benchmark.derive else None
    except KeyError:  # of a cell that was not run
        return None


def _judge(row: Row, scored: dict[str, Any], samples: np.ndarray | None) -> None:
    """Sets the verdict of a stored row, in place."""
    finite = None if samples is None else finite_runs(samples)
    if scored["runs"] and row.target is not None:
        scored["target"] = list(row.target)
    elif (
        scored["ours"] is not None and row.paper is not None and finite is not None and len(finite)
    ):
        scored["target"] = list(target(row, finite) or ())
    scored["note"] = row.note
    scored["full_setting"] = bool(scored.get("full_setting")) and row.judged
    scored["verdict"] = verdict(row, scored, finite)
