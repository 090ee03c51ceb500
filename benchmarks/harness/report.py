"""One Markdown page of all results in a folder: paper, ours with interval, verdict, and the
pictures.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.harness.catalogue import catalogue
from benchmarks.harness.runner import RESULTS, draw
from benchmarks.harness.verdicts import VERDICTS

HEADER = """# Results of the benchmarks

Written by `python -m benchmarks report`; the numbers are in the JSON files beside it, with every run's own. Intervals are
95 % bootstrap over runs. Verdicts: *reproduced* where ours lies in the row's target (stated in the benchmark's file before
it was run; where none is stated, what chance allows around the paper's number), *not reproduced* where it does not, *not
run* where the row was not run at its full setting.
"""


def report(out: Path = RESULTS) -> Path:
    """Draws the pictures again and writes OUT/README.md.

    Returns:
        The page.

    Raises:
        ValueError: a file of results that cannot be read.
    """
    results = [read(path) for path in sorted(out.glob("*.json"))]
    order = list(catalogue())
    results.sort(
        key=lambda r: order.index(r["benchmark"]) if r["benchmark"] in order else len(order)
    )
    sections = [section(result, out) for result in results]
    missing = [
        f"- `{name}`: not run (`python -m benchmarks run {name}`)"
        for name in missing_names(results)
    ]
    out.mkdir(parents=True, exist_ok=True)
    page = out / "README.md"
    page.write_text(
        "\n".join([HEADER, summary(results), *missing, "", *sections]), encoding="utf-8"
    )
    return page


def read(path: Path) -> dict[str, Any]:
    """A file of results, checked as far as the page needs it."""
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        _ = (
            result["benchmark"],
            result["settings"],
            result["versions"],
            result["device"],
            result["seconds"],
        )
        _ = [
            (row["name"], row["paper"], row["ours"], row["ci_low"], row["runs"], row["verdict"])
            for row in result["rows"]
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is no file of results ({type(error).__name__}: {error}); remove it"
        ) from None
    return result


def missing_names(results: list[dict[str, Any]]) -> list[str]:
    """Benchmarks without results."""
    return [name for name in catalogue() if name not in {result["benchmark"] for result in results}]


def summary(results: list[dict[str, Any]]) -> str:
    """One line a benchmark."""
    lines = [
        "| benchmark | " + " | ".join(VERDICTS) + " | seconds |",
        "|---|" + "---:|" * (len(VERDICTS) + 1),
    ]
    for result in results:
        counts = Counter(row["verdict"] for row in result["rows"])
        cells = " | ".join(str(counts[word]) for word in VERDICTS)
        lines.append(
            f"| [{result['benchmark']}](#{result['benchmark']}) | {cells} | {result['seconds']:.0f} |"
        )
    return "\n".join(lines) + "\n"


def section(result: dict[str, Any], out: Path) -> str:
    """Table, picture and circumstances of one benchmark."""
    name = result["benchmark"]
    benchmark = catalogue().get(name)
    picture = draw(benchmark, result, out) if benchmark else None
    return "\n".join([
        f"\n## {name}\n", f"{result.get('title', '')}. Paper: {result.get('source', '')}.\n",
        *([f"![{name}]({picture.name})\n"] if picture else []), table(result["rows"]), circumstances(result),
    ])  # fmt: skip


def table(rows: list[dict[str, Any]]) -> str:
    """The rows in Markdown."""
    lines = [
        "| | paper | ours | 95 % interval | target | runs | verdict | |",
        "|---|---:|---:|---|---|---:|---|---|",
    ]
    for row in rows:
        digits = row.get("digits", 3) + 1
        ci, goal = (
            pair(row["ci_low"], row["ci_high"], digits),
            pair(*(row.get("target") or (None, None)), digits),
        )
        shown = number(row["paper"], digits - 1), number(row["ours"], digits)
        unit = f" {row['unit']}" if row.get("unit") else ""
        words = [
            row["name"] + unit,
            *shown,
            ci,
            goal,
            str(row["runs"]),
            row["verdict"],
            row.get("note", ""),
        ]
        lines.append("| " + " | ".join(words) + " |")
    return "\n".join(lines) + "\n"


def number(value: float | None, digits: int) -> str:
    """A number with so many decimals; a dash for None."""
    return "-" if value is None else f"{value:.{digits}f}"


def pair(low: float | None, high: float | None, digits: int) -> str:
    """An interval; a dash for None."""
    return (
        "-" if low is None and high is None else f"{number(low, digits)} to {number(high, digits)}"
    )


def circumstances(result: dict[str, Any]) -> str:
    """Settings, device, time and command."""
    settings = ", ".join(f"{key} {json.dumps(value)}" for key, value in result["settings"].items())
    versions = ", ".join(f"{key} {value}" for key, value in result["versions"].items())
    scale = "" if result.get("full_setting", True) else " (a reduced setting, or not every row)"
    return "\n".join([
        f"Settings{scale}: {settings}.  ",
        f"Device: {result['device']}; {result['seconds']:.0f} s in all. Versions: {versions}.  ",
        f"Command: `{result.get('command', 'python -m benchmarks run ' + result['benchmark'])}`\n",
    ])  # fmt: skip
