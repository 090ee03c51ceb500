"""The lines of a resumed run are those of one that was never interrupted; a kill loses none."""

import json
import os

import pytest

from agents.registry import LEARNERS
from agents.training import reporting
from agents.training.reporting import MetricsFile
from tests.agents.training.tiny import CASES, run, train_flat
from tests.helpers.games import wide

# Small settings of every learner that has others than LOQA's.
SMALL = {
    "pola_dice": {"batch": 4, "horizon": 4, "hidden": 4},
    "pola_om": {"hidden": 4, "outer_steps": 2, "model_batches": 2},
    "lola_dice_gru": {"batch": 4, "horizon": 4, "hidden": 4},
    "pola_exact": {"outer_steps": 2, "inner_steps": 2},
}
MATRIX = sorted(
    name
    for name in LEARNERS
    if name.endswith(("_exact", "_tabular")) or name.startswith(("pola", "lola", "meta", "m_maml"))
)


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setenv("SOCIAL_DILEMMAS_TENSORBOARD", "0")
    monkeypatch.setattr(reporting, "LOG_EVERY", 4)
    monkeypatch.setattr("agents.training.callbacks.LOG_EVERY", 4)


def lines(folder):
    """All but the seconds."""
    found = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return [{name: x for name, x in line.items() if name != "seconds"} for line in found]


class Killed(BaseException):
    """Nobody catches it."""


class Kill:
    """Leaves without saving, as SIGKILL would."""

    def on_update(self, training, metrics):
        if training.iteration == 7:
            raise Killed


# Each its own code; the others are variants.
KINDS = ("loqa", "two networks", "ipd", "modelled", "aligned")


@pytest.mark.parametrize("case", wide(CASES, KINDS))
def test_lines_of_a_resumed_run(case, tmp_path):
    whole = run(case, tmp_path / "whole", 9, eval_every=3, eval_episodes=2)
    run(case, tmp_path / "parts", 6, eval_every=3, eval_episodes=2)
    with pytest.raises(Killed):
        run(case, tmp_path / "parts", 9, eval_every=3, eval_episodes=2, callbacks=[Kill()])
    run(case, tmp_path / "parts", 9, eval_every=3, eval_episodes=2)
    assert lines(tmp_path / "parts") == lines(whole)
    assert [line["iteration"] for line in lines(whole)] == [3, 4, 6, 8, 9]


@pytest.mark.parametrize("learner", MATRIX)
def test_lines_of_every_learner(learner, tmp_path):
    sizes = {"runs": 2, "games": 4, "batch": 2, "steps": 4, "horizon": 4}
    config = LEARNERS[learner].settings("ipd_v0")
    flat = {name: x for name, x in sizes.items() if hasattr(config, name)}
    flat |= {"eval_every": 0, "quiet": True, **SMALL.get(learner, {})}
    for name, stops in (("whole", [6]), ("parts", [3, 6])):
        for iterations in stops:
            train_flat(learner, "ipd_v0", tmp_path / name, {**flat, "iterations": iterations})
    assert lines(tmp_path / "parts") == lines(tmp_path / "whole")
    assert len(lines(tmp_path / "whole")) == 1


class Stop:
    """Tells the run to stop at an iteration that is to be evaluated."""

    def on_update(self, training, metrics):
        if training.iteration == 4:
            os.kill(os.getpid(), 15)


def test_an_evaluation_that_a_signal_prevented_is_made_up_for(tmp_path):
    settings = {"eval_every": 2, "eval_episodes": 2}
    whole = run("loqa", tmp_path / "whole", 6, **settings)
    with pytest.raises(SystemExit):
        run("loqa", tmp_path / "parts", 6, callbacks=[Stop()], **settings)
    run("loqa", tmp_path / "parts", 6, **settings)
    assert lines(tmp_path / "parts") == lines(whole)


def test_lines_are_dropped_by_a_file_that_takes_the_old_ones_place(tmp_path, monkeypatch):
    """Killed at any moment of it, the file holds the old lines or the new ones."""
    path = tmp_path / "metrics.jsonl"
    old = '{"iteration": 1}\n{"iteration": 2}\n{"iteration": 3}\n{"iterat'
    path.write_text(old)

    def killed(*_):
        raise Killed

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(Killed):
        MetricsFile(tmp_path, 2)
    assert path.read_text() == old

    monkeypatch.undo()
    MetricsFile(tmp_path, 2)
    assert path.read_text() == '{"iteration": 1}\n{"iteration": 2}\n'
    assert [each.name for each in tmp_path.iterdir()] == ["metrics.jsonl"]


def test_whole_lines_are_left_alone(tmp_path, monkeypatch):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"iteration": 1}\n')
    monkeypatch.setattr(reporting, "write_atomically", pytest.fail)
    MetricsFile(tmp_path, 1)
