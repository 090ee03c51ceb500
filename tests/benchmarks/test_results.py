"""The file of results: its contract, its verdicts, and what a reduced setting may say."""

import json
import math

import numpy as np
import pytest

from benchmarks.harness.benchmark import Row
from benchmarks.harness.catalogue import catalogue, find_benchmark
from benchmarks.harness.runner import Options, run_benchmark
from benchmarks.harness.verdicts import (
    VERDICTS,
    interval,
    score_row,
    target,
    verdict,
)

KEYS = {"benchmark", "rows", "settings", "versions", "device", "seconds"}
ROW_KEYS = {"name", "paper", "ours", "ci_low", "ci_high", "runs", "verdict"}


def run(tmp_path, **options):
    (tmp_path / "toy.json").unlink(missing_ok=True)  # no rows of earlier runs: test_merging.py
    result = run_benchmark("toy", Options(out=tmp_path, **options))
    assert result == json.loads((tmp_path / "toy.json").read_text())
    return result, {row["name"]: row for row in result["rows"]}


def check_contract(result):
    assert result.keys() >= KEYS
    assert isinstance(result["settings"], dict)
    assert isinstance(result["device"], str)
    assert result["seconds"] >= 0
    assert {"python", "torch", "social_dilemmas_env"} <= result["versions"].keys()
    names = [row["name"] for row in result["rows"]]
    assert names
    assert len(set(names)) == len(names)
    for row in result["rows"]:
        assert row.keys() >= ROW_KEYS
        assert row["verdict"] in VERDICTS
        assert isinstance(row["runs"], int)
        assert row["runs"] >= 0
        for key in ("paper", "ours", "ci_low", "ci_high"):
            assert row[key] is None or math.isfinite(row[key])
        if row["ours"] is not None:
            assert row["ci_low"] - 1e-9 <= row["ours"] <= row["ci_high"] + 1e-9


def test_contract_and_verdicts_at_the_full_setting(toy, tmp_path):
    result, rows = run(tmp_path)
    check_contract(result)
    assert result["full_setting"]
    assert result["benchmark"] == "toy"
    assert {name: row["verdict"] for name, row in rows.items()} == {
        "near the target": "reproduced",
        "off the target": "not reproduced",
        "spread": "reproduced",
        "no number": "reproduced",
        "minus": "reproduced",
        "gap": "reproduced",
    }
    assert rows["near the target"]["runs"] == 40
    assert rows["minus"]["runs"] == 4
    assert rows["near the target"]["ci_low"] < 3.5 < rows["near the target"]["ci_high"]
    assert result["extra"] == {"plain": {"extra": ["kept"]}, "costly": {"extra": ["kept"]}}
    assert (tmp_path / "toy.png").exists()


@pytest.mark.parametrize(
    "options",
    [
        {"runs": 39},
        {"runs": 1},
        {"small": True},
        {"changes": {"faces": 7}},
        {"changes": {"scale": 0.5}},
        {"only": ("costly",)},
    ],
)
def test_a_reduced_setting_never_says_reproduced(toy, tmp_path, options):
    result, rows = run(tmp_path, **options)
    check_contract(result)
    assert not result["full_setting"]
    assert {row["verdict"] for name, row in rows.items() if name != "minus"} == {"not run"}
    costly_is_full = options == {"only": ("costly",)}
    assert rows["minus"]["verdict"] == ("reproduced" if costly_is_full else "not run")


def test_more_runs_than_the_full_setting_are_full(toy, tmp_path):
    _, rows = run(tmp_path, runs=50)
    assert rows["near the target"]["runs"] == 50
    assert rows["near the target"]["verdict"] == "reproduced"


def test_runs_leaves_costly_cells_out_unless_they_are_stored_or_named(toy, tmp_path):
    _, rows = run(tmp_path, runs=40)
    assert rows["minus"]["runs"] == 0
    assert rows["minus"]["ours"] is None
    assert rows["minus"]["verdict"] == "not run"
    run(tmp_path, only=("COST*",))
    _, rows = run(tmp_path, runs=40)
    assert rows["minus"]["runs"] == 4
    assert rows["minus"]["verdict"] == "reproduced"


def test_a_row_of_another_setting_is_never_reproduced():
    samples = np.ones(5)
    for judged, word in ((True, "reproduced"), (False, "not run")):
        row = Row("x", 1.0, target=(0.9, 1.1), judged=judged)
        assert score_row(row, samples, full=True)["verdict"] == word


