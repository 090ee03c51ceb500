"""One Markdown page of all results in a folder: paper, ours with interval, verdict, pictures."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.harness.benchmark import Result
from benchmarks.harness.catalogue import catalogue
from benchmarks.harness.json_files import read_json, write_json
from benchmarks.harness.options import RESULTS
from benchmarks.harness.plots import draw
from benchmarks.harness.rejudging import rejudge
from benchmarks.harness.verdicts import VERDICTS

HEADER = (
    "# Results of the benchmarks\n"
    "\n"
    "Written by `python -m benchmarks report`; the numbers are in the JSON files beside "
    "it, with every run's own. Intervals are\n"
    "95 % bootstrap over runs. Verdicts compare our interval with the row's target: "
    "*reproduced* where it lies inside, *not\n"
    "reproduced* where it lies outside, *undecided* where it straddles (or nothing could "
    "have missed the target), *holds* where the\n"
    "target is no published number, *reduced* where the row was run at less than its "
    "setting, *not run* where it was not.\n"
    "[The rules](../README.md#verdicts).\n"
)
KEYS = ("benchmark", "settings", "versions", "device", "seconds", "rows")
ROW_KEYS = ("name", "paper", "ours", "ci_low", "runs", "verdict")


def report(out: Path = RESULTS) -> Path:
    """Judges stored results anew, draws the pictures again and writes OUT/README.md.

    Returns:
        The page.

    Raises:
        ValueError: a file of results that cannot be read.
    """
    # In the order of `list`; results of other commands last.
    results = [read_judged(path) for path in sorted(out.glob("*.json"))]
    order = list(catalogue())
    results.sort(
        key=lambda r: order.index(r["benchmark"]) if r["benchmark"] in order else len(order)
    )

    sections = [write_section(result, out) for result in results]
    missing = [
        f"- `{name}`: not run (`python -m benchmarks run {name}`)"
        for name in missing_names(results)
    ]

    out.mkdir(parents=True, exist_ok=True)
    page = out / "README.md"
    text = "\n".join([HEADER, write_summary(results), *missing, "", *sections])
    page.write_text(text, encoding="utf-8")
    return page


def read_result(path: Path) -> Result:
    """A file of results, checked as far as the page needs it."""
    try:
        result: Result = read_json(path)
        for key in KEYS:
            _ = result[key]
        for row in result["rows"]:
            for key in ROW_KEYS:
                _ = row[key]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is no file of results ({type(error).__name__}: {error}); remove it"
        ) from None
    return result


def read_judged(path: Path) -> Result:
    """A file of results, with the verdicts of today: written again if they are others."""
    result = read_result(path)
    benchmark = catalogue().get(result["benchmark"])
    if benchmark is None or "samples" not in result:
        return result
    judged = rejudge(benchmark, result)
    if judged != result:
        write_json(path, judged)
    return judged


def missing_names(results: list[Result]) -> list[str]:
    """Benchmarks without results."""
    return [name for name in catalogue() if name not in {result["benchmark"] for result in results}]


def write_summary(results: list[Result]) -> str:
    """One line a benchmark."""
    lines = [
        "| benchmark | " + " | ".join(VERDICTS) + " | seconds |",
        "|---|" + "---:|" * (len(VERDICTS) + 1),
    ]
    for result in results:
        name = result["benchmark"]
        counts = Counter(row["verdict"] for row in result["rows"])
        words = [f"[{name}](#{name})", *(str(counts[word]) for word in VERDICTS)]
        lines.append(f"| {' | '.join(words)} | {result['seconds']:.0f} |")
    return "\n".join(lines) + "\n"


def write_section(result: Result, out: Path) -> str:
    """Table, picture and circumstances of one benchmark."""
    name = result["benchmark"]
    benchmark = catalogue().get(name)  # None: a result of another command, without a picture here
    picture = draw(benchmark, result, out) if benchmark else None

    lines = [f"\n## {name}\n", f"{result.get('title', '')}. Paper: {result.get('source', '')}.\n"]
    if picture:
        lines.append(f"![{name}]({picture.name})\n")
    return "\n".join([*lines, write_table(result["rows"]), write_circumstances(result)])


def write_table(rows: list[dict[str, Any]]) -> str:
    """The rows in Markdown."""
    lines = [
        "| | paper | ours | 95 % interval | target | runs | verdict | |",
        "|---|---:|---:|---|---|---:|---|---|",
    ]
    for row in rows:
        digits = row.get("digits", 3) + 1  # ours with one more than the paper's
        low, high = row.get("target") or (None, None)
        words = [
            row["name"] + (f" {row['unit']}" if row.get("unit") else ""),
            format_number(row["paper"], digits - 1),
            format_number(row["ours"], digits),
            format_interval(row["ci_low"], row["ci_high"], digits),
            format_interval(low, high, digits),
            str(row["runs"]),
            row["verdict"],
            row.get("note", ""),
        ]
        lines.append("| " + " | ".join(words) + " |")
    return "\n".join(lines) + "\n"


def format_number(value: float | None, digits: int) -> str:
    """A number with so many decimals; a dash for None."""
    return "-" if value is None else f"{value:.{digits}f}"


def format_interval(low: float | None, high: float | None, digits: int) -> str:
    """An interval; a dash for None."""
    if low is None and high is None:
        return "-"
    return f"{format_number(low, digits)} to {format_number(high, digits)}"


def write_circumstances(result: Result) -> str:
    """Settings, device, time and command; and those of cells that stayed from earlier runs."""
    scale = "" if result.get("full_setting", True) else " (a reduced setting, or not every row)"
    command = result.get("command", f"python -m benchmarks run {result['benchmark']}")
    lines = [
        f"Settings{scale}: {list_settings(result)}.  ",
        f"Device: {result['device']}; {result['seconds']:.0f} s in all. "
        f"Versions: {list_versions(result)}.  ",
        f"Command: `{command}`\n",
    ]

    # Cells that stayed from earlier runs: one line for all of the same origin.
    cells: dict[str, list[str]] = {}
    for cell, origin in result.get("kept", {}).items():
        where = f"{origin['device']}; versions: {list_versions(origin)}"
        text = f"settings: {list_settings(origin)}; {where}; command: `{origin['command']}`"
        cells.setdefault(text, []).append(cell)
    lines += [f"Of an earlier run: {', '.join(names)} ({text}).\n" for text, names in cells.items()]
    return "\n".join(lines)


def list_settings(origin: Result) -> str:
    """Such as "device "cpu", runs 20"."""
    return ", ".join(f"{key} {json.dumps(value)}" for key, value in origin["settings"].items())


def list_versions(origin: Result) -> str:
    """Such as "python 3.11.2, torch 2.13.0"."""
    return ", ".join(f"{key} {value}" for key, value in origin["versions"].items())
