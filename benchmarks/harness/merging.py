"""Merges a run's result into the stored one, row by row: no row gives way to an emptier one.

Emptier is first what was not run as the benchmark's file says, then what has fewer runs. Rows that
stay take their cell's samples and curves along; "kept" says by which command, with which settings,
versions and device they were computed.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from agents.manifest import PROBLEMS
from benchmarks.harness.assembly import ALL_CELLS
from benchmarks.harness.benchmark import Benchmark, Result
from benchmarks.harness.json_files import read_json

ORIGIN = ("command", "settings", "versions", "device")
BY_CELL = ("samples", "curves", "extra", "seconds_by_cell")
Fullness = tuple[bool, int]  # at the full setting, number of runs


def read_stored(path: Path, name: str) -> Result | None:
    """The stored result of the benchmark called `name`; None if there is none, or a damaged one."""
    try:
        stored: Result = read_json(path)
        keys = {*ORIGIN, *BY_CELL, "rows"}
        return stored if stored["benchmark"] == name and keys <= stored.keys() else None
    except PROBLEMS:
        return None


def merge_results(
    benchmark: Benchmark, stored: Result, new: Result, recomputed: Collection[str] = ()
) -> tuple[Result, list[str]]:
    """The new result, with the stored rows that are fuller than its own.

    Args:
        benchmark: what was run.
        stored: the content of NAME.json.
        new: the result of this run.
        recomputed: cells whose stored rows are given up, however full they are.

    Returns:
        The merged result, and the names of the rows that stay.
    """
    before, after = rate_rows(benchmark, stored), rate_rows(benchmark, new)
    given_up = {row["name"] for row in stored["rows"] if row.get("cell") in recomputed}
    kept = [
        name
        for name, fullness in before.items()
        if name not in given_up and fullness > after.get(name, (False, 0))
    ]
    if not kept:
        return new, kept

    # A cell stays as a whole; rows that compare cells stay one by one.
    old_rows = {row["name"]: row for row in stored["rows"]}
    cells = dict.fromkeys(old_rows[name]["cell"] for name in kept)
    whole = cells.keys() - {ALL_CELLS}
    replacing = {
        row["name"]: row
        for row in new["rows"]
        if row["name"] not in kept and row["cell"] not in whole
    }
    if all(not row["runs"] or row == old_rows.get(name) for name, row in replacing.items()):
        return stored, kept  # nothing new

    # The table in the order of the longer list.
    rows = replacing | {name: old_rows[name] for name in kept}
    order = (
        old_rows if old_rows.keys() >= rows.keys() else {row["name"]: row for row in new["rows"]}
    )
    merged = new | {"rows": [rows[name] for name in dict.fromkeys((*order, *rows)) if name in rows]}
    # What belongs to the cells of the rows that stay.
    for key in BY_CELL:
        merged[key] = new[key] | {cell: stored[key][cell] for cell in cells if cell in stored[key]}
    merged["kept"] = {cell: origin_of(stored, cell) for cell in cells}
    merged["seconds"] = round(sum(merged["seconds_by_cell"].values()), 2)
    merged["full_setting"] = all(full for full, _ in rate_rows(benchmark, merged).values())
    return merged, kept


def rate_rows(benchmark: Benchmark, result: Result) -> dict[str, Fullness]:
    """How full each row of a result is; rows that the benchmark no longer has are left out."""
    fullness: dict[str, Fullness] = {}
    for cell in dict.fromkeys(row.get("cell", ALL_CELLS) for row in result["rows"]):
        settings = benchmark.settings_for() | origin_of(result, cell)["settings"]
        names = {row.name for each in benchmark.cells(settings) for row in each.rows}
        names |= {row.name for row in benchmark.derived}
        full = benchmark.full_cells(settings)

        for row in result["rows"]:
            if row.get("cell", ALL_CELLS) == cell and row["name"] in names:
                is_full = row.get("full_setting", False) if cell == ALL_CELLS else cell in full
                fullness[row["name"]] = (row["runs"] > 0 and bool(is_full), row["runs"])
    return fullness


def origin_of(result: Result, cell: str) -> dict[str, Any]:
    """By which command, settings, versions and device a cell of a result was computed."""
    kept: dict[str, dict[str, Any]] = result.get("kept", {})
    return kept.get(cell) or {key: result[key] for key in ORIGIN}
