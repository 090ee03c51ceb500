"""The file of results: its contract, its verdicts, and what a reduced setting may say."""

import json
import math

import numpy as np
import pytest

from benchmarks.harness.benchmark import Row
from benchmarks.harness.catalogue import catalogue, find_benchmark
from benchmarks.harness.options import RESULTS
from benchmarks.harness.rejudging import rejudge
from benchmarks.harness.report import report
from benchmarks.harness.runner import Options, run_benchmark
from benchmarks.harness.verdicts import (
    VERDICTS,
    interval,
    mark_repeated,
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
        "spread": "undecided",  # both are uncertain
        "no number": "holds",
        "minus": "undecided",  # four runs
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
    words = {name: row["verdict"] for name, row in rows.items()}
    if options == {"only": ("costly",)}:
        assert words.pop("minus") == "undecided"
        assert set(words.values()) == {"not run"}
    elif options == {"runs": 39} or options == {"runs": 1}:
        assert words.pop("minus") == words.pop("gap") == "not run"
        assert set(words.values()) == {"reduced"}
    else:
        assert set(words.values()) == {"reduced"}


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
    assert rows["minus"]["verdict"] == "undecided"


def test_a_row_of_another_setting_is_never_reproduced():
    samples = np.ones(5)
    for judged, word in ((True, "reproduced"), (False, "reduced")):
        row = Row("x", 1.0, target=(0.9, 1.1), judged=judged)
        assert score_row(row, samples, full=True)["verdict"] == word


def judged(ours, goal, row=None, **more):
    """The verdict of a row with our interval `ours` and the target `goal`."""
    row = row or Row("x", 1.0, target=goal)
    scored = {"ours": sum(ours) / 2, "ci_low": ours[0], "ci_high": ours[1], "target": goal}
    scored |= {"runs": 9, "failed_runs": 0, "full_setting": True, **more}
    return verdict(row, scored)


PUBLISHED, OURS = Row("x", 1.0, target=(0.9, 1.1)), Row("x", None, target=(0.9, 1.1))
VERDICT_OF = {
    "inside": ((0.95, 1.05), (0.9, 1.1), {}, "reproduced"),
    "on the edge": ((1.1, 1.1), (0.9, 1.1), {}, "reproduced"),
    "outside": ((1.2, 1.3), (0.9, 1.1), {}, "not reproduced"),
    "the point inside, not the interval": ((1.0, 1.15), (0.9, 1.1), {}, "undecided"),
    "the point outside, not the interval": ((1.05, 1.3), (0.9, 1.1), {}, "undecided"),
    "without an end": ((1.05, 1.3), (0.9, None), {}, "reproduced"),
    "no number": ((0.95, 1.05), (0.9, 1.1), {"row": OURS}, "holds"),
    "no number, outside": ((1.2, 1.3), (0.9, 1.1), {"row": OURS}, "not reproduced"),
    "no target": ((1.0, 1.0), None, {"row": Row("x", None)}, "holds"),
    "less": ((0.95, 1.05), (0.9, 1.1), {"full_setting": False}, "reduced"),
    "less, outside": ((1.2, 1.3), (0.9, 1.1), {"full_setting": False}, "reduced"),
    "nothing": ((1.0, 1.0), (0.9, 1.1), {"runs": 0}, "not run"),
    "one failed": ((0.95, 1.05), (0.9, 1.1), {"failed_runs": 1}, "undecided"),
    "most failed": ((0.95, 1.05), (0.9, 1.1), {"failed_runs": 5}, "not reproduced"),
    "wide": ((0.4, 0.5), (0.2, 0.8), {"row": Row("x", 0.5, target=(0, 1), span=1)}, "undecided"),
    "wide %": ((40, 50), (20, 80), {"row": Row("x", 50, target=(0, 1), unit="%")}, "undecided"),
    "narrow": ((0.4, 0.5), (0.3, 0.7), {"row": Row("x", 0.5, target=(0, 1), span=1)}, "reproduced"),
    "near": ((1.006, 1.006), (0.995, 1.005), {"row": Row("x", 1.0)}, "undecided"),
    "not near": ((1.02, 1.02), (0.995, 1.005), {"row": Row("x", 1.0)}, "not reproduced"),
}


@pytest.mark.parametrize("case", VERDICT_OF)
def test_verdict(case):
    ours, goal, more, word = VERDICT_OF[case]
    assert judged(ours, goal, **more) == word
    assert word in VERDICTS


def test_rows_that_cannot_fail_are_not_reproduced():
    draws = np.random.default_rng(0)

    # One run of the paper's, and ours all over the place: the target holds nearly all there is.
    spread = draws.integers(0, 2, 40).astype(float)
    row = score_row(Row("x", 0.457, paper_runs=1, digits=3), spread, True)
    assert row["target"][1] - row["target"][0] > 0.5
    assert row["verdict"] == "undecided"

    # Rewards that cancel in every game, whatever anybody learns.
    x = draws.normal(size=30)
    zero_sum = score_row(Row("x", 0.0, target=(-0.01, 0.01)), np.stack((x, -x), 1), True)
    assert zero_sum["verdict"] == "holds"


def test_the_same_samples_count_once():
    rows = [{"verdict": "reproduced", "statistic": "mean"} for _ in range(3)]
    mark_repeated(rows, [np.ones(3), np.ones(3), np.zeros(3)])
    assert [row["verdict"] for row in rows] == ["reproduced", "holds", "reproduced"]


def test_stored_results_are_judged_anew(toy, tmp_path):
    """By the verdicts of today; no number of ours moves."""
    result, _ = run(tmp_path)
    old = json.loads(json.dumps(result))
    for row in old["rows"]:
        row["verdict"] = "reproduced"
    (tmp_path / "toy.json").write_text(json.dumps(old))
    report(tmp_path)
    again = json.loads((tmp_path / "toy.json").read_text())
    assert [row["verdict"] for row in again["rows"]] == [row["verdict"] for row in result["rows"]]
    for new, before in zip(again["rows"], old["rows"], strict=True):
        same = ("ours", "ci_low", "ci_high", "runs", "paper", "full_setting")
        assert [new[key] for key in same] == [before[key] for key in same]


@pytest.mark.wide
def test_the_committed_verdicts_are_those_of_today():
    for name, benchmark in catalogue().items():
        path = RESULTS / f"{name}.json"
        if path.exists() and "samples" in (stored := json.loads(path.read_text())):
            words = [row["verdict"] for row in stored["rows"]]
            assert words == [row["verdict"] for row in rejudge(benchmark, stored)["rows"]], name


def test_chance_allows_what_groups_of_the_papers_size_would_give():
    samples = np.random.default_rng(0).normal(0, 1, 4000)
    low, high = target(Row("x", 0.0, paper_runs=25, digits=3), samples)
    assert low == pytest.approx(-1.96 / 5, abs=0.04)
    assert high == pytest.approx(1.96 / 5, abs=0.04)

    # Our own uncertainty is in our interval, not in the target.
    low, high = target(Row("x", 0.0, paper_runs=25, digits=3), samples[:25])
    assert high - low == pytest.approx(2 * 1.96 / 5 * samples[:25].std(), rel=0.15)

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
    with pytest.raises(ValueError, match=r"no benchmark 'lola_tabel'; did you mean 'lola_table'"):
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
