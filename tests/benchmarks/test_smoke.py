"""Every benchmark at its smoke setting: the file, the picture, and the page."""

import pytest

from benchmarks.harness.catalogue import catalogue
from benchmarks.harness.report import report
from benchmarks.harness.runner import Options, run_benchmark
from tests.benchmarks.test_results import check_contract

POLA = {
    "iterations": 4,
    "points": 2,
    "episodes": 4,
    "batch": 4,
    "horizon": 5,
    "hidden": 4,
    "outer_steps": 2,
    "model_batches": 2,
}
CHANGES = {  # where "small" is minutes, not seconds, or leaves something out
    "lola_tournament": {"released_perspective": True},
    "pola_ipd": POLA,
    "pola_coin": POLA | {"lola_batch": 4},
}


# A smoke run of these takes three to eleven seconds,
LONG = (
    "coin_league",
    "harvest_learning",
    "loqa_proximal",
    "loqa_scalability",
    "coin_exact",
    "estimator_quality",
    "pola_coin_ladder",
    "pola_parametrisation",
)
# and of these two to three.
WIDE = (
    "coin_exact_scaling",
    "loqa_ipd",
    "mfos_table",
    "loqa_open_problems",
    "dilemmas",
    "coin_parametrisation",
    "pola_coin",
)
NAMES = [
    pytest.param(
        name,
        marks=[pytest.mark.slow] * (name in LONG) + [pytest.mark.wide] * (name in WIDE),
    )
    for name in catalogue()
]


@pytest.mark.parametrize("name", NAMES)
def test_small(name, tmp_path, monkeypatch):
    changes = CHANGES.get(name, {})
    result = run_benchmark(name, Options(out=tmp_path, small=True, changes=changes))
    check_contract(result)
    assert {row["verdict"] for row in result["rows"]} == {"reduced"}
    assert all(row["runs"] >= 1 for row in result["rows"])
    assert all(row["ours"] is not None for row in result["rows"])
    assert (tmp_path / f"{name}.png").stat().st_size > 10_000

    # The page shows the picture that is there: drawing takes longer than many a benchmark.
    drawn = "benchmarks.harness.report.draw"
    monkeypatch.setattr(drawn, lambda benchmark, result, out: out / f"{benchmark.name}.png")
    assert f"## {name}" in report(tmp_path).read_text()