@pytest.mark.parametrize(
    ("ours", "wanted", "full", "word"),
    [
        (1.0, (0.9, 1.1), True, "reproduced"),
        (1.1, (0.9, 1.1), True, "reproduced"),
        (1.2, (0.9, 1.1), True, "not reproduced"),
        (1.0, (0.9, 1.1), False, "not run"),
        (1.2, (0.9, 1.1), False, "not run"),
        (None, (0.9, 1.1), True, "not run"),
        (1.0, None, True, "not run"),
    ],
)
def test_verdict(ours, wanted, full, word):
    assert verdict(ours, wanted, full) == word


def test_chance_allows_what_groups_of_the_papers_size_would_give():
    samples = np.random.default_rng(0).normal(0, 1, 4000)
    low, high = target(Row("x", 0.0, paper_runs=25, digits=3), samples)
    assert low == pytest.approx(-1.96 / 5, abs=0.04)
    assert high == pytest.approx(1.96 / 5, abs=0.04)

    # With 25 runs ours is as uncertain as the paper's.
    low, high = target(Row("x", 0.0, paper_runs=25, digits=3), samples[:25])
    assert high - low == pytest.approx(2 * 1.96 / 5 * 2**0.5 * samples[:25].std(), rel=0.15)

    # Half a unit of the last digit remains.
    assert target(Row("x", 5.0, digits=1), np.full(10, 5.02)) == pytest.approx((4.95, 5.05))


@pytest.mark.parametrize(("statistic", "true"), [("mean", 0.0), ("std", 1.0)])
def test_intervals_cover_as_often_as_they_say(monkeypatch, statistic, true):
    """150 intervals of nominal 95 %: at a true 90 %, fewer than 80 % cover once in 10,000 trials.

    And they are no wider.
    """
    monkeypatch.setattr("benchmarks.harness.verdicts.RESAMPLES", 299)
    draws = np.random.default_rng(1)
    intervals = [interval(draws.normal(0, 1, 40), statistic, seed=i) for i in range(150)]
    assert 0.8 <= np.mean([low <= true <= high for low, high in intervals]) < 1
    width = 2 * 1.96 / 40**0.5 / (1 if statistic == "mean" else 2**0.5)
    assert np.mean([high - low for low, high in intervals]) == pytest.approx(width, rel=0.15)


def test_the_numbers_of_a_run_stay_together():
    """Two players whose rewards cancel: the mean is certain, however they vary."""
    x = np.random.default_rng(2).normal(size=30)
    low, high = interval(np.stack((x, -x), 1))
    assert low == pytest.approx(0, abs=1e-12)
    assert high == pytest.approx(0, abs=1e-12)


def test_equal_runs_give_a_point_and_one_run_too():
    assert interval(np.full(20, 3.0)) == (3.0, 3.0)
    assert interval(np.array([2.0])) == (2.0, 2.0)
    assert interval(np.array([0.0] * 19 + [1.0]))[1] > 0


def test_failed_runs_are_counted_and_left_out():
    row = score_row(Row("x", 1.0, target=(0, 2)), np.array([1.0, np.nan, 1.0]), True)
    assert (row["ours"], row["failed_runs"], row["runs"]) == (1.0, 1, 3)
    row = score_row(Row("x", 1.0, target=(0, 2)), np.array([np.nan, np.nan]), True)
    assert row["ours"] is None
    assert row["verdict"] == "not reproduced"


def test_unknown_names_and_settings_are_one_sentence(toy):
    with pytest.raises(ValueError, match=r"no benchmark 'lola_tabel'; did you mean lola_table"):
        find_benchmark("lola_tabel")
    for changes, words in [
        ({"face": 6}, "no setting face"),
        ({"faces": "six"}, "type int"),
        ({"scale": -1.0}, "finite and not"),
    ]:
        with pytest.raises(ValueError, match=words):
            toy.settings_for(**changes)
    with pytest.raises(ValueError, match="runs must be at least 1"):
        toy.settings_for(0)


def test_every_benchmark_states_its_numbers_before_it_runs():
    lola = {"lola_table", "lola_orders", "lola_tournament", "dice_lookaheads"}
    matrix_games = lola | {"zero_sum_paths", "mfos_table", "pola_parametrisation"}
    for name, benchmark in catalogue().items():
        cells = benchmark.cells(benchmark.settings_for())
        rows = [row for cell in cells for row in cell.rows]
        assert len({row.name for row in rows}) == len(rows)
        assert len({cell.name for cell in cells}) == len(cells)
        if name in matrix_games:  # something to compare with
            assert all(row.paper is not None or row.target is not None for row in rows)
        assert all(row.target is None or row.target[0] <= row.target[1] for row in rows)
        assert "http" in benchmark.source
        assert benchmark.full_cells(benchmark.settings_for()) == {cell.name for cell in cells}
        assert not benchmark.full_cells(benchmark.settings_for(None, True))
    assert catalogue().keys() >= matrix_games
