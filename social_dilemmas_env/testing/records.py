"""Records of what an environment returned, and their comparison."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from social_dilemmas_env.testing.findings import BROKEN, short

GAME = ("observations", "rewards", "terminations", "truncations")
PARTS = (*GAME, "infos")  # what `step` returns, in order
LARGE = 16_384  # bytes; larger arrays are recorded as digests, 3,000 images would not fit in memory


class Record(NamedTuple):
    """What one `reset` or `step` returned, copied."""

    episode: int  # from 1
    step: int  # from 1; 0 is the reset
    live: tuple[Any, ...]  # agents who should have an entry: alive before a step, after a reset
    agents: tuple[Any, ...]  # env.agents after the call
    parts: dict[str, dict[Any, Any]]  # part -> agent -> value
    over: bool  # whether the episode has ended

    @property
    def where(self) -> str:
        """The place in words."""
        if self.step:
            return f"step {self.step} of episode {self.episode}"
        return f"the reset of episode {self.episode}"


class Digest(NamedTuple):
    """Stands for a large array."""

    shape: tuple[int, ...]
    dtype: str
    digest: bytes

    def __repr__(self) -> str:
        return f"a {np.dtype(self.dtype)} array of shape {self.shape}"


def snapshot(value: Any) -> Any:
    """A copy that later steps cannot change; a large array becomes its digest."""
    # Arrays.
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        if value.nbytes <= LARGE:
            return value.copy()
        return Digest(value.shape, value.dtype.str, hashlib.blake2b(value.tobytes()).digest())

    # What is nested, and what cannot change.
    if isinstance(value, dict):
        return {key: snapshot(item) for key, item in value.items()}
    if value is None or isinstance(value, (bool, int, float, str, np.generic)):
        return value

    # Anything else, if it can be copied.
    try:
        return copy.deepcopy(value)
    except BROKEN:
        return type(value)


def same(a: Any, b: Any) -> bool:
    """Equality of nested results.

    NaN equals NaN, and what cannot be compared is equal by type.
    """
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))

    identity: Any = object.__eq__
    try:
        if hasattr(a, "__array__") and hasattr(b, "__array__"):
            return same_array(np.asarray(a), np.asarray(b))
        if type(a).__eq__ is not identity:
            return bool(a == b) or bool(a != a and b != b)
    except BROKEN:  # a dataclass that holds arrays, a tensor on another device
        pass
    return type(a) is type(b)


def same_array(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays have one shape, one dtype and the same values."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    return np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")


def difference(a: Record, b: Record, parts: tuple[str, ...] = GAME) -> str | None:
    """Where two records of the same moment differ, or None."""
    for part in parts:
        x, y = a.parts[part], b.parts[part]
        if not same(x, y):
            agent = next((k for k in x if k not in y or not same(x[k], y[k])), next(iter(y), None))
            values = f"{short(x.get(agent), 60)} against {short(y.get(agent), 60)}"
            return f"the {part} of {agent} differ at {a.where} ({values})"

    if a.agents != b.agents:
        return f"env.agents differ at {a.where} ({a.agents} against {b.agents})"
    return None


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
