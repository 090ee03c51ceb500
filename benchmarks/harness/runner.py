"""Runs a benchmark: computes what is not yet there, part by part, then writes NAME.json and
NAME.png.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness.benchmark import (
    Benchmark,
    Cell,
    Samples,
    Settings,
)
from benchmarks.harness.catalogue import find
from benchmarks.harness.executors import executor, plain
from benchmarks.harness.part_store import (
    Part,
    PartStore,
    canonical,
    split,
    write_json,
)
from benchmarks.harness.progress import progress
from benchmarks.harness.provenance import (
    commit,
    describe_device,
    device_of,
    versions,
)
from benchmarks.harness.resumable_training import forget
from benchmarks.harness.verdicts import score_row

RESULTS = Path(__file__).parents[1] / "results"


@dataclass(frozen=True)
class Options:
    """How a benchmark is run; the words of the command line.

    Attributes:
        runs: number of runs; None for the file's own.
        seed: all randomness comes from it.
        out: folder of the results.
        small: the smoke settings.
        only: patterns of cells to run; all if empty.
        executor: "local" or "ray".
        jobs: processes of the local executor.
        device: "cpu", "cuda" or "auto".
        fresh: compute all wanted cells anew: forget their stored parts and half-done trainings.
        changes: settings by name.
    """

    runs: int | None = None
    seed: int = 0
    out: Path = RESULTS
    small: bool = False
    only: tuple[str, ...] = ()
    executor: str = "local"
    jobs: int = 1
    device: str = "cpu"
    fresh: bool = False
    changes: Settings = field(default_factory=dict)

    def command(self, name: str) -> str:
        """The command line that says the same.

        Where it writes and computes does not matter to the numbers.
        """
        words = ["python -m benchmarks run", name]
        words += [f"--runs {self.runs}"] * (self.runs is not None) + [f"--seed {self.seed}"] * bool(
            self.seed
        )
        words += ["--scale small"] * self.small + [f"--only {pattern!r}" for pattern in self.only]
        words += [f"--device {self.device}"] * (self.device != "cpu")
        words += [f"--set {key}={value}" for key, value in self.changes.items()]
        return " ".join(words)


def run_benchmark(name: str, options: Options | None = None) -> dict[str, Any]:
    """Runs a benchmark and writes NAME.json and NAME.png.

    Parts that are already stored in NAME.parts are taken from there unless their settings, seed or
    versions differ, so an interrupted run, called again, goes on where it was.

    Returns:
        The content of NAME.json.

    Raises:
        ValueError: an unknown benchmark or setting, or a pattern that matches no cell.
        ImportError: the executor's library is missing.
    """
    options = options or Options()
    benchmark = find(name)
    compute = executor(options.executor, options.jobs)
    changes = {"device": device_of(options.device)} | dict(options.changes)
    settings = benchmark.settings_for(options.runs, options.small, **changes)
    cells = benchmark.cells(settings)
    wanted = chosen(cells, options)
    context = {"benchmark": name, "versions": versions()}
    store = PartStore(options.out / f"{name}.parts", context)
    store.folder.mkdir(
        parents=True, exist_ok=True
    )  # a folder that cannot be had is said before anything is computed
    parts = {part: cell in wanted for cell in cells for part in split(cell, options.seed)}
    for part in parts if options.fresh else ():
        if parts[part]:
            store.forget(part)
            forget(name, part.cell.settings, part.runs, part.seed)
    results = collect(parts, store, lambda missing: compute(name, missing), name)
    result = assemble(benchmark, settings, results, options) | {"versions": versions() | commit()}
    write_json(options.out / f"{name}.json", result)
    draw(benchmark, result, options.out)
    return result


def chosen(cells: list[Cell], options: Options) -> list[Cell]:
    """The cells to compute; the others' rows are made from stored parts, or not run.

    Those whose name matches a pattern (letter case does not matter). Without patterns all; but with
    a number of runs only those that it counts: a cell with a number of its own costs too much to
    come along with a reduced run.
    """
    if not options.only:
        return [cell for cell in cells if options.runs is None or cell.count == "runs"]
    words = [word.lower() for word in options.only]
    found = [cell for cell in cells if any(fnmatchcase(cell.name.lower(), word) for word in words)]
    if not found:
        raise ValueError(
            f"no cell is called {' or '.join(words)}; there are {', '.join(cell.name for cell in cells)}"
        )
    return found


def collect(
    parts: dict[Part, bool], store: PartStore, compute: Callable[[list[Part]], Any], title: str
) -> dict[str, list[dict[str, Any]]]:
    """The results of all parts, in order, by those cells that are complete.

    Args:
        parts: all parts; whether to compute those that are not stored.
        store: finished parts; what is computed is stored the moment it is done.
        compute: parts -> pairs of part and result, in any order.
        title: the benchmark.
    """
    found = {part: store.load(part) for part in parts}
    missing = [part for part, wanted in parts.items() if wanted and found[part] is None]
    amount = {part: part.cell.cost * part.runs for part in missing}
    with progress(title, sum(amount.values())) as advance:
        for part, result in compute(missing) if missing else ():
            store.save(part, result)
            forget(title, part.cell.settings, part.runs, part.seed)
            found[part] = canonical(result)
            advance(amount[part], f"{part} ({result['seconds']:.1f} s)")
    by_cell = defaultdict(list)
    for part, result in found.items():
        by_cell[part.cell.name].append(result)
    return {name: results for name, results in by_cell.items() if None not in results}


def assemble(
    benchmark: Benchmark,
    settings: Settings,
    results: dict[str, list[dict[str, Any]]],
    options: Options,
) -> dict[str, Any]:
    """The content of NAME.json, but for the versions."""
    cells, full = benchmark.cells(settings), benchmark.full_cells(settings)
    samples = {name: merged(parts) for name, parts in results.items()}
    rows = [
        score_row(row, samples.get(cell.name, {}).get(row.quantity), cell.name in full)
        | {"cell": cell.name}
        for cell in cells
        for row in cell.rows
    ]
    complete = len(samples) == len(cells)
    if benchmark.derive:
        derived = benchmark.derive(samples) if complete else {}
        every = len(full) == len(cells)
        rows += [
            score_row(row, derived.get(row.quantity), every) | {"cell": "all"}
            for row in benchmark.derived
        ]
    first = {
        name: {key: value for key, value in parts[0].items() if key not in KNOWN}
        for name, parts in results.items()
    }
    return plain({
        "benchmark": benchmark.name, "title": benchmark.title, "source": benchmark.source, "rows": rows,
        "settings": dict(settings) | {"seed": options.seed}, "full_setting": complete and len(full) == len(cells),
        "command": options.command(benchmark.name), "device": describe_device(settings["device"]),
        "seconds": round(sum(part["seconds"] for parts in results.values() for part in parts), 2),
        "seconds_by_cell": {name: round(sum(part["seconds"] for part in parts), 2) for name, parts in results.items()},
        "curves": {name: mean_curves(parts) for name, parts in results.items()},
        "samples": {name: {key: rounded(x) for key, x in these.items()} for name, these in samples.items()},
        "extra": {name: extra for name, extra in first.items() if extra},
    })  # fmt: skip


KNOWN = ("samples", "curves", "seconds")


def merged(parts: list[dict[str, Any]]) -> Samples:
    """Samples of all parts of a cell: [runs] or [runs, k], NaN where a run failed."""
    keys = parts[0]["samples"]
    return {
        key: np.concatenate([np.array(part["samples"][key], dtype=float) for part in parts])
        for key in keys
    }


def mean_curves(parts: list[dict[str, Any]]) -> dict[str, list[float]]:
    """The mean of each curve over all runs of a cell (parts weigh by their runs)."""
    weights = [len(next(iter(part["samples"].values()))) for part in parts]
    keys = parts[0].get("curves", {})
    stacked = {key: np.array([part["curves"][key] for part in parts], dtype=float) for key in keys}
    return {key: rounded(np.average(x, axis=0, weights=weights)) for key, x in stacked.items()}


def rounded(x: np.ndarray, digits: int = 5) -> Any:
    """Lists of numbers of 5 digits: files stay readable."""
    return np.vectorize(lambda v: float(f"{v:.{digits}g}"), otypes=[float])(x).tolist()


def draw(benchmark: Benchmark, result: dict[str, Any], out: Path) -> Path | None:
    """Draws NAME.png.

    None where matplotlib is missing or nothing can be drawn from a part of the cells.
    """
    try:
        import matplotlib
    except ImportError:
        return None
    matplotlib.use("Agg")
    path = out / f"{benchmark.name}.png"
    try:
        benchmark.plot(result, path)
    except KeyError:  # a cell that the picture needs was not run
        return None
    return path
