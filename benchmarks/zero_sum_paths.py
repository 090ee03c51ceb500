"""Learning paths in the bilinear game V1 = xy, V2 = -xy: naive learning spirals out, whoever looks
ahead spirals in.

No paper prints numbers for it; the theory does. One update with step δ and look-ahead α multiplies
the distance r from the equilibrium by √((1 - kδα)² + δ²): k = 0 for naive learning, 1 for LookAhead
and for LOLA's shaping term alone, 2 for LOLA in full (its Taylor form). SOS has k = 1 + p, where p
= 1 as long as |ξ| = r >= b = 0.1 and p = r² below, so that it is LOLA far away and LookAhead at the
end.
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
    ORANGE,
    RED,
    axes,
    save,
)

SETTINGS = {"runs": 64, "steps": 60, "lr": 0.2, "alpha": 0.5}
SMALL = {"runs": 4, "steps": 10}
LEARNERS = {
    "naive": ("naive", {}),
    "LookAhead": ("look_ahead", {"alpha"}),
    "LOLA, shaping term": ("lola", {"eta"}),
    "LOLA, full": ("lola", {"eta", "form"}),
    "SOS": ("sos", {"alpha"}),
}
STRENGTH = {"naive": 0, "LookAhead": 1, "LOLA, shaping term": 1, "LOLA, full": 2}
COLORS = dict(zip(LEARNERS, (BLUE, GREEN, ORANGE, RED, BLACK), strict=True))
EXACT = 1e-6  # relative; rounding only


def distance(name: str, settings: Settings, start: float = 1.0) -> float:
    """The theory: r after `steps` updates from r = `start`."""
    r, lr, alpha = start, settings["lr"], settings["alpha"]
    for _ in range(settings["steps"]):
        k = STRENGTH.get(name, 1 + (1.0 if r >= 0.1 else r**2))
        r *= ((1 - k * lr * alpha) ** 2 + lr**2) ** 0.5
    return r


def cells(settings: Settings) -> list[Cell]:
    """A cell for each learner; PAPER is the closed form."""
    made = []
    for name in LEARNERS:
        theory = distance(name, settings)
        label, note = (
            f"{name}: |θ| after {settings['steps']} updates from 1",
            "closed form, to one part in a million",
        )
        row = Row(
            label,
            theory,
            "ratio",
            target=(theory * (1 - EXACT), theory * (1 + EXACT)),
            digits=8,
            note=note,
        )
        own = {"learner": name} | {key: settings[key] for key in ("steps", "lr", "alpha", "device")}
        made.append(Cell(name, own, settings["runs"], (row,), cost=0.01))
    return made


def score(settings: Settings, runs: int, seed: int) -> dict[str, Any]:
    """Paths from random points of the unit circle: final distances, and the first run's path."""
    import torch

    from agents.learners.exact_table import RunConfig, exact_learner, run
    from agents.matrix_games.differentiable import zero_sum

    learner, wants = LEARNERS[settings["learner"]]
    words = {"alpha": settings["alpha"], "eta": settings["alpha"], "form": "taylor"}
    angle = (
        2
        * torch.pi
        * torch.rand(runs, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    )
    theta = torch.stack((angle.cos(), angle.sin()), 1)[..., None].to(settings["device"])
    config = RunConfig(runs=runs, steps=settings["steps"], lr=settings["lr"])
    made = exact_learner(learner, **{word: words[word] for word in wants})
    history = run(zero_sum(settings["device"]), made, config, theta, observe=lambda x: x[..., 0])
    x, y = history.observed[:, 0].unbind(-1)
    curves = {"x": x, "y": y, "distance": history.observed.norm(dim=-1).mean(-1)}
    return {"samples": {"ratio": history.theta[..., 0].norm(dim=-1)}, "curves": curves}


def plot(result: dict[str, Any], path: Path) -> None:
    """One path of each learner, and the distance from the equilibrium over updates."""
    figure, (plane, radius) = axes(2, height=4.2)
    for name, curves in result["curves"].items():
        style = (
            "--" if name in ("LOLA, shaping term", "SOS") else "-"
        )  # they lie on LookAhead's, and at first on LOLA's
        plane.plot(
            curves["x"],
            curves["y"],
            style,
            marker=".",
            color=COLORS[name],
            linewidth=1,
            markersize=3,
        )
        radius.semilogy(curves["distance"], style, color=COLORS[name], label=name)
    plane.plot(0, 0, "+", color="#666666", markersize=10)
    limit = 1.15 * max(
        max(map(abs, curves["x"] + curves["y"])) for curves in result["curves"].values()
    )
    plane.set(
        title="V1 = xy, V2 = -xy: one path each",
        xlabel="x",
        ylabel="y",
        xlim=(-limit, limit),
        ylim=(-limit, limit),
    )
    plane.set_aspect("equal")
    radius.set(title="Distance from the equilibrium", xlabel="update")
    radius.legend()
    save(figure, path)


BENCHMARK = Benchmark(
    name="zero_sum_paths", title="Learning paths on the bilinear zero-sum game",
    source="closed form; the game: Balduzzi et al. 2018, https://arxiv.org/abs/1802.05642; learners: Letcher et al. 2019, "
    "https://arxiv.org/abs/1811.08469", settings=SETTINGS, small=SMALL, cells=cells, score=score, plot=plot,
)  # fmt: skip
