"""The other players of games with one learner, and states that hold them too.

Shapes  B games, N players.
"""

import copy
from typing import Any, NamedTuple

import numpy as np

from social_dilemmas_env import rng
from social_dilemmas_env.games.game import State
from social_dilemmas_env.policy import Policy
from social_dilemmas_env.registry import spec
from social_dilemmas_env.single_agent.players import Adapted, Place, as_policy, refuse_some
from social_dilemmas_env.single_agent.pool import PoolPlayer
from social_dilemmas_env.single_agent.predictor import Predictor
from social_dilemmas_env.strategies.base import seat

# Anything that players.py lists, or a list of these, one for each other player.
Opponent = Any
EXCHANGE = 0x45786368  # seeds of opponents that come later, apart from those of the game


class Opponents:
    """The other players of B games; they belong to this object alone.

    Attributes:
        seats: which player each of them is.
        policies: what acts, one a seat.
    """

    def __init__(
        self,
        env_id: str,
        player: int,
        opponent: Opponent,
        game_kwargs: dict[str, Any],
        *,
        each: bool = False,
    ):
        """Makes the policies; raises what `SingleEnv` documents.

        `each`: functions get one observation, and not those of all games.
        """
        game = spec(env_id).game(**game_kwargs)
        own_seat = seat(game, player)
        self.seats = [n for n in range(len(game.num_actions)) if n != own_seat]
        self._table = (env_id, own_seat, copy.deepcopy(game_kwargs), each)

        # One for each seat.
        listed = isinstance(opponent, list | tuple)
        given = list(opponent) if listed else [opponent] * len(self.seats)
        if len(given) != len(self.seats):
            raise ValueError(
                f"opponent must list a player for each of the seats {self.seats}, got {len(given)}"
            )
        with_memory = [id(policy) for policy in given if hasattr(policy, "reset")]
        if len(set(with_memory)) < len(with_memory):
            raise ValueError(
                f"one object with a memory cannot play {len(given)} seats: give a list of "
                f"{len(given)} opponents"
            )

        self.policies: list[Policy] = [
            as_policy(policy, Place(env_id, n, game_kwargs, each))
            for n, policy in zip(self.seats, given, strict=True)
        ]

    def reset(self, num_games: int, seed: Any) -> None:
        """Begins anew; `seed` is that of the games, or a list of each game's own."""
        for policy in self.policies:
            if hasattr(policy, "reset"):
                policy.reset(num_games, seed=seed)

    def exchanged(self, opponent: Opponent, state: State | None) -> "Opponents":
        """Other opponents in the same seats, who take over where the games stand.

        Args:
            opponent: see `SingleEnv`.
            state: of the games, from which the newcomers' seeds follow; None: no game has begun.

        Raises:
            ValueError, TypeError: as `SingleEnv`; nothing has changed then.
        """
        env_id, player, game_kwargs, each = self._table
        others = Opponents(env_id, player, opponent, game_kwargs, each=each)
        if state is None:
            return others

        # Each game's own seed, episode and step: a game then depends on no other game.
        columns = [
            column if isinstance(column, list) else [column]
            for column in (state.seed, state.episode, state.t)
        ]
        seeds = [
            rng.draw(seed, EXCHANGE, episode, t) for seed, episode, t in zip(*columns, strict=True)
        ]
        others.reset(len(seeds), seeds)
        return others

    def check_begin(self, chosen: np.ndarray) -> None:
        """Raises ValueError if games begin anew that an opponent cannot be told of.

        Args:
            chosen: bool [B], the games that are to begin.
        """
        for policy in self.policies:
            refuse_some(chosen, policy)

    def act(self, observations: np.ndarray, first: np.ndarray, joint: np.ndarray) -> None:
        """Writes the moves of all opponents into `joint`.

        Args:
            observations: [B, N, ...], of all players.
            first: bool [B], games whose episode has just begun.
            joint: [B, N], to be written.

        Raises:
            TypeError: moves that are not integers [B].
        """
        for i, n in enumerate(self.seats):
            joint[:, n] = self.moves(i, observations[:, n], first)

    def moves(self, i: int, observations: np.ndarray, first: np.ndarray) -> np.ndarray:
        """The moves of one opponent, [B].

        Args:
            i: which of `policies`.
            observations: [B, ...], its own.
            first: see `act`.

        Raises:
            TypeError: moves that are not integers [B].
        """
        moves = np.asarray(self.policies[i].act(observations, first=first))
        if moves.dtype.kind not in "iu" or moves.shape != first.shape:
            raise TypeError(
                f"the opponent in seat {self.seats[i]} must return integers {first.shape}, "
                f"got {moves.dtype} {moves.shape}"
            )
        return moves


class SingleState(NamedTuple):
    """Everything needed to continue, opponents included."""

    game: State
    opponents: list[Any]  # copies of the opponents
    first: list[bool]  # per game, whether its episode has just begun


def checked_single_state(state: Any, opponents: Opponents, num_games: int) -> SingleState:
    """`state` as a `SingleState` of as many games, with opponents of the same kinds.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(state, tuple | list) or len(state) != len(SingleState._fields):
        raise ValueError(
            f"not a state of this view: expected the fields {', '.join(SingleState._fields)}"
        )

    given = SingleState(*state)
    listed = isinstance(given.opponents, list | tuple) and isinstance(given.first, list | tuple)
    if not listed or not given.first or not all(isinstance(f, bool) for f in given.first):
        raise ValueError(
            "not a state of this view: opponents must be a list of players, first a list of bools"
        )
    if list(map(_kind, given.opponents)) != list(map(_kind, opponents.policies)):
        raise ValueError(
            f"this state has other opponents: {given.opponents}; here they are {opponents.policies}"
        )
    if len(given.first) != num_games:
        raise ValueError(f"this state is of {len(given.first)} games, and not of {num_games}")
    return given


def _kind(policy: Any) -> Any:
    """What a policy is, and what it holds."""
    if isinstance(policy, PoolPlayer):
        return PoolPlayer, [_kind(member) for member in policy.members]
    return type(policy), type(policy.player) if isinstance(policy, Adapted | Predictor) else None
