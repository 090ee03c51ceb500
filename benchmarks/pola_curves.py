"""What pola_ipd and pola_coin share: training an arm in a folder that survives a kill, and scoring
its players on the way.

A score is a mean reward a step, of fresh episodes: of the two players of a run against each other
("self"), and of each of them, in its own seat, against always-defect and always-cooperate (mean of
the two).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.harness.benchmark import Cell, Row, Settings
from benchmarks.harness.plots import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    RED,
    axes,
    save,
)
from benchmarks.harness.resumable_training import folder_of, stages

ARMS = {"POLA-DiCE": "pola_dice", "POLA-OM": "pola_om", "LOLA-DiCE": "lola_dice_gru", "LOLA-DiCE, one Adam": "lola_dice_gru",
        "naive": "naive_pg_gru"}  # fmt: skip
Scores = Mapping[str, Mapping[str, float]]
COLORS = dict(zip(ARMS, (BLUE, GREEN, RED, ORANGE, BLACK), strict=True))
# One Adam: kept for the whole run. The authors create it anew at each update, which makes
# LOLA-DiCE's step α sign(gradient).
CHANGES: dict[str, dict[str, Any]] = {"LOLA-DiCE, one Adam": {"reset_optimiser": False}}


def cell(
    arm: tuple[str, str], settings: Settings, where: Mapping[str, Any], rows: tuple[Row, ...]
) -> Cell:
    """Of one arm (name, learner); `where` says the game and the learner's settings."""
    told = {key: settings[key] for key in ("iterations", "points", "episodes", "device")} | {
        "learner": arm[1],
        **where,
    }
    cost = (
        settings["iterations"] * settings["batch"] * settings["horizon"] * settings["hidden"] * 8e-7
    )
    return Cell(arm[0], told, settings["runs"], rows, chunk=settings["chunk"], cost=cost)


def rows_of(
    name: str,
    quantities: list[str],
    paper: Scores,
    targets: Mapping[str, Any],
    notes: Mapping[str, str],
) -> tuple[Row, ...]:
    """A row for each score of an arm."""
    labels = {quantity: f"{name} {quantity}" for quantity in quantities}
    return tuple(
        Row(
            label,
            paper.get(name, {}).get(q),
            q,
            target=targets.get(label),
            note=notes.get(label, ""),
            paper_runs=10,
            digits=3,
        )
        for q, label in labels.items()
    )


def score(settings: Settings, runs: int, seed: int, *, name: str) -> dict[str, Any]:
    """Trains `runs` runs side by side, scoring them at `points` points.

    Samples are the last scores.
    """
    folder = folder_of(name, settings, runs, seed)
    how = {
        "seed": seed,
        "device": settings["device"],
        "runs": runs,
        **settings["game"],
        **settings["own"],
    }
    at = sorted(
        {
            max(1, round(settings["iterations"] * k / settings["points"]))
            for k in range(1, settings["points"] + 1)
        }
    )
    look = partial(scores, runs=runs, episodes=settings["episodes"], seed=seed)
    curve = [
        found
        for _, found in stages(folder, at, look, settings["learner"], settings["env_id"], **how)
    ]
    means = {key: [sum(point[key]) / runs for point in curve] for key in curve[-1]}
    return {"samples": curve[-1], "curves": {**means, "iteration": at}}


def scores(run: Path, runs: int, episodes: int, seed: int) -> dict[str, list[float]]:
    """Scores of every run of a run folder's last checkpoint."""
    from agents.checkpoint import load
    from agents.evaluation.loading import restore_agents

    checkpoint = load(run / "checkpoints")
    found = [
        scores_of(restore_agents(checkpoint, run=r), checkpoint.facts, episodes, seed)
        for r in range(runs)
    ]
    return {key: [each[key] for each in found] for key in found[0]}


def scores_of(
    agents: list[Any], facts: Mapping[str, Any], episodes: int, seed: int
) -> dict[str, float]:
    """Scores of one run's players."""
    import social_dilemmas_env as sde
    from agents.evaluation.agent import AgentPlayer
    from agents.evaluation.scoring import play_episodes
    from social_dilemmas_env.metrics import coin_pickups

    env_id, game = facts["env_id"], facts["game"]
    length = {"max_cycles": facts["settings"]["horizon"]}
    mine = [AgentPlayer(agent) for agent in agents]
    games = play_episodes(env_id, mine, episodes, seed, **game, **length)
    found = {"self": float(games["rewards"].mean())}
    if env_id == "coin_game_v0":
        rules = sde.spec(env_id).game(**game)
        own, other = (kind.sum() for kind in coin_pickups(rules, games["observations"][:, :, 0]))
        found["own share"] = float(own / max(1.0, own + other))
    for name in ("always_defect", "always_cooperate"):
        total = 0.0
        for i in range(2):
            seats: list[Any] = [None, None]
            seats[i], seats[1 - i] = mine[i], sde.make_strategy(name, env_id, player=1 - i, **game)
            total += (
                float(
                    play_episodes(env_id, seats, episodes, seed, **game, **length)["rewards"][..., i].mean()
                )
                / 2
            )
        found[f"vs {name}"] = total
    return found


def plot_curves(
    result: dict[str, Any], path: Path, quantities: dict[str, str], lines: Scores
) -> None:
    """A panel for each quantity: learning curves of all arms, the published end values as dashes at
    the right.
    """
    figure, panels = axes(len(quantities), width=4.6)
    for panel, (key, title) in zip(panels, quantities.items(), strict=True):
        for name, color in COLORS.items():
            curves = result["curves"].get(name)
            if curves is None:
                continue
            panel.plot(curves["iteration"], curves[key], color=color, label=name)
            published = lines.get(name, {}).get(key)
            if published is not None:
                panel.plot(
                    1.02,
                    published,
                    "D",
                    color=color,
                    markersize=5,
                    clip_on=False,
                    transform=panel.get_yaxis_transform(),
                )
        panel.set(title=title, xlabel="outer steps")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    save(figure, path)
