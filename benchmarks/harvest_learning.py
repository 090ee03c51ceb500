"""What learners make of the commons: seven of them, from nothing, on `commons_harvest_v0` (open).

    ippo, shared      independent PPO, one network for all players
    ippo, separate    a network each
    ippo, aligned     one network, with Advantage Alignment's term at weight 1
    scripted          all greedy, all restrained, all random: where learners stand

All of an episode of 1,000 steps, seven players; policies draw their actions, as they do in
training. Networks are MLPs of class ids; settings are the learner's own defaults for the commons,
except for what a row names; nothing was tuned.

    apples            a head: the return of a player, mean of the seven
    equality          1 - Gini coefficient of the returns
    sustainability    mean step at which apples are eaten; of 500 where they last
    left              ripe apples on the map in the end, of 64
    shots             of a player, in 100 steps

Target: 20 apples a head, twice what all greedy earn; below, nothing was learned about the commons.
It was written down before the first training. Trained networks also sit among restrained and among
greedy players, by how many (Schelling's diagram, right). Melting Pot's published returns on this
map (10 to 11 a head) are against its own bots, and another task.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

import social_dilemmas_env as sde
from agents.evaluation.agent import AgentPlayer, TrainedAgent
from agents.learners.ippo.playing import planes
from benchmarks.harness.benchmark import Benchmark, Cell, Result, Row, Settings, pick_settings
from benchmarks.harness.plots import BLACK, BLUE, GREEN, ORANGE, RED, make_axes, save_figure
from benchmarks.harness.policies import players_of, read_run
from benchmarks.harness.resumable_training import train_in_stages, training_folder
from social_dilemmas_env.social_metrics import equality, sustainability

HARVEST, SEATS = "commons_harvest_v0", 7
LEARNERS: dict[str, dict[str, Any]] = {  # what differs from the learner's defaults
    "ippo, shared": {},
    "ippo, separate": {"shared": False},
    "ippo, aligned": {"alignment": 1.0},
}
SCRIPTED = ("random", "greedy", "restrained")
QUANTITIES = {"apples": 1, "equality": 2, "sustainability": 0, "left": 1, "shots": 1}  # digits
TARGET = (20.0, 100.0)  # apples a head
EVERY = 50  # steps between two looks at what is left
SETTINGS = {
    "runs": 2,
    "scripted_runs": 128,
    "iterations": 60,
    "every": 5,  # iterations between two points of the learning curve
    "stage_episodes": 8,
    "episodes": 64,
    "mixed_episodes": 28,
    "steps": 1000,
    "batch": 8,
}
SMALL = {
    "scripted_runs": 2,
    "iterations": 2,
    "every": 1,
    "stage_episodes": 2,
    "episodes": 2,
    "mixed_episodes": 7,
    "steps": 20,
    "batch": 2,
}


def cells(settings: Settings) -> list[Cell]:
    """A cell for each learner, and for each kind of scripted players."""
    names = ("iterations", "every", "stage_episodes", "episodes", "mixed_episodes", "steps", "batch", "device")
    found = []
    for name in LEARNERS:
        own = {"learner": name, **pick_settings(settings, *names)}
        found.append(Cell(name, own, settings["runs"], build_rows(name), chunk=1, cost=600.0))

    for name in SCRIPTED:
        own = {"players": name, "steps": settings["steps"]}
        rows, count = build_rows(f"all {name}"), "scripted_runs"
        found.append(Cell(f"all {name}", own, settings[count], rows, cost=0.2, count=count))
    return found


def build_rows(name: str) -> tuple[Row, ...]:
    """What a society of seven earns, and how; of learners also one among others."""
    rows = [Row(f"{name}: {q}", None, q, digits=d) for q, d in QUANTITIES.items()]
    if name in LEARNERS:
        rows[0] = Row(f"{name}: apples", None, "apples", target=TARGET, digits=1)
        for others in ("greedy", "restrained"):
            label = f"{name}: apples of one among six {others}"
            rows.append(Row(label, None, f"among {others}", digits=1))
        rows.append(Row(f"{name}: core-s", None, "core-s", digits=0, unit="s"))
    return tuple(rows)


# ---------------------------------------------------------------------------------------- playing


class Resident:
    """A trained agent in a seat, which is shown class ids.

    Args:
        agent: who plays.
        classes: how many there are.
    """

    def __init__(self, agent: TrainedAgent, classes: int) -> None:
        self._player, self._classes = AgentPlayer(agent), classes

    def reset(self, num_games: int, seed: int | None = None) -> None:
        """Begins episodes in all games."""
        self._player.reset(num_games, seed)

    def act(self, ids: np.ndarray) -> np.ndarray:
        """[B, 11, 11] -> [B]."""
        seen = planes(torch.from_numpy(ids).flatten(1), self._classes)
        return np.asarray(self._player.act(seen))


def scripted(name: str) -> list[Any]:
    """A strategy in every seat."""
    return [sde.make_strategy(name, HARVEST, player=i) for i in range(SEATS)]


def residents(run_folder: Path) -> list[Any]:
    """The trained agents of a run, by seat."""
    classes = len(sde.spec(HARVEST).game().classes)
    return [Resident(agent, classes) for agent in players_of(run_folder)]


def play(players: Sequence[Any], episodes: int, steps: int, seed: int) -> dict[str, np.ndarray]:
    """One episode in each of B games.

    Args:
        players: one a seat.
        episodes: B.
        steps: of an episode.
        seed: of games and players.

    Returns:
        "returns" [B, N], each of QUANTITIES [B], and "left over time" [B, steps / EVERY].
    """
    how: dict[str, Any] = {"obs_mode": "uint8", "autoreset": "disabled", "max_cycles": steps}
    venv = sde.make_vec_env(HARVEST, episodes, **how)
    seen, _ = venv.reset(seed=sde.draw(seed, 0))
    for i, player in enumerate(players):
        player.reset(episodes, sde.draw(seed, 1, i))

    rewards, shots, left = [], np.zeros(episodes), []
    for t in range(steps):
        actions = np.stack([p.act(seen[:, i]) for i, p in enumerate(players)], 1)
        seen, paid, *_ = venv.step(actions)
        rewards.append(np.array(paid))
        shots += (actions == 7).mean(1)
        if (t + 1) % EVERY == 0 or t == steps - 1:
            left.append(ripe(venv))

    earned = np.stack(rewards)
    returns = earned.sum(0)
    found = {"apples": returns.mean(1), "equality": equality(returns), "left": left[-1]}
    found |= {"sustainability": sustainability(earned), "shots": 100 * shots / steps}
    return {**found, "returns": returns, "left over time": np.stack(left, 1)}


def ripe(venv: Any) -> np.ndarray:
    """Ripe apples of each game.  [B]."""
    parts = [name for name, *_ in venv.game.parts]
    board = dict(zip(parts, venv.running.encoded, strict=True))
    return np.asarray((board["apple"] == RIPE).sum(0))


RIPE = 4  # of an apple's cell; `commons_harvest_v0`'s encoding


class Either:
    """One of two players in a seat, by game.

    Args:
        trained: who plays where `mask` says so.
        other: who plays elsewhere.
        mask: bool [B].
    """

    def __init__(self, trained: Any, other: Any, mask: np.ndarray) -> None:
        self._both, self._mask = (trained, other), mask

    def reset(self, num_games: int, seed: int | None = None) -> None:
        """Begins episodes in all games."""
        for player in self._both:
            player.reset(num_games, seed)

    def act(self, ids: np.ndarray) -> np.ndarray:
        """[B, 11, 11] -> [B]."""
        trained, other = (player.act(ids) for player in self._both)
        return np.where(self._mask, trained, other)


def play_mixture(
    trained: Sequence[Any], others: str, count: int, settings: Settings, seed: int
) -> tuple[float, float]:
    """What `count` trained players and the others earn, a head; NaN where there are none.

    The trained sit side by side, from another seat on in each game.
    """
    games, steps = settings["mixed_episodes"], settings["steps"]
    turns, seats = np.arange(games)[:, None], np.arange(SEATS)
    learned = (seats - turns) % SEATS < count  # [B, N]

    pairs = zip(trained, scripted(others), learned.T, strict=True)
    returns = play([Either(*each) for each in pairs], games, steps, seed)["returns"]
    kinds = (returns[learned], returns[~learned])
    mine, theirs = (float(each.mean()) if each.size else np.nan for each in kinds)
    return mine, theirs


# --------------------------------------------------------------------------------------- scoring


def score(settings: Settings, runs: int, seed: int) -> Result:
    """Scripted players of many episodes, or one training."""
    if "players" in settings:
        found = play(scripted(settings["players"]), runs, settings["steps"], seed)
        samples = {name: found[name].tolist() for name in QUANTITIES}
        return {"samples": samples, "curves": {"left": found["left over time"].mean(0)}}

    assert runs == 1, "cells have chunks of one run"
    folder = training_folder("harvest_learning", settings, runs, seed)
    stages = list(train_stages(folder, settings, seed))
    trained = residents(next(folder.glob("*/run")))
    return summary(trained, stages, settings, seed)


def train_stages(folder: Path, settings: Settings, seed: int) -> Iterator[dict[str, float]]:
    """Trains, and yields what `evaluate` says every so many iterations."""
    every, last = settings["every"], settings["iterations"]
    stages = [*range(every, last, every), last]
    how = pick_settings(settings, "batch", "device") | {"horizon": settings["steps"], "seed": seed}
    how |= LEARNERS[settings["learner"]]
    look = partial(evaluate, clock=Clock(), episodes=settings["stage_episodes"])
    for _, found in train_in_stages(folder, stages, look, "ippo", HARVEST, **how):
        yield found


class Clock:
    """Computing time of this process since it was asked last."""

    def __init__(self) -> None:
        self._since = time.process_time()

    def part(self) -> float:
        """Core-seconds."""
        before, self._since = self._since, time.process_time()
        return self._since - before


def evaluate(run_folder: Path, clock: Clock, episodes: int) -> dict[str, float]:
    """A point of the learning curves, and the core-seconds of the training that led there."""
    spent, run = clock.part(), read_run(run_folder)
    steps: int = run.settings["horizon"]
    found = play(residents(run_folder), episodes, steps, sde.draw(run.seed, run.iterations))
    clock.part()
    return {"core-s": spent, **{name: float(np.nanmean(found[name])) for name in QUANTITIES}}


def summary(
    trained: Sequence[Any], stages: list[dict[str, float]], settings: Settings, seed: int
) -> Result:
    """Samples and curves of one trained society."""
    alone = play(trained, settings["episodes"], settings["steps"], sde.draw(seed, 1))
    samples = {name: [float(np.nanmean(alone[name]))] for name in QUANTITIES}
    samples["core-s"] = [sum(each["core-s"] for each in stages)]

    # Among others; 0 trained are the others alone, 7 are in `alone`.
    points = [
        play_mixture(trained, "restrained", count, settings, sde.draw(seed, 2, count))
        for count in range(SEATS + 1)
    ]
    mine, theirs = zip(*points, strict=True)
    greedy, _ = play_mixture(trained, "greedy", 1, settings, sde.draw(seed, 3))
    samples |= {"among restrained": [mine[1]], "among greedy": [greedy]}

    curves = {name: [each[name] for each in stages] for name in QUANTITIES}
    curves |= {"left over time": alone["left over time"].mean(0)}
    return {"samples": samples, "curves": {**curves, "trained": mine[1:], "others": theirs[:-1]}}
