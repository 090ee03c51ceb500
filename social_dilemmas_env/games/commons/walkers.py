"""What the rules of all commons have: who walks where, who eats, who is shot and comes back."""

from itertools import pairwise
from typing import Any

import numpy as np

from social_dilemmas_env.games.commons.arrays import Array, BoundRules, Draws, RuleArrays
from social_dilemmas_env.games.commons.maps import MOVES, WALL
from social_dilemmas_env.games.commons.players import Beams, Movers, Returns, distinct_points
from social_dilemmas_env.games.commons.sight import Sight

ZAP = len(MOVES)  # the action, where there is one
FLOOR, APPLE = 1, 2  # classes of ground; 0 is nothing


class WalkerRules(BoundRules):
    """Rules of players who walk on a lattice, for one library of arrays.

    Args:
        game: a `CommonsGame` with `apple_cells` and `spawn_cells`.
        xp: the library.
        streams: how many streams a step needs besides those of the players.
    """

    def __init__(self, game: Any, xp: RuleArrays, streams: int):
        self.game, self.xp = game, xp
        lattice, players = game.lattice, game.num_agents
        self.movers = Movers(xp, lattice, players, game.num_actions[0])
        self.beams = Beams(xp, lattice, game.beam.length)
        self.returns = Returns(xp, lattice, game.spawn_cells)
        self.points = xp.constant(np.array(game.spawn_cells, np.int64))

        # Apples by cell; the one past the last is no apple.
        self.apple_of = xp.constant(lattice.places(game.apple_cells))
        self.apple_cells = xp.constant(np.array(game.apple_cells, np.int64))

        # Streams of a step, one after another: the game's own, orders, places, facings.
        bounds = np.cumsum([0, streams, players, players, players]).tolist()
        self.streams = [range(a, b) for a, b in pairwise(bounds)]

        # What is seen.
        ground = np.full(lattice.nowhere + 1, FLOOR, np.uint8)
        ground[[*lattice.cells(WALL), lattice.nowhere]] = 0
        self.sight = Sight(xp, lattice, ground, len(game.ground))

    def players_start(self, draw: Draws, num_games: int, inside: Array) -> tuple[Array, ...]:
        """Cells, facings, and arrays of zeros: the first players inside, the others on points."""
        n = self.game.num_agents
        first = min(len(inside), n)
        cells = distinct_points(self.xp, inside, draw, range(first))
        cells += distinct_points(self.xp, self.points, draw, range(first, n))

        nothing = self.xp.pile([self.xp.arange(num_games) * 0] * n)
        return self.xp.pile(cells), draw(range(n, 2 * n), 4), nothing, nothing + 0

    def filled(self, rows: int, num_games: int, value: int) -> Array:
        """An array of one value, uint8 [rows, games]."""
        return self.xp.cast(self.xp.pile([self.xp.arange(num_games) * 0 + value] * rows), "uint8")

    def eat(self, ripe: Array, cell: Array) -> tuple[Array, Array]:
        """Whoever stands on a ripe apple eats it.

        Args:
            ripe: uint8 [K, B], 0 or 1.
            cell: [N, B], where the players are.

        Returns:
            The apples that are left, as they were given, and 1 for each player who eats.
        """
        xp, lanes = self.xp, cell.shape[1]

        # A row of no apples, for players who stand elsewhere.
        there = xp.join([ripe, xp.cast(cell[:1] * 0, "uint8")])
        index = xp.take(self.apple_of, cell) * lanes + xp.arange(lanes)
        eaten = xp.cast(xp.take(there.reshape(-1), index), "int64")
        return xp.put(there, index, xp.cast(cell * 0, "uint8"))[:-1], eaten

    def shoot(self, players: tuple[Array, ...], actions: Array, draw: Draws) -> tuple[Array, ...]:
        """Beams after the moves; those whose time is over come back, those who were shot leave.

        Args:
            players: cells, facings, cooldowns, times_away, [N, B] each.
            actions: [N, B].
            draw: random numbers.

        Returns:
            The same arrays after it.
        """
        cell, facing, cooldown, away = players
        game, xp, (places, facings) = self.game, self.xp, self.streams[2:]
        present = away == 0
        fires = present & (cooldown == 0) & (actions == ZAP)
        shot = xp.where_needed(fires.any(0), self.shot, (fires ^ fires, cell, facing, fires))
        cooldown = cooldown - (present & (cooldown > 0)) * 1 + fires * game.beam.cooldown

        # Back, and away.
        back = away == 1
        cell = self.returns.place(cell, back, draw, places)
        facing = xp.where(back, draw(facings, 4), facing)
        away = xp.where(shot, away * 0 + game.beam.away, away - (away > 0) * 1)
        return xp.where(shot, cell * 0 + game.lattice.nowhere, cell), facing, cooldown, away

    def shot(self, nobody: Array, cell: Array, facing: Array, fires: Array) -> Array:
        """Who is hit, bool [N, B]; nobody is in games without a shot."""
        return self.beams.hits(cell, facing, fires).any(1)

    def ready(self, cell: Array, cooldown: Array) -> Array:
        """Who could shoot, bool [N, B]."""
        return (cooldown == 0) & (cell < self.game.lattice.nowhere) & self.game.zap
