"""Finished parts of a benchmark on disk, so that an interrupted run goes on where it was.

A part is one chunk of the runs of one cell. Its file carries everything that determines its content
(the *fingerprint*: settings, runs, seed, versions); a file with another fingerprint, or a damaged
one, counts as absent and is computed again.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import social_dilemmas_env as sde
from benchmarks.harness.benchmark import Cell, Result


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
    chunk = cell.chunk or cell.runs
    starts = range(0, cell.runs, chunk)
    return [
        Part(cell, first, min(chunk, cell.runs - first), sde.draw(seed, i))
        for i, first in enumerate(starts)
    ]


def canonical(data: Any) -> Any:
    """`data` as JSON reads it back: tuples are lists, keys are strings."""
    return json.loads(json.dumps(data))


def write_json(path: Path, data: Any, indent: int | None = None) -> None:
    """Writes `data` so that a reader, or a kill, never sees half a file.

    Raises:
        ValueError: a number that is not finite.
        OSError: the file cannot be written; what was there before stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)

    # A file of its own beside it takes its place once it is on the disk.
    handle, temporary = tempfile.mkstemp(prefix=path.name, suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(data, file, allow_nan=False, indent=indent)
            file.write("\n" if indent else "")
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


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
        try:
            stored = json.loads((self.folder / part.file_name).read_text(encoding="utf-8"))
            result: Result = stored["result"]
            return result if stored["fingerprint"] == self.fingerprint(part) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def save(self, part: Part, result: Result) -> None:
        """Stores the result of a part."""
        write_json(
            self.folder / part.file_name, {"fingerprint": self.fingerprint(part), "result": result}
        )

    def forget(self, part: Part) -> None:
        """Removes what is stored in a part's place, whatever its settings."""
        (self.folder / part.file_name).unlink(missing_ok=True)
