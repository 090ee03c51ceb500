"""The Coin Game without sampling: every learner on 3x3, by linear algebra, on one core.

It is not the published task: the rules are known, policies read the board and a finite memory
(what each player picked up last, whether its last reward was a loss) instead of finding one, and
nothing is sampled. So the papers' numbers stand beside ours and are not judged; targets are ours.

Learning is in the discounted game without end (gamma .96); scores are mean rewards a step of
episodes of 50 steps, as published. What a best response earns, and epsilon, what it gains on
keeping to the policy, are discounted, and hold against every strategy whatever its memory
(docs/exact_games.md). Own share: the part of pick-ups that are of the player's own coin.

"memory ..." says what policies may read besides the board: "none"; "last_action", both players'
last moves; "pickups", whose coin each took last. Tit for tat needs "last_pickup", the full one.
"""

from __future__ import annotations

import time
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

import social_dilemmas_env as sde
from agents.exact.solve import solve
from benchmarks.harness.benchmark import Benchmark, Cell, Result, Row, Settings, pick_settings
from benchmarks.harness.exact_games import OPPONENTS, deviations, score_policy
from benchmarks.harness.plots import COLORS, make_axes, plot_comparison, plot_curve, save_figure
from benchmarks.harness.plots import PAPER as GREY

LEARNERS = (
    "naive",
    "lola",
    "loqa",
    "advantage_alignment",
    "pola",
    "pola_om",
    "naive_proximal",
    "loqa_proximal",
    "advantage_alignment_proximal",
)
POLICIES = {"tables": "tables", "networks": "mlp"}
MEMORIES = ("none", "last_action", "pickups")
SEEN_BY_TFT = "last_pickup"
QUANTITIES = {  # of a cell's rows, and their decimals
    "self": 3,
    "own share": 3,
    "vs AD": 3,
    "AD vs it": 3,
    "vs AC": 3,
    "vs TFT": 3,
    "best response": 4,
    "epsilon": 4,
    "core-seconds": 2,
}
# Published for the nearest learner: POLA's README figures (Silent-Zebra/POLA b248b52), LOQA's
# league of 2023-09-24, Advantage Alignment's of 16 steps (MiladInk/loqa); and what they cost.
PAPER: dict[str, dict[str, float]] = {
    "POLA": {"self": 0.263, "own share": 0.824, "vs AD": -0.027},
    "LOQA": {"self": 0.318, "vs AD": -0.054, "AD vs it": 0.123, "vs AC": 0.352},
    "Advantage Alignment": {"self": 0.288, "vs AD": -0.084, "AD vs it": 0.155, "vs AC": 0.349},
}
PAPER_RUNS = {"POLA": 10, "LOQA": 10, "Advantage Alignment": 9}
COSTS = {
    "POLA": "50,200 outer steps, a day of a T4 a seed",
    "LOQA": "237 s of an A100 to its strong threshold",
    "Advantage Alignment": "episodes of 16 steps",
}
NEAREST = {"pola": "POLA", "loqa": "LOQA", "advantage_alignment": "Advantage Alignment"}
OTHER_TASK = "another task: rules known, finite memory, no samples"
# What small programs apart from this code gave, stated before the first run; .3486 is what
# always-cooperate earns with itself.
COOPERATES: dict[str, tuple[float, float]] = {
    "self": (0.33, 0.3487),
    "own share": (0.95, 1.0),
    "vs AD": (-0.03, 0.001),
    "vs AC": (0.33, 0.36),
    "epsilon": (0.0, 0.003),
}
DEFECTS: dict[str, tuple[float, float]] = {"self": (-0.01, 0.01), "vs AD": (-0.01, 0.001)}
TARGETS: dict[str, dict[str, tuple[float, float]]] = {
    "naive, tables": DEFECTS,
    "loqa, tables": COOPERATES,
    "pola, tables": COOPERATES,
    "lola, tables": {"self": (0.32, 0.3487)},
    "pola, networks": {"self": (0.26, 0.3487)},
    "loqa, networks": {"self": (0.10, 0.22)},
    "loqa_proximal, networks": {"self": (0.33, 0.3487), "vs AD": (-0.03, 0.001)},
    "lola, memory pickups": {"self": (0.32, 0.3487)},
    "loqa, memory none": {"self": (-0.01, 0.05)},
    "pola, memory none": {"self": (-0.01, 0.05)},
}
NOTES = {
    "lola, tables": "η 1000, Adam .3, 320 updates; with 300, .1 and 120 it earned .086",
    "loqa, memory none": "it cooperates, but not in equilibrium: see epsilon, and what "
    "always-defect earns",
}
# Networks, and LOLA's tables, take updates of their own number.
SETTINGS = {
    "runs": 10,
    "updates": 60,
    "lola_updates": 320,
    "network_updates": 100,
    "gamma": 0.96,
}
SMALL = {"runs": 1, "updates": 1, "lola_updates": 1, "network_updates": 1}


def cells(settings: Settings) -> list[Cell]:
    """A cell for each learner and kind of policy, then for each smaller memory."""
    full = [
        build_cell(f"{learner}, {policies}", learner, policies, SEEN_BY_TFT, settings)
        for policies, learner in product(POLICIES, LEARNERS)
    ]
    smaller = [
        build_cell(f"{learner}, memory {memory}", learner, "tables", memory, settings)
        for learner, memory in product(("loqa", "pola", "lola"), MEMORIES)
    ]
    return [*full, *smaller]


