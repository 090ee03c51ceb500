"""The rules of Clean Up on arrays [K, B]; its page is `games.clean_up`.

    board   cell, facing, cooldown, away, cleaning [N, B]; clock [1, B]; apples, dirt [K, B]

`cleaning` is the pause after a cleaning beam, `clock` counts the steps until dirt comes; apples and
dirt are 1 where there is some.
"""

from typing import Any

import numpy as np
from typing_extensions import override

from social_dilemmas_env.games.commons.arrays import Array, Draws, RuleArrays
from social_dilemmas_env.games.commons.maps import MOVES, beam_cells_table, nearest_table
from social_dilemmas_env.games.commons.walkers import FLOOR, ZAP, WalkerRules
from social_dilemmas_env.games.game import Board

GROUND = ("nothing", "floor", "apple", "river", "dirt")
RIVER = 3  # the class of clean water; dirt is the next
TURN = MOVES.index("turn left")  # the actions before it, but noop, are steps
DELAY = 50  # steps before the first dirt comes


class CleanUpRules(WalkerRules):
    """The rules of a `CleanUp`, for one library of arrays."""

    dtypes = ("int64", "int64", "int64", "int64", "int64", "int64", "uint8", "uint8")

    def __init__(self, game: Any, xp: RuleArrays):
        apples = len(game.apple_cells)
        super().__init__(game, xp, apples + 2)
        own = self.streams[0]
        self.growth, self.spawning, self.spawn_place = own[:-2], own[-2], own[-1]
        self.clean = ZAP + game.zap  # the action
        self.nobody = xp.constant(np.zeros(0, np.int64))

        # Dirt by cell, the one past the last is none; and a beam's cells as such.
        lattice, length = game.lattice, game.clean_beam.length
        dirt_of = lattice.places(game.dirt_cells)
        self.beam_dirt = xp.constant(dirt_of[beam_cells_table(lattice, length)])
        self.nearest = xp.constant(nearest_table(length))
        self.dirt_cells = xp.constant(np.array(game.dirt_cells, np.int64))

    @override
    def start(self, draw: Draws, num_games: int) -> Board:
        """Rule 10."""
        game, xp = self.game, self.xp
        players = self.players_start(draw, num_games, self.nobody)
        dirty = self.filled(len(game.dirt_cells), num_games, 0) + xp.cast(
            xp.constant(np.array(game.dirty_at_start, np.uint8))[:, None], "uint8"
        )
        apples = self.filled(len(game.apple_cells), num_games, 0)
        return (*players, players[2] + 0, players[2][:1] + 0, apples, dirty)

    @override
    def play(self, board: Board, actions: Array, draw: Draws) -> tuple[Board, Array]:
        """Rules 1 to 9."""
        xp, game = self.xp, self.game
        cell, facing, cooldown, away, cleaning, clock, apples, dirt = board
        order = self.streams[1]

        # Rules 5 and 6, by the dirt that the step before left.
        num_dirt, total = xp.cast(dirt.sum(0), "int64"), len(game.dirt_cells)
        base, slope, divisor = game.growth
        chance = draw(self.growth, divisor * total)
        grows = chance < base * total - slope * num_dirt
        ripe = xp.cast((apples > 0) | grows, "uint8")
        dirt = xp.where(self.new_dirt(dirt, total - num_dirt, clock, draw), dirt * 0 + 1, dirt)

        # Rules 1 to 4: what grew under a player pays before the moves, and once more if it steps.
        present, steps = away == 0, (actions > 0) & (actions < TURN)
        left, grown = self.eat(ripe, cell)
        cell, facing = self.movers.move(cell, facing, actions, draw(order, 1 << 30))
        rewards = grown + self.eat(ripe, cell)[1] * steps
        left = self.eat(left, cell)[0]

        # Rule 7.
        cleans = present & (cleaning == 0) & (actions == self.clean)
        cleaning = cleaning - (present & (cleaning > 0)) * 1 + cleans * game.clean_beam.cooldown
        dirt = self.cleaned(dirt, xp.where(cleans, cell, cell * 0 + game.lattice.nowhere), facing)

        # Rule 8.
        players = (cell, facing, cooldown, away)
        if game.zap:
            players = self.shoot(players, actions, draw)
        clock = clock + (clock < DELAY) * 1
        return (*players, cleaning, clock, left, dirt), rewards

    def new_dirt(self, dirt: Array, num_clean: Array, clock: Array, draw: Draws) -> Array:
        """Rule 6: the clean cell that dirt comes to, if it does: bool [K, B]."""
        comes = (clock[0] == DELAY) & (draw(self.spawning, 100) < self.game.dirt_percent)
        place = draw(self.spawn_place, num_clean + (num_clean == 0) * 1)
        clean = dirt == 0
        place = self.xp.cast(place + 1, "int16")
        return clean & (self.xp.count_up(clean) == place) & comes

    def cleaned(self, dirt: Array, cell: Array, facing: Array) -> Array:
        """Rule 7: the dirt after beams from these cells; each line cleans the first that it meets.

        Args:
            dirt: [K, B].
            cell: [N, B], where beams start; `nowhere` for none.
            facing: [N, B].
        """
        xp, lanes = self.xp, cell.shape[1]
        bits = self.beam_dirt.shape[-1]

        # The dirt in each cell of each beam: [N, B, bits].
        index = xp.take(self.beam_dirt, cell * 4 + facing) * lanes + xp.arange(lanes)[:, None]
        there = xp.join([dirt, xp.cast(cell[:1] * 0, "uint8")])
        places = xp.arange(bits)
        met = (xp.cast(xp.take(there.reshape(-1), index), "int64") << places).sum(-1)

        # The first of each line; elsewhere nothing is written, but to the row of no dirt.
        first = (xp.take(self.nearest, met)[:, :, None] >> places) & 1 > 0
        index = xp.where(first, index, len(dirt) * lanes + xp.arange(lanes)[:, None])
        return xp.put(there, index, xp.cast(index * 0, "uint8"))[:-1]

    @override
    def observe(self, board: Board) -> Array:
        """Class ids uint8 [B, N, cells of a view]."""
        cell, _, cooldown, *_, apples, dirt = board
        things = [(self.apple_cells, apples + FLOOR), (self.dirt_cells, dirt + RIVER)]
        return self.sight.observe(board, self.ready(cell, cooldown), things)
