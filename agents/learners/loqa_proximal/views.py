"""What a network is shown of an observation: the board from the player's own cell.

The Coin Game is played on a torus, which looks alike from everywhere: with the player at cell 0,
n^2 observations are one. What is left (the others' cells, the coins', the owner, the memory) is
shown as one-hot vectors side by side. An owner of its own matters to a GRU: that it changes says
that a coin was taken, which no plane of the observation says by itself. Of other games a network is
shown the observation as it is.

    view.index[ids]            ids of observations -> ids of what is shown         (training)
    view.shown(observations)   observations -> what is shown                       (playing)

Shapes  B games, V observations, V' of them as shown, F' numbers of one, T steps, K parameter sets,
        n games a set, A actions.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from agents.nn.networks import Network, Params, Shapes, Stepper, pick
from social_dilemmas_env.games.coin_boards import board_columns, board_of
from social_dilemmas_env.games.coin_rules import CoinGame
from social_dilemmas_env.games.game import Board, Game, decode, encode

SEEN_AGAIN = 8  # times that a batch must show each view, for all to be computed unseen


@dataclass(frozen=True, eq=False)
class Shown:
    """What is shown of the observations of a game.

    Attributes:
        index: [V], what an observation is shown as.
        table: [V', F'], what is shown.
        torus: the rules whose boards are shown from the player's own cell; None of other games.
    """

    index: Tensor
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
        return self.table[self.index[encode(columns, self.torus.view_sizes)]]


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
    every = decode(np.arange(math.prod(sizes)), sizes)
    if not (centred and isinstance(game, CoinGame) and not game.walls):
        table = np.zeros((len(every[0]), math.prod(game.observation_shape)), np.float32)
        for position in game.features(every):
            table[np.arange(len(table)), position] = 1
        return Shown(torch.arange(len(table), device=device), _tensor(table, device), None)

    # The player's own cell is 0, and is not told.
    index = np.asarray(encode(relative(game, every)[1:], sizes[1:]))
    rest = decode(np.arange(math.prod(sizes[1:])), sizes[1:])
    parts = [np.eye(size, dtype=np.float32)[c] for c, size in zip(rest, sizes[1:], strict=True)]
    return Shown(_tensor(index, device), _tensor(np.concatenate(parts, 1), device), game)


def relative(game: CoinGame, view: Board) -> Board:
    """The columns of a view with the player's own cell at 0."""
    places = game.num_agents + game.coins
    own, width = view[0], game.width

    def seen(cell: Any) -> Any:
        row = (cell // width - own // width) % game.height
        return row * width + (cell % width - own % width) % width

    return (*[seen(cell) for cell in view[:places]], *view[places:])


def _tensor(array: np.ndarray, device: str) -> Tensor:
    return torch.as_tensor(array, device=device)


@dataclass(frozen=True, eq=False)
class Viewed(Network):
    """A network of what is shown, as a function of observation ids.

    Attributes:
        inner: on ids of what is shown; `table` and `num_actions` are its own.
        index: [V], what an observation is shown as.
        memoryless: whether `inner` reads the present observation alone.
    """

    inner: Network
    index: Tensor
    memoryless: bool

    @override
    def shapes(self) -> Shapes:
        return self.inner.shapes()

    @override
    def __call__(self, params: Params, obs_ids: Tensor) -> Tensor:
        shown = self.index[obs_ids]
        samples, sets = obs_ids.shape[0] * obs_ids.shape[2], obs_ids.shape[1]
        if self.memoryless and sets == 1 and len(self.table) > samples // SEEN_AGAIN:
            return self._of_seen(params, shown)
        if self._once(samples):
            return pick(self._of_all(params, sets), shown)
        return self.inner(params, shown)

    @override
    def stepper(self, params: Params, games: int, steps: int) -> Stepper:
        if self._once(games * steps):
            every = self._of_all(params, next(iter(params.values())).shape[0])
            return lambda obs_ids, t: pick(every, self.index[obs_ids][None])[0]
        step = self.inner.stepper(params, games, steps)
        return lambda obs_ids, t: step(self.index[obs_ids], t)

    def _once(self, samples: int) -> bool:
        """Whether to compute each distinct observation once."""
        return self.memoryless and len(self.table) <= samples

    def _of_seen(self, params: Params, shown: Tensor) -> Tensor:
        """Of one set: each of the views that there are once.  [T, 1, n] -> [T, 1, n, A]."""
        seen, which = shown.unique(return_inverse=True)
        return pick(self.inner(params, seen[None, None])[0], which)

    def _of_all(self, params: Params, sets: int) -> Tensor:
        """[K, V', A]."""
        every = torch.arange(len(self.table), device=self.index.device)
        return self.inner(params, every.expand(1, sets, -1))[0]
