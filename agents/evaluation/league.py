"""A round robin: everybody plays everybody, also itself; mean rewards a step, standard errors.

    from agents.evaluation.league import round_robin

    entries = ["tit_for_tat", "bundled:loqa_coin_game_v0", my_agent, my_policy]
    league = round_robin(entries, "coin_game_v0", episodes=32)
    print(league.table())

An entry is a name (agents/evaluation/players.py), an object with `act(observations [B, ...]) ->
actions [B]` (and `reset(B)`, if it remembers anything), a PettingZoo policy,
`policy(observation) -> action`, or an object of Stable-Baselines3, with `predict`. An entry that
raises, or returns an action that the game has not, forfeits: its message is kept and the league
goes on without it.

Shapes  E entries, B episodes a pair, N players: entry i is player 0, entry j all the others.
"""

import copy
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

import social_dilemmas_env as sde
from agents.evaluation.intervals import t_quantile
from agents.evaluation.players import PlayerFactory, check_trained_for, player_factory, remark_on
from agents.evaluation.scoring import play_episodes
from social_dilemmas_env.single_agent.players import Place, as_policy

TABLE_WIDTH, CELL_WIDTH = 80, 15  # of a table, of a number with its interval


class Forfeit(Exception):
    """An entry did something that the game does not allow, or raised."""

    def __init__(self, entry: str, message: str) -> None:
        super().__init__(f"{entry}: {message}")
        self.entry, self.message = entry, message


