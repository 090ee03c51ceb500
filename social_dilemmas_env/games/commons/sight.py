"""What players see of a lattice: a class for each cell of their view.

0  wall, beyond the edge, or nothing at all for a player who is away
1  floor, and whatever classes of ground the game adds after it
M  the first of four for other players: facing as I do, to my right, towards me, to my left,
   where M is the number of classes of ground
M + 4, M + 5  myself; the latter while I am ready to shoot
"""

from typing import Any

import numpy as np

from social_dilemmas_env.games.commons.arrays import Array, RuleArrays
from social_dilemmas_env.games.commons.maps import OWN_PLACE, Lattice, windows_table

PLAYERS = ("facing as I do", "facing right", "facing me", "facing left", "myself", "myself, ready")


class Sight:
    """The views of all players, for one library of arrays.

    Args:
        xp: the library.
        lattice: the map.
        ground: class of each cell before anything is put on it, uint8 [cells + 1].
        num_classes: classes of ground M.
    """

    def __init__(self, xp: RuleArrays, lattice: Lattice, ground: np.ndarray, num_classes: int):
        self.xp, self.num_classes = xp, num_classes
        self.ground = xp.constant(ground)
        self.windows = xp.constant(windows_table(lattice))

    def observe(self, board: Any, ready: Array, things: list[tuple[Array, Array]]) -> Array:
        """Class ids uint8 [B, N, cells of a view].

        Args:
            board: cells and facings of the players, [N, B] each, first.
            ready: who is ready to shoot, [N, B].
            things: what lies on the ground: cells [K], and their classes [K, B].
        """
        xp, first = self.xp, self.num_classes
        cell, facing = board[0], board[1]
        lanes, size = cell.shape[1], len(self.ground)

        # The ground of each game, things on it, and players over them; nobody is seen `nowhere`.
        ground = xp.cast(xp.arange(lanes)[:, None] * 0, "uint8") + self.ground
        first_cell = xp.arange(lanes) * size
        for cells, classes in things:
            ground = xp.put(ground, first_cell + cells[:, None], classes)
        here = first_cell + cell
        shown = xp.where(cell < size - 1, first + facing, cell * 0)
        ground = xp.put(ground, here, xp.cast(shown, "uint8"))

        # Facings of others as I see them.
        seen = xp.look(ground, self.windows, (cell * 4 + facing).T)
        mine = xp.cast(facing.T, "uint8")[:, :, None]
        seen = xp.where(seen >= first, (seen - (mine + first) & 3) + first, seen)

        # Myself.
        own = xp.where(cell < size - 1, first + 4 + ready * 1, cell * 0)
        views = (xp.arange(lanes) * len(cell) + xp.arange(len(cell))[:, None]) * seen.shape[-1]
        return xp.put(seen, views + OWN_PLACE, xp.cast(own, "uint8"))
