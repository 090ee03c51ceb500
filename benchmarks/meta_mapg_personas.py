"""Meta-learning where to start against peers with a character: prisoner's dilemma and
rock-paper-scissors.

A peer starts cooperative or defective (in the other game: with a favourite action) and learns
naively at rate 1; the meta-agent learns too, from φ_0 and with rates that it meta-learned. Mean
reward a step over the L = 7 updates, at meta-test with personas that training never met. Payoffs
are ours, -1, -3, 0, -2; the authors' are higher by 1.5, and "shifted" rows are in theirs.

The authors train an LSTM for weeks. `exact`: policies of memory one, closed form, the authors' L,
rates and discounts. `LSTM`: from samples, reduced in games, steps, units and L, as the settings
say. `untrained` is the floor. Neither is the authors' setting, so that no row says "reproduced";
targets say what was asked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.harness.benchmark import (
    Benchmark,
    Cell,
    Row,
    Samples,
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

SHIFT = {"IPD": 1.5, "RPS": 0.0}
# Untrained LSTM of the authors' classes, seed 0, all test personas, at l = 1 .. 7 (our measurement;
# their scale).
FLOOR = {
    "IPD": (-0.18, -0.38, -0.45, -0.47, -0.47, -0.48, -0.51),
    "RPS": (0.01, 0.02, 0.04, 0.04, 0.06, 0.06, 0.07),
}
SETTINGS = {"runs": 10, "iterations": 300, "batch": 32, "chain": 7, "games": 32, "ipd_steps": 150, "rps_steps": 50,
            "rate": 0.1, "lr_outer": 0.05, "lstm_runs": 3, "lstm_iterations": 200, "lstm_batch": 8, "lstm_chain": 3,
            "lstm_games": 16, "lstm_steps": 30, "lstm_hidden": 16, "lstm_rate": 0.1, "lstm_lr": 0.01}  # fmt: skip
SMALL = {"runs": 2, "iterations": 2, "batch": 2, "games": 2, "ipd_steps": 5, "rps_steps": 5, "lstm_runs": 2,
         "lstm_iterations": 1, "lstm_batch": 2, "lstm_games": 2, "lstm_steps": 4, "lstm_hidden": 3}  # fmt: skip
LEARNERS = {"Meta-MAPG": "meta_mapg", "Meta-PG": "meta_pg", "untrained": "meta_pg"}
COLORS = {"Meta-MAPG": BLUE, "Meta-PG": RED, "untrained": BLACK}
GAMES = {"IPD": ("ipd_v0", 0.96), "RPS": ("rps_v0", 0.9)}  # authors' discounts


def cells(settings: Settings) -> list[Cell]:
    """Exact learners in both games, then the LSTM in the prisoner's dilemma."""
    made = []
    for game in GAMES:
        for name in LEARNERS:
            own = {
                key: settings[key]
                for key in ("batch", "chain", "games", "rate", "lr_outer", "device")
            }
            own |= {"steps": settings[f"{game.lower()}_steps"], "hidden": 1, "actor": "tabular"}
            made.append(
                cell(
                    game,
                    name,
                    "exact",
                    own | {"iterations": settings["iterations"]},
                    settings["runs"],
                )
            )
    for name in LEARNERS:
        keys = ("batch", "chain", "games", "steps", "hidden", "rate")
        own = {key: settings[f"lstm_{key}"] for key in keys} | {
            "actor": "lstm",
            "device": settings["device"],
        }
        own |= {"lr_outer": settings["lstm_lr"], "iterations": settings["lstm_iterations"]}
        made.append(cell("IPD", name, "LSTM", own, settings["lstm_runs"]))
    return made


def cell(game: str, name: str, kind: str, own: dict[str, Any], runs: int) -> Cell:
    """One learner in one game."""
    label = f"{game} {kind} {name}"
    own |= {"game": game, "learner": LEARNERS[name]} | (
        {"iterations": 0} if name == "untrained" else {}
    )
    floor = sum(FLOOR[game]) / len(FLOOR[game])
    target, note = None, "for information"
    if kind == "LSTM":
        note = "for information: reduced in games, steps, units and updates"
    elif name == "Meta-MAPG" and game == "IPD":
        target, note = (floor, 1.5), "target: above the untrained floor of the authors' classes"
    row = Row(
        f"{label}: mean over updates, shifted", None, "mean", target=target, note=note, judged=False
    )
    cost = 1.0 if name == "untrained" else 30.0
    count = "runs" if kind == "exact" else "lstm_runs"
    return Cell(label, own, runs, (row,), cost=cost, count=count)


