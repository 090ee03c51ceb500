"""How long a benchmark takes, said before it starts.

Seconds a run come from the stored result of the same cell at the same settings where there is one,
otherwise from the cell's own rough `cost`, which is that of the full setting.
"""

from __future__ import annotations

from collections.abc import Iterable

from agents.tasks.progress import describe_seconds
from benchmarks.harness.benchmark import Benchmark, Cell
from benchmarks.harness.json_files import canonical
from benchmarks.harness.merging import origin_of, read_stored
from benchmarks.harness.options import RESULTS
from benchmarks.harness.part_store import Part


def measured_seconds(benchmark: Benchmark) -> dict[str, tuple[Cell, float]]:
    """The cells of the committed result, as they were run, with their seconds a run."""
    stored = read_stored(RESULTS / f"{benchmark.name}.json", benchmark.name)
    # A result may hold cells of several settings: each is compared with its own.
    measured: dict[str, tuple[Cell, float]] = {}
    for name, seconds in stored["seconds_by_cell"].items() if stored else ():
        settings = benchmark.settings_for() | origin_of(stored or {}, name)["settings"]
        for cell in benchmark.cells(settings):
            if cell.name == name:
                measured[name] = cell, seconds / cell.runs
    return measured


def seconds_a_run(benchmark: Benchmark, cells: Iterable[Cell]) -> dict[str, float]:
    """Seconds a run of each cell, on one core."""
    measured = measured_seconds(benchmark)

    # `cost` may be that of the full setting: at a smaller one it is too much.
    def estimate(cell: Cell) -> float:
        reference, seconds = measured.get(cell.name, (None, cell.cost))
        same = reference and canonical(reference.settings) == canonical(cell.settings)
        return seconds if same else cell.cost

    return {cell.name: estimate(cell) for cell in cells}


def describe_benchmark(benchmark: Benchmark) -> str:
    """The time of the full setting, such as "36 min"."""
    cells = benchmark.cells(benchmark.settings_for())
    seconds = seconds_a_run(benchmark, cells)
    return describe_seconds(sum(seconds[cell.name] * cell.runs for cell in cells))


def describe_parts(parts: Iterable[Part], missing: Iterable[Part], seconds: float) -> str:
    """What there is to do, in words."""
    count, total = len(list(missing)), len(list(parts))
    if not count:
        return f"all that is wanted of {total} parts is stored"
    return f"{count} of {total} parts to compute, about {describe_seconds(seconds)} on one core"
