"""POLA-DiCE in the 3x3 Coin Game, rung by rung: from tables with a memory view to GRUs without one.

Every rung is the learner `pola_dice`, from samples, both players learning. What changes:

    policies    tables and MLPs on the board and the memory view (`memory="last_pickup"`), boards up
                to the torus' symmetries; GRUs on the board alone
    look-ahead  one gradient step of the opponent (DiCE) in its parameters; "logits": in a table of
                its logits, whatever its network; "mirror": log π + Q / β
    step        one Adam step on the outer gradient, or a proximal step in policy space, fitted by
                KL

η is 50 in tables and logits, and follows the opponent's imagined gain in networks. Scores
are those of `score_agent` in the game as it is, without the memory view: players of tables and MLPs
follow the memory by themselves. "self" is of the two players that learned together, "with a copy"
of player 0 and itself. The published day of a T4 is POLA-DiCE's (README figures, means of 10
seeds), of GRUs without the view.
"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

from agents.evaluation.memory_agent import MemoryAgent
from agents.evaluation.scoring import score_agent
from benchmarks.harness.benchmark import Benchmark, Cell, Result, Row, Settings, pick_settings
from benchmarks.harness.plots import COLORS, make_axes, save_figure
from benchmarks.harness.policies import players_of
from benchmarks.harness.resumable_training import read_metric, train_in_stages, training_folder

# Silent-Zebra/POLA (b248b52), README figures; appendix B.5 for the day of a T4 or P100.
PAPER = {"self": 0.263, "own share": 0.824, "vs always_defect": -0.027, "core-minutes": 1440.0}
TARGETS = {"self": (0.30, 0.35), "own share": (0.90, 1.0), "vs always_defect": (-0.06, 0.1)}
QUANTITIES = {
    "self": 3,
    "with a copy": 3,
    "own share": 3,
    "vs always_defect": 3,
    "vs always_cooperate": 3,
    "best response gains": 3,
    "imagined gain": 4,
    "core-minutes": 2,
}

BASE: dict[str, Any] = {
    "gamma": 0.9,
    "gae_lambda": 0.9,
    "inner_steps": 1,
    "outer_steps": 1,
    "beta_in": 0.0,
    "beta_out": 0.0,
    "reset_optimiser": False,
}
VIEW = {"memory": "last_pickup", "symmetry": "all"}
PROXIMAL = {"outer": "proximal"}
TABLES = {**VIEW, "actor": "tabular", "lr_in": 50.0, "lr_out": 0.02, "lr_v": 0.05}
NETWORK = {"lr_out": 0.005, "lr_v": 0.01, "layers": 2}
FITTED = {**PROXIMAL, "epochs": 16, "beta_step": 2.0}
FOLLOWS = {"lr_in": 0.3, "target_gain": 0.05}
MLPS = {**VIEW, **NETWORK, "actor": "mlp"}
GRUS = {**NETWORK, "hidden": 32, "layers": 1}
MIRROR = {"look_ahead": "mirror", "beta_in": 1.0, "lr_in": 0.0}
LOGITS = {"look_ahead": "logits", "lr_in": 50.0}
CLONE = {"warm_start": "bundled:cloned_3x3", "hidden": 64, "layers": 2}

# name -> (settings, how many outer steps, which setting counts the runs)
RUNGS: dict[str, tuple[dict[str, Any], str, str]] = {
    "tables": (TABLES, "gradient_steps", "few_runs"),
    "tables, proximal": ({**TABLES, **PROXIMAL}, "table_steps", "runs"),
    "tables, mirror, proximal": ({**TABLES, **MIRROR, **PROXIMAL}, "table_steps", "one_run"),
    "MLP": ({**MLPS, **FOLLOWS}, "gradient_steps", "one_run"),
    "MLP, proximal": ({**MLPS, **FOLLOWS, **FITTED}, "network_steps", "one_run"),
    "MLP, logits, proximal": ({**MLPS, **LOGITS, **FITTED}, "network_steps", "few_runs"),
    "MLP, mirror, proximal": ({**MLPS, **MIRROR, **FITTED}, "network_steps", "one_run"),
    "GRU": ({**GRUS, **FOLLOWS}, "recurrent_steps", "one_run"),
    "GRU, mirror, proximal": ({**GRUS, **MIRROR, **FITTED}, "recurrent_steps", "one_run"),
    "GRU from a clone": ({**GRUS, **MIRROR, **CLONE, "lr_out": 0.001}, "clone_steps", "one_run"),
    "GRU from a clone, proximal": (
        {**GRUS, **MIRROR, **FITTED, **CLONE, "lr_out": 0.001},
        "clone_steps",
        "one_run",
    ),
}
SETTINGS = {
    "runs": 10,
    "few_runs": 3,
    "one_run": 1,
    "table_steps": 60,
    "gradient_steps": 240,
    "network_steps": 40,
    "recurrent_steps": 100,
    "clone_steps": 40,
    "batch": 1000,
    "recurrent_batch": 250,
    "horizon": 32,
    "points": 3,
    "episodes": 512,
}
SMALL = {
    **{name: 1 for name in SETTINGS if name.endswith(("runs", "run"))},
    **{name: 2 for name in SETTINGS if name.endswith("steps")},
    "batch": 8,
    "recurrent_batch": 8,
    "horizon": 4,
    "points": 1,
    "episodes": 8,
}


def cells(settings: Settings) -> list[Cell]:
    """A cell for each rung."""
    return [build_cell(name, settings) for name in RUNGS]


def build_cell(name: str, settings: Settings) -> Cell:
    """One rung."""
    changes, steps, count = RUNGS[name]
    shown = "memory" in changes
    own = pick_settings(settings, "points", "episodes", "device")
    own |= {"learner": {**BASE, **changes, **pick_settings(settings, "horizon")}}
    own["learner"]["batch"] = settings["batch" if shown else "recurrent_batch"]
    own["iterations"] = settings[steps]

    # Published are GRUs without the view, and their cost.
    rows = tuple(
        Row(
            f"{name}: {quantity}",
            PAPER.get(quantity) if not shown or quantity == "core-minutes" else None,
            quantity,
            target=TARGETS.get(quantity) if shown else None,
            paper_runs=10,
            digits=digits,
            judged=shown and quantity != "core-minutes",
        )
        for quantity, digits in QUANTITIES.items()
        if shown or quantity != "best response gains"
    )
    cost = settings[steps] * (0.3 if shown else 1.0)
    return Cell(name, own, settings[count], rows, chunk=1, cost=cost, count=count)


def score(settings: Settings, runs: int, seed: int) -> Result:
    """Trains one run, scoring player 0 (and the pair) on the way."""
    begin = time.process_time()
    folder = training_folder("pola_coin_ladder", settings, runs, seed)
    last, points = settings["iterations"], settings["points"]
    stages = sorted({max(1, round(last * k / points)) for k in range(1, points + 1)})

    evaluate = partial(score_run, episodes=settings["episodes"], seed=seed)
    arguments = {"seed": seed, "device": settings["device"], **settings["learner"]}
    training = train_in_stages(folder, stages, evaluate, "pola_dice", "coin_game_v0", **arguments)
    found = [scores for _, scores in training]

    minutes = (time.process_time() - begin) / 60
    samples = {key: [value] for key, value in found[-1].items()}
    curves = {key: [each[key] for each in found] for key in found[-1]}
    return {
        "samples": {**samples, "core-minutes": [minutes]},
        "curves": {**curves, "iteration": stages},
    }


def score_run(run_folder: Path, episodes: int, seed: int) -> dict[str, float]:
    """Scores of a run folder's last checkpoint."""
    agents = players_of(run_folder)
    scores = score_agent(agents, episodes=episodes, seed=seed)
    gains = read_metric(run_folder, "imagined_gain")
    found = {
        "self": scores["self"],
        "with a copy": score_agent(agents[0], episodes=episodes, seed=seed, opponents=())["self"],
        "own share": 1 - scores["adversarial"],
        "vs always_defect": scores["vs always_defect"],
        "vs always_cooperate": scores["vs always_cooperate"],
        "imagined gain": sum(gains) / max(1, len(gains)),
    }

    # What the best strategy there is earns more than a copy of it would, exactly.
    first = agents[0]
    if isinstance(first, MemoryAgent):
        exact, policy = first.exact, first.policy
        best = exact.best_response([None, policy], player=0)[1][0]
        found["best response gains"] = float(best - exact.score([policy, policy])[0])
    return found


