"""A round robin: everybody plays everybody, also itself; mean rewards a step with their standard
errors.

    from agents.evaluation.league import round_robin league = round_robin(["tit_for_tat",
    "bundled:loqa_coin_game_v0", my_agent, my_policy], "coin_game_v0", episodes=32)
    print(league.table())

An entry is a name (agents/evaluation/players.py), an object with `act(observations [B, ...]) ->
actions [B]` (and `reset(B)`, if it remembers anything), or a PettingZoo policy,
`policy(observation) -> action`. An entry that raises, or returns an action that the game has not,
forfeits: its message is kept and the league goes on without it.

Shapes  E entries, B episodes a pair, T steps, N players: entry i is player 0, entry j all the
others.
"""

import copy
import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import social_dilemmas_env as sde
from agents.evaluation.players import batch_player, check_game
from agents.evaluation.scores import play


class Forfeit(Exception):
    """An entry did something that the game does not allow, or raised."""

    def __init__(self, entry: str, message: str) -> None:
        super().__init__(f"{entry}: {message}")
        self.entry, self.message = entry, message


@dataclass(frozen=True)
class League:
    """The result.

    Attributes:
        names: [E].
        means: [E, E, 2], mean reward a step of entry i (as player 0) and of entry j, when i meets
            j; NaN after a forfeit.
        errors: [E, E, 2], standard errors, over episodes.
        forfeits: name -> why.
        settings: what it depends on.
    """

    names: list[str]
    means: np.ndarray
    errors: np.ndarray
    forfeits: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)

    def table(self) -> str:
        """Rewards of the row's entry against the column's, as text.

        Columns have the rows' numbers.
        """
        labels = [f"{i} {name}" for i, name in enumerate(self.names, 1)]
        width = max(map(len, labels)) + 2
        head = " " * width + "".join(f"{i:>15d}" for i in range(1, 1 + len(labels)))
        rows = [f"{label:{width}s}" + "".join(map(self._cell, self.means[i, :, 0], self.errors[i, :, 0]))
                for i, label in enumerate(labels)]  # fmt: skip
        return "\n".join(
            [head, *rows, *(f"{name} forfeits: {why}" for name, why in self.forfeits.items())]
        )

    def json(self) -> dict[str, Any]:
        """Plain values."""
        nothing: Any = None  # JSON has no NaN
        means, errors = (
            np.where(np.isnan(x), nothing, x.astype(object)).tolist()
            for x in (self.means, self.errors)
        )
        return {
            "names": self.names,
            "means": means,
            "errors": errors,
            "forfeits": self.forfeits,
            "settings": self.settings,
        }

    @staticmethod
    def _cell(mean: float, error: float) -> str:
        return (
            f"{'-':>15s}"
            if np.isnan(mean)
            else f"{mean:+9.3f} ±{error:.3f}".replace("±nan", "      ")
        )


def round_robin(
    entries: Sequence[Any], env_id: str, *, episodes: int = 32, seed: int = 0, **game_kwargs: Any
) -> League:
    """Plays all pairs.

    Args:
        entries: see the module's docstring; (name, entry) gives an entry a name.
        env_id: the game.
        episodes: B, a pair.
        seed: fixes games and players.
        **game_kwargs: the game's arguments.

    Raises:
        ValueError: an unknown name among the entries, or fewer than one entry.
    """
    named = _named(entries)
    if not named:
        raise ValueError("a league needs at least one entry")
    for _, entry in named:
        if isinstance(entry, str):
            batch_player(
                entry, env_id, 0, 0, game_kwargs
            )  # unknown names are the caller's mistake, found at once
    count = len(named)
    means, errors = np.full((2, count, count, 2), np.nan)
    forfeits: dict[str, str] = {}
    for i in range(count):
        for j in range(count):
            if forfeits.keys() & {named[i][0], named[j][0]}:
                continue
            try:
                rewards = _meet(
                    (named[i], named[j]), env_id, episodes, sde.draw(seed, i, j), game_kwargs
                )
            except Forfeit as forfeit:
                forfeits[forfeit.entry] = forfeit.message
                continue
            means[i, j], errors[i, j] = rewards.mean(0), standard_error(rewards)
    for k, (name, _) in enumerate(named):
        if name in forfeits:
            means[k], means[:, k], errors[k], errors[:, k] = np.nan, np.nan, np.nan, np.nan
    settings = {"env_id": env_id, "game": game_kwargs, "episodes": episodes, "seed": seed}
    return League([name for name, _ in named], means, errors, forfeits, settings)


