"""The subjects of `python -m tests.endurance`, a few times each; all of it among the slow tests."""

import pytest

import social_dilemmas_env as sde
from tests.agents.faults.tiny_learners import TINY
from tests.endurance.__main__ import apart, main, row
from tests.endurance.subjects import SUBJECTS, Subject, measure

QUICK = ("steps of", "resets of", "updates of", "windows")


def test_every_game_and_every_learner_is_in_it():
    for env_id in sde.list_envs():
        assert {f"steps of {env_id}", f"resets of {env_id}", f"renders of {env_id}"} <= set(
            SUBJECTS
        )
    assert {f"updates of {name}" for name in TINY} <= set(SUBJECTS)


@pytest.mark.parametrize("name", [name for name in SUBJECTS if name.startswith(QUICK)])
def test_each_works(name):
    assert SUBJECTS[name].work(2) == ""


def test_growth_and_failures_are_measured():
    kept = []
    grows = Subject(10, lambda tries: kept.extend(bytearray(1 << 20) for _ in range(tries)) or "")
    assert measure(grows, 1.0)["grown"] > 5
    assert (
        measure(Subject(10, lambda tries: f"{tries} failed", False), 2.0)["failed"] == "20 failed"
    )


def test_a_row_says_what_failed():
    found = {"tries": 1000, "grown": 0.4, "seconds": 2.0, "failed": ""}
    assert row("x", found) == ("| x | 1,000 | +0.4 | 2 | none |", False)
    assert row("x", {**found, "grown": 7.0}) == ("| x | 1,000 | +7.0 | 2 | grew by 7.0 MB |", True)
    assert row("x", {**found, "failed": "no"})[1]


def test_what_ends_without_a_word_is_a_failure(monkeypatch):
    monkeypatch.setattr("sys.executable", "/bin/false")
    assert apart("windows", 1.0)["failed"] == "status 1"


@pytest.mark.slow
def test_all_of_it(capsys):
    assert main([]) == 0, capsys.readouterr().out
