"""Findings: what is wrong, in a sentence; and calls whose exceptions become findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

BROKEN = (Exception, SystemExit)  # a pygame environment may well call sys.exit()


class Finding(NamedTuple):
    """One broken promise.

    Attributes:
        check: Short stable id, such as "seed_ignored_later"; to be used in code.
        message: A sentence for a human: what was seen, where, and what is expected.
    """

    check: str
    message: str

    def __str__(self) -> str:
        return f"[{self.check}] {self.message}"


Report = Iterator[Finding]  # what a check yields


class Violation(Exception):
    """A broken promise after which this game cannot go on."""

    def __init__(self, check: str, message: str):
        super().__init__(message)
        self.finding = Finding(check, message)


def guarded(name: str, report: Iterable[Finding]) -> Report:
    """The findings of one check; whatever it raises becomes its last finding."""
    try:
        yield from report
    except Violation as violation:
        yield violation.finding
    except BROKEN as error:
        yield Finding(
            "check_unfinished",
            f"{name} could not be finished: the environment led to {describe(error)}.",
        )


def call(name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The result of a valid call, or a Violation that names the exception."""
    try:
        return function(*args, **kwargs)
    except BROKEN as error:
        message = f"{name}() raised {describe(error)} on a valid call."
        raise Violation(f"{name}_raises", message) from error


def read(env: Any, name: str) -> Any:
    """An attribute that every environment has, or a Violation."""
    try:
        return getattr(env, name)
    except BROKEN as error:
        message = (
            f"env.{name} cannot be read: {describe(error)}; every parallel environment needs it."
        )
        raise Violation(f"{name}_missing", message) from error


def rejected(function: Callable[[], Any]) -> bool:
    """Whether a bad call raises, as it should."""
    try:
        function()
    except BROKEN:
        return True
    return False


def describe(error: BaseException) -> str:
    """An exception in one line."""
    return f"{type(error).__name__}({short(str(error))!r})"


def short(value: Any, width: int = 160) -> str:
    """A value in one line of bounded length."""
    text = " ".join((value if isinstance(value, str) else repr(value)).split())
    return text if len(text) <= width else text[: width - 3] + "..."
