"""POLA-DiCE on the prisoner's dilemma with full history, where LOLA-DiCE and naive learning defect.

The game is the contribution game with f = 1.33: .33 a step for mutual cooperation, 0 for mutual
defection, -.335 for cooperating with a defector. Policies are GRUs that see every past move. The
published numbers are read off the README's figures (± .003), means of 10 seeds. The full setting is
the README's, 8 to 24 hours of a GPU a seed; `--scale small` (two cores, under 20 minutes) has
networks of 16 units, 64 games of 20 steps, and for POLA 20 outer steps an update, larger rates and
weaker proximal terms, found by trial; LOLA-DiCE and naive learning keep their published rates, so
that its comparison favours POLA. It shows that POLA finds cooperation at that size, and cannot say
"reproduced".
"""

from __future__ import annotations

from functools import partial

from benchmarks.harness.benchmark import Benchmark, Cell, Settings, pick_settings
from benchmarks.pola_curves import ARMS, CHANGES, build_cell, build_rows, plot_curves, score

# Silent-Zebra/POLA (b248b52), README figures: end of training, mean of 10 seeds; and targets stated
# before the first run.
PAPER: dict[str, dict[str, float]] = {
    "POLA-DiCE": {"self": 0.313, "vs always_defect": -0.036},
    "POLA-OM": {"self": 0.316, "vs always_defect": -0.036},
    "LOLA-DiCE": {"self": 0.108, "vs always_defect": -0.006},
}
TARGETS = {"POLA-DiCE self": (0.30, 0.33), "POLA-DiCE vs always_defect": (-0.05, 0.0)}
# What the small setting is asked, also before its first run; a reduced setting is never
# "reproduced".
SMALL_TARGETS = {
    "POLA-DiCE self": "at least .2",
    "LOLA-DiCE self": "below .1",
    "naive self": "below .1",
}
QUANTITIES = {
    "self": "Score against each other (.33: cooperation)",
    "vs always_defect": "Score against always-defect",
}
SETTINGS = {
    "runs": 10,
    "chunk": 2,
    "iterations": 20_200,
    "points": 101,  # of the curves
    "episodes": 256,  # a score
    "batch": 2000,
    "horizon": 50,
    "hidden": 64,
    # Proximal steps.
    "outer_steps": 200,
    "lr_in": 0.005,
    "lr_out": 0.003,
    "beta_in": 10.0,
    "beta_out": 100.0,
    "model_batches": 200,
    "lola_lr_in": 0.05,
}
SMALL = {
    "runs": 5,
    "chunk": 0,
    "iterations": 1000,
    "points": 20,
    "episodes": 128,
    "batch": 64,
    "horizon": 20,
    "hidden": 16,
    "outer_steps": 20,
    "lr_in": 0.02,
    "lr_out": 0.005,
    "beta_in": 5.0,
    "beta_out": 20.0,
    "model_batches": 30,
}
PROXIMAL = ("outer_steps", "lr_in", "lr_out", "beta_in", "beta_out")
GAME = {"env_id": "ipd_v0", "game": {"contribution_factor": 1.33}}


def cells(settings: Settings) -> list[Cell]:
    """A cell for each learner."""
    notes = {} if settings["batch"] >= SETTINGS["batch"] else SMALL_TARGETS
    quantities = [*QUANTITIES, "vs always_cooperate"]
    return [
        build_cell(
            name,
            settings,
            {**GAME, "own": choose_settings(name, settings)},
            build_rows(name, quantities, PAPER, TARGETS, notes),
        )
        for name in ARMS
    ]


def choose_settings(name: str, settings: Settings) -> dict[str, object]:
    """The settings of one learner."""
    own = pick_settings(settings, "batch", "horizon", "hidden") | CHANGES.get(name, {})
    if name.startswith("POLA"):
        own |= pick_settings(settings, *PROXIMAL)
    elif name.startswith("LOLA"):
        own |= {"lr_in": settings["lola_lr_in"]}

    # Opponent models are learned from batches of play.
    if name == "POLA-OM":
        own |= pick_settings(settings, "model_batches")
    return own


BENCHMARK = Benchmark(
    name="pola_ipd",
    title="POLA-DiCE, POLA-OM, LOLA-DiCE and naive learning on the full-history prisoner's dilemma",
    source="Zhao et al. 2022, https://arxiv.org/abs/2210.10125, Figure 4; "
    "Silent-Zebra/POLA b248b52, README figures",
    settings=SETTINGS,
    small=SMALL,
    cells=cells,
    score=partial(score, name="pola_ipd"),
    plot=partial(plot_curves, quantities=QUANTITIES, published=PAPER),
)
