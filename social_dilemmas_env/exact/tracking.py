"""The state of an exact game, followed from a player's observations alone.

    remembered = tracker.follow(remembered, observations)      [B, 2] integers; 0: nothing seen yet
    states, elements = tracker.states(remembered)              [B] states, [B] symmetries

What is remembered of a game is its last board and the memory.  The next memory is read from the
game's own table `updates`, at the step that leads from the last board to this one: no rule has a
second definition here.  Boards are those of `origin.boards` up to a symmetry g, which renames moves
too: what the table calls g(a) is called a on the board that is seen.
"""

import math
from typing import Any

import numpy as np

from social_dilemmas_env.exact.chance import Floats, Ints, outcomes
from social_dilemmas_env.exact.game import ExactGame
from social_dilemmas_env.games.game import Board, Game, decode, encode

MAX_BOARDS = 1 << 23  # that are told apart by their observations: some hundred MB
BITS = 44  # of the random weight of a plane's cell: sums of 512 are exact in float64


class StateTracker:
    """Follows B games from one seat.

    Args:
        game: the exact game.
        player: whose observations they are.
        rules: the game that is played, where it shows boards otherwise (`view`).

    Raises:
        ValueError: the player does not see the whole board, two steps that look the same lead to
            different memories, or there are too many boards.
    """

    def __init__(self, game: ExactGame, player: int = 0, rules: Game | None = None) -> None:
        self.game, self.player = game, player
        self.rules = game.origin.game if rules is None else rules
        self._every = decode(np.arange(_count(self.rules)), self.rules.sizes)
        self._weights, self._keys, self._codes = self._fingerprints()
        self._board, self._element = self._representatives()
        self._steps, self._edges = self._edge_table()

    # ------------------------------------------------------------------------------------- reading

    def _fingerprints(self) -> tuple[Floats, Floats, Ints]:
        """A weight for each number of an observation, and the sum and code of every board.

        Sums of integers are exact in float64, so that equal observations have equal sums.
        """
        cells = math.prod(self.rules.observation_shape)
        weights = np.random.default_rng(0).integers(1, 1 << BITS, cells).astype(np.float64)
        view = self.rules.view_of(self._every, self.player)
        sums = np.zeros(len(self._every[0]))
        for position in self.rules.features(view):
            sums += weights[position]

        order = np.argsort(sums)
        if (np.diff(sums[order]) == 0).any():
            raise ValueError(
                f"player_{self.player} does not see the whole board of this game: its state cannot "
                "be followed from observations"
            )
        return weights, sums[order], order

    def read(self, observations: Any) -> Ints:
        """Codes of the boards that are observed, [B].

        Args:
            observations: [B, *observation_shape], or flat, of this player.

        Raises:
            ValueError: observations of another game.
        """
        shape = np.shape(observations)
        seen = np.asarray(observations, np.float64).reshape(len(observations), -1)
        if seen.shape[1] != len(self._weights):
            raise ValueError(
                f"observations of this game have {len(self._weights)} numbers, these {shape} have "
                f"{seen.shape[1]}"
            )
        key = seen @ self._weights
        place = np.minimum(np.searchsorted(self._keys, key), len(self._keys) - 1)
        if (self._keys[place] != key).any():
            raise ValueError("this is no observation of the game: no board looks like that")
        return self._codes[place]

    # ----------------------------------------------------------------------------------- following

    def _representatives(self) -> tuple[Ints, Ints]:
        """For every code, the index of its board up to symmetry (-1: none), and the symmetry."""
        boards, quotient = self.game.origin.boards, self.game.origin.quotient
        known = np.asarray(encode(boards.board, quotient.sizes))
        least, element = quotient.reduce(self._every)
        codes = np.asarray(encode(least, quotient.sizes))
        index = np.minimum(np.searchsorted(known, codes), len(known) - 1)
        return np.where(known[index] == codes, index, -1), element

    def _edge_table(self) -> tuple[Ints, Ints]:
        """Every (board, next board) that can be, as one number, ascending; a step that does it.

        Raises:
            ValueError: two steps between the same boards lead to different memories.
        """
        origin, boards = self.game.origin, self.game.origin.boards
        joint = boards.successors.shape[1]
        done = outcomes(
            lambda draw, which: origin.game.chance(tuple(c[which] for c in boards.after), draw),
            boards.count * joint,
        )
        edge = self._edge(done.row // joint, done.board)
        edges, first, which = np.unique(edge, return_index=True, return_inverse=True)
        steps = done.row[first]

        for after in origin.updates:
            if (after[steps][which] != after[done.row]).any():
                raise ValueError(
                    "the memory of this game cannot be told from boards alone: two steps between "
                    "the same boards lead to different memories"
                )
        return steps, edges

    def _edge(self, board: Ints, after: Board) -> Ints:
        """From a representative board to one beside it (columns [K]), as one number."""
        edge: Ints = board * _count(self.rules) + np.asarray(encode(after, self.rules.sizes))
        return edge

    def follow(self, remembered: Ints | None, observations: Any) -> Ints:
        """What is remembered after these observations.

        Args:
            remembered: [B, 2] of the call before: 1 + the code of the last board (0 for a game that
                begins), and the memory; None where all begin.
            observations: [B, *observation_shape], of this player.

        Raises:
            ValueError: observations of another game, or that cannot follow the last ones.
        """
        codes = self.read(observations)
        start = int(np.ravel(self._start())[0])
        if remembered is None:
            return np.stack([codes + 1, np.full_like(codes, start)], -1)

        last, memory = np.asarray(remembered, np.int64).T
        if len(last) != len(codes):
            raise ValueError(f"{len(last)} games are remembered, {len(codes)} observed")
        begins = last == 0
        step = self._step_between(np.where(begins, codes, last - 1), codes, begins)
        following = self.game.origin.updates[np.where(begins, 0, memory), step]
        return np.stack([codes + 1, np.where(begins, start, following)], -1)

    def _step_between(self, last: Ints, codes: Ints, begins: Ints) -> Ints:
        """A step that leads from one board to the next, [B]; anything for games that begin."""
        group = self.game.origin.quotient.group
        element = self._element[last]
        columns = zip(group.columns, (c[codes] for c in self._every), strict=True)
        moved = tuple(maps[element, column] for maps, column in columns)

        edge = self._edge(self._board[last], moved)
        place = np.minimum(np.searchsorted(self._edges, edge), len(self._edges) - 1)
        if ((self._edges[place] != edge) & ~begins).any():
            raise ValueError(
                "an observation that cannot follow the last one: where an episode begins, begin "
                "without memory (reset, or first=)"
            )
        return self._steps[place]

    def _start(self) -> Ints:
        memory = self.game.origin.memory
        if not memory.sizes:
            return np.zeros((), np.int64)
        first: Ints = np.asarray(encode(memory.start, memory.sizes))
        return first

    # -------------------------------------------------------------------------------------- states

    def states(self, remembered: Ints) -> tuple[Ints, Ints]:
        """The states of the exact game [B], and the symmetries [B] that lead to their boards.

        Raises:
            ValueError: a board that play never reaches with that memory.
        """
        codes, memory = remembered[:, 0] - 1, remembered[:, 1]
        board = self._board[codes]
        states = np.where(board < 0, -1, self.game.origin.product.index[memory, board])
        if (states < 0).any():
            raise ValueError("a board that cannot be reached from the start of this game")
        return states, self._element[codes]

    def renamed(self, elements: Ints) -> Ints:
        """What the exact game calls each of the player's moves, [B, A]."""
        return self.game.origin.quotient.group.actions[self.player][elements]


def _count(rules: Game) -> int:
    """Boards of a game, reachable or not."""
    count = math.prod(rules.sizes)
    if count > MAX_BOARDS:
        raise ValueError(f"{count:,} boards are too many to tell apart (at most {MAX_BOARDS:,})")
    return count
