"""The rules of the Commons Harvest on arrays [K, B]; its page is `games.commons_harvest`.

    board   cell, facing, cooldown, away [N, B]; apples [K, B]

An apple's cell holds how many of its neighbours were ripe when it was last counted, at most 3, or
RIPE, or EATEN while it has not been counted since.
"""

from itertools import pairwise
from typing import Any

import numpy as np

from social_dilemmas_env.games.commons.arrays import Array, BoundRules, Draws, RuleArrays
from social_dilemmas_env.games.commons.maps import neighbour_table
from social_dilemmas_env.games.commons.players import Beams, Movers, Returns, distinct_points
from social_dilemmas_env.games.commons.sight import Sight
from social_dilemmas_env.games.game import Board

RIPE, EATEN = 4, 5
MOST_COUNTED = 3  # neighbours; more make no difference
RADIUS = 2  # of an apple's neighbourhood
ZAP = 7  # the action
FLOOR, APPLE = 1, 2  # classes of ground
GROUND = ("nothing", "floor", "apple")


class HarvestRules(BoundRules):
    """The rules, for one library of arrays.

    Args:
        game: a `CommonsHarvest`.
        xp: the library.
    """

    def __init__(self, game: Any, xp: RuleArrays):
        self.game, self.xp = game, xp
        self.dtypes = ("int64", "int64", "int64", "int64", "uint8")
        lattice = game.lattice
        apples, players = game.apple_cells, game.num_agents
        self.movers = Movers(xp, lattice, players, game.num_actions[0])
        self.beams = Beams(xp, lattice, game.beam.length)
        self.returns = Returns(xp, lattice, game.spawn_cells)

        # Apples by cell; the one past the last is no apple.
        self.apple_of = xp.constant(lattice.places(apples))
        self.neighbours = xp.constant(neighbour_table(lattice, apples, RADIUS))
        self.inside = xp.constant(np.array(game.inside_cells, np.int64))
        self.points = xp.constant(np.array(game.spawn_cells, np.int64))

        # Streams of a step, one after another.
        bounds = np.cumsum([0, len(apples), players, players, players]).tolist()
        self.streams = [range(a, b) for a, b in pairwise(bounds)]

        # What is seen.
        ground = np.full(lattice.nowhere + 1, FLOOR, np.uint8)
        ground[[*lattice.cells("W"), lattice.nowhere]] = 0
        self.sight = Sight(xp, lattice, ground, len(GROUND))
        self.apple_cells = xp.constant(np.array(apples, np.int64))

    def start(self, draw: Draws, num_games: int) -> Board:
        """Rule 10."""
        game, xp = self.game, self.xp
        n, inside = game.num_agents, min(len(self.inside), game.num_agents)
        cells = distinct_points(xp, self.inside, draw, range(inside))
        cells += distinct_points(xp, self.points, draw, range(inside, n))

        zeros = xp.arange(num_games) * 0
        nothing = xp.pile([zeros] * n)
        ripe = xp.cast(xp.pile([zeros] * len(game.apple_cells)) + RIPE, "uint8")
        return xp.pile(cells), draw(range(n, 2 * n), 4), nothing, nothing + 0, ripe

    def play(self, board: Board, actions: Array, draw: Draws) -> tuple[Board, Array]:
        """Rules 1 to 9."""
        xp, game = self.xp, self.game
        cell, facing, cooldown, away, apples = board
        growth, order, places, facings = self.streams

        # Rules 5 and 6: what sprouts, by the counts of the step before; and the new counts.
        ripe = apples == RIPE
        sprouts, counts = self.sprouts(apples, draw(growth, game.growth[1])), self.counts(ripe)

        # Rules 1 and 2, then 4: players who are shot still move and eat in this step.
        cell, facing = self.movers.move(cell, facing, actions, draw(order, 1 << 30))
        apples, rewards = self.eat(ripe | sprouts, counts, cell)
        if not game.zap:
            return (cell, facing, cooldown, away, apples), rewards

        # Rule 7.
        present = away == 0
        fires = present & (cooldown == 0) & (actions == ZAP)
        shot = self.beams.hits(cell, facing, fires).any(1)
        cooldown = cooldown - (present & (cooldown > 0)) * 1 + fires * game.beam.cooldown

        # Rule 8: those whose time is over come back, and those who were shot leave.
        back = away == 1
        cell = self.returns.place(cell, back, draw, places)
        facing = xp.where(back, draw(facings, 4), facing)
        away = xp.where(shot, away * 0 + game.beam.away, away - (away > 0) * 1)
        cell = xp.where(shot, cell * 0 + game.lattice.nowhere, cell)
        return (cell, facing, cooldown, away, apples), rewards

    def counts(self, ripe: Array) -> Array:
        """Rule 5: ripe neighbours of each apple's cell, at most MOST_COUNTED."""
        count = self.xp.count_neighbours(self.neighbours, ripe)
        return self.xp.where(count < MOST_COUNTED, count, count * 0 + MOST_COUNTED)

    def sprouts(self, apples: Array, chance: Array) -> Array:
        """Rule 6: where an apple grows, by numbers drawn uniformly below the denominator."""
        grown = apples > EATEN
        for count, numerator in enumerate(self.game.growth[0]):
            if numerator:
                grown = grown | ((apples == count) & (chance < numerator))
        return grown

    def eat(self, ripe: Array, counts: Array, cell: Array) -> tuple[Array, Array]:
        """Rule 4: whoever stands on a ripe apple eats it.

        Args:
            ripe: [K, B], sprouts among them.
            counts: [K, B], what the other cells hold from now on.
            cell: [N, B], where the players are.

        Returns:
            The apples, and 1 for each player who eats.
        """
        xp, lanes = self.xp, cell.shape[1]

        # A row of no apples, for players who stand elsewhere.
        there = xp.join([xp.cast(ripe, "uint8"), xp.cast(cell[:1] * 0, "uint8")])
        index = xp.take(self.apple_of, cell) * lanes + xp.arange(lanes)
        eaten = xp.cast(xp.take(there.reshape(-1), index), "int64")

        left = xp.put(there, index, xp.cast(cell * 0, "uint8"))[:-1] > 0
        apples = xp.where(left, counts * 0 + RIPE, xp.where(ripe, counts * 0 + EATEN, counts))
        return apples, eaten

    def observe(self, board: Board) -> Array:
        """Class ids uint8 [B, N, cells of a view]."""
        cell, _, cooldown, _, apples = board
        ready = (cooldown == 0) & (cell < self.game.lattice.nowhere) & self.game.zap
        classes = FLOOR + self.xp.cast(apples == RIPE, "uint8")
        return self.sight.observe(board, ready, [(self.apple_cells, classes)])
