"""Finished parts of a benchmark on disk, so that an interrupted run goes on where it was.

A part is one chunk of the runs of one cell. Its file carries everything that determines its content
(the *fingerprint*: settings, runs, seed, versions); a file with another fingerprint, or a damaged
one, counts as absent and is computed again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import social_dilemmas_env as sde
from agents.manifest import PROBLEMS
from benchmarks.harness.benchmark import Cell, Result
from benchmarks.harness.json_files import canonical, read_json, write_json


@dataclass(frozen=True, eq=False)
class Part:
    """Runs [first, first + runs) of a cell.  Compared by identity."""

    cell: Cell
    first: int  # the first run's number
    runs: int  # how many
    seed: int  # of all its runs

    @property
    def file_name(self) -> str:
        """Readable, and unique even where two cells differ in punctuation only."""
        word = "".join(c if c.isalnum() else "_" for c in self.cell.name)
        return f"{word}.{hashlib.sha256(self.cell.name.encode()).hexdigest()[:6]}.{self.first}.json"

    def __str__(self) -> str:
        """Such as "IPD NL-PG, runs 6 to 10"."""
        return f"{self.cell.name}, runs {self.first + 1} to {self.first + self.runs}"


def split(cell: Cell, seed: int) -> list[Part]:
    """The parts of a cell.

    Run r has the same seed in every cell of equal chunks: cells compare in pairs.
    """
    # The seed goes by the chunk's number alone.
    chunk = cell.chunk or cell.runs
    starts = range(0, cell.runs, chunk)
    return [
        Part(cell, first, min(chunk, cell.runs - first), sde.draw(seed, i))
        for i, first in enumerate(starts)
    ]


class PartStore:
    """The folder `NAME.parts`.

    Args:
        folder: where the parts lie.
        context: what determines every part besides its own settings: benchmark and versions.
    """

    def __init__(self, folder: Path, context: dict[str, Any]) -> None:
        self.folder, self.context = folder, context

    def fingerprint(self, part: Part) -> dict[str, Any]:
        """Everything that determines the content of a part."""
        own = {
            "cell": part.cell.name,
            "settings": part.cell.settings,
            "runs": part.runs,
            "seed": part.seed,
        }
        fingerprint: dict[str, Any] = canonical(own | self.context)
        return fingerprint

    def load(self, part: Part) -> Result | None:
        """What `save` stored for this very part; None if there is no such thing."""
        # What cannot be read, or is of other settings or versions, counts as absent.
        try:
            stored = read_json(self.folder / part.file_name)
            result: Result = stored["result"]
            own = stored["fingerprint"] == self.fingerprint(part) and _is_whole(stored)
        except PROBLEMS:
            return None
        return result if own else None

    def save(self, part: Part, result: Result) -> None:
        """Stores the result of a part."""
        content = {"fingerprint": self.fingerprint(part), "result": result}
        write_json(self.folder / part.file_name, {**content, "sha256": _digest(content)})

    def forget(self, part: Part) -> None:
        """Removes what is stored in a part's place, whatever its settings."""
        (self.folder / part.file_name).unlink(missing_ok=True)


def _is_whole(stored: dict[str, Any]) -> bool:
    """Whether a file holds what was written, by its digest; earlier versions wrote none."""
    content = {name: value for name, value in stored.items() if name != "sha256"}
    known = content.keys() == {"fingerprint", "result"}
    return known and stored.get("sha256", _digest(content)) == _digest(content)


def _digest(content: dict[str, Any]) -> str:
    text = json.dumps(canonical(content), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
