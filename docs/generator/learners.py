"""A page a learner: paper and equations, command, settings, metrics, departures, results."""

import importlib
import inspect
import re
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

from agents.cli.train_help import FITS
from agents.registry import LEARNERS
from benchmarks.harness.report import write_table
from generator.families import FAMILIES, Family
from generator.markdown import from_docstring, page, table
from generator.results import results
from generator.settings import settings

DOCS = Path(__file__).parents[1]
SIBLING = re.compile(r"\]\((?=\w+\.md)")  # a link to a page beside the one that is quoted
MOST_ROWS = 24  # of one benchmark on a learner's page
COIN_GAME_ONLY = ("exact_policy", "exact_clone", "sb3_ppo")
OWN_COMMANDS = {
    "sb3_ppo": "python -m agents.learners.sb3_ppo sb3_ppo.json",
    "exact_policy": "python -m agents.learners.exact_policy exact_loqa_3x3 exact_loqa_3x3.json",
    "exact_clone": "python -m agents.learners.exact_clone cloned_3x3 cloned_3x3.json",
}


def pages(folder: Path) -> dict[str, str]:
    """Page name -> text: the learners, and the index by the games that they fit."""
    written = {name: _learner(name) for name in LEARNERS}
    named = {name for names in FITS.values() for name in names}
    groups = {**FITS, "others": tuple(name for name in LEARNERS if name not in named)}
    parts = []
    for games, names in groups.items():
        if not names:
            continue
        rows = [(f"[`{name}`]({name}.md)", LEARNERS[name].title) for name in names]
        parts += [f"## For {games}", table(("learner", "what it is"), rows)]
    tree = "\n".join(written)
    written["index"] = page(
        "Learners",
        "What `train` runs, by name. Names follow one scheme: `<algorithm>` for recurrent policies "
        "and networks, `<algorithm>_tabular` for tables learned from sampled games, "
        "`<algorithm>_exact` for tables and exact values. "
        "[How the pieces fit](../../learners/index.md) is about all of them.",
        *parts,
        f"```{{toctree}}\n:hidden:\n\n{tree}\n```",
    )
    return written


def game_of(name: str) -> str:
    """The game whose defaults are shown."""
    networks = ("loqa", "advantage_alignment", "pola", *COIN_GAME_ONLY)
    return "coin_game_v0" if name.startswith(networks) else "ipd_v0"


def _learner(name: str) -> str:
    """The page of one learner."""
    env_id = game_of(name)
    config = LEARNERS[name].settings(env_id)
    family = FAMILIES.get(name) or Family("", (type(config).__module__,))
    assert is_dataclass(config)
    command = OWN_COMMANDS.get(name, f"social-dilemmas train {name} {env_id} --out runs/{name}")
    modules = [f"{{py:mod}}`{module}`" for module in family.modules]

    return page(
        f"`{name}`",
        LEARNERS[name].title[0].upper() + LEARNERS[name].title[1:] + ".",
        f"```sh\n{command}\n```",
        f"Code: {', '.join(modules)}.",
        _equations(family),
        "## Settings",
        f"Defaults in `{env_id}`; after each, what it means and where the value is from "
        f"(`social-dilemmas train {name} --help` says the same).",
        table(("setting", "default", "meaning, source"), settings(config)),
        *_metrics(name),
        *_departures(family),
        *_results(family),
    )


def _equations(family: Family) -> str:
    """Rendered; or as the docstring of the module has them, where nobody has written a page."""
    if family.equations:
        return f"```{{include}} ../../learners/equations/{family.equations}.md\n```"
    return from_docstring(inspect.getdoc(importlib.import_module(family.modules[0])) or "")


def rows_of(document: str, names: tuple[str, ...], column: int = 0) -> list[list[str]]:
    """Rows of the tables of a page whose first cell is, or other cell lists, one of the names."""
    found = []
    for line in (DOCS / document).read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if line.startswith("| ") and len(cells) > column:
            words = cells[column].split(",") if column else cells[:1]
            if {word.strip(" `") for word in words} & set(names):
                found.append([SIBLING.sub("](../../learners/", cell) for cell in cells])
    return found


def _metrics(name: str) -> list[str]:
    """What its updates log, out of the page of metrics."""
    rows = rows_of("reference/metrics.md", (name,), column=1)
    if not rows:
        return []
    shown = [(metric, meaning) for metric, _, meaning in rows]
    about = "In `metrics.jsonl` of the run folder; [all metrics](../metrics.md)."
    return ["## What it logs", about, table(("metric", "what it is"), shown)]


def _departures(family: Family) -> list[str]:
    """Its rows of the table of departures."""
    rows = rows_of("learners/departures.md", family.departures)
    if not rows:
        return []
    head = ("", "paper or authors' code", "here", "why", "switch")
    return ["## Departures from the paper and its code", table(head, rows)]


def _results(family: Family) -> list[str]:
    """Rows of stored results that are about it."""
    parts: list[str] = []
    for benchmark, words in family.results:
        result: dict[str, Any] = results().get(benchmark, {"rows": []})
        rows = [row for row in result["rows"] if any(word in row["name"] for word in words)]
        if not rows:
            continue
        link = f"[`{benchmark}`](../results/{benchmark}.md)"
        left = f" The first {MOST_ROWS} of {len(rows)} rows." * (len(rows) > MOST_ROWS)
        parts += [
            f"From {link}: {result['title']}.{left} Device: {result['device']}; command "
            f"`{result.get('command', f'python -m benchmarks run {benchmark}')}`.",
            write_table(rows[:MOST_ROWS]),
        ]
    return ["## Results", *parts] if parts else []
