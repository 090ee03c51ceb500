"""Whether a memory is one that players can have.

check_visible     every player can tell the next memory from what it sees
check_invariant   the memory does not read what a symmetry of the rules changes
"""

import numpy as np

from social_dilemmas_env.exact.boards import Boards
from social_dilemmas_env.exact.chance import Ints, outcomes
from social_dilemmas_env.exact.memory import Automaton
from social_dilemmas_env.exact.product import updates
from social_dilemmas_env.exact.quotient import Quotient
from social_dilemmas_env.games.game import Board, Game, decode, encode


def check_visible(game: Game, boards: Boards, table: Ints) -> None:
    """Refuses a memory that looks at what a player cannot see.

    Two steps that look alike to a player (the board before and after, as it sees them, and its own
    action) must lead from every memory to the same memory.

    Args:
        game: the rules.
        boards: its boards.
        table: next memories [M, B * J].

    Raises:
        ValueError: there are two that do not.
    """
    if len(table) == 1:
        return
    count, joint = boards.successors.shape

    # A fingerprint of what each step does to all memories (64 bits, so that equal means same).
    weights = np.random.default_rng(0).integers(1, 1 << 62, len(table))
    fingerprint = np.zeros(count * joint, np.int64)
    for weight, row in zip(weights, table, strict=True):
        fingerprint += weight * row

    # Every step with every outcome of chance, as each seat sees it.
    done = outcomes(
        lambda draw, which: game.chance(tuple(c[which] for c in boards.after), draw), count * joint
    )
    actions = decode(np.arange(count * joint) % joint, game.num_actions)
    for seat in range(len(game.num_actions)):
        before = _index(encode(game.view_of(boards.board, seat), game.view_sizes))
        after = _index(encode(game.view_of(done.board, seat), game.view_sizes))
        own = before[done.row // joint] * game.num_actions[seat] + actions[seat][done.row]
        _, first, looks = np.unique(
            own * (after.max() + 1) + after, return_index=True, return_inverse=True
        )
        if (fingerprint[done.row[first]][looks] != fingerprint[done.row]).any():
            raise ValueError(
                f"memory: player_{seat} cannot see what it depends on: after the same board, own "
                "action and next board, as that player sees them, it can be two different things"
            )


def _index(codes: Ints) -> Ints:
    """Codes numbered from 0 on."""
    numbers: Ints = np.unique(codes, return_inverse=True)[1]
    return numbers


def check_invariant(
    game: Game, boards: Boards, memory: Automaton, table: Ints, quotient: Quotient
) -> None:
    """Refuses a memory that tells boards apart which a symmetry makes equal.

    Raises:
        ValueError: it does.
    """
    for element in range(1, quotient.group.order):
        moved = _moved(boards, quotient, element)
        if (updates(game, moved, memory) != table).any():
            raise ValueError(
                "memory: it reads absolute cells, so boards that differ by a translation are not "
                "the same to it: build the game with symmetry=None"
            )


def _moved(boards: Boards, quotient: Quotient, element: int) -> Boards:
    """The same boards and steps after a symmetry."""
    board: Board = quotient.images(boards.board, element)
    after = quotient.images(boards.after, element)
    return Boards(board, after, boards.start, boards.successors, boards.rewards, boards.chance)
