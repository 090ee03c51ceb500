"""Anything that plays here as a player of the Axelrod library, and its tournament.

    player = axelrod_player("bundled:loqa_ipd", "ipd_v0")        # an axelrod.Player
    axelrod.Match((player, axelrod.Grudger()), turns=200).play()
    print(axelrod_tournament(["bundled:loqa_ipd", "axelrod:Grudger"], "ipd_v0").table())

The library has its own matches, tournaments, fingerprints and rankings; an agent of ours sees of a
match what it sees of a game: the last joint move, its own first.  The other direction, strategies
of the library in our games, is `opponent="axelrod:NAME"` (strategies/axelrod_player.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

import social_dilemmas_env as sde
from agents.evaluation.players import batch_player
from social_dilemmas_env.extras import need
from social_dilemmas_env.single_agent.players import Place, as_policy
from social_dilemmas_env.strategies.axelrod_player import (
    PREFIX,
    is_axelrod_word,
    library_strategies,
    own_table,
)

MEETS = "a tournament of Axelrod"


@dataclass(frozen=True)
class Ranking:
    """A tournament's result, best first; R repetitions."""

    names: list[str]  # [E]
    scores: np.ndarray  # [E, R], mean score a turn against all others
    cooperation: np.ndarray  # [E], share of moves that cooperate
    wins: np.ndarray  # [E], median number of matches won a repetition
    settings: dict[str, Any]  # what the result depends on

    def table(self) -> str:
        """Rank, name, score and cooperation, as text."""
        width = max(map(len, self.names)) + 1
        lines = [f"      {'':{width}s}{'median score':>14s}{'wins':>7s}{'cooperates':>12s}"]
        for i, name in enumerate(self.names):
            score, share = np.median(self.scores[i]), self.cooperation[i]
            row = f"{score:>14.3f}{self.wins[i]:>7.1f}{share:>12.0%}"
            lines.append(f"{i + 1:4d}  {name:{width}s}{row}")

        turns, repetitions = self.settings["turns"], self.settings["repetitions"]
        note = (
            f"Median over {repetitions} repetitions of the mean score a turn against all others; "
            f"{turns} turns a match; seed {self.settings['seed']}."
        )
        return "\n".join([*lines, "", note])

    def json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "names": self.names,
            "scores": self.scores.tolist(),
            "cooperation": self.cooperation.tolist(),
            "wins": self.wins.tolist(),
            "settings": self.settings,
        }


def axelrod_player(
    entry: Any, env_id: str = "ipd_v0", name: str | None = None, **game_kwargs: Any
) -> Any:
    """An `axelrod.Player` that moves as an entry of ours does.

    Args:
        entry: a word (a strategy, "bundled:NAME", a run folder, "FILE.py:NAME") or an object that
            can play (single_agent/players.py).
        env_id: a matrix game of two players with two moves each.
        name: in tables; that of the entry if None.
        **game_kwargs: the game's arguments.

    Raises:
        ValueError: an unknown name, or another kind of game.
        MissingExtraError: the library is not installed.
    """
    own_table(sde.spec(env_id).game(**game_kwargs), 0)
    _policy(entry, env_id, 0, game_kwargs)  # what is wrong with it is said here, not in a match
    shown = name or (entry if isinstance(entry, str) else type(entry).__name__)
    return _player_class()(entry, env_id, tuple(sorted(game_kwargs.items())), shown)


