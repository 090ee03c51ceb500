"""The Coin Game with a memory that everybody sees: who picked up what last.

    memory="pickups"      for each player what it picked up last: nothing yet, own coins only,
                          another's
    memory="last_pickup"  that, and for each player whether its last reward other than 0 was a loss

The exact games' memories of these names (`exact.memory`) are the same functions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from typing_extensions import override

from social_dilemmas_env.games.coin_boards import board_columns, picked_up
from social_dilemmas_env.games.coin_rules import CoinGame
from social_dilemmas_env.games.game import Board, Column, Draw, Symmetry
from social_dilemmas_env.modes import CoinMemory

NOTHING, OWN, OTHERS = 0, 1, 2  # what a player picked up last
KINDS = {  # of memory: how many values each of its columns takes
    "pickups": {"pickup": 3},
    "last_pickup": {"pickup": 3, "hurt": 2},
}


def pickups_after(
    game: CoinGame, last: Sequence[Column], before: Board, cells: Sequence[Column]
) -> list[Column]:
    """What each player has picked up last: NOTHING, OWN coins only, OTHERS'.

    Args:
        game: the rules, which say who gets a coin.
        last: what it was before the step, N columns.
        before: the board before the step.
        cells: cells of the players after it.
    """
    columns = []
    for was, own, others in zip(last, *picked_up(game, before, cells), strict=True):
        stole = (others > 0) * 1
        kept = (own > 0) * (1 - stole)
        columns.append(was + stole * (OTHERS - was) + kept * (OWN - was))
    return columns


def hurt_after(last: Sequence[Column], rewards: Sequence[Column], zero: int = 0) -> list[Column]:
    """Whether each player's last reward other than 0 was a loss, 0 or 1.

    Args:
        last: what it was before the step, N columns.
        rewards: of the step, N columns.
        zero: what stands for a reward of 0.
    """
    pairs = zip(last, rewards, strict=True)
    return [was + (reward < zero) * (1 - was) - (reward > zero) * was for was, reward in pairs]


@dataclass(frozen=True, repr=False)
class CoinGameWithMemory(CoinGame):
    """The same rules; boards and observations hold the memory as well.

    An observation has one plane more for each number that is remembered; the number is the cell, in
    reading order, that holds the plane's single 1.
    """

    memory: CoinMemory = "last_pickup"

    @property
    def _remembered(self) -> tuple[tuple[str, int], ...]:
        """Name and number of values of each column of the memory, player by player."""
        kinds, players = KINDS[self.memory].items(), range(self.num_agents)
        return tuple((f"{kind}_{i}", size) for kind, size in kinds for i in players)

    @property
    @override
    def columns(self) -> tuple[str, ...]:
        return (*super().columns, *(name for name, _ in self._remembered))

    @cached_property
    @override
    def sizes(self) -> tuple[int, ...]:
        return (*super().sizes, *(size for _, size in self._remembered))

    @property
    @override
    def observation_shape(self) -> tuple[int, ...]:
        planes, height, width = super().observation_shape
        return (planes + len(self._remembered), height, width)

    @override
    def start(self, draw: Draw) -> Board:
        board = super().start(draw)
        return (*board, *[board[0] * 0 + NOTHING] * len(self._remembered))

    @override
    def act(self, board: Board, actions: Sequence[Column]) -> tuple[Board, list[Column]]:
        n, before, last = self.num_agents, *self._parts(board)
        after, rewards = super().act(before, actions)

        # The memory of what has just happened; a reward of 0 has the code that stands for it.
        memory = pickups_after(self, last[:n], before, after[:n])
        if len(last) > n:
            zero = -self.least
            memory += hurt_after(last[n:], rewards, zero)
        return (*after, *memory), rewards

    @override
    def chances(self, board: Board) -> tuple[Column, ...]:
        return super().chances(self._parts(board)[0])

    @override
    def chance(self, board: Board, draw: Draw) -> Board:
        before, memory = self._parts(board)
        return (*super().chance(before, draw), *memory)

    @override
    def view_of(self, board: Board, player: int) -> Board:
        before, memory = self._parts(board)
        first = 0 if self.view == "joint" else player
        n, turned = self.num_agents, list(super().view_of(before, player))
        for at in range(0, len(memory), n):
            turned += [memory[at + (first + i) % n] for i in range(n)]
        return tuple(turned)

    @override
    def features(self, view: Board) -> list[Column]:
        before, memory = self._parts(view)
        first = 2 * self.num_agents
        planes = [(first + plane) * self.cells + value for plane, value in enumerate(memory)]
        return [*super().features(before), *planes]

    @override
    def symmetries(self) -> tuple[Symmetry, ...]:
        same = tuple(tuple(range(size)) for _, size in self._remembered)
        return tuple(Symmetry(s.columns + same, s.actions) for s in super().symmetries())

    def _parts(self, board: Board) -> tuple[Board, Board]:
        """The board without the memory, and the memory."""
        at = board_columns(self)
        return board[:at], board[at:]
