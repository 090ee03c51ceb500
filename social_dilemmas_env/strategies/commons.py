"""Scripted players of the commons, who go by what they see: the class of each cell of their view.

    greedy       goes to the nearest ripe apple
    restrained   goes to the nearest ripe apple with `leave` ripe neighbours or more, and enters the
                 cell of no other: it takes what grows back fastest (rules 5 and 6 of
                 `games.commons_harvest`), as the sustainable policies that Perolat et al. 2017
                 (arXiv:1707.06600) describe

Distances are counted in steps, as if there were no walls.  Every eighth move is random, so that
nobody waits at a corner for ever; who sees nothing to go to walks on and turns now and then.

They take planes, flat or not, and the class ids of `obs_mode="uint8"`.
"""

import numpy as np
from typing_extensions import override

from social_dilemmas_env.games.commons.harvest import RADIUS
from social_dilemmas_env.games.commons.maps import OWN_PLACE, STEPS, VIEW
from social_dilemmas_env.games.commons.walkers import APPLE
from social_dilemmas_env.games.commons_harvest import CommonsHarvest
from social_dilemmas_env.games.game import Game
from social_dilemmas_env.strategies.base import Array, Scripted, like
from social_dilemmas_env.validation import integer

CELLS = VIEW[0] * VIEW[1]
NOTHING = 0  # the class of walls
FAR = 1 << 16  # farther than any cell of a view

# Ahead, to the right, behind, to the left: the cell beside me, and the action that goes there.
BESIDE = (OWN_PLACE - VIEW[1], OWN_PLACE + 1, OWN_PLACE + VIEW[1], OWN_PLACE - 1)
ACTIONS = tuple(STEPS.index(quarter) for quarter in range(4))
TURN_LEFT, TURN_RIGHT = 5, 6


class Forager(Scripted):
    """Goes to the nearest cell that it wants; what that is, and where it never goes, differ."""

    @override
    @classmethod
    def refusal(cls, game: Game) -> str:
        return "" if isinstance(game, CommonsHarvest) else "is a player of the Commons Harvest"

    @override
    def _start(self, zeros: Array) -> None:
        rows, columns = np.divmod(np.arange(CELLS), VIEW[1])
        own = divmod(OWN_PLACE, VIEW[1])
        down, right = rows - own[0], columns - own[1]

        # Cells by distance, no two alike; and the two ways towards each, the longer one first.
        distance = (abs(down) + abs(right)) * CELLS + np.arange(CELLS)
        along, aside = np.where(down < 0, 0, 2), np.where(right > 0, 1, 3)
        straight = abs(down) >= abs(right)
        second = np.where((down == 0) | (right == 0), -1, np.where(straight, aside, along))
        self._distance = like(zeros, distance.tolist())
        self._first = like(zeros, np.where(straight, along, aside).tolist())
        self._second = like(zeros, second.tolist())
        self._actions = like(zeros, [*ACTIONS, 0])

    @override
    def _choose(self, observations: Array, restart: Array) -> Array:
        classes = self._classes(observations)
        wanted, word = self._wanted(classes), self._words()
        free = [self._may_enter(classes, wanted, cell) for cell in BESIDE]

        # The nearest cell that is wanted, and the ways towards it; 4 for none.
        far = self._distance + FAR * (wanted == 0)
        target = far.argmin(1)
        found = (wanted.sum(1) > 0) * 1
        first, second = self._first[target], self._second[target]
        way = self._open(free, first)
        way = way + (way == 4) * (self._open(free, second) - 4)

        # Nothing to go to: straight on, or a turn.
        onward = self._actions[self._open(free, first * 0)]
        chance = word >> 16 & 7
        turn = TURN_LEFT + (chance & 1)
        roam = onward + ((onward == 0) | (chance < 2)) * (turn - onward)
        action = roam + found * (self._actions[way] - roam)

        # Now and then, anything that does not lead where it never goes.
        any_way = word >> 20 & 7
        strayed = self._actions[self._open(free, any_way)]
        return action + (word >> 29 == 0) * (strayed - action)

    def _classes(self, observations: Array) -> Array:
        """The class of each cell of the view: int64 [B, cells]."""
        rows = observations.reshape(len(observations), -1)
        if rows.shape[1] == CELLS:
            return rows + self._zeros[:, None]
        planes = rows.reshape(len(rows), -1, CELLS)
        return (planes > 0).argmax(1) if isinstance(planes, np.ndarray) else planes.argmax(1)

    def _open(self, free: list[Array], way: Array) -> Array:
        """The way if it may be gone, else 4; ways are those of `BESIDE`."""
        may = sum([(way == k) * cell for k, cell in enumerate(free)])
        return 4 + may * (way - 4)

    def _may_enter(self, classes: Array, wanted: Array, cell: int) -> Array:
        """1 where it would step on a cell of its view, else 0."""
        seen = classes[:, cell]
        return ((seen != NOTHING) & (seen < self._first_player)) * 1

    @property
    def _first_player(self) -> int:
        """The first class of other players."""
        return len(self.game.ground)  # type: ignore[attr-defined]

    def _wanted(self, classes: Array) -> Array:
        """1 for each cell that it goes to, else 0: int64 [B, cells]."""
        raise NotImplementedError


class Greedy(Forager):
    """Goes to the nearest ripe apple, and eats it."""

    name = "greedy"

    @override
    def _wanted(self, classes: Array) -> Array:
        return (classes == APPLE) * 1


class Restrained(Forager):
    """Goes to the nearest ripe apple with `leave` ripe neighbours in view, and enters no other.

    Args:
        leave: ripe apples that have to be near one that it eats, at least 0.
    """

    name = "restrained"

    def __init__(self, game: Game, player: int = 0, seed: int = 0, *, leave: int = 3):
        super().__init__(game, player, seed)
        self.leave = integer("leave", leave, 0)

    @override
    def _start(self, zeros: Array) -> None:
        super()._start(zeros)
        row, column = np.divmod(np.arange(CELLS), VIEW[1])
        square = (row[:, None] - row) ** 2 + (column[:, None] - column) ** 2
        near = ((square <= RADIUS**2) & (square > 0)) * 1
        self._near = like(zeros, near.reshape(-1).tolist()).reshape(CELLS, CELLS) * 1.0

    @override
    def _wanted(self, classes: Array) -> Array:
        ripe = classes == APPLE
        return ((ripe * 1.0 @ self._near >= self.leave) & ripe) * 1

    @override
    def _may_enter(self, classes: Array, wanted: Array, cell: int) -> Array:
        may = super()._may_enter(classes, wanted, cell)
        return may * ((classes[:, cell] != APPLE) | (wanted[:, cell] > 0))
