"""A stored row is never replaced by an emptier one."""

import json
import shutil

import pytest

from benchmarks.harness.merging import merge_results, read_stored
from benchmarks.harness.options import RESULTS
from benchmarks.harness.runner import Options, run_benchmark


def run(tmp_path, **options):
    """Runs; the rows of NAME.json by name, and all of it."""
    run_benchmark("toy", Options(out=tmp_path, **options))
    stored = json.loads((tmp_path / "toy.json").read_text())
    return {row["name"]: row for row in stored["rows"]}, stored


@pytest.fixture
def full(toy, tmp_path):
    rows, stored = run(tmp_path)
    return rows, stored


def forget_parts(tmp_path):
    for path in (tmp_path / "toy.parts").glob("*.json"):
        path.unlink()


@pytest.mark.parametrize(
    "options",
    [
        {"small": True},
        {"runs": 3},
        {"changes": {"faces": 7}},
        {"small": True, "only": ("plain",)},
        {"only": ("costly",)},  # from stored parts
    ],
)
def test_a_reduced_run_changes_nothing(full, tmp_path, capsys, options):
    for path in (tmp_path / "toy.parts").glob("plain*.json"):
        path.unlink()
    assert run(tmp_path, **options) == full
    assert "stay as they are" in capsys.readouterr().err


def test_a_reduced_run_of_another_seed_replaces_only_what_it_ran_in_full(full, tmp_path):
    rows, _ = run(tmp_path, runs=3, seed=5)
    assert rows["near the target"] == full[0]["near the target"]
    assert rows["minus"] == full[0]["minus"]  # not run: it has a number of its own


def test_the_result_of_a_reduced_run_is_its_own(full, tmp_path):
    result = run_benchmark("toy", Options(out=tmp_path, small=True))
    assert {row["runs"] for row in result["rows"]} == {1, 2}


def test_only_some_cells_replace_their_own_rows(full, tmp_path):
    """The others are not run, and stay with their samples, curves and origin."""
    forget_parts(tmp_path)
    rows, stored = run(tmp_path, only=("plain",), seed=1)
    assert rows["near the target"]["ours"] != full[0]["near the target"]["ours"]
    assert rows["minus"] == full[0]["minus"]
    assert rows["gap"] == full[0]["gap"]
    assert list(rows) == list(full[0])
    assert stored["samples"]["costly"] == full[1]["samples"]["costly"]
    assert stored["curves"].keys() == {"plain", "costly"}
    assert stored["full_setting"]

    assert stored["kept"].keys() == {"costly", "all"}
    assert stored["kept"]["costly"]["settings"]["seed"] == 0
    assert stored["settings"]["seed"] == 1
    assert stored["seconds"] == pytest.approx(sum(stored["seconds_by_cell"].values()), abs=0.01)


def test_what_was_kept_twice_says_where_it_is_from(full, tmp_path):
    forget_parts(tmp_path)
    run(tmp_path, only=("plain",), seed=1)
    forget_parts(tmp_path)
    _, stored = run(tmp_path, only=("plain",), seed=2)
    assert stored["kept"]["costly"]["command"] == "python -m benchmarks run toy"


def test_a_full_run_after_a_reduced_one_replaces_everything(toy, tmp_path):
    run(tmp_path, small=True)
    rows, stored = run(tmp_path)
    assert rows["near the target"]["runs"] == 40
    assert "kept" not in stored


def test_more_runs_at_a_reduced_setting_are_emptier_than_the_full_setting(full, tmp_path):
    rows, _ = run(tmp_path, runs=50, changes={"faces": 7})
    assert rows["near the target"] == full[0]["near the target"]


def test_fresh_gives_up_the_stored_rows_of_its_cells_only(full, tmp_path):
    rows, _ = run(tmp_path, runs=3, only=("plain",), fresh=True)
    assert rows["near the target"]["runs"] == 3
    assert rows["minus"] == full[0]["minus"]


def test_rows_that_the_benchmark_no_longer_has_go(toy, full):
    stored = full[1]
    old = stored["rows"][0] | {"name": "a row of before"}
    merged, kept = merge_results(toy, stored | {"rows": [*stored["rows"], old]}, stored)
    assert kept == []
    assert merged == stored


def test_rows_of_a_switch_stay(full, tmp_path, monkeypatch):
    """Rows that only the stored run's settings have are no rows of before."""
    run(tmp_path, runs=3, only=("costly",))
    rows, _ = run(tmp_path, only=("costly",))
    assert rows.keys() == full[0].keys()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"benchmark": "toy"}'])
def test_a_damaged_file_is_no_stored_result(toy, tmp_path, text):
    path = tmp_path / "toy.json"
    path.write_text(text)
    assert read_stored(path, "toy") is None
    rows, _ = run(tmp_path, small=True)
    assert rows["near the target"]["runs"] == 2


def test_a_result_of_another_benchmark_is_no_stored_result(full, tmp_path):
    assert read_stored(tmp_path / "toy.json", "lola_table") is None


def test_the_readmes_own_example_keeps_the_committed_rows(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.harness.verdicts.RESAMPLES", 99)  # for speed
    monkeypatch.setattr("benchmarks.harness.verdicts.CHANCE", 20)
    for path in RESULTS.glob("lola_table.*"):
        copy = shutil.copytree if path.is_dir() else shutil.copy
        copy(path, tmp_path / path.name)
    before = json.loads((tmp_path / "lola_table.json").read_text())

    run_benchmark("lola_table", Options(out=tmp_path, only=("*Ex",)))
    after = json.loads((tmp_path / "lola_table.json").read_text())
    assert [row["name"] for row in after["rows"]] == [row["name"] for row in before["rows"]]
    assert [row["runs"] for row in after["rows"]] == [row["runs"] for row in before["rows"]]
    assert after["full_setting"] == before["full_setting"]
