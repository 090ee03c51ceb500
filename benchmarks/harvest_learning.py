"""What learners make of the commons: seven of them, from nothing, on `commons_harvest_v0` (open).

    ippo, shared      independent PPO, one network for all players
    ippo, separate    a network each
    ippo, aligned     one network, with Advantage Alignment's term at weight 1
    others' PPO       Stable-Baselines3's and TorchRL's through our adapters (harvest_trainers.py),
                      the same settings and fewer updates
    scripted          all greedy, all restrained, all random: where learners stand

All of an episode of 1,000 steps, seven players; policies draw their actions, as they do in
training. Networks are MLPs of class ids; settings are the learner's own defaults for the commons,
except for what a row names; nothing was tuned. An update is 8 episodes: 56,000 moves of players.

    apples            a head: the return of a player, mean of the seven
    equality          1 - Gini coefficient of the returns
    sustainability    mean step at which apples are eaten: 500 where they last, 0 of no apple
    left              ripe apples on the map in the end, of 64
    shots             of a player, in 100 steps

Target: more than 20 apples a head, which random play earns and which is twice what all greedy earn;
below, nothing was learned about the commons. It was written down before anything was trained to its
end. Trained networks also sit among restrained players (Schelling's diagram, right) and among
greedy ones. Melting Pot's published returns on this map (10 to 11 a head) are against its own bots,
another task.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

import social_dilemmas_env as sde
from agents.evaluation.agent import AgentPlayer, TrainedAgent
from agents.learners.ippo.playing import planes
from benchmarks.harness.benchmark import Benchmark, Cell, Result, Row, Settings, pick_settings
from benchmarks.harness.plots import (
    BLUE,
    GREEN,
    ORANGE,
    PAPER,
    PINK,
    RED,
    SKY,
    YELLOW,
    make_axes,
    save_figure,
    tabulate_ours,
)
from benchmarks.harness.policies import players_of, read_run
from benchmarks.harness.resumable_training import train_in_stages, training_folder
from benchmarks.harvest_trainers import TRAINERS, Seat
from social_dilemmas_env.games.commons.harvest import RIPE
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
MIXTURES = (1, 3, 5)  # trained players among restrained ones
SETTINGS = {
    "runs": 2,
    "scripted_runs": 128,
    "iterations": 25,
    "trainer_iterations": 10,
    "every": 5,  # iterations between two points of the learning curve
    "stage_episodes": 8,
    "episodes": 32,
    "mixed_episodes": 28,
    "steps": 1000,
    "batch": 8,
}
OWN = ["iterations", "every", "stage_episodes", "episodes", "mixed_episodes", "steps", "batch"]
OWN.append("device")  # settings of a training
SMALL = {
    "scripted_runs": 2,
    "iterations": 2,
    "trainer_iterations": 2,
    "every": 1,
    "stage_episodes": 2,
    "episodes": 2,
    "mixed_episodes": 7,
    "steps": 20,
    "batch": 2,
}


def cells(settings: Settings) -> list[Cell]:
    """A cell for each learner, ours and others', and for each kind of scripted players."""
    found = []
    for name in LEARNERS:
        own = {"learner": name, **pick_settings(settings, *OWN)}
        found.append(Cell(name, own, settings["runs"], build_rows(name), chunk=1, cost=600.0))

    for name in TRAINERS:
        own = {"trainer": name, **pick_settings(settings, *OWN)}
        own["iterations"] = settings["trainer_iterations"]
        found.append(Cell(name, own, settings["runs"], build_rows(name), chunk=1, cost=400.0))

    for name in SCRIPTED:
        own = {"players": name, "steps": settings["steps"]}
        rows, count = build_rows(f"all {name}"), "scripted_runs"
        found.append(Cell(f"all {name}", own, settings[count], rows, cost=0.2, count=count))
    return found


