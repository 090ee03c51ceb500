"""Boards times memory: the states of an exact game.

    update[m, b * J + j]        next memory, for every memory, board and joint action
    successors[s, j]            next state, or S + p where chance acts

Only what can be reached from the start, or seen from another seat, is kept.  States are ordered by
memory first, then by board.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from social_dilemmas_env.exact.boards import MAX_ENTRIES, Boards
from social_dilemmas_env.exact.chance import Floats, Ints, TooLarge
from social_dilemmas_env.exact.memory import Automaton, Step
from social_dilemmas_env.exact.quotient import Quotient
from social_dilemmas_env.exact.sparse import scipy_sparse
from social_dilemmas_env.games.game import Board, Game, decode, encode


@dataclass(frozen=True)
class Product:
    """S states (board, memory)."""

    board: Ints  # [S] index of the board
    memory: Ints  # [S] code of the memory
    start: Floats  # [S]
    successors: Ints  # [S, J]
    chance: Any  # csr [P, S]
    index: Ints  # [M, B] the state of each pair, -1 for none


def memories(memory: Automaton) -> int:
    """How many memories there are, reachable or not."""
    return int(np.prod(memory.sizes, dtype=np.int64))


def memory_columns(memory: Automaton, codes: Ints) -> Board:
    """The columns of memory codes."""
    return decode(codes, memory.sizes) if memory.sizes else ()


def memory_codes(memory: Automaton, columns: Board, like: Ints) -> Ints:
    """Inverse of `memory_columns`; `like` has the shape of the result."""
    if not memory.sizes:
        return np.zeros_like(like)
    code: Ints = encode(columns, memory.sizes)
    return np.broadcast_to(code, like.shape)


def updates(game: Game, boards: Boards, memory: Automaton) -> Ints:
    """Next memory for every memory, board and joint action, [M, B * J].

    Raises:
        TooLarge: too many combinations.
        ValueError: values that are out of range.
    """
    count, steps = memories(memory), boards.successors.size
    if count * steps > 2 * MAX_ENTRIES:
        raise TooLarge(f"{boards.count:,} boards x {count:,} memories")
    joint = boards.successors.shape[1]
    before = tuple(np.repeat(column, joint) for column in boards.board)
    actions = decode(np.tile(np.arange(joint), boards.count), game.num_actions)
    rewards = boards.rewards.reshape(steps, -1)
    step = Step(game, before, actions, boards.after, tuple(rewards.T))
    table = np.empty((count, steps), np.int64)
    for m in range(count):
        columns = memory.update(memory_columns(memory, np.full(steps, m)), step)
        _check_range(memory, columns)
        table[m] = memory_codes(memory, columns, table[m])
    return table


def _check_range(memory: Automaton, columns: Board) -> None:
    if len(columns) != len(memory.sizes):
        raise ValueError(
            f"memory: update must return {len(memory.sizes)} columns, got {len(columns)}"
        )
    for name, column, size in zip(memory.columns, columns, memory.sizes, strict=True):
        values = np.asarray(column)
        if values.dtype.kind not in "iub" or values.min() < 0 or values.max() >= size:
            raise ValueError(f"memory: update must keep {name} an integer in 0 .. {size - 1}")


def multiply(
    boards: Boards, table: Ints, start: int, views: tuple[tuple[Ints, Ints], ...]
) -> Product:
    """The reachable part of boards x memory.

    Args:
        boards: B boards.
        table: next memories [M, B * J].
        start: the first memory.
        views: per seat but the first, the board [B] and the memory [M] as seen from there, to be
            kept as well; none where a view is no board.
    """
    explorer = _Reach(boards, table, views)
    explorer.run(np.flatnonzero(boards.start), start)
    board, memory, index = explorer.states()
    pending_index, rows = explorer.pending_rows()

    # Successors by table look-up.
    joint = boards.successors.shape[1]
    after = table.reshape(len(table), boards.count, joint)[memory, board]
    target = boards.successors[board]
    waits = target >= boards.count
    successors = np.where(
        waits,
        len(board) + pending_index[after, np.where(waits, target - boards.count, 0)],
        index[after, np.where(waits, 0, target)],
    )

    # Chance leaves the memory alone.
    chance = boards.chance[rows[1]].tocoo()
    column = index[rows[0][chance.row], chance.col]
    matrix = scipy_sparse().csr_matrix(
        (chance.data, (chance.row, column)), shape=(len(rows[0]), len(board))
    )
    begin = np.where(memory == start, boards.start[board], 0.0)
    return Product(board, memory, begin, successors.astype(np.int64), matrix, index)


class _Reach:
    """Breadth-first search through pairs (memory, board), level by level."""

    def __init__(self, boards: Boards, table: Ints, views: tuple[tuple[Ints, Ints], ...]) -> None:
        self.boards, self.views = boards, views
        self.table = table.reshape(len(table), boards.count, -1)
        self.seen = np.zeros((len(table), boards.count), bool)
        self.waiting = np.zeros((len(table), max(boards.chance.shape[0], 1)), bool)

    def run(self, board: Ints, memory: int) -> None:
        """Marks everything that can be reached from these boards with this memory."""
        frontier = np.zeros_like(self.seen)
        frontier[memory, board] = True
        while frontier.any():
            self.seen |= frontier
            frontier = self.next(*np.nonzero(frontier)) & ~self.seen

    def next(self, memory: Ints, board: Ints) -> Any:
        """What one step leads to, bool [M, B]."""
        reached = np.zeros_like(self.seen)
        after, target = self.table[memory, board], self.boards.successors[board]
        waits = target >= self.boards.count
        reached[after[~waits], target[~waits]] = True

        # Chance, once for each new pending pair.
        fresh = np.zeros_like(self.waiting)
        fresh[after[waits], target[waits] - self.boards.count] = True
        fresh &= ~self.waiting
        self.waiting |= fresh
        rows, pending = np.nonzero(fresh)
        outcomes = self.boards.chance[pending].tocoo()
        reached[rows[outcomes.row], outcomes.col] = True

        # The same pair as the other seats see it.
        for board_view, memory_view in self.views:
            reached[memory_view[memory], board_view[board]] = True
        return reached

    def states(self) -> tuple[Ints, Ints, Ints]:
        """Board and memory of each state [S], and the index [M, B] of each pair."""
        memory, board = np.nonzero(self.seen)
        index = np.full(self.seen.shape, -1)
        index[memory, board] = np.arange(len(board))
        return board, memory, index

    def pending_rows(self) -> tuple[Ints, tuple[Ints, Ints]]:
        """Index [M, P] of each pending pair, and the memory and board of each index."""
        memory, board = np.nonzero(self.waiting)
        index = np.full(self.waiting.shape, -1)
        index[memory, board] = np.arange(len(board))
        return index, (memory, board)


def board_views(game: Game, boards: Boards, quotient: Quotient) -> tuple[Ints, ...]:
    """Per seat but the first, the index of each board as that seat sees it, [B]."""
    codes = encode(boards.board, quotient.sizes)
    seats = range(1, len(game.num_actions))
    views = [quotient.canonical(game.view_of(boards.board, seat)) for seat in seats]
    found = [np.asarray(encode(view, quotient.sizes)) for view in views]
    return tuple(np.searchsorted(codes, view).astype(np.int64) for view in found)


def check_size(states: int, joint: int) -> None:
    """Raises TooLarge when the tables of a game would not fit."""
    if states * joint > MAX_ENTRIES:
        raise TooLarge(f"{states:,} states x {joint} joint actions")
