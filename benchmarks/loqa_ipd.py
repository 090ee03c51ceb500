"""LOQA on the iterated prisoner's dilemma: P(C | start, CC, CD, DC, DD) after training, and why it
comes out so.

The paper's figure shows tit-for-tat-like bars at iteration 7000, without numbers. Re-running the
authors' code by its README's command gave a drift to defection instead (one seed; P(C) .000 .457
.334 .540 .263 at iteration 7000); so do ten seeds here. The cells here are that command and one
change at a time: the advantage attached or not, new random numbers each iteration or always the
same, advantages standardised, payoffs shifted so that they are centred. With rewards that are all
negative and a critic that starts at 0, the advantage stays negative for thousands of iterations,
and the shaping term -A Q_j lowers the opponent's return. Standardising mends that for 6 runs of 10;
the others start with a random critic that points them elsewhere, and do not with one that starts at
0 (10 of 10). P(C|CD) was .43 then, above the .40 that was asked; shifting the payoffs as well
brings it down: "recommended", the defaults of `train("loqa", "ipd_v0")`, chosen after that and
tried on seed 77 first. Payoffs shifted alone also leave 4 of 10 runs astray.

Runs of 10 that cooperate with themselves (-1.15 or more a step) / that meet all five bars of
"recommended": README 0 / 0 (7,000 iterations of 2,048 games, self-play -1.97; the others have 4,000
of 512); detached 0 / 0; shifted 6 / 6, attached 7 / 1; standardised 6 / 3, with the same draws 5 /
3, attached 2 / 0; standardised with a zero critic 10 / 0 (P(C|CD) alone misses); recommended 10 /
10. So the leak does harm where advantages are standardised, and the same draws in every iteration
do not matter much.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.harness.benchmark import (
    Benchmark,
    Cell,
    Row,
    Settings,
)
from benchmarks.harness.plots import axes, save
from benchmarks.harness.resumable_training import folder_of, metric, stages

STATES = ("start", "CC", "CD", "DC", "DD")
README = {
    "detach_advantage": False, "fresh_draws": False, "standardise": False, "payoff_shift": 0.0, "zero_critic": False,
}  # fmt: skip
CELLS = {
    "README": {},
    "detached": {"detach_advantage": True, "fresh_draws": True},
    "shifted": {"detach_advantage": True, "fresh_draws": True, "payoff_shift": 1.5},
    "shifted, attached": {"fresh_draws": True, "payoff_shift": 1.5},
    "standardised": {"detach_advantage": True, "fresh_draws": True, "standardise": True},
    "standardised, zero critic": {
        "detach_advantage": True,
        "fresh_draws": True,
        "standardise": True,
        "zero_critic": True,
    },
    "recommended": {
        "detach_advantage": True,
        "fresh_draws": True,
        "standardise": True,
        "zero_critic": True,
        "payoff_shift": 1.5,
    },
    "standardised, same draws": {"detach_advantage": True, "standardise": True},
    "standardised, attached": {"fresh_draws": True, "standardise": True},
}
# What was asked of the recommended settings, before anything was run.
RECOMMENDED = {
    "P(C|start)": (0.9, 1.0), "P(C|CC)": (0.9, 1.0), "P(C|CD)": (0.0, 0.4), "P(C|DC)": (0.9, 1.0), "P(C|DD)": (0.0, 0.1),
    "self-play": (-1.15, -1.0),
}  # fmt: skip
# Authors' code, seed 42, iteration 7000 (our re-run of it; the paper prints no numbers).
RERUN = {"P(C|start)": 0.0, "P(C|CC)": 0.457, "P(C|CD)": 0.334, "P(C|DC)": 0.540, "P(C|DD)": 0.263}
SETTINGS = {"runs": 10, "steps": 4000, "batch": 512, "readme_steps": 7000, "readme_batch": 2048}
SMALL = {"runs": 2, "steps": 5, "batch": 8, "readme_steps": 5, "readme_batch": 8}


def rows_of(name: str) -> tuple[Row, ...]:
    """Five probabilities and the reward of self-play without exploration noise."""
    wanted = RECOMMENDED if name == "recommended" else {}
    note = "authors' code re-run, one seed" if name == "README" else ""
    quantities = [f"P(C|{state})" for state in STATES] + ["self-play"]
    return tuple(
        Row(
            f"{name} {q}",
            RERUN.get(q) if name == "README" else None,
            q,
            target=wanted.get(q),
            note=note,
            paper_runs=1,
            judged=name == "README",
        )  # the others are smaller than the paper's runs
        for q in quantities
    )


def cells(settings: Settings) -> list[Cell]:
    """A cell for each ablation; the README's own sizes for the README's command."""
    made = []
    for name, change in CELLS.items():
        kind = "readme_" if name == "README" else ""
        own = {key: settings[kind + key] for key in ("steps", "batch")}
        cost = own["steps"] * own["batch"] * 2.5e-5
        switches = {**README, **change, **own, "device": settings["device"]}
        made.append(Cell(name, switches, settings["runs"], rows_of(name), cost=cost))
    return made


def score(settings: Settings, runs: int, seed: int) -> dict[str, Any]:
    """Policies of all runs, learned side by side."""
    folder = folder_of("loqa_ipd", settings, runs, seed)
    how = {key: settings[key] for key in (*README, "batch", "device")} | {
        "runs": runs,
        "seed": seed,
    }
    [(_, found)] = stages(folder, [settings["steps"]], learned, "loqa", "ipd_v0", **how)
    return found


def learned(run: Path) -> dict[str, Any]:
    """The result of a run folder."""
    return {"samples": policies(run), "curves": {"reward": metric(run, "reward")}}


def policies(run: Path) -> dict[str, list[float]]:
    """P(C | state) of every run of a run folder, and what two copies earn a step."""
    import torch

    from agents.checkpoint import load
    from agents.execution.games import spaces
    from agents.learners.loqa.self_play import actor_critic
    from agents.registry import LEARNERS

    checkpoint = load(run / "checkpoints")
    cfg: Any = replace(
        LEARNERS[checkpoint.facts["learner"]].settings("ipd_v0"), **checkpoint.facts["settings"]
    )
    net = actor_critic(cfg, *spaces("ipd_v0", {}, "cpu"))
    table = net.unpack(checkpoint.tensors["self0.theta"], "actor")["zero_table"]
    policy = torch.softmax(table, -1)[..., 0].double()
    found = {f"P(C|{state})": policy[:, s].tolist() for s, state in enumerate(STATES)}
    return found | {"self-play": self_play(policy, cfg.horizon).tolist()}


def self_play(policy: Any, steps: int) -> Any:
    """Mean reward a step of two copies over an episode, in expectation.  P(C) [R, 5] -> [R]."""
    import torch

    payoff = policy.new_tensor([-1.0, -3.0, 0.0, -2.0])
    mine, theirs = policy, policy[:, [0, 1, 3, 2, 4]]  # the other sees CD where I see DC
    joint = torch.stack(
        [mine * theirs, mine * (1 - theirs), (1 - mine) * theirs, (1 - mine) * (1 - theirs)], -1
    )
    here, total = joint[:, 0], 0.0
    for _ in range(steps):
        total = total + here @ payoff
        here = torch.einsum("rs,rsj->rj", here, joint[:, 1:])
    return total / steps


def plot(result: dict[str, Any], path: Path) -> None:
    """The bars of the paper's figure, for each cell."""
    import numpy as np

    figure, (bars, curves) = axes(2, width=7.0)
    values = {row["name"]: row["ours"] for row in result["rows"]}
    names = [name for name in CELLS if values.get(f"{name} P(C|CC)") is not None]
    width = 0.8 / max(1, len(names))
    for k, name in enumerate(names):
        heights = [values[f"{name} P(C|{state})"] for state in STATES]
        bars.bar(np.arange(5) + (k - len(names) / 2) * width, heights, width, label=name)
        if name in result["curves"]:
            curves.plot(
                20 * np.arange(1, 1 + len(result["curves"][name]["reward"])),
                result["curves"][name]["reward"],
                label=name,
            )
    bars.set(title="P(cooperate | last moves, own first)", ylim=(0, 1.02))
    bars.set_xticks(range(5), STATES)
    curves.set(title="Reward a step, with exploration", xlabel="iteration")
    bars.legend(fontsize=7)
    save(figure, path)


BENCHMARK = Benchmark(
    name="loqa_ipd", title="LOQA on the iterated prisoner's dilemma, and the ablation that explains it",
    source="Aghajohari et al. 2024, https://arxiv.org/abs/2405.01035, figure of the IPD policies; MiladInk/loqa 32f50c9",
    settings=SETTINGS, small=SMALL, cells=cells, score=score, plot=plot,
)  # fmt: skip
