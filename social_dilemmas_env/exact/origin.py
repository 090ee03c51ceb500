"""What the states of an exact game stand for."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from social_dilemmas_env.engine.tables import observations
from social_dilemmas_env.exact.boards import Boards
from social_dilemmas_env.exact.chance import Floats, Ints
from social_dilemmas_env.exact.memory import Automaton
from social_dilemmas_env.exact.product import Product
from social_dilemmas_env.exact.quotient import Quotient
from social_dilemmas_env.games.game import Board, Game, encode


@dataclass(frozen=True, eq=False)
class Origin:
    """The rules and the states made of them."""

    env_id: str
    kwargs: dict[str, Any]  # the game's arguments
    game: Game  # the rules, with the views that were asked for
    memory: Automaton
    own_memory: bool  # the caller's, not one of ours
    quotient: Quotient
    boards: Boards
    updates: Ints  # next memory [M, B * J]
    product: Product

    def observe(self, board: Board, player: int) -> Floats:
        """What a player observes of boards, [K, *observation_shape] in float32."""
        views = encode(self.game.view_of(board, player), self.game.view_sizes)
        return observations(self.game, np.asarray(views))
