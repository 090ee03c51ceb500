"""What pola_ipd and pola_coin share: training an arm, and scoring its players on the way.

The training is in a folder that survives a kill. A score is a mean reward a step, of fresh
episodes: of the two players of a run against each other ("self"), and of each of them, in its own
seat, against always-defect and always-cooperate (mean of the two).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import social_dilemmas_env as sde
from agents.evaluation.agent import AgentPlayer
from agents.evaluation.scoring import play_episodes
from benchmarks.harness.benchmark import Cell, Result, Row, Settings, pick_settings
from benchmarks.harness.plots import BLACK, BLUE, GREEN, ORANGE, RED, make_axes, save_figure
from benchmarks.harness.policies import TrainedRun, players_of, read_run
from benchmarks.harness.resumable_training import train_in_stages, training_folder
from social_dilemmas_env.metrics import coin_pickups

Scores = Mapping[str, Mapping[str, float]]
ARMS = {
    "POLA-DiCE": "pola_dice",
    "POLA-OM": "pola_om",
    "LOLA-DiCE": "lola_dice_gru",
    "LOLA-DiCE, one Adam": "lola_dice_gru",
    "naive": "naive_pg_gru",
}
COLORS = dict(zip(ARMS, (BLUE, GREEN, RED, ORANGE, BLACK), strict=True))
# One Adam: kept for the whole run. The authors create it anew at each update, which makes
# LOLA-DiCE's step α sign(gradient).
CHANGES: dict[str, dict[str, Any]] = {"LOLA-DiCE, one Adam": {"reset_optimiser": False}}
OPPONENTS = ("always_defect", "always_cooperate")


def build_cell(
    name: str, settings: Settings, game: Mapping[str, Any], rows: tuple[Row, ...]
) -> Cell:
    """One arm.

    Args:
        name: of the arm.
        settings: of the benchmark.
        game: "env_id", "game" (its arguments) and "own", the learner's settings.
        rows: of the arm.
    """
    own = pick_settings(settings, "iterations", "points", "episodes", "device")
    own |= {"learner": ARMS[name], **game}
    size = settings["batch"] * settings["horizon"] * settings["hidden"]
    cost = settings["iterations"] * size * 8e-7
    return Cell(name, own, settings["runs"], rows, chunk=settings["chunk"], cost=cost)


def build_rows(
    name: str,
    quantities: Sequence[str],
    paper: Scores,
    targets: Mapping[str, tuple[float, float]],
    notes: Mapping[str, str] | None = None,
) -> tuple[Row, ...]:
    """A row for each score of an arm."""
    published = paper.get(name, {})
    rows = []
    for quantity in quantities:
        label = f"{name} {quantity}"
        more: dict[str, Any] = {"target": targets.get(label), "note": (notes or {}).get(label, "")}
        number = published.get(quantity)
        rows.append(Row(label, number, quantity, paper_runs=10, digits=3, **more))
    return tuple(rows)


def score(settings: Settings, runs: int, seed: int, *, name: str) -> Result:
    """Trains `runs` runs side by side, scoring them at `points` points.

    Samples are the last scores.
    """
    folder = training_folder(name, settings, runs, seed)
    arguments = {"seed": seed, "device": settings["device"], "runs": runs}
    arguments |= {**settings["game"], **settings["own"]}

    # Points at equal distances, the last one at the end.
    last, points = settings["iterations"], settings["points"]
    stages = sorted({max(1, round(last * k / points)) for k in range(1, points + 1)})

    # Learn side by side, score one by one.
    evaluate = partial(score_runs, runs=runs, episodes=settings["episodes"], seed=seed)
    learner, env_id = settings["learner"], settings["env_id"]
    training = train_in_stages(folder, stages, evaluate, learner, env_id, **arguments)
    scores = [evaluation for _, evaluation in training]
    means = {key: [sum(point[key]) / runs for point in scores] for key in scores[-1]}
    return {"samples": scores[-1], "curves": {**means, "iteration": stages}}


def score_runs(run_folder: Path, runs: int, episodes: int, seed: int) -> dict[str, list[float]]:
    """Scores of every run of a run folder's last checkpoint."""
    training = read_run(run_folder)
    scores = [
        score_players(players_of(run_folder, run=r), training, episodes, seed) for r in range(runs)
    ]
    return {key: [each[key] for each in scores] for key in scores[0]}


def score_players(
    agents: list[Any], training: TrainedRun, episodes: int, seed: int
) -> dict[str, float]:
    """Scores of one run's players."""
    env_id, game = training.env_id, training.game
    players = [AgentPlayer(agent) for agent in agents]

    def play_seats(seats: list[Any]) -> dict[str, np.ndarray]:
        length = training.settings["horizon"]
        return play_episodes(env_id, seats, episodes, seed, **game, max_cycles=length)

    # Against each other.
    games = play_seats(players)
    scores = {"self": float(games["rewards"].mean())}
    if env_id == "coin_game_v0":
        rules: Any = sde.spec(env_id).game(**game)
        own, other = (kind.sum() for kind in coin_pickups(rules, games["observations"][:, :, 0]))
        scores["own share"] = float(own / max(1.0, own + other))

    # Each in its own seat against scripted players.
    for name in OPPONENTS:
        total = 0.0
        for i in range(2):
            seats: list[Any] = list(players)
            seats[1 - i] = sde.make_strategy(name, env_id, player=1 - i, **game)
            total += float(play_seats(seats)["rewards"][..., i].mean()) / 2
        scores[f"vs {name}"] = total
    return scores


def plot_curves(
    result: Result, path: Path, quantities: Mapping[str, str], published: Scores
) -> None:
    """A panel for each quantity: learning curves of all arms.

    The published end values are diamonds at the right.
    """
    figure, panels = make_axes(len(quantities), width=4.6)
    curves = result["curves"]
    for panel, (key, title) in zip(panels, quantities.items(), strict=True):
        end: dict[str, Any] = {"markersize": 5, "clip_on": False}
        end["transform"] = panel.get_yaxis_transform()
        for name in [name for name in COLORS if name in curves]:
            color, number = COLORS[name], published.get(name, {}).get(key)
            panel.plot(curves[name]["iteration"], curves[name][key], color=color, label=name)
            if number is not None:
                panel.plot(1.02, number, "D", color=color, **end)
        panel.set(title=title, xlabel="outer steps")

    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    save_figure(figure, path)
