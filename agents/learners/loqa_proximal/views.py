"""What a network is shown of an observation: the board from the player's own cell, each thing once.

The Coin Game is played on a torus, which looks alike from everywhere: shifted so that the player
stands at cell 0, n^2 observations are one. What is left of an observation are the numbers that tell
two of these apart. Of other games a network is shown the observation as it is.

    view.index[ids]          ids of observations -> ids of what is shown           (training)
    view.shown(observations) observations -> what is shown                         (playing)

Shapes  B games, V observations, V' of them as shown, F' numbers of one, T steps, K parameter sets,
        n games a set, A actions.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from agents.nn.networks import Network, Params, Shapes, Stepper, pick
from social_dilemmas_env.games.coin_rules import CoinGame
from social_dilemmas_env.games.game import Board, Game, decode, encode

SEEN_AGAIN = 8  # times that a batch must show each view, for all to be computed unseen


class Torus(NamedTuple):
    """A board that wraps around, and how many planes of an observation show it."""

    height: int
    width: int
    planes: int


@dataclass(frozen=True, eq=False)
class View:
    """What is shown of the observations of a game.

    Attributes:
        index: [V], what an observation is shown as.
        table: [V', F'], what is shown.
        kept: [F'], which numbers of a (shifted) observation these are.
        torus: the board that is shifted; None if it is not.
    """

    index: Tensor
    table: Tensor
    kept: Tensor
    torus: Torus | None

    def shown(self, observations: Tensor) -> Tensor:
        """[B, F], flat observations -> [B, F']."""
        x = observations
        if self.torus is not None:
            planes = x.unflatten(1, (-1, self.torus.height * self.torus.width))
            board, memory = planes.tensor_split([self.torus.planes], 1)
            x = torch.cat((shifted(board, self.torus), memory), 1)
        return x.flatten(1)[:, self.kept]


def shifted(planes: Tensor, torus: Torus) -> Tensor:
    """Planes [B, C, cells] shifted so that the one of the first plane is at cell 0."""
    own = planes[:, :1].argmax(-1)
    cell = torch.arange(planes.shape[-1], device=planes.device)
    width = torus.width

    # Where each cell's content comes from.
    row = (cell // width + own // width) % torus.height
    source = row * width + (cell % width + own % width) % width  # [B, cells]
    return planes.gather(-1, source[:, None].expand_as(planes))


def make_view(game: Game, centred: bool, device: str = "cpu") -> View:
    """The view of a game's observations.

    Args:
        game: the rules.
        centred: whether boards of the Coin Game are shifted; those with walls never are.
        device: where it is used.
    """
    sizes = game.view_sizes
    every = decode(np.arange(math.prod(sizes)), sizes)
    if not (centred and isinstance(game, CoinGame) and not game.walls):
        table = _features(game, every)
        kept = np.arange(table.shape[1])
        return _view(np.arange(len(table)), table, kept, None, device)

    # The player's own cell is 0, and is told by nobody.
    index = np.asarray(encode(relative(game, every)[1:], sizes[1:]))
    rest = decode(np.arange(math.prod(sizes[1:])), sizes[1:])
    table = _features(game, (rest[0] * 0, *rest))
    kept = _telling(table)
    torus = Torus(game.height, game.width, 2 * game.num_agents)
    return _view(index, table[:, kept], kept, torus, device)


def relative(game: CoinGame, view: Board) -> Board:
    """The columns of a view with the player's own cell at 0."""
    places = game.num_agents + game.coins
    own, width = view[0], game.width

    def seen(cell: np.ndarray) -> np.ndarray:
        row = (cell // width - own // width) % game.height
        column = (cell % width - own % width) % width
        cells: np.ndarray = row * width + column
        return cells

    return (*[seen(cell) for cell in view[:places]], *view[places:])


def _features(game: Game, view: Board) -> np.ndarray:
    """Observations of views, flat.  [V, F]."""
    table = np.zeros((len(view[0]), math.prod(game.observation_shape)), np.float32)
    for position in game.features(view):
        table[np.arange(len(table)), position] = 1
    return table


def _telling(table: np.ndarray) -> np.ndarray:
    """Columns that differ between rows, the first of those that are alike."""
    weights = np.random.default_rng(0).random(len(table))
    keys = weights @ table
    _, first = np.unique(keys, return_index=True)
    differ = table.min(0) < table.max(0)
    return np.sort(first[differ[first]])


def _view(
    index: np.ndarray, table: np.ndarray, kept: np.ndarray, torus: Torus | None, device: str
) -> View:
    parts = [torch.as_tensor(np.ascontiguousarray(x), device=device) for x in (index, table, kept)]
    return View(parts[0].long(), parts[1], parts[2].long(), torus)


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