def axelrod_tournament(
    entries: Sequence[Any],
    env_id: str = "ipd_v0",
    *,
    repetitions: int = 10,
    seed: int = 0,
    **game_kwargs: Any,
) -> Ranking:
    """A round robin of the library: everybody meets everybody else.

    Args:
        entries: as of `axelrod_player`, "axelrod:NAME", or the library's own players.
        env_id: a symmetric matrix game of two players with two moves each; its horizon is the
            length of a match, its payoffs are the scores.
        repetitions: of the round robin.
        seed: fixes everything.
        **game_kwargs: the game's arguments.

    Raises:
        ValueError: fewer than two entries, an unknown name, or another kind of game.
        MissingExtraError: the library is not installed.
    """
    axl = need("axelrod", extra="", what=MEETS)
    rules = sde.spec(env_id).game(**game_kwargs)
    table = own_table(rules, 0)
    if not np.array_equal(table, own_table(rules, 1)):
        raise ValueError(f"{env_id} is not symmetric: a tournament's scores need one table for all")
    if len(entries) < 2:
        raise ValueError("a tournament needs at least two entries")
    players = [_entrant(entry, env_id, game_kwargs) for entry in entries]
    _tell_apart(players)

    # The library plays.
    (r, s), (t, p) = table.tolist()
    plan = {"turns": int(rules.max_cycles), "repetitions": repetitions}
    game = axl.Game(r=r, s=s, t=t, p=p)
    tournament = axl.Tournament(players, game=game, seed=seed % 2**32, **plan)
    results = tournament.play(progress_bar=False)

    # Best first.
    order = results.ranking
    return Ranking(
        [str(players[i].name) for i in order],
        np.array(results.normalised_scores)[order],
        np.array(results.cooperating_rating)[order],
        np.median(np.array(results.wins)[order], axis=1),
        {"env_id": env_id, "game": game_kwargs, **plan, "seed": seed, "axelrod": axl.__version__},
    )


def _tell_apart(players: Sequence[Any]) -> None:
    """A second player of a name becomes "NAME #2": the library goes by names."""
    for i, player in enumerate(players):
        taken = sum(str(other) == str(player) for other in players[:i])
        player.name = f"{player.name} #{taken + 1}" if taken else player.name


def _entrant(entry: Any, env_id: str, game_kwargs: dict[str, Any]) -> Any:
    """A player of the library."""
    axl = need("axelrod", extra="", what=MEETS)
    if isinstance(entry, axl.Player):
        return entry
    if isinstance(entry, str) and is_axelrod_word(entry):
        _policy(entry, env_id, 0, game_kwargs)  # an unknown name is said with its neighbours
        return library_strategies()[entry.removeprefix(PREFIX)]()
    return axelrod_player(entry, env_id, **game_kwargs)


def _policy(entry: Any, env_id: str, seed: int, game_kwargs: Mapping[str, Any]) -> Any:
    """A fresh policy of an entry, in the first seat, for one game."""
    if isinstance(entry, str):
        policy = batch_player(entry, env_id, 0, seed, game_kwargs)
    else:
        policy = as_policy(entry, Place(env_id, 0, dict(game_kwargs), each=True))
    if hasattr(policy, "reset"):
        policy.reset(1, seed)
    return policy


@cache
def _player_class() -> Any:
    """The class, made when the library is first needed."""
    axl = need("axelrod", extra="", what=MEETS)
    actions, base = (axl.Action.C, axl.Action.D), axl.Player

    class DilemmaPlayer(base):  # type: ignore[misc,valid-type]
        """One of ours; the library makes new ones by these arguments, and asks `strategy`."""

        name = "an agent of social_dilemmas_env"
        classifier = {  # noqa: RUF012, as in the library
            "memory_depth": float("inf"),
            "stochastic": True,
            "long_run_time": False,
            "inspects_source": False,
            "manipulates_source": False,
            "manipulates_state": False,
            "makes_use_of": set(),
        }

        def __init__(self, entry: Any, env_id: str, game: tuple[Any, ...], shown: str) -> None:
            super().__init__()
            self.entry, self.env_id, self.game_kwargs = entry, env_id, dict(game)
            self.name, self.policy = shown, None  # made at the start of each match

        def __repr__(self) -> str:
            return str(self.name)

        def strategy(self, opponent: Any) -> Any:
            """The next move, from the last joint move."""
            # What it would see in our game: the start, or the last joint move.
            seen = np.zeros((1, 5), np.float32)
            if self.policy is None or not self.history:
                seed = int(self._random.randint(2**31)) if hasattr(self, "_random") else 0
                self.policy = _policy(self.entry, self.env_id, seed, self.game_kwargs)
                seen[0, 0] = 1
            else:
                own, other = self.history[-1], opponent.history[-1]
                seen[0, 1 + 2 * actions.index(own) + actions.index(other)] = 1
            policy: Any = self.policy
            return actions[int(np.asarray(policy.act(seen))[0])]

    return DilemmaPlayer
