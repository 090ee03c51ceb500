"""The rules of the Commons Harvest on arrays [K, B]; its page is `games.commons_harvest`.

    board   cell, facing, cooldown, away [N, B]; apples [K, B]

An apple's cell holds how many of its neighbours were ripe when it was last counted, at most 3, or
RIPE, or EATEN while it has not been counted since.
"""

from typing import Any

import numpy as np
from typing_extensions import override

from social_dilemmas_env.games.commons.arrays import Array, Draws, RuleArrays
from social_dilemmas_env.games.commons.maps import neighbour_table
from social_dilemmas_env.games.commons.walkers import FLOOR, WalkerRules
from social_dilemmas_env.games.game import Board

RIPE, EATEN = 4, 5
MOST_COUNTED = 3  # neighbours; more make no difference
RADIUS = 2  # of an apple's neighbourhood
GROUND = ("nothing", "floor", "apple")


class HarvestRules(WalkerRules):
    """The rules of a `CommonsHarvest`, for one library of arrays."""

    dtypes = ("int64", "int64", "int64", "int64", "uint8")

    def __init__(self, game: Any, xp: RuleArrays):
        super().__init__(game, xp, len(game.apple_cells))
        self.neighbours = xp.constant(neighbour_table(game.lattice, game.apple_cells, RADIUS))
        self.numerators = xp.constant(np.array([*game.growth[0], 0, 0]))  # not where RIPE or EATEN
        self.inside = xp.constant(np.array(game.inside_cells, np.int64))

    @override
    def start(self, draw: Draws, num_games: int) -> Board:
        """Rule 10."""
        players = self.players_start(draw, num_games, self.inside)
        return (*players, self.filled(len(self.game.apple_cells), num_games, RIPE))

    @override
    def play(self, board: Board, actions: Array, draw: Draws) -> tuple[Board, Array]:
        """Rules 1 to 9."""
        xp, game = self.xp, self.game
        cell, facing, cooldown, away, apples = board
        growth, order = self.streams[:2]

        # Rules 5 and 6: what sprouts, by the counts of the step before; and the new counts.
        ripe = apples == RIPE
        sprouts, counts = self.sprouts(apples, draw(growth, game.growth[1])), self.counts(ripe)

        # Rules 1 and 2, then 4: players who are shot still move and eat in this step.
        cell, facing = self.movers.move(cell, facing, actions, draw(order, 1 << 30))
        ripe = xp.cast(ripe | sprouts, "uint8")
        left, rewards = self.eat(ripe, cell)
        apples = counts + ripe * (EATEN - counts) - left * (EATEN - RIPE)

        # Rules 7 and 8.
        players = (cell, facing, cooldown, away)
        if game.zap:
            players = self.shoot(players, actions, draw)
        return (*players, apples), rewards

    def counts(self, ripe: Array) -> Array:
        """Rule 5: ripe neighbours of each apple's cell, at most MOST_COUNTED."""
        return self.xp.count_neighbours(self.neighbours, ripe).clip(None, MOST_COUNTED)

    def sprouts(self, apples: Array, chance: Array) -> Array:
        """Rule 6: where an apple grows, by numbers drawn uniformly below the denominator."""
        return chance < self.xp.take(self.numerators, self.xp.cast(apples, "int64"))

    @override
    def observe(self, board: Board) -> Array:
        """Class ids uint8 [B, N, cells of a view]."""
        cell, _, cooldown, _, apples = board
        classes = FLOOR + self.xp.cast(apples == RIPE, "uint8")
        return self.sight.observe(board, self.ready(cell, cooldown), [(self.apple_cells, classes)])
