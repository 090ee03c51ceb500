"""What every executor does alike: a task's answer, and tasks whose worker was lost.

A worker is lost when its process is killed, when its machine goes, or when memory runs out. The
task is tried again, from whatever it has stored itself; what is lost once more than `retries` times
is given up, said at the end, and nothing else suffers.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Generic, TypeVar

T = TypeVar("T")

# What `--import` has imported here: workers import it too, for it registers games and learners.
MODULES: list[str] = []
LOWER = "lower --jobs, or the settings that memory grows with (batch, runs, episodes)"


def prepare_worker(modules: Sequence[str]) -> None:
    """What a process does before its first task."""
    for module in modules:
        importlib.import_module(module)


def answer(function: Callable[[Any], Any], task: Any) -> tuple[bool, Any]:
    """(True, the result), or (False, the error).

    An error is sent back rather than raised, so that it arrives as it was from anywhere.
    """
    try:
        return True, function(task)
    except SystemExit:  # this worker was told to end, nobody else was
        raise
    except MemoryError as error:
        return False, MemoryError(f"out of memory in {task}: {LOWER} {error}".rstrip())
    except BaseException as error:
        return False, error


def unwrap(answered: tuple[bool, Any]) -> Any:
    """The result; raises the error."""
    success, result = answered
    if not success:
        raise result
    return result


@dataclass(eq=False)
class Attempt(Generic[T]):
    """A task, and what became of the workers that were at it.  Compared by identity."""

    task: T
    losses: list[str] = field(default_factory=list)


class Attempts(Generic[T]):
    """The tasks that wait, and those that were given up.

    Args:
        tasks: in the order in which they are begun.
        retries: how often a task is tried again after a lost worker.
    """

    def __init__(self, tasks: Sequence[T], retries: int) -> None:
        self.retries = retries
        self._waiting = [Attempt(task) for task in tasks]
        self._given_up: list[Attempt[T]] = []

    def __bool__(self) -> bool:
        """Whether any task waits."""
        return bool(self._waiting)

    def take(self) -> Attempt[T]:
        """The next one."""
        return self._waiting.pop(0)

    def give_back(self, attempt: Attempt[T]) -> None:
        """An attempt that was not begun: it is the next one."""
        self._waiting.insert(0, attempt)

    def lose(self, attempt: Attempt[T], ending: str) -> None:
        """Notes how a worker was lost; its task waits again, or is given up."""
        attempt.losses.append(ending)
        if len(attempt.losses) > self.retries:
            self._given_up.append(attempt)
            return

        self._waiting.append(attempt)
        count = f"retry {len(attempt.losses)} of {self.retries}"
        print(f"a worker was lost with {attempt.task} ({ending}): {count}", file=sys.stderr)

    def check(self) -> None:
        """Says at the end what was given up.

        Raises:
            ChildProcessError: something was.
        """
        if not self._given_up:
            return
        lost = "; ".join(f"{each.task} ({describe(each.losses)})" for each in self._given_up)
        raise ChildProcessError(
            f"a worker was lost with {lost}: all else is done and kept, and the same command "
            f"computes what is missing (if memory ran out, {LOWER})"
        )


def describe(losses: Sequence[str]) -> str:
    """Such as "signal 9" or "its node died, then out of memory, 2 times"."""
    counts = [(ending, len(list(same))) for ending, same in groupby(losses)]
    return ", then ".join(f"{ending}, {n} times" if n > 1 else ending for ending, n in counts)
