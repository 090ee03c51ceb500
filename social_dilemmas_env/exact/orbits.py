"""One state for all its mirror images: a game, and the one up to reflections beside it.

    folded = orbits(game)      `folded.game` has 180 states for 1,152 on 3x3
    folded.lift(policy)        the policy of all states that one of `folded.game` stands for

`folded.game` is what `exact_game(..., symmetry="all")` builds; here is what its states have to do
with those of the larger game.  What is learned from a symmetric start stays symmetric, so nothing
is lost but policies that prefer left to right.
"""

from dataclasses import dataclass

import numpy as np

from social_dilemmas_env.exact.build import with_symmetry
from social_dilemmas_env.exact.chance import Ints
from social_dilemmas_env.exact.game import ExactGame
from social_dilemmas_env.exact.tables import Policy
from social_dilemmas_env.games.game import encode


@dataclass(frozen=True, eq=False)
class Orbits:
    """A game up to its symmetries; made by `orbits`.  O orbits, S states, A actions.

    Attributes:
        game: the game on orbits.
        orbit: [S], the orbit of each state of the full game.
        relabel: [S, A], what each action is called in the state that stands for the orbit.
        representative: [O], the first state of the full game in each orbit: the one that stands
            for it, the least of its images.
    """

    game: ExactGame
    orbit: Ints
    relabel: Ints
    representative: Ints

    def lift(self, policy: Policy) -> Policy:
        """The policy of all states that one of orbits stands for.  [..., O, A] -> [..., S, A]."""
        rows = np.asarray(policy)[..., self.orbit, :]
        return np.take_along_axis(rows, np.broadcast_to(self.relabel, rows.shape), -1)

    def restrict(self, policy: Policy) -> Policy:
        """A policy of all states on the orbits, averaged where a symmetry leaves a state alone."""
        return self.game.symmetrised(np.asarray(policy)[..., self.representative, :])


def orbits(game: ExactGame) -> Orbits:
    """The same game, one state for all that the symmetries of its rules make equal.

    Args:
        game: an enumerated game.

    Raises:
        ValueError: players with different numbers of actions; a memory that is another one after
            a reflection.
    """
    if len(set(game.num_actions)) > 1:
        raise ValueError(f"orbits need equal actions for all players, not {game.num_actions}")
    small = with_symmetry(game, "all")
    full, folded = game.origin, small.origin

    # The board that stands for each board, and the symmetry that leads to it.
    sizes = folded.quotient.sizes
    image, element = folded.quotient.reduce(full.boards.board)
    board = np.asarray(np.searchsorted(encode(folded.boards.board, sizes), encode(image, sizes)))

    # The same for states, which are boards with a memory.
    here = full.product.board
    orbit = folded.product.index[full.product.memory, board[here]]
    relabel = folded.quotient.group.actions[0][element[here]]
    return Orbits(small, orbit, relabel, np.unique(orbit, return_index=True)[1])
