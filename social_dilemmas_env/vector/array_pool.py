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
ALONE = 3  # references: of the pair, of the loop and of the call that counts them


class ArrayPool:
    """Arrays of one size at a time; copies of a pool are empty."""

    def __init__(self) -> None:
        self.memories: list[tuple[np.ndarray, int]] = []  # with the first byte that is used

    def __reduce__(self) -> tuple[Any, ...]:
        return ArrayPool, ()

    def empty(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """An array to be filled, at an address that is a multiple of `ALIGNMENT`."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        memory, first = self._memory(size + ALIGNMENT)
        return np.ndarray(shape, dtype, memory, first)

    def _memory(self, size: int) -> tuple[np.ndarray, int]:
        """Bytes that nobody uses."""
        # Every array made of the memory, and every view of one, refers to it.
        count: Any = getattr(sys, "getrefcount", None)  # CPython's
        for memory, first in self.memories:
            if count is not None and len(memory) == size and count(memory) == ALONE:
                return memory, first

        memory = np.empty(size, np.uint8)
        first = -memory.ctypes.data % ALIGNMENT
        self.memories = [*self.memories, (memory, first)][-KEPT:]
        return memory, first
