"""Learning paths in the bilinear game V1 = xy, V2 = -xy: naive learning spirals out.

Whoever looks ahead spirals in. No paper prints numbers for it; the theory does. One update with
step δ and look-ahead α multiplies the distance r from the equilibrium by

    √((1 - kδα)² + δ²)

with k = 0 for naive learning, 1 for LookAhead and for LOLA's shaping term alone, 2 for LOLA in full
(its Taylor form). SOS has k = 1 + p, where p = 1 as long as |ξ| = r >= b = 0.1 and p = r² below, so
that it is LOLA far away and LookAhead at the end.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from agents.learners.exact_table import RunConfig, exact_learner, run
from agents.matrix_games.differentiable import zero_sum
from benchmarks.harness.benchmark import Benchmark, Cell, Result, Row, Settings, pick_settings
from benchmarks.harness.plots import BLACK, BLUE, GREEN, ORANGE, RED, make_axes, save_figure

SETTINGS = {"runs": 64, "steps": 60, "lr": 0.2, "alpha": 0.5}
SMALL = {"runs": 4, "steps": 10}
LEARNERS: dict[str, tuple[str, tuple[str, ...]]] = {  # algorithm, and what it is told
    "naive": ("naive", ()),
    "LookAhead": ("look_ahead", ("alpha",)),
    "LOLA, shaping term": ("lola", ("eta",)),
    "LOLA, full": ("lola", ("eta", "form")),
    "SOS": ("sos", ("alpha",)),
}
STRENGTH = {"naive": 0, "LookAhead": 1, "LOLA, shaping term": 1, "LOLA, full": 2}  # k
COLORS = dict(zip(LEARNERS, (BLUE, GREEN, ORANGE, RED, BLACK), strict=True))
# They lie on LookAhead's, and at first on LOLA's.
DASHED = ("LOLA, shaping term", "SOS")
EXACT = 1e-6  # relative; rounding only


def predict_distance(name: str, settings: Settings) -> float:
    """The theory: r after `steps` updates from r = 1."""
    r, lr, alpha = 1.0, settings["lr"], settings["alpha"]
    for _ in range(settings["steps"]):
        k = STRENGTH.get(name, 1 + (1.0 if r >= 0.1 else r**2))
        r *= ((1 - k * lr * alpha) ** 2 + lr**2) ** 0.5
    return r


def cells(settings: Settings) -> list[Cell]:
    """A cell for each learner; the paper's number is the closed form."""
    common = pick_settings(settings, "steps", "lr", "alpha", "device")
    return [
        Cell(
            name,
            {"learner": name} | common,
            settings["runs"],
            (build_row(name, settings),),
            cost=0.01,
        )
        for name in LEARNERS
    ]


def build_row(name: str, settings: Settings) -> Row:
    """The distance after all updates."""
    theory = predict_distance(name, settings)
    target = (theory * (1 - EXACT), theory * (1 + EXACT))
    label = f"{name}: |θ| after {settings['steps']} updates from 1"
    note = "closed form, to one part in a million"
    return Row(label, theory, "ratio", target=target, digits=8, note=note)


def score(settings: Settings, runs: int, seed: int) -> Result:
    """Paths from random points of the unit circle: final distances, and the first run's path."""
    algorithm, names = LEARNERS[settings["learner"]]
    values = {"alpha": settings["alpha"], "eta": settings["alpha"], "form": "taylor"}
    learner = exact_learner(algorithm, **{name: values[name] for name in names})

    # Random points of the unit circle, [R, 2, 1].
    generator = torch.Generator().manual_seed(seed)
    angle = 2 * torch.pi * torch.rand(runs, dtype=torch.float64, generator=generator)
    theta = torch.stack((angle.cos(), angle.sin()), 1)[..., None].to(settings["device"])

    config = RunConfig(runs=runs, steps=settings["steps"], lr=settings["lr"])
    game = zero_sum(settings["device"])
    history = run(game, learner, config, theta, observe=lambda x: x[..., 0])
    observed: Any = history.observed  # [steps + 1, R, 2]
    x, y = observed[:, 0].unbind(-1)
    curves = {"x": x, "y": y, "distance": observed.norm(dim=-1).mean(-1)}
    return {"samples": {"ratio": history.theta[..., 0].norm(dim=-1)}, "curves": curves}


def plot(result: Result, path: Path) -> None:
    """One path of each learner, and the distance from the equilibrium over updates."""
    figure, (plane, radius) = make_axes(2, height=4.2)
    for name, curves in result["curves"].items():
        line, color = "--" if name in DASHED else "-", COLORS[name]
        dots = {"marker": ".", "color": color, "linewidth": 1, "markersize": 3}
        plane.plot(curves["x"], curves["y"], line, **dots)
        radius.semilogy(curves["distance"], line, color=color, label=name)

    plane.plot(0, 0, "+", color="#666666", markersize=10)
    every = [abs(v) for curves in result["curves"].values() for v in curves["x"] + curves["y"]]
    limits = (-1.15 * max(every), 1.15 * max(every))
    plane.set(title="V1 = xy, V2 = -xy: one path each", xlabel="x", ylabel="y")
    plane.set(xlim=limits, ylim=limits)
    plane.set_aspect("equal")
    radius.set(title="Distance from the equilibrium", xlabel="update")
    radius.legend()
    save_figure(figure, path)


BENCHMARK = Benchmark(
    name="zero_sum_paths",
    title="Learning paths on the bilinear zero-sum game",
    source="closed form; the game: Balduzzi et al. 2018, https://arxiv.org/abs/1802.05642; "
    "learners: Letcher et al. 2019, https://arxiv.org/abs/1811.08469",
    settings=SETTINGS,
    small=SMALL,
    cells=cells,
    score=score,
    plot=plot,
)
