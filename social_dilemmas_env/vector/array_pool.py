"""Large arrays that are used again as soon as nobody has them any more.

Memory that the operating system gives anew is fetched page by page, which takes longer than all
else in a step of large observations. Whoever keeps an array, a view of it, or anything that shares
its memory, keeps it from being used again: to callers all arrays are fresh.
"""

import math
import sys
from typing import Any

import numpy as np

from social_dilemmas_env.engine.array_engine import ALIGNMENT

KEPT = 2  # arrays: one that the caller still has, and the next one
Memories = list[tuple[np.ndarray, int]]  # with the first byte that is used


def references(memories: Memories) -> list[int]:
    """How many refer to each, the pair that it is in and this loop among them.

    Every array made of a memory, and every view of one, is one of them.
    """
    return [sys.getrefcount(memory) for memory, _ in memories]


# Of what nobody else has: counted here, as versions of Python differ by one.  Only CPython counts.
ALONE = references([(np.empty(1, np.uint8), 0)])[0] if hasattr(sys, "getrefcount") else None


class ArrayPool:
    """Arrays of one size at a time; copies of a pool are empty."""

    def __init__(self) -> None:
        self.memories: Memories = []

    def __reduce__(self) -> tuple[Any, ...]:
        return ArrayPool, ()

    def empty(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """An array to be filled, at an address that is a multiple of `ALIGNMENT`."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        memory, first = self._memory(size + ALIGNMENT)
        return np.ndarray(shape, dtype, memory, first)

    def _memory(self, size: int) -> tuple[np.ndarray, int]:
        """Bytes that nobody uses."""
        counts = [] if ALONE is None else references(self.memories)
        for (memory, first), count in zip(self.memories, counts, strict=False):
            if count == ALONE and len(memory) == size:
                return memory, first

        memory = np.empty(size, np.uint8)
        first = -memory.ctypes.data % ALIGNMENT
        self.memories = [*self.memories, (memory, first)][-KEPT:]
        return memory, first
