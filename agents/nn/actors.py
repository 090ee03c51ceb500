"""Networks on boards up to a symmetry: what looks alike is one row, and moves are renamed.

    UpToSymmetry    π(a | s) = inner(row of s)[the name that a has on that row's board]

A table needs a row for each class only, and all boards of a class learn from each other; an MLP
sees each class as its first board.  Without symmetries every board is a class of its own.

Shapes  V distinct observations, C classes, F features, A actions; T, K, n as in networks.py.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from agents.nn.networks import Network, Params, Shapes, Stepper, pick
from social_dilemmas_env.exact.quotient import Quotient, group
from social_dilemmas_env.games.game import decode, encode


@dataclass(frozen=True, eq=False)
class Classes:
    """Observations up to a symmetry.

    Attributes:
        rows: [V], the class of each observation.
        first: [C], an observation of each class.
        moves: [V, A], what the class calls each action.
    """

    rows: Tensor
    first: Tensor
    moves: Tensor


def classes_of(game: Any, which: str, device: torch.device) -> Classes:
    """The classes of a game's observations.

    Args:
        game: the rules; without a method `symmetries` every observation is a class.
        which: "translations", which rename no moves, or "all".
        device: where the tables shall be.

    Raises:
        ValueError: a game whose views have other columns than its boards.
    """
    if tuple(game.view_sizes) != tuple(game.sizes):
        raise ValueError(f"symmetry={which!r} needs a game whose views are boards")
    views = decode(np.arange(int(np.prod(game.sizes))), game.sizes)
    symmetries = group(game, which)
    least, element = Quotient(symmetries).reduce(views)

    # Boards that some reflection leaves as they are have several names for a move: one of them for
    # all boards that differ by a translation.
    shifted, _ = Quotient(group(game, "translations")).reduce(views)
    moves = symmetries.actions[0][element[np.asarray(encode(shifted, game.sizes))]]

    # Number the classes by the codes of their least views.
    first, rows = np.unique(np.asarray(encode(least, game.sizes)), return_inverse=True)
    tables = (rows, first, moves)
    return Classes(*(torch.as_tensor(table, device=device) for table in tables))


@dataclass(frozen=True, eq=False)
class UpToSymmetry(Network):
    """A network without memory on classes of observations, asked once for each class.

    Attributes:
        inner: the network; its table has the classes' first observations [C, F].
        classes: which observation is which.
    """

    inner: Network
    classes: Classes

    @override
    def shapes(self) -> Shapes:
        return self.inner.shapes()

    @override
    def __call__(self, params: Params, obs_ids: Tensor) -> Tensor:
        return self.renamed(self.of_classes(params, obs_ids.shape[1]), obs_ids)

    @override
    def stepper(self, params: Params, games: int, steps: int) -> Stepper:
        values = self.of_classes(params, len(next(iter(params.values()))))
        return lambda obs_ids, t: self.renamed(values, obs_ids)

    def of_classes(self, params: Params, sets: int) -> Tensor:
        """What the network gives for each class.  K -> [K, C, A]."""
        first = self.classes.first
        every = torch.arange(len(first), device=first.device).expand(1, sets, -1)
        return self.inner(params, every)[0]

    def renamed(self, values: Tensor, obs_ids: Tensor) -> Tensor:
        """By the actions' names on the boards that were seen.

        [K, C, ...], [..., K, n] -> [..., K, n, A].
        """
        found = pick(values, self.classes.rows[obs_ids])
        moves = self.classes.moves[obs_ids]

        # A state's value has no actions; for mirror look-aheads it stands before those of actions.
        shift = found.shape[-1] - moves.shape[-1]
        if shift < 0:
            return found
        of_moves = found[..., shift:].gather(-1, moves)
        return torch.cat((found[..., :shift], of_moves), -1) if shift else of_moves
