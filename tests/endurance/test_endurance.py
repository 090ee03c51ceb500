"""The subjects of `python -m tests.endurance`, a few times each; a tenth of all in the slow set."""

import pytest

import social_dilemmas_env as sde
from tests.agents.faults.tiny_learners import TINY
from tests.endurance import subjects
from tests.endurance.__main__ import apart, main, row
from tests.endurance.subjects import SUBJECTS, Subject, measure

QUICK = ("steps of", "resets of", "updates of naive_exact", "windows")


def test_every_game_and_every_learner_is_in_it():
    for what in ("steps", "resets", "renders"):
        assert {f"{what} of {env_id}" for env_id in sde.list_envs()} <= set(SUBJECTS)
    assert {f"updates of {name}" for name in TINY} <= set(SUBJECTS)


@pytest.mark.parametrize("name", [name for name in SUBJECTS if name.startswith(QUICK)])
def test_each_works(name):
    assert SUBJECTS[name].work(2) == ""


def test_growth_and_failures_are_measured(monkeypatch):
    monkeypatch.setattr(subjects, "resident", iter([3.0, 10.0, 0.0, 0.0]).__next__)
    done = []
    found = measure(Subject(30, lambda tries: done.append(tries) or ""), 0.5)
    assert (found["grown"], found["tries"], done) == (7.0, 15, [1, 14])
    fails = Subject(10, lambda tries: f"{tries} failed", False)
    assert measure(fails, 2.0)["failed"] == "20 failed"


def test_a_row_says_what_failed():
    found = {"tries": 1000, "grown": 0.4, "seconds": 2.0, "failed": ""}
    assert row("x", found) == ("| x | 1,000 | +0.4 | 2 | none |", False)
    assert row("x", {**found, "grown": 7.0}) == ("| x | 1,000 | +7.0 | 2 | grew by 7.0 MB |", True)
    assert row("x", {**found, "failed": "no"})[1]


def test_what_ends_without_a_word_is_a_failure(monkeypatch):
    monkeypatch.setattr("sys.executable", "/bin/false")
    assert apart("windows", 1.0)["failed"] == "status 1"


@pytest.mark.slow
def test_a_tenth_of_all(capsys):
    """A tenth; `make endurance` is all."""
    assert main(["--share", "0.1"]) == 0, capsys.readouterr().out
