"""Schelling's curves by playing: what cooperators and defectors earn, by how many defect.

    diagram = play_schelling("govsim_commons_v0", ("restrained", "greedy"), episodes=70)
    print(diagram.table())

T. Schelling, "Hockey Helmets, Concealed Weapons, and Daylight Saving", J. Conflict Resolution 17
(1973).  Of games that can be enumerated `social_dilemmas_env.exact.schelling` knows them exactly.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import social_dilemmas_env as sde
from agents.evaluation.intervals import half_interval
from agents.evaluation.players import player_factory
from agents.evaluation.scoring import play_episodes


@dataclass(frozen=True)
class Point:
    """What is earned an episode where so many defect; NaN for a kind that is not there."""

    defectors: int
    cooperate: tuple[float, float]  # mean return of a cooperator, half of its 95 % interval
    defect: tuple[float, float]  # of a defector
    total: tuple[float, float]  # of all players together


@dataclass(frozen=True)
class Diagram:
    """Schelling's curves of two players.

    Attributes:
        env_id: the game.
        game: its arguments.
        names: who cooperates, and who defects.
        episodes: games for each number of defectors.
        seed: of games and players.
        points: by the number of defectors, 0 .. N.
    """

    env_id: str
    game: Mapping[str, Any]
    names: tuple[str, str]
    episodes: int
    seed: int
    points: Sequence[Point]

    def table(self) -> str:
        """Lines of text, 80 columns wide."""
        cooperate, defect = self.names
        head = f"{'defectors':>9}  {cooperate:>18.18}  {defect:>18.18}  {'all together':>20}"
        rows = [
            f"{point.defectors:>9}  {_pair(point.cooperate):>18}  {_pair(point.defect):>18}"
            f"  {_pair(point.total):>20}"
            for point in self.points
        ]
        note = (
            f"Returns an episode, mean and half of the 95 % interval, {self.episodes} games a "
            f"row, seed {self.seed}."
        )
        return "\n".join([head, *rows, note])

    def json(self) -> dict[str, Any]:
        """Everything, as plain values; None for what is not there."""
        rows = [
            {"defectors": p.defectors}
            | {name: _plain(getattr(p, name)) for name in ("cooperate", "defect", "total")}
            for p in self.points
        ]
        return {
            "env_id": self.env_id,
            "game": dict(self.game),
            "cooperator": self.names[0],
            "defector": self.names[1],
            "episodes": self.episodes,
            "seed": self.seed,
            "rows": rows,
        }


def play_schelling(
    env_id: str,
    names: tuple[str, str],
    *,
    episodes: int = 128,
    seed: int = 0,
    **game_kwargs: Any,
) -> Diagram:
    """Plays all numbers of defectors from none to everybody.

    Seats take turns, so that each is as often a defector's as any other.

    Args:
        env_id: the game.
        names: who cooperates, and who defects: a strategy, bundled:NAME, a run folder or
            FILE.py:NAME.
        episodes: games for each number of defectors, rounded up to a multiple of the players.
        seed: of games and players.
        **game_kwargs: the game's arguments.

    Raises:
        ValueError: an unknown name, a player that cannot play the game, fewer than 2 episodes.
    """
    if episodes < 2:
        raise ValueError(f"episodes must be at least 2, for an interval, got {episodes}")
    makers = [player_factory(name, env_id, game_kwargs) for name in names]
    seats = len(sde.spec(env_id).game(**game_kwargs).num_actions)
    each = -(-episodes // seats)

    points = []
    for defectors in range(seats + 1):
        returns, who = [], []
        for turn in range(seats):
            # The defectors sit side by side, from another seat on each time.
            defects = [(seat - turn) % seats < defectors for seat in range(seats)]
            own = int(sde.draw(seed, defectors, turn))
            players = [makers[d](seat, int(sde.draw(own, seat))) for seat, d in enumerate(defects)]

            how = {"keep_observations": False, **game_kwargs}
            played = play_episodes(env_id, players, each, own, **how)
            returns.append(played["rewards"].sum(0))  # [B, N]
            who.append(np.tile(defects, (each, 1)))
        points.append(_point(defectors, np.concatenate(returns), np.concatenate(who)))

    return Diagram(env_id, game_kwargs, names, each * seats, seed, points)


def _point(defectors: int, returns: np.ndarray, defects: np.ndarray) -> Point:
    """Of returns [B, N] and who defected [B, N]; games are what is independent."""
    found = []
    for kind in (~defects, defects):
        # The mean over players of this kind in each game.
        count = kind.sum(1)
        if not count.any():
            found.append((math.nan, math.nan))
            continue
        mean = (returns * kind).sum(1) / count
        found.append((float(mean.mean()), half_interval(mean)))

    total = returns.sum(1)
    return Point(defectors, found[0], found[1], (float(total.mean()), half_interval(total)))


def _pair(value: tuple[float, float]) -> str:
    """Such as "12.50 ± 0.31"."""
    mean, half = value
    return "-" if math.isnan(mean) else f"{mean:.2f} ± {half:.2f}"


def _plain(value: tuple[float, float]) -> list[float] | None:
    return None if math.isnan(value[0]) else list(value)
