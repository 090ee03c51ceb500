"""The other players of games with one learner, and states that hold them too."""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from social_dilemmas_env.games.game import State
from social_dilemmas_env.registry import spec
from social_dilemmas_env.strategies import make_strategy
from social_dilemmas_env.strategies.base import seat

# A name, an object with `act`, a function of observations, or a list of these, one for each other
# player.
Opponent = Any


class Opponents:
    """The other players of B games.

    Attributes:
        seats: which player each of them is.
        policies: what acts: strategies, other objects with `act`, or functions.
    """

    def __init__(self, env_id: str, player: int, opponent: Opponent, game_kwargs: dict[str, Any]):
        """Makes the policies; raises what `SingleEnv` documents."""
        game = spec(env_id).game(**game_kwargs)
        own_seat = seat(game, player)
        self.seats = [n for n in range(len(game.num_actions)) if n != own_seat]

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

        # Names become strategies.
        self.policies: list[Any] = [
            make_strategy(policy, env_id, player=n, **game_kwargs)
            if isinstance(policy, str)
            else _checked(policy)
            for n, policy in zip(self.seats, given, strict=True)
        ]

    def reset(self, num_games: int, seed: Any) -> None:
        """Begins anew; `seed` is that of the games, or a list of each game's own."""
        for policy in self.policies:
            if hasattr(policy, "reset"):
                policy.reset(num_games, seed=seed)

    def act(self, observations: np.ndarray, first: np.ndarray, joint: np.ndarray) -> None:
        """Writes the moves of all opponents into `joint`.

        Args:
            observations: [B, N, ...], of all players.
            first: bool [B], games whose episode has just begun.
            joint: [B, N], to be written.

        Raises:
            TypeError: moves that are not integers [B].
        """
        for n, policy in zip(self.seats, self.policies, strict=True):
            act = getattr(policy, "act", policy)
            more = {"first": first} if takes_first(act) else {}
            moves = np.asarray(act(observations[:, n], **more))

            if moves.dtype.kind not in "iu" or moves.shape != first.shape:
                raise TypeError(
                    f"the opponent in seat {n} must return integers {first.shape}, "
                    f"got {moves.dtype} {moves.shape}"
                )
            joint[:, n] = moves


def takes_first(act: Callable[..., Any]) -> bool:
    """Whether a policy wants to be told which games have just begun."""
    try:
        return "first" in inspect.signature(act).parameters
    except (TypeError, ValueError):  # some built-in functions have no signature
        return False


def _checked(policy: Any) -> Any:
    if callable(getattr(policy, "act", policy)):
        return policy
    raise TypeError(
        "an opponent is the name of a strategy, an object with act(observations) or a function, "
        f"got {policy!r}"
    )


class SingleState(NamedTuple):
    """Everything needed to continue, opponents included."""

    game: State
    opponents: list[Any]  # copies of the opponents
    first: list[bool]  # per game, whether its episode has just begun


def checked_single_state(state: Any, opponents: Opponents) -> SingleState:
    """`state` as a `SingleState` with as many opponents of the same kinds.

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
    if list(map(type, given.opponents)) != list(map(type, opponents.policies)):
        raise ValueError(
            f"this state has other opponents: {given.opponents}; here they are {opponents.policies}"
        )
    return given
