"""Players on a lattice: moves in random order, beams, and the return of those who were shot.

Arrays have the games as their last axis: [N, B] for N players.  A player who is away is on the cell
`nowhere`.
"""

from typing import NamedTuple

from social_dilemmas_env.games.commons.arrays import Array, Draws, RuleArrays
from social_dilemmas_env.games.commons.maps import (
    Lattice,
    moves_table,
    nearest_table,
    reach_table,
)


class BeamRules(NamedTuple):
    """What a shot does."""

    length: int  # cells of each of its three lines
    cooldown: int  # steps after a shot without another
    away: int  # steps until a player who was shot is back; 0: nobody is removed


class Movers:
    """Moves on a lattice, for one library of arrays."""

    def __init__(self, xp: RuleArrays, lattice: Lattice, num_players: int, num_actions: int):
        self.xp, self.num_players, self.num_actions = xp, num_players, num_actions
        self.moves = xp.constant(moves_table(lattice, num_actions))

    def move(self, cell: Array, facing: Array, actions: Array, keys: Array) -> tuple[Array, Array]:
        """All players turn and move, one after another in the order of their keys.

        A move into a wall, or into a cell where somebody stands at that moment, fails.

        Args:
            cell: [N, B].
            facing: [N, B].
            actions: [N, B].
            keys: random numbers [N, B].

        Returns:
            The new cells and facings.
        """
        xp = self.xp
        wish = xp.take(self.moves, (cell * 4 + facing) * self.num_actions + actions)
        goal, facing = wish >> 2, wish & 3

        # Players in the order in which they move.
        lanes = cell.shape[1]
        turn = xp.order(keys) * lanes + xp.arange(lanes)
        standing, goal = xp.take(cell.reshape(-1), turn), xp.take(goal.reshape(-1), turn)

        # One after another; whoever stays finds their own cell taken, by themselves.
        for i in range(self.num_players):
            blocked = (standing == goal[i]).any(0)
            standing = xp.with_row(standing, i, xp.where(blocked, standing[i], goal[i]))
        return xp.put(cell + 0, turn, standing), facing


class Beams:
    """Beams on a lattice, for one library of arrays."""

    def __init__(self, xp: RuleArrays, lattice: Lattice, length: int):
        self.xp, self.length = xp, length
        self.reach = xp.constant(reach_table(lattice, length))
        self.nearest = xp.constant(nearest_table(length))
        self.rows, self.columns = xp.constant(lattice.rows), xp.constant(lattice.columns)

    def hits(self, cell: Array, facing: Array, fires: Array) -> Array:
        """Which shots hit whom: bool [N, N, B], target first, then shooter.

        Each line of a beam stops at the first wall or player.
        """
        xp, length = self.xp, self.length
        row, column = xp.take(self.rows, cell), xp.take(self.columns, cell)
        down = xp.cast(facing == 2, "int32") - xp.cast(facing == 0, "int32")
        right = xp.cast(facing == 1, "int32") - xp.cast(facing == 3, "int32")

        # Where everybody is, as the shooter sees it: cells to the right, and along the line.
        rows, columns = row[:, None] - row[None], column[:, None] - column[None]
        aside = rows * right - columns * down
        along = rows * down + columns * right + abs(aside)
        inside = (abs(aside) <= 1) & (along >= 1) & (along <= length)
        place = ((aside + 1) * length + along - 1) * inside

        # Of those whom the beam reaches, the nearest in each line.
        there = (xp.cast(inside, "int32") << place).sum(0)
        first = xp.take(self.nearest, there & xp.take(self.reach, cell * 4 + facing))
        return ((first[None] >> place) & 1 > 0) & inside & fires


class Returns:
    """The return of players to free spawn points, for one library of arrays."""

    def __init__(self, xp: RuleArrays, lattice: Lattice, points: tuple[int, ...]):
        self.xp, self.count = xp, len(points)
        self.cells = xp.constant(lattice.points_array(points))
        self.point_of = xp.constant(lattice.places(points))

    def place(self, cell: Array, back: Array, draw: Draws, streams: range) -> Array:
        """Puts players back on uniform free points, one after another.

        Args:
            cell: [N, B].
            back: who comes back, bool [N, B].
            draw: random numbers.
            streams: N streams.

        Returns:
            The new cells [N, B].
        """
        xp = self.xp
        point = xp.take(self.point_of, cell)  # `count` for all who stand elsewhere
        earlier = xp.cast(back, "int64").cumsum(0) - xp.cast(back, "int64")
        free = self.count - (point < self.count).sum(0) - earlier
        index = draw(streams, xp.where(back, free, earlier * 0 + 1))

        # The index-th free point; others who come back in this step stand there already.
        def settle(point: Array, index: Array, back: Array) -> Array:
            for i in range(len(cell)):
                chosen = free_point(index[i], point)
                point = xp.with_row(point + 0, i, xp.where(back[i], chosen, point[i]))
            return point

        point = xp.where_needed(back.any(0), settle, (point, index, back))
        return xp.where(back, xp.take(self.cells, point), cell)


def free_point(index: Array, taken: Array) -> Array:
    """The `index`-th point [B] that is not among those taken [N, B], which are distinct.

    Points that count more than there are take no part.
    """
    chosen = index
    for _ in range(len(taken)):
        chosen = index + (taken <= chosen).sum(0)
    return chosen


def distinct_points(xp: RuleArrays, points: Array, draw: Draws, streams: range) -> list[Array]:
    """A uniform point for each stream, no two the same: columns [B]."""
    chosen: list[Array] = []
    for i, stream in enumerate(streams):
        index = draw(stream, len(points) - i)
        chosen.append(free_point(index, xp.pile(chosen)) if chosen else index)
    return [xp.take(points, index) for index in chosen]
