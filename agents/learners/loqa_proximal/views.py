"""What a network is shown of an observation: the board from the player's own cell.

The Coin Game is played on a torus, which looks alike from everywhere: with the player at cell 0,
n^2 observations are one. What is left (the others' cells, the coins', the owner, the memory) is
shown as one-hot vectors side by side. An owner of its own matters to a GRU: that it changes says
that a coin was taken, which no plane of the observation says by itself. Of other games a network is
shown the observation as it is.

    view.classes.rows[ids]     ids of observations -> ids of what is shown         (training)
    view.shown(observations)   observations -> what is shown                       (playing)

Shapes  B games, V observations, C of them as shown, F' numbers of one.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from agents.nn.symmetry import Classes, classes_of
from social_dilemmas_env.games.coin_boards import board_columns, board_of
from social_dilemmas_env.games.coin_rules import CoinGame
from social_dilemmas_env.games.game import Board, Game, decode, encode


@dataclass(frozen=True, eq=False)
class Shown:
    """What is shown of the observations of a game.

    Attributes:
        classes: what an observation is shown as.
        table: [C, F'], what is shown.
        torus: the rules whose boards are shown from the player's own cell; None of other games.
    """

    classes: Classes
    table: Tensor
    torus: CoinGame | None

    def shown(self, observations: Tensor) -> Tensor:
        """[B, F], flat observations -> [B, F']."""
        if self.torus is None:
            return observations
        return self.of_columns(columns_of(self.torus, observations)).to(observations.dtype)

    def of_columns(self, columns: Board) -> Tensor:
        """What is shown of a player's view of the game, its columns [B] each.  -> [B, F']."""
        assert self.torus is not None
        return self.table[self.classes.rows[encode(columns, self.torus.view_sizes)]]


def columns_of(game: CoinGame, observations: Tensor) -> Board:
    """A player's view, by columns, from what it observes.  [B, F] -> [B] each."""
    board, first = board_of(game, observations), 2 * game.num_agents
    count = len(game.view_sizes) - board_columns(game)

    # Of each number that is remembered there is a plane.
    planes = observations.reshape(len(observations), -1, game.cells)[:, first : first + count]
    return (*board, *planes.argmax(-1).T)


def make_view(game: Game, centred: bool, device: str = "cpu") -> Shown:
    """The view of a game's observations.

    Args:
        game: the rules.
        centred: whether boards of the Coin Game are shown from the player's own cell; those with
            walls never are.
        device: where it is used.
    """
    sizes = game.view_sizes
    if not (centred and isinstance(game, CoinGame) and not game.walls):
        every = decode(np.arange(math.prod(sizes)), sizes)
        table = np.zeros((len(every[0]), math.prod(game.observation_shape)), np.float32)
        for position in game.features(every):
            table[np.arange(len(table)), position] = 1
        own = torch.arange(len(table), device=device)
        return Shown(Classes(own, own), torch.as_tensor(table, device=device), None)

    # Of each class the board with the player's own cell at 0, which is not told.
    classes = classes_of(game, "translations", torch.device(device))
    _, *rest = decode(classes.first.cpu().numpy(), sizes)
    parts = [np.eye(n, dtype=np.float32)[c] for c, n in zip(rest, sizes[1:], strict=True)]
    return Shown(classes, torch.as_tensor(np.concatenate(parts, 1), device=device), game)
