"""A game of players who walk, enumerated in two halves where all of its boards are too many.

In some games (their attribute `walkers` says so) the first columns of a board, where the players
are, go by these columns and the actions alone; the rest of the board, and what a move pays, sees
only where the players have come to. With P ways for players to stand, Q rests and J joint actions,
tables of P * J and of P * Q entries then say what one of P * Q * J would: 38,416 and 235,298 in
place of 3,764,768 for the 7x7 Coin Game.

    place, rest     the two halves of a board's code
    next_place      [P * J]   where the players stand after a move
    events          [P * Q]   what happens there, by `place * Q + rest` of the new place and the old
                              rest: 0 for nothing, where the rest stays and rewards are the usual
    rewards         [E, N]    reward codes of each event
    next_rest       [P * Q]   the new rest or, where chance has to act, Q + index of a pending board
    counts          by stream of chance, how many values each has: [Q + pending boards], 1 for none
    outcomes        [(Q + pending boards) * L]   the rest that chance makes of it, by the values
                              that it draws, in mixed radix with the most values of each stream

Everything is computed from the rules (`games/`), as in `tables`.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from social_dilemmas_env.engine.tables import frozen, num_joint_actions, num_states
from social_dilemmas_env.games.game import Board, Column, Game, decode, encode, num_walkers

MAX_HALF = 1 << 19  # entries of each table: a few MB, and tens of milliseconds to build
MAX_EVENTS = 255
LARGE = 1 << 17  # entries of full tables from which on halves are built, and looked up, quicker


@dataclass(frozen=True)
class WalkerTables:
    """See the module's docstring; arrays are read-only.

    Attributes:
        num_places, num_rests: P and Q.
        most: by stream of `counts`, the most values it has.
    """

    num_places: int
    num_rests: int
    next_place: np.ndarray
    events: np.ndarray
    rewards: np.ndarray
    next_rest: np.ndarray
    counts: dict[int, np.ndarray]
    most: dict[int, int]
    outcomes: np.ndarray


def in_halves(game: Game) -> bool:
    """Whether the halves are small, and better than tables of the whole."""
    n = num_walkers(game)
    if not n or num_states(game) * num_joint_actions(game) <= LARGE:
        return False
    places, rests = math.prod(game.sizes[:n]), math.prod(game.sizes[n:])
    if places * max(rests, num_joint_actions(game)) > MAX_HALF:
        return False
    return walker_tables(game) is not None


@lru_cache(maxsize=16)
def walker_tables(game: Game) -> WalkerTables | None:
    """Enumerates both halves; None where chance, or the events, are too many for tables."""
    halves, values = _Halves(game), len(game.reward_values)
    if values ** len(game.num_actions) > MAX_HALF:
        return None
    next_place, entry = halves.walk()
    after, codes = halves.meet(entry)

    # What chance is asked for.
    next_rest, pending = halves.rests(after)
    choices = enumerate(game.chances(pending)) if len(pending[0]) else ()
    found = {stream: np.broadcast_to(n, pending[0].shape) for stream, n in choices}
    most = {stream: int(n.max()) for stream, n in found.items() if n.max() > 1}
    if (halves.num_rests + len(pending[0])) * math.prod(most.values()) > MAX_HALF:
        return None

    # What happens, each way once.
    rests = np.arange(len(next_rest)) % halves.num_rests
    events, rewards = _events(game, next_rest == rests, tuple(codes))
    if len(rewards) > MAX_EVENTS:
        return None

    ones = np.ones(halves.num_rests, np.int64)
    return WalkerTables(
        num_places=halves.num_places,
        num_rests=halves.num_rests,
        next_place=frozen(next_place),
        events=frozen(events.astype(np.uint8)),
        rewards=frozen(rewards),
        next_rest=frozen(next_rest.astype(np.int32)),
        counts={stream: frozen(np.concatenate([ones, found[stream]])) for stream in most},
        most=most,
        outcomes=frozen(halves.outcomes(pending, most).astype(np.int32)),
    )


class _Halves:
    """The boards of a game as places and rests."""

    def __init__(self, game: Game):
        self.game, self.n = game, num_walkers(game)
        self.place_sizes, self.rest_sizes = game.sizes[: self.n], game.sizes[self.n :]
        self.num_places, self.num_rests = map(math.prod, (self.place_sizes, self.rest_sizes))

    def walk(self) -> tuple[np.ndarray, np.ndarray]:
        """`next_place`, and for each place an entry of it that leads there."""
        joint = num_joint_actions(self.game)
        entry = np.arange(self.num_places * joint)
        after, _ = self.act(entry // joint, entry * 0, entry % joint)
        next_place: np.ndarray = encode(after[: self.n], self.place_sizes)

        # Where no move leads, what follows is never looked up.
        leads = np.zeros(self.num_places, np.int64)
        leads[next_place] = entry
        return next_place, leads

    def meet(self, entry: np.ndarray) -> tuple[Board, list[Column]]:
        """Boards and reward codes [P * Q]: players have come by these entries, to every rest."""
        joint, pairs = num_joint_actions(self.game), np.arange(self.num_places * self.num_rests)
        came = entry[pairs // self.num_rests]
        return self.act(came // joint, pairs % self.num_rests, came % joint)

    def act(self, place: Any, rest: Any, joint: Any) -> tuple[Board, list[Column]]:
        """The move of the rules."""
        board = (*decode(place, self.place_sizes), *decode(rest, self.rest_sizes))
        return self.game.act(board, decode(joint, self.game.num_actions))

    def rests(self, after: Board) -> tuple[np.ndarray, Board]:
        """`next_rest`, and the pending boards."""
        marks = [column == size for column, size in zip(after, self.game.sizes, strict=True)]
        marked = np.any(marks, axis=0)
        sizes = tuple(size + 1 for size in self.game.sizes)  # the extra value is the mark
        codes, index = np.unique(encode(after, sizes)[marked], return_inverse=True)

        next_rest: np.ndarray = encode(after[self.n :], self.rest_sizes)
        next_rest[marked] = self.num_rests + index
        return next_rest, decode(codes, sizes)

    def outcomes(self, pending: Board, most: dict[int, int]) -> np.ndarray:
        """What chance makes of each rest, which stays, and of each pending board."""
        span = math.prod(most.values())
        stay = np.repeat(np.arange(self.num_rests), span)
        if not len(pending[0]):
            return stay

        which, index = np.divmod(np.arange(len(pending[0]) * span), span)
        digits = dict(zip(most, decode(index, tuple(most.values())), strict=True)) if most else {}

        def draw(stream: int, n: Column) -> Column:
            return np.minimum(digits[stream], n - 1) if stream in digits else which * 0

        filled = self.game.chance(tuple(column[which] for column in pending), draw)
        return np.concatenate([stay, encode(filled[self.n :], self.rest_sizes)])


def _events(game: Game, stays: np.ndarray, codes: Board) -> tuple[np.ndarray, np.ndarray]:
    """`events` and their `rewards`: the usual one is where the rest stays, most often."""
    sizes = (len(game.reward_values),) * len(codes)
    code = encode(codes, sizes)
    each = np.flatnonzero(np.bincount(code, minlength=math.prod(sizes)))  # no sorting
    index = np.searchsorted(each, np.arange(math.prod(sizes)))[code]
    rows = np.stack(decode(each, sizes), -1)
    usual = np.bincount(index[stays], minlength=len(rows)).argmax()
    return np.where(stays & (index == usual), 0, index + 1), np.concatenate([rows[[usual]], rows])


@lru_cache(maxsize=16)
def one_positions(game: Game) -> tuple[np.ndarray, np.ndarray] | None:
    """Positions of the ones in the observations of all players: what place and rest add to them.

    int64 [P, K] and [Q, K], whose sum it is; None where a position depends on both halves.
    """
    n, numbers = num_walkers(game), math.prod(game.observation_shape)
    places, rests = math.prod(game.sizes[:n]), math.prod(game.sizes[n:])
    place, rest = (
        decode(np.arange(places), game.sizes[:n]),
        decode(np.arange(rests), game.sizes[n:]),
    )

    # All places with one rest, all rests with one place, and both.
    by_place = _positions(game, (*place, *[column[:1] for column in rest]), places, numbers)
    by_rest = _positions(game, (*[column[:1] for column in place], *rest), rests, numbers)
    both = np.arange(places * rests)
    board = (*[c[both // rests] for c in place], *[c[both % rests] for c in rest])
    found = _positions(game, board, len(both), numbers)

    # Each goes by one half alone, and the other adds nothing.
    for k, expected in enumerate(found):
        if (by_place[k][both // rests] == expected).all():
            by_rest[k] = by_rest[k] * 0
        elif (by_rest[k][both % rests] == expected).all():
            by_place[k] = by_place[k] * 0
        else:
            return None
    return frozen(np.stack(by_place, -1)), frozen(np.stack(by_rest, -1))


def _positions(game: Game, board: Board, boards: int, numbers: int) -> list[np.ndarray]:
    """Columns of positions, one for each one in the observations of all players."""
    players = range(len(game.num_actions))
    return [
        np.broadcast_to(position, boards) + player * numbers
        for player in players
        for position in game.features(game.view_of(board, player))
    ]
