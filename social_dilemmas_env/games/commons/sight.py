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
        self.ground, self.size = xp.constant(ground), len(ground)

        # Each game has four grounds, one for each facing of who looks: others face as seen by them.
        facing = np.arange(4 * self.size) % 4
        windows = windows_table(lattice) + self.size * facing[:, None]
        self.windows = xp.constant(windows.astype(np.int64))

    def observe(self, board: Any, ready: Array, things: list[tuple[Array, Array]]) -> Array:
        """Class ids uint8 [B, N, cells of a view].

        Args:
            board: cells and facings of the players, [N, B] each, first.
            ready: who is ready to shoot, [N, B].
            things: what lies on the ground: cells [K], and their classes [K, B].
        """
        xp, first, size = self.xp, self.num_classes, self.size
        cell, facing = board[0], board[1]
        lanes, here = cell.shape[1], cell < size - 1

        # The ground of each game, and things on it.
        games = xp.arange(lanes)
        ground = xp.cast(games[:, None] * 0, "uint8") + self.ground
        for cells, classes in things:
            ground = xp.put(ground, games * size + cells[:, None], classes)

        # Four of them, with players on them; nobody is seen `nowhere`.
        quarter = xp.arange(4)[:, None, None]
        grounds = (xp.cast(quarter[None, :, 0] * 0, "uint8") + ground[:, None]).reshape(lanes, -1)
        shown = (first + (facing - quarter & 3)) * here
        places = (games * 4 + quarter) * size + cell
        grounds = xp.put(grounds, places, xp.cast(shown, "uint8"))
        seen = xp.look(grounds, self.windows, (cell * 4 + facing).T)

        # Myself.
        own = (first + 4 + ready * 1) * here
        views = (games * len(cell) + xp.arange(len(cell))[:, None]) * seen.shape[-1]
        return xp.put(seen, views + OWN_PLACE, xp.cast(own, "uint8"))
