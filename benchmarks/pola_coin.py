"""POLA-DiCE in the Coin Game: the share of pick-ups that are of the own colour, and the scores.

The board is POLA's (3x3, `variant="pola"`), the policies GRUs of 64 units. Published numbers are
read off the README's figures (± .003), means of 10 seeds. The full setting is the README's as
corrected in July 2023: 25 billion steps a seed. `--scale small` has 64 games and 16 units: it shows
that everything runs, not who cooperates.
"""

from __future__ import annotations

from functools import partial

from benchmarks.harness.benchmark import Benchmark, Cell, Settings, pick_settings
from benchmarks.pola_curves import ARMS, CHANGES, build_cell, build_rows, plot_curves, score

# Silent-Zebra/POLA (b248b52), README figures: end of training, mean of 10 seeds; and targets stated
# before the first run.
PAPER: dict[str, dict[str, float]] = {
    "POLA-DiCE": {"own share": 0.824, "self": 0.263, "vs always_defect": -0.027},
    "POLA-OM": {"own share": 0.770, "self": 0.234, "vs always_defect": -0.026},
    "LOLA-DiCE": {"own share": 0.504, "self": 0.003, "vs always_defect": -0.319},
}
TARGETS = {
    "POLA-DiCE own share": (0.80, 1.0),
    "POLA-DiCE self": (0.25, 0.34),
    "POLA-DiCE vs always_defect": (-0.04, 0.1),
}
QUANTITIES = {
    "own share": "Share of own coins",
    "self": "Score against each other",
    "vs always_defect": "Against always-defect",
}
SETTINGS = {
    "runs": 10,
    "chunk": 1,
    "iterations": 50_200,
    "points": 251,  # of the curves
    "episodes": 256,  # a score
    "batch": 1000,
    "lola_batch": 2000,
    "horizon": 50,
    "hidden": 64,
    # Proximal steps; "om_": with opponent models.
    "outer_steps": 200,
    "inner_steps": 4,
    "om_inner_steps": 6,
    "lr_in": 0.01,
    "lola_lr_in": 0.003,
    "beta_in": 5.0,
    "om_beta_in": 15.0,
    "beta_out": 150.0,
    "model_batches": 200,
}
SMALL = {
    "runs": 2,
    "chunk": 0,
    "iterations": 40,
    "points": 4,
    "episodes": 32,
    "batch": 64,
    "lola_batch": 64,
    "horizon": 20,
    "hidden": 16,
    "outer_steps": 10,
    "inner_steps": 2,
    "om_inner_steps": 2,
    "model_batches": 5,
}
PROXIMAL = ("outer_steps", "inner_steps", "lr_in", "beta_in", "beta_out", "batch")
GAME = {"env_id": "coin_game_v0", "game": {"variant": "pola"}}


def cells(settings: Settings) -> list[Cell]:
    """A cell for each learner."""
    return [
        build_cell(
            name,
            settings,
            {**GAME, "own": choose_settings(name, settings)},
            build_rows(name, list(QUANTITIES), PAPER, TARGETS),
        )
        for name in ARMS
    ]


def choose_settings(name: str, settings: Settings) -> dict[str, object]:
    """The settings of one learner."""
    own = pick_settings(settings, "horizon", "hidden") | CHANGES.get(name, {})
    if name.startswith("POLA"):
        own |= pick_settings(settings, *PROXIMAL)
    else:
        own |= {"batch": settings["lola_batch"]}

    if name.startswith("LOLA"):
        own |= {"lr_in": settings["lola_lr_in"]}
    # Opponent models have inner steps and weights of their own.
    if name == "POLA-OM":
        own |= pick_settings(settings, "inner_steps", "beta_in", prefix="om_")
        own |= pick_settings(settings, "model_batches")
    return own


BENCHMARK = Benchmark(
    name="pola_coin",
    title="POLA-DiCE, POLA-OM, LOLA-DiCE and naive learning in the Coin Game",
    source="Zhao et al. 2022, https://arxiv.org/abs/2210.10125, Figure 5; "
    "Silent-Zebra/POLA b248b52, README figures",
    settings=SETTINGS,
    small=SMALL,
    cells=cells,
    score=partial(score, name="pola_coin"),
    plot=partial(plot_curves, quantities=QUANTITIES, published=PAPER),
)
