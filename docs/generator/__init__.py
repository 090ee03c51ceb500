"""Writes the reference of the site from the code: nothing of it is in the repository.

    api.py        every public name, from the syntax trees and their docstrings
    games.py      a page a game: its own page, quick facts, picture, film, exact anchors
    learners.py   a page a learner: paper and equations, settings, metrics, departures, results
    commands.py   the command line, from `--help`
    cards.py      a page a bundled agent, from its manifest, with a film of it
    results.py    a page a benchmark, from benchmarks/results
    addresses.py  what `make docs-links` found: dead links apart from those that nobody could ask

`conf.py` calls `write_reference` before Sphinx looks for pages.
"""

from pathlib import Path

from generator import api, cards, commands, games, learners, results

WRITERS = {
    "api": api.pages,
    "games": games.pages,
    "learners": learners.pages,
    "cli": commands.pages,
    "results": results.pages,
    "cards": cards.pages,
}


def write_reference(reference: Path) -> int:
    """Writes all pages below `reference`, and removes those of before that are no more.

    Args:
        reference: docs/reference; each writer has a folder in it.

    Returns:
        How many pages there are.
    """
    count = 0
    for folder, pages in WRITERS.items():
        (reference / folder).mkdir(parents=True, exist_ok=True)
        written = pages(reference / folder)

        for name, text in written.items():
            _write(reference / folder / f"{name}.md", text)
        for old in (reference / folder).glob("*.md"):
            if old.stem not in written:
                old.unlink()
        count += len(written)
    return count


def _write(path: Path, text: str) -> None:
    """Only what is new: Sphinx reads again what was touched."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
