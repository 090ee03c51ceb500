"""Promise 10 of the command lines: whatever is typed ends in status 0, or in one sentence and 1 or
2; a mistake changes nothing.  Ten thousand of them among the slow tests."""

import shutil

import pytest

pytest.importorskip("resource", reason="limits of memory and signals")

from hypothesis import HealthCheck, given, settings

from agents import checkpoint
from agents.tasks import executors
from tests.agents.cli.command_lines import (
    PARSERS,
    command_lines,
    contents,
    run_line,
    surroundings,
)
from tests.agents.faults.tiny_learners import go
from tests.agents.robustness.stranger_files import put, write_policy, write_replay

QUICK, MANY = 40, 10_000
SECONDS, LONG = 0.02, 0.1  # of computing, after which a command is interrupted


@pytest.fixture(scope="module")
def given_files(tmp_path_factory):
    """What the words of command_lines.py name: a run, an agent, an episode, a table, a player."""
    folder = tmp_path_factory.mktemp("given")
    go("naive_exact", folder / "run", 20)
    saved = checkpoint.load(folder / "run" / "checkpoints")
    checkpoint.export(folder / "agent.json", saved)
    write_replay(folder)
    write_policy(folder)
    put(folder / "file.py", "def player(obs):\n    return 0\n")
    return folder


@pytest.fixture
def alone(given_files, tmp_path, monkeypatch):
    """No other processes, no window, no results but here."""
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setattr("os.sched_setaffinity", lambda *_: None, raising=False)
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setenv("SOCIAL_DILEMMAS_TENSORBOARD", "0")
    monkeypatch.setattr(
        executors,
        "run_in_workers",
        lambda function, tasks, jobs, retries: ((task, function(task)) for task in tasks),
    )

    def no_cluster(options):
        raise ConnectionError("no Ray cluster here")

    monkeypatch.setattr(executors, "Cluster", no_cluster)
    for module in ("harness.command", "gpu_session", "throughput.__main__"):
        monkeypatch.setattr(f"benchmarks.{module}.RESULTS", tmp_path / "work" / "results")
    return given_files, tmp_path / "work"


def check_line(line, given_files, folder, seconds, monkeypatch):
    """Runs it in a folder with all files, and looks at what it has left."""
    shutil.copytree(given_files, folder)
    monkeypatch.chdir(folder)
    before, files = surroundings(), contents(folder)
    try:
        found = run_line(line, seconds)
        shown = f"{line}: {found.status}\n{found.error}"
        assert found.interrupted or surroundings() == before, shown
        assert "Traceback" not in found.out + found.error, shown
        assert found.status in (0, 1, 2) or (found.status == 130 and found.interrupted), shown
        if found.status == 2:
            *usage, sentence = found.error.rstrip("\n").split("\n")
            assert sentence, shown
            assert not usage or usage[0].startswith("usage:") or "error:" in found.error, shown
            assert contents(folder) == files, shown
        if found.status == 1:
            assert found.error.strip(), shown
        assert found.interrupted or not list(folder.rglob("*.tmp")), shown
    finally:
        shutil.rmtree(folder)
    return found


def test_every_command_has_a_parser_that_is_drawn_from():
    assert len(PARSERS) >= 18


def fuzz(alone, monkeypatch, record_property, examples, seconds):
    record_property("tries", examples)
    quiet = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
    given_files, folder = alone

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=quiet,
    )
    @given(command_lines())
    def any_line(line):
        with monkeypatch.context() as patch:
            check_line(line, given_files, folder, seconds, patch)

    any_line()


def test_any_command_line(alone, monkeypatch, record_property):
    fuzz(alone, monkeypatch, record_property, QUICK, SECONDS)


@pytest.mark.slow
def test_ten_thousand_command_lines(alone, monkeypatch, record_property):
    fuzz(alone, monkeypatch, record_property, MANY, LONG)
