"""Networks on boards up to a symmetry: what looks alike is one row, and moves are renamed.

    UpToSymmetry    π(a | s) = inner(row of s)[the name that a has on that row's board]

A table needs a row for each class only, and all boards of a class learn from each other; an MLP or
a GRU sees each class as one of its boards, in whatever features its table has.  Without symmetries
every board is a class of its own.

A network without memory may be asked once for each class, or for those that are there, instead of
sample by sample; which does not change what it says.

Shapes  V distinct observations, C classes, F features, A actions; T, K, n as in networks.py.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from agents.nn.networks import Gru, Network, Params, Shapes, Stepper, pick
from social_dilemmas_env.exact.quotient import Quotient, group
from social_dilemmas_env.games.game import decode, encode

SEEN_AGAIN = 8  # times that a batch must show each class, for all to be computed unseen


@dataclass(frozen=True, eq=False)
class Classes:
    """Observations up to a symmetry.

    Attributes:
        rows: [V], the class of each observation.
        first: [C], an observation of each class.
        moves: [V, A], what the class calls each action; None: what everyone does.
    """

    rows: Tensor
    first: Tensor
    moves: Tensor | None = None


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
    tables = [rows, first]
    if which != "translations":
        # Boards that some reflection leaves as they are have several names for a move: one of them
        # for all boards that differ by a translation.
        shifted, _ = Quotient(group(game, "translations")).reduce(views)
        tables.append(symmetries.actions[0][element[np.asarray(encode(shifted, game.sizes))]])
    return Classes(*(torch.as_tensor(table, device=device) for table in tables))


@dataclass(frozen=True, eq=False)
class UpToSymmetry(Network):
    """A network on classes of observations, as a function of observation ids.

    Attributes:
        inner: the network; its table has what it is shown of each class [C, F].
        classes: which observation is which.
        by_samples: whether it is asked for each class only where that is less work; else always,
            which a GRU cannot be.
    """

    inner: Network
    classes: Classes
    by_samples: bool = False

    @override
    def shapes(self) -> Shapes:
        return self.inner.shapes()

    @override
    def __call__(self, params: Params, obs_ids: Tensor) -> Tensor:
        samples, sets = obs_ids.shape[0] * obs_ids.shape[2], obs_ids.shape[1]
        if self._is_sparse(samples, sets):
            return self._of_seen(params, obs_ids)
        if self._is_once(samples):
            return self.renamed(self.of_classes(params, sets), obs_ids)
        return self._named(self.inner(params, self.classes.rows[obs_ids]), obs_ids)

    @override
    def stepper(self, params: Params, games: int, steps: int) -> Stepper:
        if self._is_once(games * steps):
            values = self.of_classes(params, len(next(iter(params.values()))))
            return lambda obs_ids, t: self.renamed(values, obs_ids)
        step = self.inner.stepper(params, games, steps)
        return lambda obs_ids, t: self._named(step(self.classes.rows[obs_ids], t), obs_ids)

    # How often the network is asked.

    def _is_once(self, samples: int) -> bool:
        """Whether to ask once for each class."""
        if not self.by_samples:
            return True
        return not isinstance(self.inner, Gru) and len(self.inner.table) <= samples

    def _is_sparse(self, samples: int, sets: int) -> bool:
        """Whether to ask for the classes that are there, of one set, found by sorting."""
        fits = self.by_samples and not isinstance(self.inner, Gru) and sets == 1
        return fits and len(self.inner.table) > samples // SEEN_AGAIN

    def of_classes(self, params: Params, sets: int) -> Tensor:
        """What the network gives for each class.  K -> [K, C, A]."""
        every = torch.arange(len(self.inner.table), device=self.classes.rows.device)
        return self.inner(params, every.expand(1, sets, -1))[0]

    def _of_seen(self, params: Params, obs_ids: Tensor) -> Tensor:
        """Of one set: each of the classes that there are once.  [T, 1, n] -> [T, 1, n, A]."""
        seen, which = self.classes.rows[obs_ids].unique(return_inverse=True)
        return self._named(pick(self.inner(params, seen[None, None])[0], which), obs_ids)

    # What it says, of the boards that were seen.

    def renamed(self, values: Tensor, obs_ids: Tensor) -> Tensor:
        """By the actions' names on the boards that were seen.

        [K, C, ...], [..., K, n] -> [..., K, n, A].
        """
        return self._named(pick(values, self.classes.rows[obs_ids]), obs_ids)

    def _named(self, values: Tensor, obs_ids: Tensor) -> Tensor:
        """The same of what each sample's class was given.  [..., K, n, A]."""
        if self.classes.moves is None:
            return values
        moves = self.classes.moves[obs_ids]

        # A state's value has no actions; for mirror look-aheads it stands before those of actions.
        shift = values.shape[-1] - moves.shape[-1]
        if shift < 0:
            return values
        of_moves = values[..., shift:].gather(-1, moves)
        return torch.cat((values[..., :shift], of_moves), -1) if shift else of_moves
