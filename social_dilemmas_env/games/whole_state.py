"""The whole state of a game as one array, for centralised critics.

What `state()` of every environment returns determines what every player observes.  It is player 0's
observation where that says all, and else, for games that say so (`games.game.player_0_sees_all`), a
one-hot vector of each column of the board, side by side.
"""

from itertools import accumulate

import numpy as np
from gymnasium.spaces import Box, Discrete

from social_dilemmas_env.games.game import Board, Column, Game, player_0_sees_all
from social_dilemmas_env.modes import ObsMode


def whole_state_shape(game: Game) -> tuple[int, ...]:
    """Shape of the state: of an observation, or one vector."""
    return game.observation_shape if player_0_sees_all(game) else (sum(game.sizes),)


def whole_state_space(game: Game, obs_mode: ObsMode = "float32") -> Box | Discrete:
    """The space of the state in this mode; "state": ids, as of observations."""
    if obs_mode == "state":
        sizes = game.view_sizes if player_0_sees_all(game) else game.sizes
        return Discrete(int(np.prod(sizes, dtype=object)))
    dtype = np.uint8 if obs_mode == "uint8" else np.float32
    return Box(0, 1, whole_state_shape(game), dtype)


def board_positions(game: Game, board: Board) -> list[Column]:
    """Positions of the ones where each column of the board is a one-hot vector."""
    first = accumulate(game.sizes, initial=0)
    return [column + offset for column, offset in zip(board, first, strict=False)]
