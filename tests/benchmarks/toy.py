"""A benchmark of dice: its true mean is known, and it counts how often it is asked."""

import numpy as np

from benchmarks.harness.benchmark import Benchmark, Cell, Row

CALLS = []
SETTINGS = {"runs": 40, "costly_runs": 4, "faces": 6, "scale": 1.0}


def cells(settings):
    common = {"faces": settings["faces"], "scale": settings["scale"], "device": settings["device"]}
    rows = (
        Row("near the target", 3.5, "mean", target=(3.0, 4.0), digits=1, unit="pips"),
        Row("off the target", 9.0, "mean", target=(8.9, 9.1), note="a note"),
        Row("spread", 1.7, "mean", "std", paper_runs=30, digits=1),
        Row("no number", None, "mean", target=(3.0, 4.0)),
    )
    return [
        Cell("plain", common | {"sign": 1}, settings["runs"], rows, chunk=15),
        Cell(
            "costly",
            common | {"sign": -1},
            settings["costly_runs"],
            (Row("minus", -3.5, "mean"),),
            count="costly_runs",
        ),
    ]


def score(settings, runs, seed):
    CALLS.append((settings["sign"], runs, seed))
    draws = np.random.default_rng(seed)
    values = (
        settings["sign"]
        * settings["scale"]
        * draws.integers(1, settings["faces"] + 1, size=(runs, 2))
    )
    return {
        "samples": {"mean": values},
        "curves": {"mean": values.mean((0, 1)) * np.ones(3)},
        "extra": ["kept"],
    }


def derive(samples):
    return {"gap": samples["plain"]["mean"][:4] - samples["costly"]["mean"][:4]}


def plot(result, path):
    assert result["curves"]["plain"]["mean"]
    path.write_bytes(b"\x89PNG")


TOY = Benchmark(
    "toy", "Dice", "nobody 1900", SETTINGS, {"runs": 2, "costly_runs": 1}, cells, score, plot, derive,
    (Row("gap", 7.0, "gap", target=(0, 20)),),
)  # fmt: skip
