"""What is kept of the slow fault tests."""

from tests.agents.faults import record
from tests.agents.faults.record import RUNS, TRIES, load, note, said, save
from tests.agents.faults.test_faults import INTERRUPTS, KILLS
from tests.agents.faults.tiny_learners import TINY

FILE = "tests/agents/faults/test_faults.py::"


def test_tries_are_those_of_the_tests():
    assert TRIES[record.KILLS] == KILLS
    assert TRIES["test_signals_at_random_moments_change_nothing"] == INTERRUPTS


def test_outcomes_by_learner(tmp_path):
    runs = {}
    note(runs, f"{FILE}test_thirty_kills_change_nothing[loqa]", "passed", TINY)
    for number in ("2", "15"):
        word = f"{FILE}test_signals_at_random_moments_change_nothing[{number}-True-loqa]"
        note(runs, word, "passed", TINY)
    note(runs, f"{FILE}test_a_full_disk_is_an_error_and_loses_nothing[ippo]", "failed", TINY)
    note(runs, f"{FILE}test_something_else[loqa]", "failed", TINY)
    note(runs, "tests/other.py::test_thirty_kills_change_nothing[loqa]", "failed", TINY)
    assert runs == {
        "loqa": {
            "test_thirty_kills_change_nothing[]": "passed",
            "test_signals_at_random_moments_change_nothing[2-True]": "passed",
            "test_signals_at_random_moments_change_nothing[15-True]": "passed",
        },
        "ippo": {"test_a_full_disk_is_an_error_and_loses_nothing[]": "failed"},
    }
    assert said(runs["loqa"]) == "30 kills, 20 other faults: no failures"
    assert said(runs["ippo"]) == "0 kills, 1 other faults: 1 failures"
    assert said({}) == "not run"

    path = tmp_path / "runs.json"
    assert load(path) == {}
    save(runs, path)
    assert load(path) == runs
    assert len(path.read_text().splitlines()) == 4


def test_the_last_outcome_counts():
    runs = {"loqa": {"test_thirty_kills_change_nothing[]": "failed"}}
    note(runs, f"{FILE}test_thirty_kills_change_nothing[loqa]", "passed", TINY)
    assert said(runs["loqa"]) == "30 kills, 0 other faults: no failures"


def test_nothing_that_was_run_has_failed():
    """Of the runs that are kept: learners that there are, and no failure."""
    runs = load(RUNS)
    assert runs.keys() <= TINY.keys()
    assert all(outcome == "passed" for tests in runs.values() for outcome in tests.values())
