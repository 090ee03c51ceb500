"""What rules on small arrays ask of a library of arrays, and what they are bound to.

The rules of a commons are written once, for boards whose columns are arrays [K, B]: K players or
K cells of B games.  They use arithmetic and comparison, methods that every library of arrays has
(`sum(0)`, `any(0)`, `reshape`), and the few operations below, which each engine spells its own way.
No shape and no branch depends on a value, so that rules can be traced and recorded.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from social_dilemmas_env.games.game import Board, Column

Array = Any  # a numpy array, a torch tensor or a JAX array
Draws = Callable[[int | range, Column], Array]  # of a stream: [B]; of a range of K: [K, B]


class RuleArrays(Protocol):
    """The operations.  Arrays have the games as their last axis."""

    def constant(self, table: Any) -> Array:
        """A numpy table as an array of the library, on the device."""

    def arange(self, n: int) -> Array:
        """0, 1, ..., n - 1."""

    def cast(self, column: Array, dtype: str) -> Array:
        """Converts to another type."""

    def take(self, table: Array, index: Array) -> Array:
        """table[index]: entries, or rows, of a table, for an index of any shape."""

    def pile(self, columns: Sequence[Array]) -> Array:
        """K columns [B] as an array [K, B]."""

    def join(self, arrays: Sequence[Array]) -> Array:
        """Arrays [K, B], one under the other."""

    def where(self, mask: Array, this: Array, other: Array) -> Array:
        """`this` where the mask holds, else `other`."""

    def put(self, array: Array, index: Array, values: Array) -> Array:
        """An array [K, B] with values at these positions of its entries in reading order.

        It may be the same array, rewritten.
        """

    def with_row(self, array: Array, k: int, row: Array) -> Array:
        """An array [K, B] with another k-th row; it may be the same array, rewritten."""

    def order(self, keys: Array) -> Array:
        """The index that sorts each game's keys [K, B]; equal ones keep their order."""

    def count_neighbours(self, neighbours: Array, marked: Array) -> Array:
        """How many neighbours of each cell are marked: uint8 [K, B].

        Args:
            neighbours: float32 [K, K], 0 or 1.
            marked: [K, B], 0 or 1.
        """

    def count_up(self, marked: Array) -> Array:
        """How many of a game's rows, up to each row and with it, are marked: int16 [K, B]."""

    def where_needed(
        self, mask: Array, change: Callable[..., Array], columns: Sequence[Array]
    ) -> Array:
        """`change(*columns)`, which is columns[0] except in the games that the mask [B] holds.

        It may be asked of those games only.
        """

    def look(self, ground: Array, windows: Array, where: Array) -> Array:
        """What is in the windows: uint8 [B, N, cells of a window].

        Args:
            ground: uint8 [B, cells], what is in each cell.
            windows: int64 [rows, cells of a window], the cells of each window.
            where: int64 [B, N], the row of each player's window.
        """


class BoundRules(Protocol):
    """The rules of a game on arrays of one library; see `CommonsGame.on`.

    Attributes:
        dtypes: type of each array of a board.
    """

    dtypes: tuple[str, ...]

    def start(self, draw: Draws, num_games: int) -> Board:
        """The first boards of episodes."""

    def play(self, board: Board, actions: Array, draw: Draws) -> tuple[Board, Array]:
        """One step.

        Args:
            board: arrays [K, B], which are left as they are.
            actions: int64 [N, B].
            draw: draw(range of K streams, n) gives [K, B].

        Returns:
            The new boards, and reward codes [N, B].
        """

    def observe(self, board: Board) -> Array:
        """What each player sees: class ids, uint8 [B, N, cells of a view]."""
