"""Findings, recordings of what an environment returned, and their comparison, for
`testing.check_env`.
"""

from __future__ import annotations

import copy
import hashlib
import random
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

GAME = ("observations", "rewards", "terminations", "truncations")
PARTS = (*GAME, "infos")
BROKEN = (Exception, SystemExit)  # a pygame environment may well call sys.exit()
LARGE = 16_384  # bytes; larger observations are recorded as digests, 3,000 images would not fit in memory
PIN = 987_654_321  # where the global generators stand before each game


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


Report = Iterator[Finding]


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
        raise Violation(
            f"{name}_raises", f"{name}() raised {describe(error)} on a valid call."
        ) from error


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


# Global random state
# --------------------------------------------------------------------------------------------------


def rng_states() -> dict[str, Any]:
    """The global generators' states; torch's only where the caller has imported torch already."""
    states = {"random": random.getstate(), "numpy.random": np.random.get_state(legacy=False)}
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_rng_state"):
        states["torch"] = torch.get_rng_state()
    return states


def restore_rng(states: dict[str, Any]) -> None:
    """Puts the global generators back."""
    random.setstate(states["random"])
    np.random.set_state(states["numpy.random"])
    if "torch" in states:
        sys.modules["torch"].set_rng_state(states["torch"])


def pin_rng(value: int = PIN) -> None:
    """Puts the global generators in a known place."""
    random.seed(value)
    np.random.seed(value % 2**32)
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "default_generator"):
        torch.default_generator.manual_seed(
            value
        )  # torch.manual_seed would reseed the GPUs as well


@contextmanager
def kept_rng() -> Iterator[None]:
    """The global random state after the block is the one before it."""
    states = rng_states()
    try:
        yield
    finally:
        restore_rng(states)


# Recordings
# --------------------------------------------------------------------------------------------------


class Record(NamedTuple):
    """What one `reset` or `step` returned, copied."""

    episode: int  # from 1
    step: int  # from 1; 0 is the reset
    live: tuple[
        Any, ...
    ]  # agents who should have an entry: those alive before a step, or after a reset
    agents: tuple[Any, ...]  # env.agents after the call
    parts: dict[str, dict[Any, Any]]
    over: bool

    @property
    def where(self) -> str:
        """The place in words."""
        return (
            f"step {self.step} of episode {self.episode}"
            if self.step
            else f"the reset of episode {self.episode}"
        )


class Digest(NamedTuple):
    """Stands for a large array."""

    shape: tuple[int, ...]
    dtype: str
    digest: bytes

    def __repr__(self) -> str:
        return f"a {np.dtype(self.dtype)} array of shape {self.shape}"


def snapshot(value: Any) -> Any:
    """A copy that later steps cannot change; a large array becomes its digest."""
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        if value.nbytes <= LARGE:
            return value.copy()
        return Digest(value.shape, value.dtype.str, hashlib.blake2b(value.tobytes()).digest())
    if isinstance(value, dict):
        return {key: snapshot(item) for key, item in value.items()}
    if value is None or isinstance(value, (bool, int, float, str, np.generic)):
        return value
    try:
        return copy.deepcopy(value)
    except BROKEN:
        return type(value)


def same(a: Any, b: Any) -> bool:
    """Equality of nested results, in which NaN equals NaN and what cannot be compared is equal by
    type.
    """
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    try:
        if hasattr(a, "__array__") and hasattr(b, "__array__"):
            x, y = np.asarray(a), np.asarray(b)
            return (
                x.shape == y.shape
                and x.dtype == y.dtype
                and np.array_equal(x, y, equal_nan=x.dtype.kind in "fc")
            )
        if type(a).__eq__ is not object.__eq__:
            return bool(a == b) or bool(a != a and b != b)
    except BROKEN:  # a dataclass that holds arrays, a tensor on another device
        pass
    return type(a) is type(b)


def difference(a: Record, b: Record, parts: tuple[str, ...] = GAME) -> str | None:
    """Where two records of the same moment differ, or None."""
    for part in parts:
        x, y = a.parts[part], b.parts[part]
        if not same(x, y):
            agent = next((k for k in x if k not in y or not same(x[k], y[k])), next(iter(y), None))
            values = f"{short(x.get(agent), 60)} against {short(y.get(agent), 60)}"
            return f"the {part} of {agent} differ at {a.where} ({values})"
    return (
        None
        if a.agents == b.agents
        else f"env.agents differ at {a.where} ({a.agents} against {b.agents})"
    )


def arrays(value: Any) -> Iterator[np.ndarray]:
    """All arrays inside a nested observation."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, (Mapping, list, tuple)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from arrays(item)


def truthy(value: Any) -> bool:
    """The truth of a flag that may be no bool at all."""
    try:
        return bool(value)
    except BROKEN:
        return False
