"""One state for all its mirror images: reflections and rotations of the board.

A symmetry g of the rules relabels states and actions, s -> g s, a -> g a.  If every policy is
equivariant, pi(g a | g s) = pi(a | s), then values are the same on a whole orbit, and one state of
each orbit is enough:

    orbits(game)          the same game on O orbits instead of S states: 180 for 1,152 on 3x3
    lift(policy)          the policy of all S states that it stands for

What is learned from a symmetric start stays symmetric, so nothing is lost but policies that prefer
left to right.  A state that some g leaves where it is has equal probabilities for the actions that
g exchanges: `stabiliser` averages over them.
"""

import math
from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from social_dilemmas_env.exact.chance import Floats, Ints
from social_dilemmas_env.exact.game import ExactGame
from social_dilemmas_env.exact.quotient import group
from social_dilemmas_env.exact.sparse import scipy_sparse
from social_dilemmas_env.exact.tables import GameTables, Policy
from social_dilemmas_env.games.game import decode, encode


@dataclass(frozen=True, eq=False)
class OrbitGame(GameTables):
    """A game on orbits; made by `orbits`.

    Attributes:
        gamma: discount factor.
        full: the game on all states.
        orbit: [S], the orbit of each state of the full game.
        relabel: [S, A], what each action is called in the state that stands for the orbit.
        representative: [O], that state.
        stabiliser: [O, A, A], averages a policy over the symmetries that leave the state alone.
    """

    gamma: float
    full: ExactGame
    orbit: Ints
    relabel: Ints
    representative: Ints
    stabiliser: Floats

    def lift(self, policy: Policy) -> Policy:
        """The policy of all states that one of orbits stands for.  [..., O, A] -> [..., S, A]."""
        rows = np.asarray(policy)[..., self.orbit, :]
        return np.take_along_axis(rows, np.broadcast_to(self.relabel, rows.shape), -1)

    def restrict(self, policy: Policy) -> Policy:
        """A policy of all states on the orbits, averaged where a symmetry leaves a state alone."""
        rows = np.asarray(policy)[..., self.representative, :]
        averaged: Policy = np.einsum("oab,...ob->...oa", self.stabiliser, rows)
        return averaged

    @property
    @override
    def features(self) -> np.ndarray:
        raise ValueError("a network reads columns of the board: learn it on the full game")


def orbits(game: ExactGame) -> OrbitGame:
    """The same game, one state for all that the symmetries of its rules make equal.

    Args:
        game: an enumerated game, up to translations.

    Raises:
        ValueError: players with different numbers of actions; a memory, or rules, to which the
            named symmetries do not apply.
    """
    if len(set(game.num_actions)) > 1:
        raise ValueError(f"orbits need equal actions for all players, not {game.num_actions}")
    states, actions = _images(game)
    _check_equivariant(game, states, actions)

    # Of all images of a state the least stands for it.
    least, which = states.min(0), states.argmin(0)
    representative, orbit = np.unique(least, return_inverse=True)
    successors, chance = _lumped(game, orbit, representative)
    start = np.bincount(orbit, game.start, len(representative)).astype(np.float64)

    # How seats and symmetries rename actions.
    relabel = actions[which]
    stays = states[:, representative] == representative  # [G, O]
    each = np.eye(game.num_actions[0])[actions]  # [G, A, A]
    stabiliser = np.einsum("go,gab->oab", stays, each) / stays.sum(0)[:, None, None]
    seen = game.seen[:, representative]
    return OrbitGame(
        num_actions=game.num_actions,
        start=start,
        successors=successors,
        chance=chance,
        rewards=game.rewards[representative],
        seen=orbit[seen],
        seen_actions=relabel[seen],
        columns={name: game.columns[name][representative] for name in game.still},
        still=game.still,
        gamma=game.gamma,
        full=game,
        orbit=orbit,
        relabel=relabel,
        representative=representative,
        stabiliser=stabiliser,
    )


def _images(game: ExactGame) -> tuple[Ints, Ints]:
    """What each symmetry makes of states [G, S] and of actions [G, A], translations aside."""
    origin = game.origin
    everything = group(origin.game, "all")
    actions = everything.actions[0]
    _, first = np.unique(actions, axis=0, return_index=True)  # one of those that translations join

    quotient, boards, product = origin.quotient, origin.boards, origin.product
    codes = encode(boards.board, quotient.sizes)
    states: Ints = np.empty((len(first), game.num_states), np.int64)
    for row, element in enumerate(np.sort(first)):
        maps = zip(everything.columns, boards.board, strict=True)
        image = quotient.canonical(tuple(column[element][values] for column, values in maps))
        board = np.asarray(np.searchsorted(codes, encode(image, quotient.sizes)))
        states[row] = product.index[product.memory, board[product.board]]
    return states, actions[np.sort(first)]


def _check_equivariant(game: ExactGame, states: Ints, actions: Ints) -> None:
    """Raises unless each symmetry takes rewards, starts and moves to rewards, starts and moves."""
    joint = math.prod(game.num_actions)
    players = decode(np.arange(joint), game.num_actions)
    for image, renamed in zip(states, actions, strict=True):
        moved = encode(tuple(renamed[a] for a in players), game.num_actions)
        there = (image[:, None], np.broadcast_to(moved, (len(image), joint)))
        after, before = game.successors[there], game.successors
        walks = before < game.num_states
        same = (
            (image >= 0).all()
            and np.allclose(game.rewards[there], game.rewards)
            and np.allclose(game.start[image], game.start)
            and ((after < game.num_states) == walks).all()
            and (image[np.where(walks, before, 0)] == after)[walks].all()
        )
        if not same:
            raise ValueError(
                "the symmetries that the rules name do not apply to this game with its memory: "
                "a memory of moves, for example, is not the same after a reflection"
            )


def _lumped(game: ExactGame, orbit: Ints, representative: Ints) -> tuple[Ints, Ints]:
    """Moves between orbits, and chance: pending boards with equal outcomes are one."""
    num_states, count = game.num_states, len(representative)
    sparse = scipy_sparse()
    member = sparse.csr_matrix((np.ones(num_states), (np.arange(num_states), orbit)))
    successors = game.successors[representative]
    waits = successors >= num_states
    asked, index = np.unique(successors[waits] - num_states, return_inverse=True)

    # Rows of chance that say the same.
    rows = (game.chance[asked] @ member).tocsr()
    rows.sort_indices()
    names = [
        rows.indices[a:b].tobytes() + rows.data[a:b].round(12).tobytes()
        for a, b in zip(rows.indptr, rows.indptr[1:], strict=False)
    ]
    _, first, group_of = np.unique(names, return_index=True, return_inverse=True)
    moves = np.empty_like(successors)
    moves[~waits] = orbit[successors[~waits]]
    moves[waits] = count + group_of[index]
    return moves, rows[first]
