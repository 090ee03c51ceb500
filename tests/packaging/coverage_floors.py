"""Holds coverage to its floors: `python -m tests.packaging.coverage_floors coverage.json`."""

import json
import sys
from pathlib import Path
from typing import Any

PACKAGES = ("social_dilemmas_env", "agents")
FLOORS = {"lines": 95.0, "branches": 90.0}  # percent
COUNTS = {
    "lines": ("covered_lines", "num_statements"),
    "branches": ("covered_branches", "num_branches"),
}


def measure(report: dict[str, Any], package: str) -> dict[str, float]:
    """Percent of a package's lines and branches that the tests reach."""
    files = [f["summary"] for path, f in report["files"].items() if path.startswith(f"{package}/")]
    percent = {}
    for name, (covered, all_of) in COUNTS.items():
        total = sum(summary[all_of] for summary in files)
        percent[name] = 100 * sum(summary[covered] for summary in files) / max(total, 1)
    return percent


def shortfalls(report: dict[str, Any]) -> list[str]:
    """A sentence for each floor that is not held."""
    return [
        f"{package}: {percent:.1f} % of {name}, of at least {FLOORS[name]:g} %"
        for package in PACKAGES
        for name, percent in measure(report, package).items()
        if percent < FLOORS[name]
    ]


if __name__ == "__main__":
    found = shortfalls(json.loads(Path(sys.argv[1]).read_text()))
    print("\n".join(found) or "coverage holds its floors")
    sys.exit(bool(found))
