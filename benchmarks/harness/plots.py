"""One look for every picture: colour-blind-safe colours, light axes, no frames.

Colours of Okabe and Ito 2008.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness.benchmark import Benchmark, Result

BLUE, SKY = "#0072B2", "#56B4E9"
RED, ORANGE, YELLOW = "#D55E00", "#E69F00", "#F0E442"
GREEN, PINK, BLACK = "#009E73", "#CC79A7", "#000000"
COLORS = (BLUE, RED, GREEN, ORANGE, PINK, SKY, BLACK, YELLOW)
PAPER = "#999999"
STYLE: dict[str, Any] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#E5E5E5",
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.labelsize": 10,
    "font.size": 9.5,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
    "figure.dpi": 100,
    "savefig.dpi": 150,
}


def make_axes(
    count: int, width: float = 4.6, height: float = 3.7, **kwargs: Any
) -> tuple[Any, Any]:
    """A figure with `count` panels side by side, styled, and its array of axes."""
    from matplotlib import pyplot

    settings: Any = pyplot.rcParams
    settings.update(STYLE)
    size = (width * count, height)
    figure, panels = pyplot.subplots(
        1, count, figsize=size, layout="constrained", squeeze=False, **kwargs
    )
    return figure, panels[0]


def save_figure(figure: Any, path: Path) -> None:
    """Writes and closes the figure."""
    from matplotlib import pyplot

    figure.savefig(path)
    pyplot.close(figure)


def draw(benchmark: Benchmark, result: Result, out: Path) -> Path | None:
    """Draws NAME.png.

    None where matplotlib is missing or nothing can be drawn from a part of the cells.
    """
    try:
        import matplotlib
    except ImportError:
        return None

    matplotlib.use("Agg")
    path = out / f"{benchmark.name}.png"
    try:
        benchmark.plot(result, path)
    except KeyError:  # a cell that the picture needs was not run
        return None
    return path


def plot_curve(axis: Any, curves: dict[str, list[float]], color: str, **style: Any) -> None:
    """The curve "mean" over updates, with the band "low" to "high" if there is one."""
    updates = range(len(curves["mean"]))
    axis.plot(updates, curves["mean"], color=color, **style)
    if "low" in curves:
        band = updates, curves["low"], curves["high"]
        axis.fill_between(*band, color=color, alpha=0.15, linewidth=0)


def plot_comparison(axis: Any, rows: list[dict[str, Any]], labels: list[str]) -> None:
    """Paper (grey diamond) beside ours (blue, with interval), a line a row, from top to bottom."""
    position = np.arange(len(rows))[::-1]
    bar = {"color": BLUE, "linewidth": 3, "solid_capstyle": "butt", "alpha": 0.5}

    for y, row in zip(position, rows, strict=True):
        ours, paper = ("ours, 95 % interval", "paper") if y == position[0] else (None, None)
        if row["ours"] is not None:
            axis.plot([row["ci_low"], row["ci_high"]], [y, y], **bar)
            axis.plot(row["ours"], y, "o", color=BLUE, markersize=5, label=ours)
        if row["paper"] is not None:
            axis.plot(row["paper"], y, "D", color=PAPER, markersize=5, zorder=1, label=paper)

    axis.set_yticks(position, labels)
    axis.set_ylim(-0.6, len(rows) - 0.4)
    axis.legend(loc="upper center", bbox_to_anchor=(0.4, -0.13), ncols=2)


def find_row(result: Result, name: str) -> dict[str, Any]:
    """The row called `name`."""
    return next(row for row in result["rows"] if row["name"] == name)


def tabulate_ours(result: Result) -> dict[str, float | None]:
    """Our number of every row, by its name."""
    return {row["name"]: row["ours"] for row in result["rows"]}
