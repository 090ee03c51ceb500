"""Branch-free arithmetic on columns: Python ints, numpy arrays and torch tensors alike."""

from collections.abc import Sequence
from itertools import pairwise

from social_dilemmas_env.games.game import Column


def wrapped(x: Column, n: int) -> Column:
    """The remainder of x modulo n, for x in 0 .. 2 n - 1.

    A comparison costs numpy a third of a division.
    """
    return x - n * (x >= n)


def ordered(columns: Sequence[Column]) -> list[Column]:
    """Columns sorted in ascending order, by exchanges (branch-free)."""
    out = list(columns)
    for i in range(len(out)):
        for j in range(i + 1, len(out)):
            low = out[i] + (out[j] < out[i]) * (out[j] - out[i])
            out[i], out[j] = low, out[i] + out[j] - low
    return out


def distinct(ascending: Sequence[Column]) -> Column:
    """How many different values sorted columns hold."""
    return sum([(b != a) * 1 for a, b in pairwise(ascending)], start=1)


def free_cell(index: Column, ascending: Sequence[Column]) -> Column:
    """The `index`-th cell that is not among the sorted `ascending` cells, which may repeat."""
    cell = index
    for i, blocked in enumerate(ascending):
        new = 1 if i == 0 else (blocked != ascending[i - 1]) * 1
        cell = cell + (cell >= blocked) * new
    return cell
