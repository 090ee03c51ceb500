"""Runs a benchmark: computes what is not there yet, part by part; writes NAME.json and .png."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import partial

from agents.execution.device import resolve_device
from agents.tasks.executors import Executor, choose_executor
from agents.tasks.progress import progress
from benchmarks.harness.assembly import assemble
from benchmarks.harness.benchmark import Benchmark, Cell, Result
from benchmarks.harness.catalogue import find_benchmark
from benchmarks.harness.computing import compute
from benchmarks.harness.duration import describe_parts, seconds_a_run
from benchmarks.harness.json_files import canonical, check_folder, write_json
from benchmarks.harness.merging import merge_results, read_stored
from benchmarks.harness.options import RESULTS, Options
from benchmarks.harness.part_store import Part, PartStore, split
from benchmarks.harness.plots import draw
from benchmarks.harness.provenance import check_device, versions
from benchmarks.harness.resumable_training import forget_training

__all__ = ["RESULTS", "Options", "run_benchmark"]


def run_benchmark(name: str, options: Options | None = None) -> Result:
    """Runs a benchmark and writes NAME.json and NAME.png.

    Parts that are already stored in NAME.parts are taken from there unless their settings, seed or
    versions differ, so an interrupted run, called again, goes on where it was. Rows of NAME.json
    that are fuller than this run's stay as they are (merging.py).

    Returns:
        The result of this run: the content of NAME.json but for the rows that stay.

    Raises:
        ValueError: an unknown benchmark or setting, a pattern that matches no cell, or a device
            that is not there.
        OSError: the folder cannot be written.
        ImportError: the executor's library is missing.
        ConnectionError: no Ray cluster at the address.
    """
    options = options or Options()
    benchmark = find_benchmark(name)
    changes = {"device": resolve_device(options.device)} | dict(options.changes)
    if not options.executor.gpus:  # those are looked for on the cluster
        check_device(str(changes["device"]))
    settings = benchmark.settings_for(options.runs, options.small, **changes)
    cells = benchmark.cells(settings)
    chosen = choose_cells(cells, options)

    # An executor or a folder that cannot be had is said before anything is computed.
    executor = choose_executor(options.executor)
    store = PartStore(options.out / f"{name}.parts", {"benchmark": name, "versions": versions()})
    check_folder(store.folder)
    parts = {part: cell in chosen for cell in cells for part in split(cell, options.seed)}
    if options.fresh:
        forget_parts(name, store, [part for part, wanted in parts.items() if wanted])

    # Compute what is missing, then write.
    results = collect(benchmark, parts, store, executor)
    result = assemble(benchmark, settings, results, options)
    recomputed = [cell.name for cell in chosen] if options.fresh else []
    write_result(benchmark, result, options, recomputed)
    return result


def choose_cells(cells: list[Cell], options: Options) -> list[Cell]:
    """The cells to compute; the others' rows come from stored parts, or are not run.

    Those whose name matches a pattern (letter case does not matter). Without patterns all; but with
    a number of runs only those that it counts: a cell with a number of its own costs too much to
    come along with a reduced run.
    """
    if not options.only:
        return [cell for cell in cells if options.runs is None or cell.count == "runs"]

    patterns = [pattern.lower() for pattern in options.only]
    chosen = [
        cell
        for cell in cells
        if any(fnmatchcase(cell.name.lower(), pattern) for pattern in patterns)
    ]
    if not chosen:
        names = ", ".join(cell.name for cell in cells)
        raise ValueError(f"no cell is called {' or '.join(patterns)}; there are {names}")
    return chosen


def forget_parts(name: str, store: PartStore, parts: Iterable[Part]) -> None:
    """Removes parts and their half-done trainings."""
    for part in parts:
        store.forget(part)
        forget_training(name, part.cell.settings, part.runs, part.seed)


def collect(
    benchmark: Benchmark, parts: dict[Part, bool], store: PartStore, executor: Executor
) -> dict[str, list[Result]]:
    """The results of all parts, in order, by those cells that are complete.

    Args:
        benchmark: what is run.
        parts: all parts; whether to compute those that are not stored.
        store: finished parts; what is computed is stored the moment it is done.
        executor: where they are computed.
    """
    results = {part: store.load(part) for part in parts}
    missing = [part for part, wanted in parts.items() if wanted and results[part] is None]

    # Say how long it takes.
    a_run = seconds_a_run(benchmark, {part.cell.name: part.cell for part in missing}.values())
    seconds = {part: a_run[part.cell.name] * part.runs for part in missing}
    say(f"{benchmark.name}: {describe_parts(parts, missing, sum(seconds.values()))}")

    with progress(benchmark.name, sum(seconds.values())) as advance:
        for part, result in executor(partial(compute, benchmark.name), missing):
            store.save(part, result)
            forget_training(benchmark.name, part.cell.settings, part.runs, part.seed)
            results[part] = canonical(result)
            advance(seconds[part], f"{part} ({result['seconds']:.1f} s)")

    # A cell counts if all its parts are there.
    by_cell: dict[str, list[Result | None]] = defaultdict(list)
    for part, stored in results.items():
        by_cell[part.cell.name].append(stored)
    return {
        name: [result for result in them if result is not None]
        for name, them in by_cell.items()
        if None not in them
    }


def write_result(
    benchmark: Benchmark, result: Result, options: Options, recomputed: Iterable[str]
) -> None:
    """Writes NAME.json, merged with what is stored there, and draws NAME.png."""
    path = options.out / f"{benchmark.name}.json"
    stored = read_stored(path, benchmark.name)
    if stored is not None:
        result, kept = merge_results(benchmark, stored, result, list(recomputed))
        if kept:
            say(f"{len(kept)} rows of {path} are fuller than this run's, and stay as they are")
    write_json(path, result)
    draw(benchmark, result, options.out)


def say(sentence: str) -> None:
    """A line on standard error."""
    print(sentence, file=sys.stderr, flush=True)
