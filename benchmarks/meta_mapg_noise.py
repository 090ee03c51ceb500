"""Meta-learning where to start in prisoner's dilemmas whose payoffs differ from task to task.

Both players meta-learn memory-one policies and inner rates; a task shifts every payoff by its own
draw from U(-e, e). At meta-test 20 new tables are learned in, from the same start. LOLA-DiCE and
naive policy gradient start from random policies.

The abstract states neither e, nor the horizon, the inner rate or the number of updates: here e =
.5, 32 games of 50 steps, rates learned from 1, three updates. `exact` cells do the same with exact
values, and with other e and rates.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.harness.benchmark import (
    Benchmark,
    Cell,
    Row,
    Settings,
)
from benchmarks.harness.plots import (
    BLACK,
    BLUE,
    GREEN,
    RED,
    axes,
    save,
)

# Kim et al. 2021, student abstract: read off its figure by the seed text; "with one iteration",
# LOLA "only after many".
PAPER = {"Meta-MAPG": -1.0, "Meta-PG": -2.0}
TARGETS = {
    "Meta-MAPG": (-1.2, -0.8),
    "Meta-PG": (-2.3, -1.7),
    "LOLA-DiCE": (-1.7, -1.0),
    "naive PG": (-2.3, -1.7),
}
SETTINGS = {"runs": 20, "iterations": 300, "batch": 8, "chain": 3, "games": 32, "horizon": 50, "noise": 0.5,
            "rate": 1.0, "lr_outer": 0.05, "tasks": 20, "updates": 150, "lr": 0.2, "lr_in": 0.3}  # fmt: skip
SMALL = {"runs": 2, "iterations": 2, "batch": 2, "games": 4, "horizon": 6, "tasks": 2, "updates": 6}
META = {"Meta-MAPG": "meta_mapg", "Meta-PG": "meta_pg"}
SWEEP = {
    "e .25": {"noise": 0.25},
    "e .5": {},
    "e 1": {"noise": 1.0},
    "rate .3": {"rate": 0.3},
    "rate 3": {"rate": 3.0},
}
COLORS = {"Meta-MAPG": BLUE, "Meta-PG": RED, "LOLA-DiCE": GREEN, "naive PG": BLACK}
COMMON = ("games", "horizon", "noise", "tasks", "device")


def cells(settings: Settings) -> list[Cell]:
    """The four learners of the figure, then the sweep with exact values."""
    made = []
    for name, learner in META.items():
        own = {
            key: settings[key]
            for key in (*COMMON, "iterations", "batch", "chain", "rate", "lr_outer")
        }
        rows = tuple(meta_row(name, k) for k in (0, 1, 2))
        made.append(
            Cell(
                name,
                own | {"learner": learner, "values": "samples"},
                settings["runs"],
                rows,
                cost=8.0,
            )
        )
    for name, learner in {"LOLA-DiCE": "lola", "naive PG": "naive"}.items():
        own = {key: settings[key] for key in (*COMMON, "updates", "lr", "lr_in", "rate")}
        last = Row(
            f"{name} after {settings['updates']} updates", None, "last", target=TARGETS[name]
        )
        early = Row(f"{name} after 2 updates", None, "after 2", note="for information")
        made.append(
            Cell(name, own | {"learner": learner}, settings["runs"], (early, last), cost=5.0)
        )
    for name, learner in META.items():
        for word, change in SWEEP.items():
            own = {
                key: settings[key]
                for key in (*COMMON, "iterations", "batch", "chain", "rate", "lr_outer")
            } | change
            label = f"{name} exact, {word}"
            row = Row(
                f"{label}, after 2 updates",
                None,
                "after 2",
                target=TARGETS[name],
                note="exact values",
                judged=False,
            )
            made.append(
                Cell(
                    label,
                    own | {"learner": learner, "values": "exact"},
                    settings["runs"],
                    (row,),
                    cost=1.0,
                )
            )
    return made


def meta_row(name: str, k: int) -> Row:
    """The reward after k updates; before any, for information."""
    if k == 0:
        return Row(f"{name} after 0 updates", None, "after 0", note="for information")
    note = "policies of memory one; target: -1.2 or better, -1.7 or worse"
    return Row(
        f"{name} after {k} updates",
        PAPER[name],
        f"after {k}",
        target=TARGETS[name],
        digits=1,
        note=note,
    )


def score(settings: Settings, runs: int, seed: int) -> dict[str, Any]:
    """Mean reward a step at meta-test: of both players, over tasks."""
    found = (
        meta_test(settings, runs, seed)
        if settings["learner"].startswith("meta")
        else from_scratch(settings, runs, seed)
    )
    rewards, more = found
    samples = {f"after {k}": rewards[k] for k in (0, 1, 2)} | {"last": rewards[-1]}
    error = 1.96 * rewards.std(1) / max(1, runs - 1) ** 0.5
    mean = rewards.mean(1)
    return {
        "samples": samples,
        "curves": {"mean": mean, "low": mean - error, "high": mean + error} | more,
    }


def meta_test(settings: Settings, runs: int, seed: int) -> tuple[Any, dict[str, Any]]:
    """Meta-trains all runs side by side, then learns in new tasks.  -> [L + 1, runs], and the curve
    of training.
    """
    import torch

    import social_dilemmas_env as sde
    from agents.learners.meta_mapg.config import MetaLearnerConfig
    from agents.learners.meta_mapg.personas import noisy_payoffs
    from agents.registry import LEARNERS

    cfg = MetaLearnerConfig(
        runs=runs, batch=settings["batch"], chain=settings["chain"], games=settings["games"], steps=settings["horizon"],
        lr_inner=settings["rate"], lr_outer=settings["lr_outer"], values=settings["values"],
    )  # fmt: skip
    game = {"payoff_noise": settings["noise"]}
    learner = LEARNERS[settings["learner"]].make(cfg, "ipd_v0", game, seed, settings["device"])
    trained = [
        learner.update()[f"reward after {cfg.chain} updates"].item()
        for _ in range(settings["iterations"])
    ]
    tables = noisy_payoffs(
        sde.payoffs("ipd_v0"), settings["noise"], settings["tasks"], "test", sde.draw(seed, 9)
    )
    rewards = learner.adapt(tables.to(settings["device"]), None, sde.draw(seed, 10)).mean((1, 3))
    return rewards.double().cpu().numpy(), {"trained": torch.tensor(trained).tolist()}


def from_scratch(settings: Settings, runs: int, seed: int) -> tuple[Any, dict[str, Any]]:
    """LOLA-DiCE or naive policy gradient from random policies in every task.  -> [updates + 1,
    runs].
    """
    from functools import partial

    import social_dilemmas_env as sde
    from agents.learners.lola.lola_dice import LolaDiceConfig, lola_dice
    from agents.learners.meta_mapg.personas import noisy_payoffs
    from agents.matrix_games.closed_form import MatrixGame
    from agents.matrix_games.gradient_runs import RunConfig, run
    from agents.matrix_games.sampled import SampleConfig, SampledGame

    lola, tasks = settings["learner"] == "lola", settings["tasks"]
    tables = noisy_payoffs(
        sde.payoffs("ipd_v0"), settings["noise"], tasks, "test", sde.draw(seed, 9)
    )
    game = MatrixGame(tables.repeat(runs, 1, 1, 1), 0.96, settings["device"])
    play = SampleConfig(
        games=settings["games"], steps=settings["horizon"], estimator="loaded", gae_lambda=0.95
    )
    sampled = SampledGame(game, play)
    sampled.generator.manual_seed(sde.draw(seed, 1))
    config = LolaDiceConfig(lookaheads=int(lola), lr_in=settings["lr_in"])
    # one logit a state: a rate on two logits, as the meta-learners have, counts twice
    rate = settings["lr"] if lola else 2 * settings["rate"]
    steps = RunConfig(
        runs=runs * tasks, steps=settings["updates"], lr=rate, init_std=0.5, seed=seed
    )
    history = run(
        sampled,
        partial(lola_dice, cfg=config),
        steps,
        observe=lambda theta: sampled.rewards(sampled.play(theta)).mean((0, 1, 3)),
    )
    return history.observed.view(-1, runs, tasks).mean(-1).cpu().numpy(), {}


def plot(result: dict[str, Any], path: Path) -> None:
    """The abstract's figure, its first updates enlarged, and the sweep."""
    figure, (few, many, sweep) = axes(3, width=4.3)
    for name, color in COLORS.items():
        curves = result["curves"][name]
        for axis in (few, many):
            steps = range(len(curves["mean"]))
            axis.plot(
                steps, curves["mean"], color=color, label=name, marker="." if axis is few else None
            )
            axis.fill_between(
                steps, curves["low"], curves["high"], color=color, alpha=0.15, linewidth=0
            )
    few.set(
        title="Meta-test: the first updates",
        xlabel="inner update",
        ylabel="reward a step",
        xlim=(-0.1, 6),
    )
    many.set(title="LOLA-DiCE and naive PG go on", xlabel="inner update")
    many.legend()
    for name in META:
        rows = [row for row in result["rows"] if row["name"].startswith(f"{name} exact")]
        x = list(range(len(rows)))
        sweep.vlines(
            x,
            [r["ci_low"] for r in rows],
            [r["ci_high"] for r in rows],
            color=COLORS[name],
            linewidth=4,
            alpha=0.4,
        )
        sweep.plot(x, [row["ours"] for row in rows], "o", color=COLORS[name], label=name)
    sweep.set_xticks(range(len(SWEEP)), list(SWEEP))
    sweep.set(title="After 2 updates, exact values")
    save(figure, path)


BENCHMARK = Benchmark(
    name="meta_mapg_noise", title="Meta-MAPG: prisoner's dilemmas with noisy payoffs",
    source="Kim et al. 2021, student abstract of Meta-MAPG (figure); https://arxiv.org/abs/2011.00382",
    settings=SETTINGS, small=SMALL, cells=cells, score=score, plot=plot,
)  # fmt: skip
