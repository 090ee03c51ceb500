"""The session at a GPU, walked through on the CPU at tiny sizes."""

import json

import pytest

from benchmarks import gpu_session
from benchmarks.gpu_session import PARTS, RESULT, main, merge
from tests.benchmarks.test_results import check_contract


def rehearse(folder, *words):
    return main(["--rehearse", "--minutes", "1", "--out", str(folder), *words])


def rows_of(folder):
    result = json.loads((folder / RESULT).read_text())
    check_contract(result)
    return {row["name"]: row for row in result["rows"]}


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    folder = tmp_path_factory.mktemp("session")
    words = [word for name in ("throughput", "loqa", "pola") for word in ("--only", name)]
    assert rehearse(folder, *words) == 0
    return folder


def test_every_part_has_rows(session):
    names = " ".join(rows_of(session))
    assert all(word in names for word in ("tests", "env-steps", "loqa 3x3", "pola_dice"))


def test_what_did_not_run_says_so(session):
    rows = rows_of(session)
    assert rows["tests: all rows"]["verdict"] == "not run"
    assert rows["env-steps a second"]["verdict"] == "not run"
    assert rows["env-steps a second"]["note"] == "no CUDA device"


def test_trainings_go_on_in_the_next_session(session):
    before = rows_of(session)["pola_dice 3x3, self-play"]["note"]
    assert rehearse(session, "--only", "pola") == 0
    assert (before, rows_of(session)["pola_dice 3x3, self-play"]["note"]) == (
        "after 2 updates of this run, all sessions together",
        "after 4 updates of this run, all sessions together",
    )


def test_a_part_that_fails_is_a_row(tmp_path, monkeypatch):
    def fail(session, minutes):
        raise RuntimeError("CUDA error: out of memory\nmore")

    monkeypatch.setitem(PARTS, "loqa", (fail, 0.5))
    assert rehearse(tmp_path, "--only", "loqa") == 0
    row = rows_of(tmp_path)["loqa: all rows"]
    assert (row["verdict"], row["note"]) == ("not run", "CUDA error: out of memory")


def test_a_session_without_time_runs_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_session, "LEAST", 2.0)
    report = gpu_session.hold_session(gpu_session.Session("cpu", tmp_path, 0.0, True), 1.0)
    assert report == {}


def test_a_rehearsal_is_not_merged(session, tmp_path):
    with pytest.raises(ValueError, match="of a rehearsal"):
        merge(session, tmp_path)


def test_what_is_merged(session, tmp_path):
    """A session's rows, and the table of env-steps beside that of the CPU."""
    measured = tmp_path / "measured"
    measured.mkdir()
    report = json.loads((session / RESULT).read_text())
    report["settings"]["small"] = False
    (measured / RESULT).write_text(json.dumps(report))
    (measured / "gpu_throughput.json").write_text('{"verdict": "run", "rows": []}')
    (tmp_path / "env_throughput.json").write_text('{"cuda": {"verdict": "not run"}, "rows": [1]}')
    assert merge(measured, tmp_path) == [RESULT, "env_throughput.json"]
    kept = json.loads((tmp_path / "env_throughput.json").read_text())
    assert kept == {"cuda": {"verdict": "run", "rows": []}, "rows": [1]}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--minutes", "0"], "--minutes"),
        (["--minutes", "2147483648"], "at most 10080, a week"),
        (["--minutes", "1"], "no CUDA device: --rehearse"),
    ],
)
def test_mistakes(words, expected, capsys, tmp_path):
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")
    assert main([*words, "--out", str(tmp_path)]) == 2
    assert expected in capsys.readouterr().err
