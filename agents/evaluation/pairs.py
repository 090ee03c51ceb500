"""Pairs of a league, many at once: all games of a chunk of pairs in one vector environment.

What happens in a pair depends on its entries, its place and the league's seed, so that a chunk
gives what its pairs give one by one, bit for bit. Trained agents of one architecture compute side
by side (groups.py), scripted players play the games of all their pairs; a pair with anything else
in it, a user's object or function, is played alone.

Shapes  K pairs, B episodes a pair, T steps, N players: entry i is player 0, entry j all the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

import social_dilemmas_env as sde
from agents.evaluation.entrants import Entrant, Forfeit, seat_players
from agents.evaluation.groups import Group, Kind, NotExact, kind_of, make_group, seeds_by_game
from agents.evaluation.scoring import play_episodes

Pair = tuple[int, int]  # places in the table of who is player 0 and who are the others
# Plain values: "means" [2] and "errors" [2] or None, of player 0 and of the others; or "forfeit",
# a name, and "why".
Played = dict[str, Any]

GAMES = 2048  # in one vector environment: more gain nothing


@dataclass(eq=False)
class Roster:
    """A league before it is played.  Compared by identity."""

    entrants: Sequence[Entrant]
    env_id: str
    game: Mapping[str, Any]  # the game's arguments
    episodes: int  # B
    seed: int
    # Groups that were found to compute what their players do; kinds that do not, and play alone.
    watched: set[tuple[Kind, int]] = field(default_factory=set)
    refused: set[Kind] = field(default_factory=set)

    @property
    def settings(self) -> dict[str, Any]:
        """What the result depends on, but for the entries."""
        game = dict(self.game)
        return {
            "env_id": self.env_id, "game": game, "episodes": self.episodes, "seed": self.seed
        }  # fmt: skip

    @cached_property
    def num_actions(self) -> Sequence[int]:
        """Of each seat."""
        return sde.spec(self.env_id).game(**self.game).num_actions

    @cached_property
    def kinds(self) -> list[list[Kind | None]]:
        """By entrant and seat: what it can be grouped with; None where it plays alone."""
        seats = range(len(self.num_actions))
        return [[kind_of(entrant, seat) for seat in seats] for entrant in self.entrants]

    def pairs(self) -> list[Pair]:
        """All of them, in the order of the table."""
        places = range(len(self.entrants))
        return list(product(places, places))

    def seated(self, pair: Pair) -> list[tuple[int, Kind | None]]:
        """Who sits in each seat, and its kind."""
        each = [pair[0], *[pair[1]] * (len(self.num_actions) - 1)]
        kinds = [self.kinds[k][seat] for seat, k in enumerate(each)]
        return [
            (k, None if kind in self.refused else kind) for k, kind in zip(each, kinds, strict=True)
        ]

    def is_grouped(self, pair: Pair) -> bool:
        """Whether a pair can be played beside others."""
        return all(kind is not None for _, kind in self.seated(pair))

    def chunks(self, pairs: Iterable[Pair]) -> list[list[Pair]]:
        """Pairs that are played together: alike ones beside each other, those that play alone last.

        Args:
            pairs: in any order.
        """
        size = max(1, GAMES // self.episodes)
        order = sorted(pairs, key=self._place)
        together = [pair for pair in order if self.is_grouped(pair)]
        alone = [pair for pair in order if not self.is_grouped(pair)]
        return [some[k : k + size] for some in (together, alone) for k in range(0, len(some), size)]

    def _place(self, pair: Pair) -> tuple[Any, ...]:
        return ([repr(kind) for _, kind in self.seated(pair)], pair)

    def seed_of(self, pair: Pair) -> int:
        """It depends on the place only: a forfeit changes no other pair's games."""
        return int(sde.draw(self.seed, *pair))


def play_pairs(roster: Roster, pairs: Sequence[Pair]) -> dict[Pair, Played]:
    """Plays a chunk of a roster's pairs."""
    if all(map(roster.is_grouped, pairs)):
        try:
            return dict(_play_together(roster, pairs))
        except NotExact as refused:
            roster.refused.add(refused.kind)
        except Exception:  # somebody's mistake: alone it is that one's forfeit
            pass
    return {pair: play_pair(roster, pair) for pair in pairs}


def play_pair(roster: Roster, pair: Pair) -> Played:
    """Plays a pair by itself; whatever goes wrong in an entry is its forfeit."""
    first, other = (roster.entrants[k] for k in pair)
    seed = roster.seed_of(pair)
    try:
        players = seat_players(first, other, roster.num_actions)
        how = {"keep_observations": False, **roster.game}
        played = play_episodes(roster.env_id, players, roster.episodes, seed, **how)
    except Forfeit as forfeit:
        return {"forfeit": forfeit.entry, "why": forfeit.message}
    return summary(played["rewards"])


def _play_together(roster: Roster, pairs: Sequence[Pair]) -> Iterator[tuple[Pair, Played]]:
    """Plays pairs in one vector environment.

    Raises:
        NotExact: agents that do not compute side by side what they compute alone.
    """
    games, count = roster.episodes, len(pairs)
    venv = sde.make_vec_env(
        roster.env_id, num_envs=count * games, autoreset="disabled", **roster.game
    )
    steps = venv.max_cycles

    # The seeds of `play_episodes`: a pair's games and players have their own.
    seeds = [roster.seed_of(pair) for pair in pairs]
    seen = venv.reset(seed=seeds_by_game([sde.draw(seed, 0) for seed in seeds], games))[0]
    groups = list(_seat_groups(roster, pairs))
    for seat, group in groups:
        own = [sde.draw(seeds[k], 1, seat) for k in group.pairs]
        group.reset(own, games, steps)

    rewards = []
    actions = np.empty((count * games, len(roster.num_actions)), np.int64)
    for _ in range(steps):
        for seat, group in groups:
            rows = group.rows(games)
            actions[rows, seat] = group.act(np.ascontiguousarray(seen[rows, seat]))
        seen, paid, *_ = venv.step(actions)
        rewards.append(np.array(paid))  # a copy: the batch writes into its arrays again

    roster.watched |= {group.size for _, group in groups}
    stacked = np.stack(rewards)
    for k, pair in enumerate(pairs):
        yield pair, summary(np.ascontiguousarray(stacked[:, k * games : (k + 1) * games]))


def _seat_groups(roster: Roster, pairs: Sequence[Pair]) -> Iterator[tuple[int, Group]]:
    """For each seat, players of one kind in pairs that follow one another."""
    for seat in range(len(roster.num_actions)):
        first = 0
        sitting = [roster.seated(pair)[seat] for pair in pairs]
        for k in range(1, len(pairs) + 1):
            if k < len(pairs) and sitting[k][1] == sitting[first][1]:
                continue
            kind, pairs_here = sitting[first][1], range(first, k)
            if kind is not None:
                entrants = [roster.entrants[entry] for entry, _ in sitting[first:k]]
                watched = (kind, len(pairs_here)) not in roster.watched
                yield seat, make_group(kind, pairs_here, entrants, seat, watched)
            first = k


def summary(rewards: np.ndarray) -> Played:
    """Means and standard errors of a pair.  [T, B, N]."""
    sides = by_side(rewards)
    errors = standard_error(sides)
    none = bool(np.isnan(errors).any())
    return {
        "means": [float(x) for x in sides.mean(0)],
        "errors": None if none else [float(x) for x in errors],
    }


def by_side(rewards: np.ndarray) -> np.ndarray:
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
