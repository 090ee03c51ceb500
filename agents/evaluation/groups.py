"""Players of one kind in many pairs of a league, as one.

A group's games depend on their own seeds alone, and come out as they would in each pair by itself:
scripted players compute with integers; networks multiply their matrices one parameter set at a
time (bmm), which gives the bits of one set alone. That is looked at where a group plays for the
first time, in its first and its last pair, and a kind that fails plays alone (`NotExact`): which
instructions a processor multiplies with is its own affair.

Shapes  K pairs, B episodes a pair, T steps, A actions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from typing_extensions import override

import social_dilemmas_env as sde
from agents.evaluation.entrants import Entrant
from social_dilemmas_env.strategies import STRATEGIES

Kind = tuple[Any, ...]


class NotExact(Exception):
    """Agents of a kind do not compute side by side what they compute alone."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(f"{kind[0]} agents compute other bits side by side")
        self.kind = kind


class Group(ABC):
    """The players of one seat in pairs that follow one another.

    Args:
        kind: of the players.
        pairs: which of a chunk's pairs.
        players: of each pair; those of one kind, so that the first of them may play for all.
    """

    def __init__(self, kind: Kind, pairs: range, players: Sequence[Any]) -> None:
        self.kind, self.pairs, self.players = kind, pairs, players

    @property
    def size(self) -> tuple[Kind, int]:
        """What it depends on whether it computes what its players do."""
        return self.kind, len(self.pairs)

    def rows(self, games: int) -> slice:
        """The games of its pairs among those of all, of B games a pair."""
        return slice(self.pairs.start * games, self.pairs.stop * games)

    @abstractmethod
    def reset(self, seeds: Sequence[int], games: int, steps: int) -> None:
        """Begins an episode in all games.

        Args:
            seeds: [K], as each pair's player would be given it.
            games: B.
            steps: T.
        """

    @abstractmethod
    def act(self, observations: np.ndarray) -> np.ndarray:
        """[K B, ...] -> [K B].

        Raises:
            NotExact: while it is watched, it does not compute what its players do.
        """


class ScriptedGroup(Group):
    """A strategy in many pairs: it plays all their games."""

    @override
    def reset(self, seeds: Sequence[int], games: int, steps: int) -> None:
        self.players[0].reset(len(seeds) * games, seeds_by_game(seeds, games))

    @override
    def act(self, observations: np.ndarray) -> np.ndarray:
        actions: np.ndarray = self.players[0].act(observations)
        return actions


def seeds_by_game(seeds: Sequence[int], games: int) -> list[int]:
    """Each game's own seed, of K batches of B games with one seed each.  [K B]."""
    each = [sde.draw(seed, np.arange(games)) for seed in seeds]
    return [int(seed) for some in each for seed in some]


def kind_of(entrant: Entrant, seat: int) -> Kind | None:
    """What an entrant can be grouped with in a seat; None where it must play alone."""
    try:
        player = entrant.make(seat, 0)
    except Exception:  # a stranger's code may raise anything; it forfeits where it plays
        return None
    if type(player) in _SCRIPTED:
        return "scripted", entrant.name
    return _agents().kind_of_agent(player, entrant.name) if hasattr(player, "agent") else None


def make_group(
    kind: Kind, pairs: range, entrants: Sequence[Entrant], seat: int, watched: bool
) -> Group:
    """The group of entrants of one kind.

    Args:
        kind: of all of them in this seat.
        pairs: which of a chunk's pairs.
        entrants: who sits in each.
        seat: where.
        watched: whether to look that it computes what its players do.
    """
    if kind[0] == "scripted":
        return ScriptedGroup(kind, pairs, [entrants[0].make(seat, 0)])
    made = {entrant.name: entrant.make(seat, 0) for entrant in entrants}
    players = [made[entrant.name] for entrant in entrants]
    group: Group = _agents().AgentGroup(kind, pairs, players, watched)
    return group


def _agents() -> Any:
    """The groups of trained agents."""
    # Inside: torch stays unloaded for entries that do not use it.
    from agents.evaluation import agent_groups

    return agent_groups


_SCRIPTED = {cls for classes in STRATEGIES.values() for cls in classes}
