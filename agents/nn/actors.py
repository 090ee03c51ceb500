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

from agents.nn.networks import Network, Params, Shapes, Stepper
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

    # Number the classes by the codes of their least views.
    first, rows = np.unique(np.asarray(encode(least, game.sizes)), return_inverse=True)
    tables = (rows, first, symmetries.actions[0][element])
    return Classes(*(torch.as_tensor(table, device=device) for table in tables))


@dataclass(frozen=True, eq=False)
class UpToSymmetry(Network):
    """A network on classes of observations.

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
        return self.renamed(self.inner(params, self.classes.rows[obs_ids]), obs_ids)

    @override
    def stepper(self, params: Params, games: int, steps: int) -> Stepper:
        inner = self.inner.stepper(params, games, steps)
        return lambda obs_ids, t: self.renamed(inner(self.classes.rows[obs_ids], t), obs_ids)

    def renamed(self, values: Tensor, obs_ids: Tensor) -> Tensor:
        """By the actions' names on the boards that were seen.  [..., A], [...] -> [..., A]."""
        # A state value has no actions; with mirror look-aheads it stands before the Q.
        moves = self.classes.moves[obs_ids]
        shift = values.shape[-1] - moves.shape[-1]
        if shift < 0:
            return values
        of_actions = values[..., shift:].gather(-1, moves)
        return torch.cat((values[..., :shift], of_actions), -1) if shift else of_actions