def build_rows(name: str) -> tuple[Row, ...]:
    """What a society of seven earns, and how; of learners also one among others."""
    rows = [Row(f"{name}: {q}", None, q, digits=d) for q, d in QUANTITIES.items()]
    if not name.startswith("all "):
        rows[0] = Row(f"{name}: apples", None, "apples", target=TARGET, digits=1)
        for others in ("greedy", "restrained"):
            label = f"{name}: apples of one among six {others}"
            rows.append(Row(label, None, f"among {others}", digits=1))
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
    game: Any = sde.spec(HARVEST).game()
    return [Resident(agent, len(game.classes)) for agent in players_of(run_folder)]


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
    found |= {"sustainability": np.nan_to_num(sustainability(earned)), "shots": 100 * shots / steps}
    return {**found, "returns": returns, "left over time": np.stack(left, 1)}


def ripe(venv: Any) -> np.ndarray:
    """Ripe apples of each game.  [B]."""
    parts = [name for name, *_ in venv.game.parts]
    board = dict(zip(parts, venv.running.encoded, strict=True))
    return np.asarray((board["apple"] == RIPE).sum(0))


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
        return np.asarray(np.where(self._mask, trained, other))


def play_mixture(
    trained: Sequence[Any], others: str, count: int, settings: Settings, seed: int
) -> tuple[float, float]:
    """What `count` trained players (1 to 6) and the others earn, a head.

    The trained sit side by side, from another seat on in each game.
    """
    games, steps = settings["mixed_episodes"], settings["steps"]
    turns, seats = np.arange(games)[:, None], np.arange(SEATS)
    learned = (seats - turns) % SEATS < count  # [B, N]

    pairs = zip(trained, scripted(others), learned.T, strict=True)
    returns = play([Either(*each) for each in pairs], games, steps, seed)["returns"]
    return float(returns[learned].mean()), float(returns[~learned].mean())


# --------------------------------------------------------------------------------------- scoring


def score(settings: Settings, runs: int, seed: int) -> Result:
    """Scripted players of many episodes, or one training."""
    if "players" in settings:
        found = play(scripted(settings["players"]), runs, settings["steps"], seed)
        samples = {name: found[name].tolist() for name in QUANTITIES}
        return {"samples": samples, "curves": {"left": found["left over time"].mean(0)}}

    assert runs == 1, "cells have chunks of one run"
    if "trainer" in settings:
        return score_trainer(settings, seed)
    folder = training_folder("harvest_learning", settings, runs, seed)
    stages = list(train_stages(folder, settings, seed))
    trained = residents(next(folder.glob("*/run")))
    return summary(trained, stages, settings, seed)


def score_trainer(settings: Settings, seed: int) -> Result:
    """One training by somebody else's PPO, which begins anew after an interruption."""
    batch, steps, every = (settings[name] for name in ("batch", "steps", "every"))
    game: Any = sde.spec(HARVEST).game()
    stages, seats = [], []

    acts = TRAINERS[settings["trainer"]](HARVEST, batch, steps, seed)
    for k, act in enumerate(islice(acts, settings["iterations"]), 1):
        seats = [Seat(act, len(game.classes)) for _ in range(SEATS)]
        if k % every == 0 or k == settings["iterations"]:
            looked = play(seats, settings["stage_episodes"], steps, sde.draw(seed, k))
            stages.append(means(looked))
    return summary(seats, stages, settings, seed)


def stages_of(settings: Settings) -> list[int]:
    """The updates after which learning is looked at."""
    every, last = settings["every"], settings["iterations"]
    return [*range(every, last, every), last]


def train_stages(folder: Path, settings: Settings, seed: int) -> Iterator[dict[str, float]]:
    """Trains, and yields what `evaluate` says every so many iterations."""
    how = pick_settings(settings, "batch", "device") | {"horizon": settings["steps"], "seed": seed}
    how |= LEARNERS[settings["learner"]]
    look = partial(evaluate, episodes=settings["stage_episodes"])
    for _, found in train_in_stages(folder, stages_of(settings), look, "ippo", HARVEST, **how):
        yield found


