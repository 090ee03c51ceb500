"""Maps as text, and the tables of whole numbers that their rules look up.

A map is lines of equal length, a letter a cell; cell = row * width + column.  What lies beyond its
edge is wall.  One more cell, `nowhere`, is where players are who are away; it counts as wall.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

WALL = "W"
MAX_CELLS = 1 << 12  # of a map, so that tables stay small

# Facing 0 .. 3 is north, east, south, west; (rows, columns) of a step ahead.
AHEAD = ((-1, 0), (0, 1), (1, 0), (0, -1))
RIGHT = ((0, 1), (1, 0), (0, -1), (-1, 0))

# What the first seven actions do: quarter turns of the step, None for no step; turns of the player.
MOVES = ("noop", "forward", "backward", "left", "right", "turn left", "turn right")
STEPS = (None, 0, 2, 3, 1, None, None)
TURNS = (0, 0, 0, 0, 0, 3, 1)

# A view: rows from the farthest ahead to the one behind, columns from left to right.
VIEW_AHEAD, VIEW_BEHIND, VIEW_SIDE = 9, 1, 5
VIEW = (VIEW_AHEAD + 1 + VIEW_BEHIND, 2 * VIEW_SIDE + 1)  # rows, columns
OWN_PLACE = VIEW_AHEAD * VIEW[1] + VIEW_SIDE  # index of the player itself among the view's cells

FAR = 1 << 14  # row and column of `nowhere`: in nobody's beam


@dataclass(frozen=True)
class Lattice:
    """A map, and tables made from it.

    Attributes:
        lines: its text.
    """

    lines: tuple[str, ...]

    @property
    def height(self) -> int:
        """Rows."""
        return len(self.lines)

    @property
    def width(self) -> int:
        """Columns."""
        return len(self.lines[0])

    @property
    def nowhere(self) -> int:
        """The cell of players who are away; also the number of cells."""
        return self.height * self.width

    def cells(self, letters: str) -> tuple[int, ...]:
        """The cells with one of these letters, in reading order."""
        return tuple(i for i, letter in enumerate("".join(self.lines)) if letter in letters)

    def step(self, cell: int, move: tuple[int, int]) -> int:
        """The cell so many rows and columns away; `nowhere` for walls and beyond the edge."""
        row, column = divmod(cell, self.width)
        row, column = row + move[0], column + move[1]
        if not (0 <= row < self.height and 0 <= column < self.width):
            return self.nowhere
        return self.nowhere if self.lines[row][column] == WALL else row * self.width + column

    @cached_property
    def rows(self) -> np.ndarray:
        """Row of each cell, int32 [cells + 1]."""
        return np.append(np.arange(self.nowhere) // self.width, FAR).astype(np.int32)

    @cached_property
    def columns(self) -> np.ndarray:
        """Column of each cell, int32 [cells + 1]."""
        return np.append(np.arange(self.nowhere) % self.width, FAR).astype(np.int32)

    def points_array(self, cells: Sequence[int]) -> np.ndarray:
        """These cells, and `nowhere` after them: int64."""
        return np.array([*cells, self.nowhere], np.int64)

    def places(self, cells: Sequence[int]) -> np.ndarray:
        """Index of each cell among `cells`, or their number: int64 [cells + 1]."""
        index: np.ndarray = np.full(self.nowhere + 1, len(cells))
        index[list(cells)] = np.arange(len(cells))
        return index


@lru_cache(maxsize=32)
def moves_table(lattice: Lattice, num_actions: int) -> np.ndarray:
    """(cell, facing, action) -> 4 * (cell that the player wants to enter) + new facing.

    int64 [(cells + 1) * 4 * actions].  Into a wall, or without a step, it is the player's own.
    """
    table: np.ndarray = np.empty((lattice.nowhere + 1, 4, num_actions), np.int64)
    steps = (*STEPS, *[None] * (num_actions - len(STEPS)))
    turns = (*TURNS, *[0] * (num_actions - len(TURNS)))

    for cell in range(lattice.nowhere + 1):
        for facing in range(4):
            for action, (step, turn) in enumerate(zip(steps, turns, strict=True)):
                goal = cell
                if step is not None and cell < lattice.nowhere:
                    ahead = lattice.step(cell, AHEAD[(facing + step) % 4])
                    goal = cell if ahead == lattice.nowhere else ahead
                table[cell, facing, action] = 4 * goal + (facing + turn) % 4
    return table.reshape(-1)


@lru_cache(maxsize=32)
def reach_table(lattice: Lattice, length: int) -> np.ndarray:
    """(cell, facing) -> which of a beam's cells no wall keeps it from, as bits.

    A beam is three lines of `length` cells: the left and the right one begin beside the shooter,
    the middle one ahead.  Bit line * length + place, nearest first.  int32 [(cells + 1) * 4].
    """
    table: np.ndarray = np.zeros((lattice.nowhere + 1, 4), np.int32)
    for cell in range(lattice.nowhere):
        for facing in range(4):
            for line in range(3):
                here = cell
                for place in range(length):
                    side = line != 1 and place == 0
                    move = RIGHT[facing] if side else AHEAD[facing]
                    sign = line - 1 if side else 1
                    here = lattice.step(here, (sign * move[0], sign * move[1]))
                    if here == lattice.nowhere:
                        break
                    table[cell, facing] |= 1 << (line * length + place)
    return table.reshape(-1)


@lru_cache(maxsize=8)
def nearest_table(length: int) -> np.ndarray:
    """Which cells of a beam are occupied, as bits -> the nearest of each line: int32."""
    occupied = np.arange(1 << 3 * length, dtype=np.int32)
    nearest: np.ndarray = occupied * 0
    for line in range(3):
        part = (occupied >> line * length) & ((1 << length) - 1)
        nearest |= (part & -part) << line * length
    return nearest


@lru_cache(maxsize=32)
def windows_table(lattice: Lattice) -> np.ndarray:
    """(cell, facing) -> the cells of the view from there, int32 [(cells + 1) * 4, view].

    `nowhere` for what lies beyond the edge; from `nowhere` nothing is seen.
    """
    table: np.ndarray = np.full((lattice.nowhere + 1, 4, VIEW[0] * VIEW[1]), lattice.nowhere)
    ahead, right = np.divmod(np.arange(VIEW[0] * VIEW[1]), VIEW[1])
    ahead, right = VIEW_AHEAD - ahead, right - VIEW_SIDE

    row, column = np.divmod(np.arange(lattice.nowhere), lattice.width)
    for facing in range(4):
        rows = row[:, None] + ahead * AHEAD[facing][0] + right * RIGHT[facing][0]
        columns = column[:, None] + ahead * AHEAD[facing][1] + right * RIGHT[facing][1]
        inside = (rows >= 0) & (rows < lattice.height) & (columns >= 0) & (columns < lattice.width)
        table[:-1, facing] = np.where(inside, rows * lattice.width + columns, lattice.nowhere)
    return table.reshape(-1, VIEW[0] * VIEW[1]).astype(np.int32)


def neighbour_table(lattice: Lattice, cells: Sequence[int], radius: int) -> np.ndarray:
    """Which of these cells lie within a radius of which, but itself: float32 [K, K], 0 or 1."""
    row, column = np.divmod(np.array(cells), lattice.width)
    square = (row[:, None] - row) ** 2 + (column[:, None] - column) ** 2
    near: np.ndarray = ((square <= radius**2) & (square > 0)).astype(np.float32)
    return near