def plot(result: Result, path: Path) -> None:
    """Learning curves by rung: with themselves, and against always-defect."""
    figure, panels = make_axes(2, width=5.5)
    curves = result["curves"]
    for panel, key in zip(panels, ("self", "vs always_defect"), strict=True):
        for k, name in enumerate(name for name in RUNGS if name in curves):
            style = {"color": COLORS[k % len(COLORS)], "ls": "-" if k < len(COLORS) else ":"}
            share = [i / curves[name]["iteration"][-1] for i in curves[name]["iteration"]]
            panel.plot(share, curves[name][key], marker=".", label=name, **style)
        panel.axhline(PAPER[key], color="#666666", lw=0.8)
        panel.set(title=key, xlabel="share of the rung's outer steps")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    save_figure(figure, path)


BENCHMARK = Benchmark(
    name="pola_coin_ladder",
    title="POLA-DiCE in the Coin Game, from tables with a memory view to GRUs without one",
    source="Zhao et al. 2022, https://arxiv.org/abs/2210.10125; Silent-Zebra/POLA b248b52, README "
    "figures: GRUs, 50,200 outer steps of 1,000 games, about a day of a T4 (appendix B.5)",
    settings=SETTINGS,
    small=SMALL,
    cells=cells,
    score=score,
    plot=plot,
)
