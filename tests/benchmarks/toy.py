"""A benchmark of dice: its true mean is known, and it counts how often it is asked."""

import numpy as np

from benchmarks.harness.benchmark import Benchmark, Cell, Row, pick_settings

CALLS = []
SETTINGS = {"runs": 40, "costly_runs": 4, "faces": 6, "scale": 1.0}


def cells(settings):
    common = pick_settings(settings, "faces", "scale", "device")
    rows = (
        Row("near the target", 3.5, "mean", target=(3.0, 4.0), digits=1, unit="pips"),
        Row("off the target", 9.0, "mean", target=(8.9, 9.1), note="a note"),
        Row("spread", 1.7, "mean", "std", paper_runs=30, digits=1),
        Row("no number", None, "mean", target=(3.0, 4.0)),
    )
    minus, count = (Row("minus", -3.5, "mean"),), "costly_runs"
    return [
        Cell("plain", common | {"sign": 1}, settings["runs"], rows, chunk=15),
        Cell("costly", common | {"sign": -1}, settings[count], minus, count=count),
    ]


def score(settings, runs, seed):
    CALLS.append((settings["sign"], runs, seed))
    dice = np.random.default_rng(seed).integers(1, settings["faces"] + 1, size=(runs, 2))
    values = settings["sign"] * settings["scale"] * dice
    curves = {"mean": values.mean((0, 1)) * np.ones(3)}
    return {"samples": {"mean": values}, "curves": curves, "extra": ["kept"]}


def derive(samples):
    plain, costly = samples["plain"]["mean"], samples["costly"]["mean"]
    both = min(len(plain), len(costly))
    return {"gap": plain[:both] - costly[:both]}


def plot(result, path):
    assert result["curves"]["plain"]["mean"]
    path.write_bytes(b"\x89PNG")


TOY = Benchmark(
    name="toy",
    title="Dice",
    source="nobody 1900",
    settings=SETTINGS,
    small={"runs": 2, "costly_runs": 1},
    cells=cells,
    score=score,
    plot=plot,
    derive=derive,
    derived=(Row("gap", 7.0, "gap", target=(0, 20)),),
)