def evaluate(run_folder: Path, episodes: int) -> dict[str, float]:
    """A point of the learning curves."""
    run = read_run(run_folder)
    steps, seed = run.settings["horizon"], sde.draw(run.seed, run.iterations)
    return means(play(residents(run_folder), episodes, steps, seed))


def means(by_game: dict[str, np.ndarray]) -> dict[str, float]:
    """Of each quantity, over games."""
    return {name: float(by_game[name].mean()) for name in QUANTITIES}


def summary(
    trained: Sequence[Any], stages: list[dict[str, float]], settings: Settings, seed: int
) -> Result:
    """Samples and curves of one trained society."""
    alone = play(trained, settings["episodes"], settings["steps"], sde.draw(seed, 1))
    samples = {name: [mean] for name, mean in means(alone).items()}

    # Some trained ones among the others.
    points = [
        play_mixture(trained, "restrained", count, settings, sde.draw(seed, 2, count))
        for count in MIXTURES
    ]
    mine, theirs = zip(*points, strict=True)
    greedy, _ = play_mixture(trained, "greedy", 1, settings, sde.draw(seed, 3))
    samples |= {"among restrained": [mine[0]], "among greedy": [greedy]}

    curves: dict[str, Any] = {name: [each[name] for each in stages] for name in QUANTITIES}
    curves |= {"left over time": alone["left over time"].mean(0), "updates": stages_of(settings)}
    return {"samples": samples, "curves": {**curves, "trained": mine, "others": theirs}}


def plot(result: Result, path: Path) -> None:
    """Learning curves, what is left of the apples, and trained players among restrained ones."""
    figure, axes = make_axes(3)
    ours, curves = tabulate_ours(result), result["curves"]
    colors = (BLUE, GREEN, PINK, SKY, YELLOW)
    for name, color in zip((*LEARNERS, *TRAINERS), colors, strict=True):
        own = curves.get(name, {})
        if "apples" in own:
            axes[0].plot(own["updates"], own["apples"], color=color, marker="o", label=name)
            draw_left(axes[1], own["left over time"], color, name)
            earned = [*own["trained"], ours[f"{name}: apples"]]
            axes[2].plot([*MIXTURES, SEATS], earned, color=color, label=name)
            axes[2].plot(MIXTURES, own["others"], color=color, ls=":")

    # Where scripted players stand.
    for name, color in zip(SCRIPTED, (PAPER, RED, ORANGE), strict=True):
        mean = ours.get(f"all {name}: apples")
        if mean is not None:
            axes[0].axhline(mean, color=color, ls="--", lw=1, label=f"all {name}")
            draw_left(axes[1], curves[f"all {name}"]["left"], color, f"all {name}")
    axes[2].axhline(ours.get("all restrained: apples") or 0, color=ORANGE, ls="--", lw=1)

    for axis in (axes[0], axes[2]):
        axis.set(ylabel="apples a head", yscale="log")
        axis.set_yticks((10, 20, 40, 80), ("10", "20", "40", "80"))
        axis.minorticks_off()
    axes[0].set(title="Learning", xlabel="updates")
    axes[1].set(title="What is left", xlabel="step", ylabel="ripe apples")
    axes[2].set(title="Trained (lines) among restrained (dots)", xlabel="trained among seven")
    for axis in axes[:2]:
        axis.legend(fontsize=7, loc="center right")
    save_figure(figure, path)


def draw_left(axis: Any, curve: Sequence[float], color: str, name: str) -> None:
    """Ripe apples over time."""
    axis.plot(np.arange(1, len(curve) + 1) * EVERY, curve, color=color, label=name)


BENCHMARK = Benchmark(
    name="harvest_learning",
    title="Seven learners on the commons: what they earn and what they leave",
    source="ours; the game: Perolat et al. 2017, https://arxiv.org/abs/1707.06600, as Melting Pot "
    "2.4.1 plays it; the learners: https://arxiv.org/abs/1707.06347 and "
    "https://arxiv.org/abs/2406.14662",
    settings=SETTINGS,
    small=SMALL,
    cells=cells,
    score=score,
    plot=plot,
)
