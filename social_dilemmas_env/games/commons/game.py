"""What every game on a lattice has in common, whatever its rules: `CommonsGame`."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

from social_dilemmas_env.games.commons.arrays import BoundRules, RuleArrays
from social_dilemmas_env.games.commons.maps import MOVES, VIEW, WALL, Lattice
from social_dilemmas_env.games.commons.players import BeamRules
from social_dilemmas_env.games.commons.sight import PLAYERS
from social_dilemmas_env.games.game import Board, Column, Draw
from social_dilemmas_env.modes import Ending


class CommonsGame(ABC):
    """A game of players who walk on a lattice.

    Chance acts in the midst of a step, so it has no `act` and `chance` of their own: `on` gives
    the rules, bound to a library of arrays.  A board is then a few arrays [K, B], `widths` long;
    `columns` and `sizes` speak of their rows, one after another.
    """

    maps: ClassVar[Mapping[str, tuple[str, ...]]]  # the lines of the maps that have names
    map: str  # a name, or the lines of a text
    num_agents: int
    zap: bool
    beam: BeamRules
    ending: Ending
    max_cycles: int
    first_end, between_ends = 1000, 100  # steps: see `may_end`
    reward_noise = 0.0
    player_0_sees_all = False

    @abstractmethod
    def on(self, xp: RuleArrays) -> BoundRules:
        """The rules, for one library of arrays."""

    @property
    @abstractmethod
    def things(self) -> tuple[tuple[str, int, int], ...]:
        """What is on a board besides the players: names, how many, and how many values each."""

    @property
    @abstractmethod
    def ground(self) -> tuple[str, ...]:
        """Names of the classes of ground that players see."""

    @property
    @abstractmethod
    def end_percent(self) -> int:
        """With which probability, in percent, an episode ends where it may."""

    # The map

    @cached_property
    def lattice(self) -> Lattice:
        """The map."""
        return Lattice(self.maps.get(self.map) or tuple(self.map.splitlines()))

    @cached_property
    def apple_cells(self) -> tuple[int, ...]:
        """Where apples grow."""
        return self.lattice.cells("A")

    @cached_property
    def spawn_cells(self) -> tuple[int, ...]:
        """Where players start, and come back."""
        return self.lattice.cells("P")

    # Boards

    @cached_property
    def parts(self) -> tuple[tuple[str, int, int], ...]:
        """Names, widths and sizes of a board's arrays."""
        n, away = self.num_agents, self.beam.away * self.zap
        return (
            ("cell", n, self.lattice.nowhere + self.zap),
            ("facing", n, 4),
            ("cooldown", n, self.beam.cooldown * self.zap + 1),
            ("away", n, away + 1),
            *self.things,
        )

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """How many rows each array of a board has."""
        return tuple(width for _, width, _ in self.parts)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of the rows of a board."""
        return tuple(f"{name}_{k}" for name, width, _ in self.parts for k in range(width))

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """How many values each row of a board takes."""
        return tuple(size for _, width, size in self.parts for _ in range(width))

    def is_possible(self, board: Board) -> Column:
        """Nobody stands in a wall or on another; who is away is nowhere."""
        n = self.num_agents
        cells, times_away = board[:n], board[3 * n : 4 * n]
        possible = board[0] == board[0]
        walls = self.lattice.cells(WALL)

        for i, (cell, away) in enumerate(zip(cells, times_away, strict=True)):
            possible &= (cell == self.lattice.nowhere) == (away > 0)
            for wall in walls:
                possible &= cell != wall
            for other in cells[:i]:
                possible &= (cell != other) | (cell == self.lattice.nowhere)
        return possible

    # Metrics

    @property
    def social_counts(self) -> tuple[str, ...]:
        """Shots, where there are any."""
        return ("zaps",) if self.zap else ()

    def count(
        self, before: Board, after: Board, actions: Sequence[Column]
    ) -> tuple[list[Column], ...]:
        """Who fires: the action alone does nothing in the pause after a shot, or while away."""
        n, zap = self.num_agents, len(MOVES)
        players = zip(before[2 * n : 3 * n], before[3 * n : 4 * n], actions, strict=True)
        return ([(pause == 0) * (away == 0) * (a == zap) for pause, away, a in players],)

    # Episodes

    def may_end(self, t: Column) -> Column:
        """Whether an episode may end after t steps before `max_cycles`: as Melting Pot's."""
        if self.ending == "fixed":
            return t < 0
        return (t >= self.first_end) & ((t + 1) % self.between_ends == 0)

    def ends(self, t: Column, draw: Draw) -> Column:
        """Whether it does; the draw's stream is the last one."""
        return self.may_end(t) & (draw(self.streams - 1, 100) < self.end_percent)

    @property
    @abstractmethod
    def streams(self) -> int:
        """How many random words one step, or the reset, may use."""

    # What players see

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """What a cell of a view can show, by class id."""
        return (*self.ground, *PLAYERS)

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """A plane for each class."""
        return (len(self.classes), *VIEW)

    @property
    def view_sizes(self) -> tuple[int, ...]:
        """A class for each cell of a view."""
        return (len(self.classes),) * (VIEW[0] * VIEW[1])

    # What only games whose chance comes last have

    def chances(self, board: Board) -> tuple[Column, ...]:
        """None: chance acts within `on(xp).play`."""
        return ()

    def chance(self, board: Board, draw: Draw) -> Board:
        """Nothing is left to do."""
        return board

    def start(self, draw: Draw) -> Board:
        """Not on single integers."""
        raise self._on_arrays_only()

    def act(self, board: Board, actions: Sequence[Column]) -> tuple[Board, list[Column]]:
        """Not on single integers."""
        raise self._on_arrays_only()

    def view_of(self, board: Board, player: int) -> Board:
        """Not on single integers."""
        raise self._on_arrays_only()

    def features(self, view: Board) -> list[Column]:
        """One position for each cell of a view: its class, given as columns."""
        cells = VIEW[0] * VIEW[1]
        return [class_id * cells + place for place, class_id in enumerate(view)]

    def _on_arrays_only(self) -> Any:
        return NotImplementedError("these rules play on arrays: use on(xp)")
