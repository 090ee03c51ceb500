"""The picture of `estimator_quality`: forgetting, noise by estimator, imagined gains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.harness.benchmark import Result
from benchmarks.harness.plots import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    RED,
    find_row,
    make_axes,
    save_figure,
)

POLICIES = {"near uniform": BLUE, "half trained": ORANGE, "two thieves": RED}
DECAYS = {1.0: "base", 0.95: "dice_decay .95", 0.9: "dice_decay .9", 0.8: "dice_decay .8"}
DECAYS |= {0.6: "dice_decay .6"}
ETAS = {1.0: "eta 1", 10.0: "eta 10", 50.0: "base", 200.0: "eta 200"}
KEPT, COSINE = "kept along the truth", "cosine of a batch"
GAIN = "the other's imagined gain a step, exact step"
MIRROR = "the other's imagined gain a step, mirror step of beta 1"
ESTIMATORS = {  # short names of cells at their first policies
    "POLA-DiCE": ("POLA-DiCE, {}, base", BLUE),
    "POLA-DiCE, 4 x games": ("POLA-DiCE, {}, four times the games", BLUE),
    "LOQA, λ .9": ("LOQA, lambda .9, {}", GREEN),
    "LOQA, λ 1": ("LOQA, lambda 1, {}", GREEN),
    "Advantage Alignment, λ .9": ("Advantage Alignment, lambda .9, {}", ORANGE),
    "LOLA-DiCE (dilemma)": ("LOLA-DiCE, dice, {}", RED),
    "Meta-MAPG (dilemma)": ("Meta-MAPG, loaded, {}", BLACK),
}


def plot(result: Result, path: Path) -> None:
    """Three panels, see the top of this file."""
    figure, (decay, noise, gain) = make_axes(3, width=4.9)
    plot_decay(decay, result)
    plot_noise(noise, result)
    plot_gain(gain, result)
    save_figure(figure, path)


def plot_decay(axis: Any, result: Result) -> None:
    """POLA-DiCE's shaping term over dice_decay."""
    for policies in ("near uniform", "half trained"):
        for label, style in ((KEPT, "-"), (COSINE, "--")):
            rows = [
                find_row(result, f"POLA-DiCE, {policies}, {word}: {label}")
                for word in DECAYS.values()
            ]
            color = POLICIES[policies]
            axis.plot(list(DECAYS), [row["ours"] for row in rows], style, color=color, marker=".")
            low, high = ([row[end] for row in rows] for end in ("ci_low", "ci_high"))
            axis.vlines(list(DECAYS), low, high, color=color, linewidth=3, alpha=0.4)
        axis.plot([], [], color=POLICIES[policies], label=policies)

    axis.plot([], [], "-", color="#666666", label=KEPT)
    axis.plot([], [], "--", color="#666666", label=COSINE)
    axis.set(title="POLA-DiCE: forgetting", xlabel="dice_decay", ylim=(0, 1.15))
    axis.legend(loc="upper left")


def plot_noise(axis: Any, result: Result) -> None:
    """Cosine of one batch's shaping term, by estimator: filled where shaping has to begin."""
    for place, (word, (cell, color)) in enumerate(reversed(ESTIMATORS.items())):
        starts = (
            ("uniform", "two defectors") if "dilemma" in word else ("near uniform", "two thieves")
        )
        for policies, face in zip(starts, (color, "white"), strict=True):
            row = find_row(result, f"{cell.format(policies)}: {COSINE}")
            axis.hlines(place, row["ci_low"], row["ci_high"], color=color, linewidth=3, alpha=0.4)
            axis.plot(row["ours"], place, "o", color=color, markerfacecolor=face)

    axis.plot([], [], "o", color="#666666", label="near uniform")
    axis.plot([], [], "o", color="#666666", markerfacecolor="white", label="after naive learning")
    axis.set_yticks(range(len(ESTIMATORS)), list(reversed(ESTIMATORS)))
    axis.set(title="Shaping term: cosine of one batch", xlim=(-0.1, 1), ylim=(-0.5, 7.8))
    axis.legend(loc="upper right", ncols=2)


def plot_gain(axis: Any, result: Result) -> None:
    """What one imagined step gains the other: POLA-DiCE's plain step, and a mirror step."""
    for policies in ("near uniform", "two thieves"):
        rows = [
            find_row(result, f"POLA-DiCE, {policies}, {word}: {GAIN}") for word in ETAS.values()
        ]
        color = POLICIES[policies]
        axis.loglog(
            list(ETAS), [row["ours"] for row in rows], color=color, marker=".", label=policies
        )
        mirror = find_row(result, f"POLA-DiCE, {policies}, base: {MIRROR}")["ours"]
        axis.axhline(mirror, color=color, linestyle=":", label=f"{policies}, mirror step")
    axis.set(title="The other's imagined gain a step", xlabel="η of one plain step")
    axis.legend()