def build_cell(name: str, learner: str, policies: str, memory: str, settings: Settings) -> Cell:
    """One learner, one kind of policy, one memory."""
    updates = settings["network_updates"]
    if policies == "tables":
        updates = settings["lola_updates" if learner == "lola" else "updates"]
    own = {"learner": learner, "policy": POLICIES[policies], "memory": memory, "updates": updates}
    own |= pick_settings(settings, "gamma", "device")

    cost = 0.05 if policies == "tables" else 6.0
    return Cell(name, own, settings["runs"], build_rows(name, learner, memory), cost=cost)


def build_rows(name: str, learner: str, memory: str) -> tuple[Row, ...]:
    """What was found, and what was published for the learner beside it."""
    targets = TARGETS.get(name, {})
    asks_tft = memory == SEEN_BY_TFT
    rows = [
        Row(
            f"{name}: {quantity}",
            None,
            quantity,
            target=targets.get(quantity),
            digits=digits,
            note=NOTES.get(name, "") if quantity == "self" else "",
        )
        for quantity, digits in QUANTITIES.items()
        if asks_tft or quantity != "vs TFT"
    ]
    if not asks_tft:
        return tuple(rows)

    paper = NEAREST.get(learner.removesuffix("_proximal"), "")
    beside = [
        Row(
            f"{name}: {quantity}, beside {paper}'s",
            number,
            quantity,
            digits=3,
            note=f"{OTHER_TASK}; published: {COSTS[paper]}",
            paper_runs=PAPER_RUNS[paper],
            judged=False,
        )
        for quantity, number in PAPER.get(paper, {}).items()
        if learner in NEAREST
    ]
    return (*rows, *beside)


def score(settings: Settings, runs: int, seed: int) -> Result:
    """Learns, and reads every run's policy."""
    memory = None if settings["memory"] == "none" else settings["memory"]
    game = sde.exact_game("coin_game_v0", memory=memory, gamma=settings["gamma"])

    # Learning alone is timed.
    begin = time.process_time()
    policies, curves = solve(
        settings["learner"],
        game,
        runs=runs,
        seed=seed,
        device=settings["device"],
        **pick_settings(settings, "updates", "policy"),
    )
    seconds = (time.process_time() - begin) / runs

    opponents = OPPONENTS if memory == SEEN_BY_TFT else OPPONENTS[:2]
    samples: dict[str, list[float]] = {"core-seconds": [seconds] * runs}
    for policy in policies[:, 0].double().cpu().numpy():
        for key, value in {
            **score_policy(game, policy, opponents),
            **deviations(game, policy),
        }.items():
            samples.setdefault(key, []).append(value)
    return {"samples": samples, "curves": describe_curves(curves)}


def describe_curves(curves: Any) -> dict[str, np.ndarray]:
    """Mean, least and greatest of the runs after each update; scores [U + 1, R, N]."""
    by_run = curves.mean(-1).cpu().numpy()
    return {"mean": by_run.mean(1), "low": by_run.min(1), "high": by_run.max(1)}


def plot(result: Result, path: Path) -> None:
    """Learning curves of tables and networks; scores beside the published ones."""
    figure, (tables, networks, beside) = make_axes(3, width=5.0, height=4.6)
    for axis, policies in ((tables, "tables"), (networks, "networks")):
        curves = result["curves"]
        known = [learner for learner in LEARNERS if f"{learner}, {policies}" in curves]
        for learner in known:
            style = "--" if learner.endswith("_proximal") else "-"
            color = COLORS[LEARNERS.index(learner.removesuffix("_proximal"))]
            # Ranges of networks would hide one another.
            curve = curves[f"{learner}, {policies}"]
            shown = curve if policies == "tables" else {"mean": curve["mean"]}
            plot_curve(axis, shown, color, ls=style, label=learner.replace("_", " "))

        last = max(len(curves[f"{learner}, {policies}"]["mean"]) for learner in known) - 1
        for paper in ("POLA", "LOQA"):
            level = PAPER[paper]["self"]
            axis.axhline(level, color=GREY, lw=1, ls=":")
            # One name above its line, one below: curves run between the two.
            side = "bottom" if paper == "LOQA" else "top"
            axis.text(last, level, f"{paper}, published", color=GREY, ha="right", va=side)
        what = "mean and range" if policies == "tables" else "mean"
        title = f"3x3, {policies}: self-play, {what} of runs"
        axis.set(title=title, xlabel="update", ylim=(-0.08, 0.38), xlim=(0, last))
    tables.set_ylabel("reward a step, discounted")
    handles, labels = tables.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=4)

    rows = [row for row in result["rows"] if row["paper"] is not None and "tables" in row["name"]]
    labels = [row["name"].partition(", beside")[0].replace(", tables", "") for row in rows]
    plot_comparison(beside, rows, [label.replace("advantage_alignment", "AA") for label in labels])
    beside.set(title="Tables, beside the papers' networks")
    save_figure(figure, path)


BENCHMARK = Benchmark(
    name="coin_exact",
    title="The 3x3 Coin Game without sampling: what each learner finds, and how good it is",
    source='Zhao et al. 2022, https://arxiv.org/abs/2210.10125, Figure "Coin game"; Aghajohari '
    "et al. 2024, https://arxiv.org/abs/2405.01035, league figure; Duque et al. 2024, "
    "https://arxiv.org/abs/2406.14662; another task: rules known, finite memory, no samples",
    settings=SETTINGS,
    small=SMALL,
    cells=cells,
    score=score,
    plot=plot,
)
