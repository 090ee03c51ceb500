"""LOQA's scalability figure: seconds of training until the weak, medium and strong thresholds, by the size of the board.

Rewards a step are multiplied by 2 floor(G / 2) (a coin is about that far away). Thresholds: self-play and play against
always-defect both above (.05, -1.2), (.1, -.5), (.2, -.2). Evaluation every `every` iterations. The published seconds are
those of an A100 with compilation (recovered from the vector file of the figure, 3 seeds); ours are of the device in the
report, so they compare only on a GPU. Games are seconds' counterpart that no device changes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.benchmark import Benchmark, Cell, Row, Settings
from benchmarks.plots import axes, save

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
            sizes = {key: settings[key] for key in ("batch", "iterations", "every", "episodes", "device")}
            own = {"learner": learner, "grid": grid, **sizes}
            made.append(Cell(f"{learner} {grid}x{grid}", own, settings["runs"], tuple(rows), chunk=1, cost=600.0))
    return made


def score(settings: Settings, runs: int, seed: int) -> dict[str, Any]:
    """Time to each threshold, one training after another."""
    found = [_one(settings, seed + r) for r in range(runs)]
    return {"samples": {name: [each[name] for each in found] for name in found[0]}}


def _one(settings: Settings, seed: int) -> dict[str, float]:
    import time
    from dataclasses import asdict, replace

    from agents.agent import agent_of
    from agents.checkpoint import Checkpoint
    from agents.evaluation import scores
    from agents.learners import LEARNERS as BY_NAME
    from agents.memory import keep_memory

    keep_memory()
    spec, game = BY_NAME[settings["learner"]], {"grid_size": settings["grid"]}
    cfg = replace(spec.settings("coin_game_v0"), batch=settings["batch"])
    learner = spec.make(cfg, "coin_game_v0", game, seed, settings["device"])
    facts = {"learner": settings["learner"], "env_id": "coin_game_v0", "game": game, "settings": asdict(cfg)}
    start, scale, passed = time.perf_counter(), 2 * (settings["grid"] // 2), {}
    while learner.iteration < settings["iterations"] and len(passed) < len(THRESHOLDS):
        learner.update()
        if learner.iteration % settings["every"]:
            continue
        state = {name: tensor.cpu() for name, tensor in learner.state().items()}
        agent = agent_of(Checkpoint(Path(), learner.iteration, facts, state))
        got = scores(agent, episodes=settings["episodes"], seed=learner.iteration, opponents=("always_defect",))
        for name, (alone, against) in THRESHOLDS.items():
            if scale * got["self"] > alone and scale * got["vs always_defect"] > against:
                passed.setdefault(name, (time.perf_counter() - start, learner.iteration * cfg.batch))
    end = (time.perf_counter() - start, learner.iteration * cfg.batch)
    return {f"{name} {what}": passed.get(name, end)[k] for name in THRESHOLDS for k, what in enumerate(("seconds", "games"))}


def plot(result: dict[str, Any], path: Path) -> None:
    """Seconds by board, ours and published."""
    figure, panels = axes(len(THRESHOLDS))
    values = {row["name"]: row["ours"] for row in result["rows"]}
    for axis, (k, name) in zip(panels, enumerate(THRESHOLDS), strict=True):
        for learner in LEARNERS:
            points = [(grid, values.get(f"{learner} {grid}x{grid} {name}, s")) for grid in PAPER]
            points = [(grid, value) for grid, value in points if value is not None]
            if points:
                axis.plot(*zip(*points, strict=True), "o-", label=learner)
        axis.plot(list(PAPER), [seconds[k] for seconds in PAPER.values()], "k:", label="LOQA, published (A100)")
        axis.set(title=f"{name} threshold", xlabel="board", ylabel="seconds", yscale="log")
        axis.legend(fontsize=7)
    save(figure, path)


BENCHMARK = Benchmark(
    name="loqa_scalability", title="LOQA: time to cooperate, by the size of the board",
    source="Aghajohari et al. 2024, https://arxiv.org/abs/2405.01035, scalability figure; MiladInk/loqa 32f50c9, notebooks",
    settings=SETTINGS, small=SMALL, cells=cells, score=score, plot=plot,
)  # fmt: skip
