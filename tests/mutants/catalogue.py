"""The mistakes of `catalogue/*.txt`: what is wrong, and the text that makes it so.

A file names one source and the tests that guard it; then come mutants:

    source agents/learners/loqa/loqa.py
    tests  tests/agents/learners/loqa/test_by_hand.py

    # shaping's sign
    - return -(advantages * logp_opponents)
    + return (advantages * logp_opponents)

Lines with "-" are a text of the source, which must occur exactly once, those with "+" the text in
its place; neither has to be a whole line.  A line with "=" is the reason why a mutant cannot be
seen: it changes nothing that is promised.  Such mutants count as survivors all the same.
"""

import hashlib
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).with_name("catalogue")


class Mutant(NamedTuple):
    """One mistake in one source file, and the tests that must fail with it."""

    name: str
    source: str
    old: str
    new: str
    tests: tuple[str, ...]
    reason: str = ""  # why it cannot be seen

    def applied(self, text):
        """The source with the mistake.

        Raises:
            ValueError: its text is not there, or there more than once.
        """
        if text.count(self.old) != 1:
            times = f"occurs {text.count(self.old)} times, not once"
            raise ValueError(f"{self.source}: {self.name}: {self.old!r} {times}")
        return text.replace(self.old, self.new)

    @property
    def digest(self):
        """Of what it changes: a verdict is of this very mutant."""
        text = "\0".join((self.source, self.name, self.old, self.new))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def __str__(self):
        return f"{self.source}: {self.name}"


def catalogue():
    """All mutants, file by file."""
    return [mutant for path in sorted(FOLDER.glob("*.txt")) for mutant in read(path.read_text())]


def read(text):
    """The mutants of one file."""
    head, *blocks = text.rstrip().split("\n# ")
    words = [line.split() for line in head.splitlines() if line]
    (source,) = (value for key, value in words if key == "source")
    tests = tuple(value for key, value in words if key == "tests")

    found = []
    for block in blocks:
        name, *lines = block.rstrip().split("\n")
        old, new, reason = (
            "\n".join(line[2:] for line in lines if line.startswith(mark)) for mark in "-+="
        )
        found.append(Mutant(name, source, old, new, tests, reason.replace("\n", " ")))
    return found
