"""What each seat sees of a state, as the index of a state.

Seat n plays `policy[seen[n, s]]` in state s.  Where the seats are alike, `seen[n, s]` is state s
with the players counted from n on, so that one policy serves any seat.  Where a view tells less
than the board (public goods: how many, but not who), states that look the same share an index.
"""

import numpy as np

from social_dilemmas_env.exact.chance import Ints
from social_dilemmas_env.exact.memory import Automaton
from social_dilemmas_env.exact.product import memories, memory_columns
from social_dilemmas_env.games.game import Board, Game, encode


def alike(game: Game, memory: Automaton) -> bool:
    """Whether any seat's view of a (board, memory) has the form of a (board, memory)."""
    if len(set(game.num_actions)) > 1 or tuple(game.view_sizes) != tuple(game.sizes):
        return False
    every = memory_columns(memory, np.arange(memories(memory)))
    seats = range(len(game.num_actions))
    return all(
        len(view) == len(memory.sizes)
        and all((c < size).all() for c, size in zip(view, memory.sizes, strict=True))
        for view in (memory.view_of(every, seat) for seat in seats)
    )


def memory_views(memory: Automaton, players: int) -> tuple[Ints, ...]:
    """Per seat but the first, the memory as that seat sees it, [M]; seats must be alike."""
    codes = np.arange(memories(memory))
    every = memory_columns(memory, codes)
    if not memory.sizes:
        return (codes,) * (players - 1)
    return tuple(encode(memory.view_of(every, seat), memory.sizes) for seat in range(1, players))


def seen_by_views(game: Game, memory: Automaton, board: Board, remembered: Board) -> Ints:
    """`seen` [N, S] for seats that are not alike, from what they see.

    A view gets the index of the first state in which seat 0 has it.  Where some seat has views that
    seat 0 never has, that seat's own first states are taken, and policies belong to a seat.

    Args:
        game: the rules.
        memory: the automaton.
        board: columns of the states' boards, [S].
        remembered: columns of the states' memories, [S].
    """
    radix = max(memory.sizes, default=1)
    keys = []
    for seat in range(len(game.num_actions)):
        key = encode(game.view_of(board, seat), game.view_sizes)
        for column in memory.view_of(remembered, seat):
            key = key * radix + column
        keys.append(np.asarray(key))
    known, first = np.unique(keys[0], return_index=True)
    rows = []
    for seat, key in enumerate(keys):
        values, indices = known, first
        shared = np.isin(key, known).all() and game.num_actions[seat] == game.num_actions[0]
        if not shared:
            values, indices = np.unique(key, return_index=True)
        rows.append(indices[np.searchsorted(values, key)])
    return np.stack(rows)
