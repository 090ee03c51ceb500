"""LOQA's scalability figure: seconds of training until three thresholds, by the size of the board.

Rewards a step are multiplied by 2 floor(G / 2) (a coin is about that far away). Thresholds:
self-play and play against always-defect both above (.05, -1.2), (.1, -.5), (.2, -.2). Evaluation
every `every` iterations; its time does not count. The published seconds are those of an A100 with
compilation (recovered from the vector file of the figure, 3 seeds); ours are of the device in the
report, so they compare only on a GPU. Games are seconds' counterpart that no device changes,
core-seconds the process's computing time, that of the processor in the report: seconds grow with
whatever else it is doing.

Beside them proximal LOQA (loqa_proximal.py), of an easier task: an MLP that remembers who picked up
what last, where LOQA's and Advantage Alignment's GRUs see the board alone. Its numbers count the 60
iterations (30,720 games) in which thieves are made.
"""

from __future__ import annotations

from functools import partial
from itertools import product
from pathlib import Path

from benchmarks.harness.benchmark import Benchmark, Cell, Result, Row, Settings, pick_settings
from benchmarks.harness.clock import Clock
from benchmarks.harness.plots import make_axes, save_figure, tabulate_ours
from benchmarks.harness.policies import read_run, score_of
from benchmarks.harness.resumable_training import train_in_stages, training_folder
from benchmarks.loqa_proximal import MLP

THRESHOLDS = {"weak": (0.05, -1.2), "medium": (0.1, -0.5), "strong": (0.2, -0.2)}
PAPER = {  # grid -> LOQA's seconds to weak, medium, strong
    3: (157, 157, 237),
    4: (163, 218, 312),
    5: (239, 340, 644),
    6: (391, 575, 1224),
    7: (1194, 2670, 2805),
}
LEARNERS = ("loqa", "advantage_alignment", "loqa_proximal")
PROXIMAL = "loqa_proximal"
NOTE = "published: A100, with compilation; a run that never passes counts as all its time"
VIEW = "another task: pick-ups remembered for it; a run that never passes counts as all its time"
SETTINGS = {
    "runs": 3,
    "batch": 2048,
    "iterations": 6000,
    "every": 100,
    "episodes": 128,
    "proximal_batch": 512,
    "proximal_iterations": 900,
    "proximal_every": 20,
}
SMALL = {"runs": 1, "batch": 16, "iterations": 4, "every": 2, "episodes": 4}
SMALL |= {"proximal_batch": 16, "proximal_iterations": 4, "proximal_every": 2}


def cells(settings: Settings) -> list[Cell]:
    """A cell for each learner and board."""
    return [build_cell(learner, grid, settings) for learner, grid in product(LEARNERS, PAPER)]


def build_cell(learner: str, grid: int, settings: Settings) -> Cell:
    """One learner on one board."""
    prefix = "proximal_" if learner == PROXIMAL else ""
    own = {"learner": learner, "grid": grid, **pick_settings(settings, "episodes", "device")}
    own |= pick_settings(settings, "batch", "iterations", "every", prefix=prefix)

    rows = build_rows(learner, grid, settings["device"])
    name = f"{learner} {grid}x{grid}"
    return Cell(name, own, settings["runs"], rows, chunk=1, cost=100.0 if prefix else 600.0)


def build_rows(learner: str, grid: int, device: str) -> tuple[Row, ...]:
    """Seconds, games and core-seconds to each threshold."""
    rows = []
    for name, paper in zip(THRESHOLDS, PAPER[grid], strict=True):
        label = f"{learner} {grid}x{grid} {name}"
        seconds = Row(
            f"{label}, s",
            float(paper) if learner == "loqa" else None,
            f"{name} seconds",
            digits=0,
            unit="s",
            note=VIEW if learner == PROXIMAL else NOTE,
            paper_runs=3,
            judged=str(device).startswith("cuda"),
        )
        games = Row(f"{label}, games", None, f"{name} games", digits=0)
        rows += [seconds, games, Row(f"{label}, core-s", None, f"{name} core-s", digits=0)]
    return tuple(rows)


def score(settings: Settings, runs: int, seed: int) -> Result:
    """Time to each threshold of one run, which ends when it has passed all."""
    assert runs == 1, "cells have chunks of one run"

    # Train and evaluate in turn.
    folder = training_folder("loqa_scalability", settings, runs, seed)
    every, last = settings["every"], settings["iterations"]
    stages = [*range(every, last, every), last]
    arguments = pick_settings(settings, "batch", "device")
    arguments |= {"grid_size": settings["grid"], "seed": seed}
    arguments |= MLP if settings["learner"] == PROXIMAL else {}
    evaluate = partial(evaluate_run, clock=Clock(), episodes=settings["episodes"])
    training = train_in_stages(
        folder, stages, evaluate, settings["learner"], "coin_game_v0", **arguments
    )

    # Stop as soon as all thresholds are passed.
    scale = 2 * (settings["grid"] // 2)  # a coin is about G // 2 steps away
    passed: dict[str, dict[str, float]] = {}
    spent = {"seconds": 0.0, "games": 0.0, "core-s": 0.0}
    for iterations, scores in training:
        games, computing = float(iterations * settings["batch"]), spent["core-s"] + scores["core-s"]
        spent = {"seconds": scores["seconds"], "games": games, "core-s": computing}
        for name, (alone, against) in THRESHOLDS.items():
            if scale * scores["self"] > alone and scale * scores["vs always_defect"] > against:
                passed.setdefault(name, spent)
        if len(passed) == len(THRESHOLDS):
            break

    # A run that never passes counts as all its time.
    times = {name: passed.get(name, spent) for name in THRESHOLDS}
    samples = {f"{name} {what}": [times[name][what]] for name in THRESHOLDS for what in spent}
    return {"samples": samples, "passed": sorted(passed)}


def evaluate_run(run_folder: Path, clock: Clock, episodes: int) -> dict[str, float]:
    """What training cost: seconds so far, core-seconds since the last time; and the scores."""
    spent = {"core-s": clock.part()}
    run = read_run(run_folder)
    scores = score_of(run_folder, episodes, run.iterations, opponents=("always_defect",))
    clock.restart()
    return {"seconds": run.seconds, **spent, **scores}


def plot(result: Result, path: Path) -> None:
    """Seconds by board, ours and published."""
    figure, panels = make_axes(len(THRESHOLDS))
    ours = tabulate_ours(result)
    for axis, (k, name) in zip(panels, enumerate(THRESHOLDS), strict=True):
        for learner in LEARNERS:
            # Boards that were run.
            points = [(grid, ours.get(f"{learner} {grid}x{grid} {name}, s")) for grid in PAPER]
            points = [(grid, value) for grid, value in points if value is not None]
            if points:
                axis.plot(*zip(*points, strict=True), "o-", label=f"{learner}, here")

        published = [seconds[k] for seconds in PAPER.values()]
        # The published line.
        axis.plot(list(PAPER), published, "k:", label="LOQA, published (A100)")
        title = f"{name} threshold"
        axis.set(title=title, xlabel="board", ylabel="seconds", yscale="log", xticks=list(PAPER))
        axis.legend(fontsize=7)
    save_figure(figure, path)


BENCHMARK = Benchmark(
    name="loqa_scalability",
    title="LOQA: time to cooperate, by the size of the board",
    source="Aghajohari et al. 2024, https://arxiv.org/abs/2405.01035, scalability figure; "
    "MiladInk/loqa 32f50c9, notebooks",
    settings=SETTINGS,
    small=SMALL,
    cells=cells,
    score=score,
    plot=plot,
)
