"""Results of tasks as lines of JSON, written as they come; what is there is not computed again.

A line holds the digest of everything that its task goes by, so that a file is gone on with by the
same command, or by a larger one that has the same tasks among its own: lines of other tasks are
passed over. Half a line, of a process that was killed, counts as none, and so does a damaged one:
behind the digest of the task stands that of its result.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from social_dilemmas_env.regular_file import read_regular

Facts = Mapping[str, Any]
Result = dict[str, Any]

MAX_BYTES = 1 << 32  # a league of 2,000 entries has 4,000,000 lines of 200 bytes


class ResultLines:
    """A file of results.

    Args:
        path: it need not exist; its folder is made when something is written.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no regular file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._found: dict[str, Result] = {}
        self._whole = True  # whether the file ends with a line's end
        if path.exists():
            try:
                text = read_regular(path, MAX_BYTES).decode(errors="replace")
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from None
            self._whole = text.endswith("\n") or not text
            self._read(text)

    @property
    def hint(self) -> str:
        """How to go on after a stop."""
        return f"what is done is in {self.path}, the same command goes on from there"

    def _read(self, text: str) -> None:
        for line in text.splitlines():
            try:
                result = json.loads(line)
                task, dot, digest = result.pop("task").partition(".")
                if not dot or digest == task_digest(result):  # earlier versions wrote none
                    self._found[task] = result
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                continue  # half a line, or a stranger's

    def __contains__(self, facts: Facts) -> bool:
        """Whether there is a result of the task of these facts."""
        return task_digest(facts) in self._found

    def __getitem__(self, facts: Facts) -> Result:
        """The result of the task of these facts.

        Raises:
            KeyError: there is none.
        """
        return self._found[task_digest(facts)]

    def add(self, results: Iterable[tuple[Facts, Result]]) -> None:
        """Appends results, each with the facts of its task.

        Raises:
            OSError: they cannot be written; those before them stay.
            ValueError: a number that is not finite.
        """
        named = {task_digest(facts): result for facts, result in results}
        lines = [
            json.dumps({"task": f"{key}.{task_digest(result)}", **result}, allow_nan=False) + "\n"
            for key, result in named.items()
        ]

        # Opened anew each time: who reads the file meanwhile sees whole lines.
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "a") as file:
            file.write("\n" * (not self._whole) + "".join(lines))
        self._whole = True
        self._found |= named


def task_digest(facts: Facts) -> str:
    """Facts as JSON has them, in 16 hexadecimal digits."""
    text = json.dumps(facts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