def standard_error(rewards: np.ndarray) -> np.ndarray:
    """Of the mean over episodes; NaN for one.  [B, 2] -> [2]."""
    episodes = len(rewards)
    return (
        rewards.std(0, ddof=1) / episodes**0.5
        if episodes > 1
        else np.full(rewards.shape[1:], np.nan)
    )


def _named(entries: Sequence[Any]) -> list[tuple[str, Any]]:
    named: list[tuple[str, Any]] = []
    for entry in entries:
        pair = entry if isinstance(entry, tuple) else (_name(entry), entry)
        name = str(pair[0])
        taken = sum(other == name or other.startswith(f"{name} #") for other, _ in named)
        named.append((f"{name} #{taken + 1}" if taken else name, pair[1]))
    return named


def _name(entry: Any) -> str:
    return (
        entry
        if isinstance(entry, str)
        else getattr(entry, "__name__", None) or type(entry).__name__
    )


def _meet(pair: tuple[Any, Any], env_id: str, episodes: int, seed: int, game: Any) -> np.ndarray:
    """Mean reward a step of the two, in each episode.  [B, 2]."""
    counts = sde.spec(env_id).game(**game).num_actions
    players = [
        Guarded(*pair[min(i, 1)], env_id=env_id, index=i, actions=count, game=game)
        for i, count in enumerate(counts)
    ]
    rewards = play(env_id, players, episodes, seed, **game)["rewards"].mean(0)
    return np.stack([rewards[:, 0], rewards[:, 1:].mean(1)], 1)


class Guarded:
    """An entry as one player; whatever goes wrong in it is its forfeit."""

    def __init__(
        self, name: str, entry: Any, *, env_id: str, index: int, actions: int, game: dict[str, Any]
    ) -> None:
        self.name, self.actions = name, actions
        self.player = self._try(self._make, entry, env_id, index, game)

    def _make(self, entry: Any, env_id: str, index: int, game: dict[str, Any]) -> Any:
        if isinstance(entry, str):
            return batch_player(entry, env_id, index, 0, game)
        if hasattr(entry, "act"):
            mine = copy.deepcopy(entry)  # one entry may sit on both sides
            return mine if hasattr(mine, "reset") else with_memory(mine, env_id, game)
        if callable(entry):
            return OneByOne(entry)
        raise TypeError(
            f"it is a {type(entry).__name__}: neither a name, nor an object with act, nor a policy"
        )

    def reset(self, num_games: int, seed: int) -> None:
        """Begins episodes."""
        self.games = num_games
        if hasattr(self.player, "reset"):
            self._try(self._reset, num_games, seed)

    def _reset(self, num_games: int, seed: int) -> None:
        kinds = [word.kind for word in inspect.signature(self.player.reset).parameters.values()]
        count = (
            2
            if inspect.Parameter.VAR_POSITIONAL in kinds
            else sum(kind <= kind.POSITIONAL_OR_KEYWORD for kind in kinds)
        )
        self.player.reset(*(num_games, seed)[:count])

    def act(self, observations: np.ndarray) -> np.ndarray:
        """The moves in all games, checked."""
        result = self._try(self.player.act, observations.copy())
        actions = self._try(np.asarray, result)
        if actions.shape != (self.games,) or not np.issubdtype(actions.dtype, np.integer):
            raise Forfeit(
                self.name,
                f"it must return {self.games} integers, got {actions.dtype} of shape {actions.shape}",
            )
        wrong = (actions < 0) | (actions >= self.actions)
        if wrong.any():
            raise Forfeit(
                self.name, f"there is no action {actions[wrong][0]} (0 .. {self.actions - 1})"
            )
        return actions

    def _try(self, function: Any, *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except Exception as error:
            raise Forfeit(self.name, f"{type(error).__name__}: {error}") from error


def with_memory(entry: Any, env_id: str, game: dict[str, Any]) -> Any:
    """What `load_agent` gives, as a player that keeps the memory; anything else as it is."""
    if not (hasattr(entry, "facts") and hasattr(entry, "game_kwargs")):
        return entry  # torch stays unloaded for entries that do not use it
    from agents.evaluation.agent import Agent, AgentPlayer

    if not isinstance(entry, Agent):
        return entry
    if entry.env_id != env_id:
        raise ValueError(f"it plays {entry.env_id}, not {env_id}")
    check_game("it", env_id, entry.game_kwargs, game)
    return AgentPlayer(entry)


class OneByOne:
    """A policy of one observation, asked for each game."""

    def __init__(self, policy: Any) -> None:
        self.policy = policy

    def act(self, observations: np.ndarray) -> np.ndarray:
        """[B, ...] -> [B]."""
        return np.array([self.policy(observation) for observation in observations])
