"""Who plays in a league: names, objects and functions as players that can forfeit.

Shapes  B games.
"""

import copy
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from agents.evaluation.players import PlayerFactory, check_trained_for, player_factory, remark_on
from social_dilemmas_env.registry import spec
from social_dilemmas_env.single_agent.players import Place, as_policy
from social_dilemmas_env.strategies.base import Scripted


class Forfeit(Exception):
    """An entry did something that the game does not allow, or raised."""

    def __init__(self, entry: str, message: str) -> None:
        super().__init__(f"{entry}: {message}")
        self.entry, self.message = entry, message


@dataclass(frozen=True)
class Entrant:
    """An entry with the name it has in the table."""

    name: str
    make: PlayerFactory

    def remark(self) -> str:
        """What those who read the table should know of it."""
        try:
            return remark_on(self.make(0, 0))
        except Exception:  # a stranger's code may raise anything; it forfeits where it plays
            return ""


def enter(entries: Sequence[Any], env_id: str, game: Mapping[str, Any]) -> list[Entrant]:
    """Entries as entrants; what several share is read once.

    Args:
        entries: names, objects or functions; (name, entry) gives one a name.
        env_id: the game.
        game: its arguments.

    Raises:
        ValueError: an unknown name, an agent of another game, or no entry at all.
    """
    if not entries:
        raise ValueError("a league needs at least one entry")

    made: dict[str, PlayerFactory] = {}
    entrants = []
    for name, entry in _name_entries(entries):
        if isinstance(entry, str):
            factory = made.get(entry) or _make_factory(entry, env_id, game)
            made[entry] = factory
        else:
            factory = _make_factory(entry, env_id, game)
        entrants.append(Entrant(name, factory))
    return entrants


def seat_players(
    first: Entrant, other: Entrant, num_actions: Sequence[int]
) -> list["GuardedPlayer"]:
    """The first entry as player 0, the other one in all other seats."""
    return [
        GuardedPlayer(entrant.name, entrant.make, seat, count)
        for seat, count in enumerate(num_actions)
        for entrant in [other if seat else first]
    ]


def _name_entries(entries: Sequence[Any]) -> list[tuple[str, Any]]:
    """(name, entry); a second one of a name becomes "NAME #2"."""
    named: list[tuple[str, Any]] = []
    for entry in entries:
        pair = entry if isinstance(entry, tuple) else (_name(entry), entry)
        name = str(pair[0])
        taken = sum(other == name or other.startswith(f"{name} #") for other, _ in named)
        named.append((f"{name} #{taken + 1}" if taken else name, pair[1]))
    return named


def _name(entry: Any) -> str:
    if isinstance(entry, str):
        return entry
    return getattr(entry, "__name__", None) or type(entry).__name__


def _make_factory(entry: Any, env_id: str, game: Mapping[str, Any]) -> PlayerFactory:
    """(seat, seed) -> the entry as a player.

    Raises:
        ValueError: an unknown name, or an agent of another game.
    """
    if isinstance(entry, str):
        factory = player_factory(entry, env_id, game)
        factory(0, 0)  # unknown names are the caller's mistake, found at once
        return factory
    return lambda seat, seed: _make_player(entry, seat, env_id, game)


def _make_player(entry: Any, seat: int, env_id: str, game: Mapping[str, Any]) -> Any:
    """An entry that is an object as a player of its own: it may sit on both sides."""
    if hasattr(entry, "facts") and hasattr(entry, "game_kwargs"):
        # Inside: torch stays unloaded for entries that do not use it.
        from agents.evaluation.agent import AgentPlayer, TrainedAgent

        if isinstance(entry, TrainedAgent):
            check_trained_for("it", entry, env_id, game)
            # The player keeps the memory; the agent itself has none.
            return AgentPlayer(entry.seated(seat, game))

    # A user's object, or a function of one observation.
    if isinstance(entry, Scripted):
        entry.check_seat(spec(env_id).game(**game), seat)
    if hasattr(entry, "act"):
        return copy.deepcopy(entry)
    if hasattr(entry, "predict"):  # of Stable-Baselines3
        return as_policy(entry, Place(env_id, seat, dict(game), each=True))
    if callable(entry):
        return OneByOne(entry)
    raise TypeError(
        f"it is a {type(entry).__name__}: neither a name, nor an object with act, nor a policy"
    )


class GuardedPlayer:
    """An entry as one player; whatever goes wrong in it is its forfeit.

    Args:
        name: the entry's.
        make: (seat, seed) -> the player.
        seat: which player of the game it is.
        num_actions: how many actions this player has.
    """

    def __init__(self, name: str, make: PlayerFactory, seat: int, num_actions: int) -> None:
        self.name, self.num_actions = name, num_actions
        self.player = self._try(make, seat, 0)

    def reset(self, num_games: int, seed: int) -> None:
        """Begins episodes."""
        self.num_games = num_games
        if hasattr(self.player, "reset"):
            self._try(self._reset, num_games, seed)

    def _reset(self, num_games: int, seed: int) -> None:
        """Hands over as many of the two arguments as the player's own `reset` takes."""
        kinds = [word.kind for word in inspect.signature(self.player.reset).parameters.values()]
        # Names that must be given by keyword are none that we could fill.
        count = sum(kind <= kind.POSITIONAL_OR_KEYWORD for kind in kinds)
        if inspect.Parameter.VAR_POSITIONAL in kinds:
            count = 2
        self.player.reset(*(num_games, seed)[:count])

    def act(self, observations: np.ndarray) -> np.ndarray:
        """The moves in all games, checked.  [B, ...] -> [B]."""
        result = self._try(self.player.act, observations.copy())
        actions: np.ndarray = self._try(np.asarray, result)

        # One integer a game ...
        if actions.shape != (self.num_games,) or not np.issubdtype(actions.dtype, np.integer):
            raise Forfeit(
                self.name,
                f"it must return {self.num_games} integers, "
                f"got {actions.dtype} of shape {actions.shape}",
            )

        # ... that is an action of this seat.
        wrong = (actions < 0) | (actions >= self.num_actions)
        if wrong.any():
            last = self.num_actions - 1
            raise Forfeit(self.name, f"there is no action {actions[wrong][0]} (0 .. {last})")

        return actions

    def _try(self, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except Exception as error:  # a stranger's code may raise anything
            raise Forfeit(self.name, f"{type(error).__name__}: {error}") from error


class OneByOne:
    """A policy of one observation, asked for each game."""

    def __init__(self, policy: Callable[[np.ndarray], Any]) -> None:
        self.policy = policy

    def act(self, observations: np.ndarray) -> np.ndarray:
        """[B, ...] -> [B]."""
        return np.array([self.policy(observation) for observation in observations])