@dataclass(frozen=True)
class League:
    """The result."""

    names: list[str]  # [E]
    # [E, E, 2], mean reward a step of entry i (as player 0) and of entry j, when i meets j; NaN
    # after a forfeit.
    means: np.ndarray
    errors: np.ndarray  # [E, E, 2], standard errors, over episodes
    forfeits: dict[str, str] = field(default_factory=dict)  # name -> why
    settings: dict[str, Any] = field(default_factory=dict)  # what the result depends on
    remarks: dict[str, str] = field(default_factory=dict)  # name -> what one should know of it

    def table(self) -> str:
        """Rewards of the row's entry against the column's, as text.

        Columns have the rows' numbers.
        """
        labels = [f"{i} {name}" for i, name in enumerate(self.names, 1)]
        width = max(map(len, labels)) + 1

        # As many columns as fit, then the next ones below.
        room = max((TABLE_WIDTH - width) // CELL_WIDTH, 1)
        lines = []
        for first in range(0, len(labels), room):
            columns = range(first, min(first + room, len(labels)))
            lines.append(" " * width + "".join(f"{j + 1:>{CELL_WIDTH}d}" for j in columns))
            for i, label in enumerate(labels):
                cells = [self._cell(i, j) for j in columns]
                lines.append(f"{label:{width}s}" + "".join(cells))
            lines.append("")

        lines += [f"{name} forfeits: {why}" for name, why in self.forfeits.items()]
        lines += [f"{name} is {remark}" for name, remark in self.remarks.items()]
        return "\n".join([*lines, *self._notes()])

    def _cell(self, i: int, j: int) -> str:
        mean, error = self.means[i, j, 0], self.errors[i, j, 0]
        if np.isnan(mean):
            return f"{'-':>{CELL_WIDTH}s}"
        if np.isnan(error):  # one episode has no interval
            return f"{mean:+7.3f}".rjust(CELL_WIDTH)
        half = t_quantile(max(self.settings.get("episodes", 2) - 1, 1)) * error
        return f"{mean:+7.3f} ±{half:.3f}".rjust(CELL_WIDTH)

    def _notes(self) -> list[str]:
        """What the numbers are."""
        notes = ["Mean reward a step of the row's entry (player 0) against the column's."]
        if "episodes" in self.settings:
            episodes, seed = self.settings["episodes"], self.settings["seed"]
            notes.append(
                f"± is the 95 % interval of the mean over {episodes} episodes a pair; seed {seed}."
            )
        return notes

    def json(self) -> dict[str, Any]:
        """Plain values; null where a forfeit left no number."""
        return {
            "names": self.names,
            "means": _with_nulls(self.means),
            "errors": _with_nulls(self.errors),
            "forfeits": self.forfeits,
            "settings": self.settings,
            **({"remarks": self.remarks} if self.remarks else {}),
        }


def _with_nulls(x: np.ndarray) -> Any:
    """Nested lists with None for NaN, which JSON has not."""
    nothing: Any = None
    return np.where(np.isnan(x), nothing, x.astype(object)).tolist()


def round_robin(
    entries: Sequence[Any], env_id: str, *, episodes: int = 32, seed: int = 0, **game_kwargs: Any
) -> League:
    """Plays all pairs.  A trained agent is read once.

    Args:
        entries: see the module's docstring; (name, entry) gives an entry a name.
        env_id: the game.
        episodes: B, a pair.
        seed: fixes games and players.
        **game_kwargs: the game's arguments.

    Raises:
        ValueError: an unknown name among the entries, or fewer than one entry.
    """
    entrants = [
        _Entrant(name, _make_factory(entry, env_id, game_kwargs))
        for name, entry in _name_entries(entries)
    ]
    if not entrants:
        raise ValueError("a league needs at least one entry")

    # Everybody meets everybody, but those who have forfeited.
    num_actions = sde.spec(env_id).game(**game_kwargs).num_actions
    means, errors = np.full((2, len(entrants), len(entrants), 2), np.nan)
    forfeits: dict[str, str] = {}
    for (i, first), (j, other) in product(enumerate(entrants), repeat=2):
        # The seed of a pair depends on its place only: a forfeit changes no other pair's games.
        if first.name in forfeits or other.name in forfeits:
            continue
        try:
            players = _seat_players(first, other, num_actions)
            played = play_episodes(env_id, players, episodes, sde.draw(seed, i, j), **game_kwargs)
        except Forfeit as forfeit:
            forfeits[forfeit.entry] = forfeit.message
            continue
        rewards = _by_side(played["rewards"])
        means[i, j], errors[i, j] = rewards.mean(0), standard_error(rewards)

    # What was played before a forfeit does not count either.
    for k, entrant in enumerate(entrants):
        if entrant.name in forfeits:
            means[k], means[:, k], errors[k], errors[:, k] = np.nan, np.nan, np.nan, np.nan

    settings = {"env_id": env_id, "game": game_kwargs, "episodes": episodes, "seed": seed}
    names = [entrant.name for entrant in entrants]
    remarks = {e.name: remark for e in entrants if (remark := e.remark())}
    return League(names, means, errors, forfeits, settings, remarks)


@dataclass(frozen=True)
class _Entrant:
    """An entry with the name it has in the table."""

    name: str
    make: PlayerFactory

    def remark(self) -> str:
        """What those who read the table should know of it."""
        try:
            return remark_on(self.make(0, 0))
        except Exception:  # a stranger's code may raise anything; it forfeits where it plays
            return ""


def _seat_players(
    first: _Entrant, other: _Entrant, num_actions: Sequence[int]
) -> list["GuardedPlayer"]:
    """The first entry as player 0, the other one in all other seats."""
    return [
        GuardedPlayer(entrant.name, entrant.make, seat, count)
        for seat, count in enumerate(num_actions)
        for entrant in [other if seat else first]
    ]


def _by_side(rewards: np.ndarray) -> np.ndarray:
    """Mean reward a step of player 0, and of the others, in each episode.  [T, B, N] -> [B, 2]."""
    each = rewards.mean(0)
    return np.stack([each[:, 0], each[:, 1:].mean(1)], 1)


def standard_error(rewards: np.ndarray) -> np.ndarray:
    """Of the mean over episodes; NaN for one.  [B, 2] -> [2]."""
    episodes = len(rewards)
    if episodes == 1:
        return np.full(rewards.shape[1:], np.nan)
    error: np.ndarray = rewards.std(0, ddof=1) / episodes**0.5
    return error


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
