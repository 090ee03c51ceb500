"""LOLA's Table 4: learners of order 0 (naive), 1 (LOLA) and 2 (LOLA that models a LOLA learner).

Against one another. The paper says that its step size was 0.5, not what its shaping rate was, and
has no code for order 2. With a shaping rate of 1 the pairs come out in the paper's order, but not
every number does: a naive learner loses more to ours than to theirs.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import social_dilemmas_env as sde
from agents.learners.exact_table import RunConfig, exact_learner, run
from agents.matrix_games.closed_form import MatrixGame
from benchmarks.harness.benchmark import (
    Benchmark,
    Cell,
    Result,
    Row,
    Samples,
    Settings,
    pick_settings,
)
from benchmarks.harness.plots import make_axes, plot_comparison, save_figure

Pair = tuple[str, str]
# Foerster et al. 2018, https://arxiv.org/abs/1709.04326, Table 4: normalised return of the first
# learner, of the second. In the order of their mean, the last one cooperating most.
PAPER: dict[Pair, tuple[float, float]] = {
    ("NL", "NL"): (-1.99, -1.99),
    ("NL", "2nd"): (-1.46, -1.46),
    ("NL", "LOLA"): (-1.54, -1.28),
    ("LOLA", "2nd"): (-1.14, -1.17),
    ("LOLA", "LOLA"): (-1.04, -1.04),
}
# Stated before the first run; all others: what chance allows in 50 runs.
TARGETS = {("LOLA", "LOLA"): (-1.06, -1.02)}
ORDER = {"NL": 0, "LOLA": 1, "2nd": 2}
# Pairs that follow one another in the paper's order.
NEIGHBOURS = list(zip(PAPER, list(PAPER)[1:], strict=False))
SETTINGS = {"runs": 1000, "steps": 200, "lr": 0.5, "eta": 1.0}
SMALL = {"runs": 16, "steps": 10}


def label(pair: Pair) -> str:
    """Such as "NL vs LOLA"."""
    return " vs ".join(pair)


def cells(settings: Settings) -> list[Cell]:
    """A cell for each pair."""
    common = pick_settings(settings, "steps", "lr", "eta", "device")
    return [
        Cell(
            label(pair),
            {"learners": list(pair)} | common,
            settings["runs"],
            build_rows(pair),
            chunk=250,
            cost=0.01,
        )
        for pair in PAPER
    ]


def build_rows(pair: Pair) -> tuple[Row, ...]:
    """The returns of both learners."""
    names = [f"{label(pair)}: {learner}" for learner in pair]
    if pair[0] == pair[1]:
        names[1] += " (second)"
    target = TARGETS.get(pair)
    return tuple(
        Row(names[i], paper, f"player {i}", target=target) for i, paper in enumerate(PAPER[pair])
    )


def score(settings: Settings, runs: int, seed: int) -> Result:
    """The last reward a step of both learners."""
    game = MatrixGame(sde.payoffs("ipd_v0"), 0.96, settings["device"])
    # Order 0, 1 and 2 are one learner with another setting.
    learners = {
        name: exact_learner("lola", order=ORDER[name], eta=settings["eta"])
        for name in set(settings["learners"])
    }

    config = RunConfig(runs=runs, steps=settings["steps"], lr=settings["lr"], seed=seed)
    history = run(game, [learners[name] for name in settings["learners"]], config)
    # The last values, [R] each.
    first, second = history.values[-1].unbind(-1)
    return {
        "samples": {"player 0": first, "player 1": second},
        "stopped": [str(each) for each in history.stopped],
    }


def derive(samples: dict[str, Samples]) -> Samples:
    """How much more the later pair of the paper's order earns, in mean of both learners."""
    means = {
        pair: np.mean([samples[label(pair)][f"player {i}"] for i in (0, 1)], axis=0)
        for pair in PAPER
    }
    return {name_ordering(low, high): means[high] - means[low] for low, high in NEIGHBOURS}


def name_ordering(low: Pair, high: Pair) -> str:
    """The name of the row that says which pair earns more."""
    return f"order: ({label(high)}) - ({label(low)})"


def build_ordering_row(low: Pair, high: Pair) -> Row:
    """The row itself."""
    paper = round(sum(PAPER[high]) / 2 - sum(PAPER[low]) / 2, 3)
    note = "the same ordering as the paper's: positive"
    return Row(name_ordering(low, high), paper, target=(0.0, 2.0), digits=3, note=note)


def plot(result: Result, path: Path) -> None:
    """Every pair's two returns beside the paper's."""
    figure, (axis,) = make_axes(1, width=6.5)
    rows = [row for row in result["rows"] if row["cell"] != "all"]
    plot_comparison(axis, rows, [row["name"] for row in rows])
    axis.set(title="Prisoner's dilemma, reward a step after learning", xlabel="reward a step")
    save_figure(figure, path)


BENCHMARK = Benchmark(
    name="lola_orders",
    title="LOLA, Table 4: higher orders of opponent-learning awareness",
    source="Foerster et al. 2018, https://arxiv.org/abs/1709.04326, Table 4",
    settings=SETTINGS,
    small=SMALL,
    cells=cells,
    score=score,
    plot=plot,
    derive=derive,
    derived=tuple(build_ordering_row(low, high) for low, high in NEIGHBOURS),
)
