"""A page a benchmark, from the files of results: paper, ours, interval, verdict, settings."""

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.harness.report import write_circumstances, write_table
from benchmarks.harness.verdicts import VERDICTS
from generator.markdown import page, table

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
PICTURES = "../../../benchmarks/results"


@cache
def results() -> dict[str, dict[str, Any]]:
    """Name -> the stored result."""
    paths = sorted(RESULTS.glob("*.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def pages(folder: Path) -> dict[str, str]:
    """Page name -> text: the benchmarks, and how many rows have which verdict."""
    written = {name: _benchmark(name, result) for name, result in results().items()}

    counts = []
    for name, result in results().items():
        verdicts = Counter(row["verdict"] for row in result["rows"])
        shown = [verdicts[verdict] for verdict in VERDICTS]
        counts.append((f"[{name}]({name}.md)", result.get("title", ""), *shown))
    tree = "\n".join(written)
    written["index"] = page(
        "Results",
        "Papers' tables and figures, computed again; every run's own numbers are in the JSON files "
        "of `benchmarks/results`. Intervals are 95 % bootstrap over runs. Verdicts compare our "
        "interval with the row's target ([the rules](../../../benchmarks/README.md#verdicts)): "
        "*reproduced* where it lies inside, *not reproduced* where it lies outside, *undecided* "
        "where it straddles, *holds* where the target is no published number, *reduced* where the "
        "row was run at less than its setting, *not run* where it was not.",
        table(("benchmark", "what it is", *VERDICTS), counts),
        f"```{{toctree}}\n:hidden:\n\n{tree}\n```",
    )
    return written


def _benchmark(name: str, result: dict[str, Any]) -> str:
    """Picture, table and circumstances of one benchmark."""
    picture = RESULTS / f"{name}.png"
    return page(
        f"`{name}`",
        f"{result.get('title', '')}. Paper: {result.get('source', '')}.",
        f"![{name}]({PICTURES}/{name}.png)" if picture.exists() else "",
        write_table(result["rows"]),
        write_circumstances(result),
    )
