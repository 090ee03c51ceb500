"""LOQA's scalability figure: seconds of training until the weak, medium and strong thresholds, by
the size of the board.

Rewards a step are multiplied by 2 floor(G / 2) (a coin is about that far away). Thresholds:
self-play and play against always-defect both above (.05, -1.2), (.1, -.5), (.2, -.2). Evaluation
every `every` iterations; its time does not count. The published seconds are those of an A100 with
compilation (recovered from the vector file of the figure, 3 seeds); ours are of the device in the
report, so they compare only on a GPU. Games are seconds' counterpart that no device changes.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.harness.benchmark import (
    Benchmark,
    Cell,
    Row,
    Settings,
)
from benchmarks.harness.plots import axes, save
from benchmarks.harness.resumable_training import folder_of, stages

THRESHOLDS = {"weak": (0.05, -1.2), "medium": (0.1, -0.5), "strong": (0.2, -0.2)}
PAPER = {  # grid -> LOQA's seconds to weak, medium, strong
    3: (157, 157, 237), 4: (163, 218, 312), 5: (239, 340, 644), 6: (391, 575, 1224), 7: (1194, 2670, 2805),
}  # fmt: skip
LEARNERS = ("loqa", "advantage_alignment")
SETTINGS = {"runs": 3, "batch": 2048, "iterations": 6000, "every": 100, "episodes": 128}
SMALL = {"runs": 1, "batch": 16, "iterations": 4, "every": 2, "episodes": 4}


def cells(settings: Settings) -> list[Cell]:
    """A cell for each learner and board."""
    made = []
    for learner in LEARNERS:
        for grid, seconds in PAPER.items():
            rows = []
            for name, paper in zip(THRESHOLDS, seconds, strict=True):
                published = float(paper) if learner == "loqa" else None
                label = f"{learner} {grid}x{grid} {name}"
                note = "published: A100, with compilation; a run that never passes counts as all its time"
                rows.append(Row(
                    f"{label}, s", published, f"{name} seconds", digits=0, unit="s", note=note, paper_runs=3,
                    judged=str(settings["device"]).startswith("cuda"),
                ))  # fmt: skip
                rows.append(Row(f"{label}, games", None, f"{name} games", digits=0))
            sizes = {
                key: settings[key] for key in ("batch", "iterations", "every", "episodes", "device")
            }
            own = {"learner": learner, "grid": grid, **sizes}
            made.append(
                Cell(
                    f"{learner} {grid}x{grid}",
                    own,
                    settings["runs"],
                    tuple(rows),
                    chunk=1,
                    cost=600.0,
                )
            )
    return made


def score(settings: Settings, runs: int, seed: int) -> dict[str, Any]:
    """Time to each threshold of one run, which ends when it has passed all."""
    assert runs == 1, "cells have chunks of one run"
    scale, passed = 2 * (settings["grid"] // 2), {}
    folder = folder_of("loqa_scalability", settings, runs, seed)
    how = {key: settings[key] for key in ("batch", "device")} | {
        "grid_size": settings["grid"],
        "seed": seed,
    }
    at = [
        *range(settings["every"], settings["iterations"], settings["every"]),
        settings["iterations"],
    ]
    look = partial(looked_at, episodes=settings["episodes"])
    now = {"seconds": 0.0, "games": 0.0}
    for iterations, found in stages(folder, at, look, settings["learner"], "coin_game_v0", **how):
        now = {"seconds": found["seconds"], "games": float(iterations * settings["batch"])}
        for name, (alone, against) in THRESHOLDS.items():
            if scale * found["self"] > alone and scale * found["vs always_defect"] > against:
                passed.setdefault(name, now)
        if len(passed) == len(THRESHOLDS):
            break
    samples = {
        f"{name} {what}": [passed.get(name, now)[what]] for name in THRESHOLDS for what in now
    }
    return {"samples": samples, "passed": sorted(passed)}


def looked_at(run: Path, episodes: int) -> dict[str, float]:
    """Seconds of training so far, and the scores that the thresholds ask about."""
    from agents import load_agent
    from agents.evaluation.scoring import score_agent

    agent = load_agent(run)
    found = score_agent(
        agent, episodes=episodes, seed=agent.facts["iterations"], opponents=("always_defect",)
    )
    return {"seconds": agent.facts["seconds"], **found}


def plot(result: dict[str, Any], path: Path) -> None:
    """Seconds by board, ours and published."""
    figure, panels = axes(len(THRESHOLDS))
    values = {row["name"]: row["ours"] for row in result["rows"]}
    for axis, (k, name) in zip(panels, enumerate(THRESHOLDS), strict=True):
        for learner in LEARNERS:
            points = [(grid, values.get(f"{learner} {grid}x{grid} {name}, s")) for grid in PAPER]
            points = [(grid, value) for grid, value in points if value is not None]
            if points:
                axis.plot(*zip(*points, strict=True), "o-", label=f"{learner}, here")
        axis.plot(
            list(PAPER),
            [seconds[k] for seconds in PAPER.values()],
            "k:",
            label="LOQA, published (A100)",
        )
        axis.set(
            title=f"{name} threshold",
            xlabel="board",
            ylabel="seconds",
            yscale="log",
            xticks=list(PAPER),
        )
        axis.legend(fontsize=7)
    save(figure, path)


BENCHMARK = Benchmark(
    name="loqa_scalability", title="LOQA: time to cooperate, by the size of the board",
    source="Aghajohari et al. 2024, https://arxiv.org/abs/2405.01035, scalability figure; MiladInk/loqa 32f50c9, notebooks",
    settings=SETTINGS, small=SMALL, cells=cells, score=score, plot=plot,
)  # fmt: skip