def score(settings: Settings, runs: int, seed: int) -> dict[str, Any]:
    """Meta-trains all runs side by side, then meets the personas of the test split."""
    import torch

    import social_dilemmas_env as sde
    from agents.learners.meta_mapg.config import MetaLearnerConfig
    from agents.learners.meta_mapg.personas import personas
    from agents.registry import LEARNERS as SPECS

    env_id, gamma = GAMES[settings["game"]]
    values = "exact" if settings["actor"] == "tabular" else "samples"
    cfg = MetaLearnerConfig(
        runs=runs, batch=settings["batch"], chain=settings["chain"], games=settings["games"], steps=settings["steps"],
        hidden=settings["hidden"], lr_inner=settings["rate"], lr_outer=settings["lr_outer"], actor=settings["actor"],
        values=values, gamma=gamma, peers="all",
    )  # fmt: skip
    learner = SPECS[settings["learner"]].make(cfg, env_id, {}, seed, settings["device"])
    trained, ended = [0.0] * settings["iterations"], 0
    for k in range(settings["iterations"]):
        metrics = learner.update()
        trained[k], ended = metrics["reward"].item(), ended + int(metrics["ended_chains"])
    peers = personas(env_id, "all", "test", sde.draw(seed, 2)).to(settings["device"])
    tables = learner.table.payoffs.expand(len(peers), *learner.table.payoffs.shape)
    rewards = learner.adapt(tables, peers, sde.draw(seed, 10)).double() + SHIFT[settings["game"]]
    own, peer = rewards.mean(-1).unbind(1)  # [L + 1, R]
    error = 1.96 * own.std(1, correction=1) / runs**0.5 if runs > 1 else torch.zeros(len(own))
    curves = {
        "mean": own.mean(1),
        "low": own.mean(1) - error,
        "high": own.mean(1) + error,
        "peer": peer.mean(1),
    }
    samples = {"mean": own[1:].mean(0), "by update": own.T, "peer": peer[1:].mean(0)}
    return {"samples": samples, "curves": curves, "trained": trained, "ended_chains": ended}


def derive(samples: dict[str, Samples]) -> Samples:
    """Meta-MAPG minus Meta-PG, run by run: they start alike."""
    kinds = ("IPD exact", "RPS exact", "IPD LSTM")
    return {
        kind: samples[f"{kind} Meta-MAPG"]["mean"] - samples[f"{kind} Meta-PG"]["mean"]
        for kind in kinds
    }


DERIVED = (
    Row(
        "IPD exact: Meta-MAPG minus Meta-PG",
        None,
        "IPD exact",
        target=(0.01, 2.0),
        note="target: above 0",
        judged=False,
    ),
    Row(
        "RPS exact: Meta-MAPG minus Meta-PG",
        None,
        "RPS exact",
        target=(0.01, 2.0),
        note="target: above 0",
        judged=False,
    ),
    Row("IPD LSTM: Meta-MAPG minus Meta-PG", None, "IPD LSTM", note="for information: reduced"),
)


def plot(result: dict[str, Any], path: Path) -> None:
    """Reward at each update, three panels."""
    figure, panels = axes(3, width=4.3)
    for axis, kind in zip(panels, ("IPD exact", "RPS exact", "IPD LSTM"), strict=True):
        for name, color in COLORS.items():
            curves = result["curves"][f"{kind} {name}"]
            steps = range(len(curves["mean"]))
            axis.plot(steps, curves["mean"], color=color, label=name, marker=".")
            axis.fill_between(
                steps, curves["low"], curves["high"], color=color, alpha=0.15, linewidth=0
            )
        if kind != "IPD LSTM":
            axis.plot(
                range(1, 8), FLOOR[kind[:3]], "--", color=GREEN, label="authors' LSTM, untrained"
            )
        axis.set(
            title=f"{kind}: the meta-agent",
            xlabel="inner update",
            ylabel="reward a step (authors' scale)",
        )
    panels[0].legend(fontsize=8)
    save(figure, path)


BENCHMARK = Benchmark(
    name="meta_mapg_personas", title="Meta-MAPG: peers with a character, prisoner's dilemma and rock-paper-scissors",
    source="Kim et al. 2021, https://arxiv.org/abs/2011.00382, figures of IPD and RPS (no numbers printed); "
    "dkkim93/meta-mapg 2d8046f",
    settings=SETTINGS, small=SMALL, cells=cells, score=score, plot=plot, derive=derive, derived=DERIVED,
)  # fmt: skip
