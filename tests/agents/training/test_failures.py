"""What goes wrong while training: NaN, lack of memory, signals."""

import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from agents import TrainingError
from agents.checkpoint import load
from agents.cli.main import main
from agents.learners.loqa.self_play import SelfPlay
from tests.agents.training.tiny import TINY, run


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setenv("SOCIAL_DILEMMAS_TENSORBOARD", "0")


def test_nan_stops_and_names_the_metric(tmp_path, monkeypatch):
    run("loqa", tmp_path, 2)
    update = SelfPlay.update

    def broken(self):
        metrics = update(self)
        return (
            {**metrics, "critic_loss": torch.tensor(float("nan"))}
            if self.iteration == 4
            else metrics
        )

    monkeypatch.setattr(SelfPlay, "update", broken)
    with pytest.raises(
        TrainingError, match=r"critic_loss became nan in update 4.*state-00000002\.json"
    ):
        run("loqa", tmp_path, 6)
    assert load(tmp_path / "checkpoints").step == 2


def test_nan_is_not_taken_for_a_lack_of_memory(tmp_path, monkeypatch, capsys):
    update = SelfPlay.update
    monkeypatch.setattr(
        SelfPlay, "update", lambda self: {**update(self), "critic_loss": torch.tensor(torch.nan)}
    )
    words = [f"{name}={value}" for name, value in TINY.items()]
    folder = tmp_path / "memory"
    command = ["train", "loqa", "coin_game_v0", "--device", "cpu", "--out", str(folder)]
    assert main([*command, "--set", *words]) == 1
    error = capsys.readouterr().err
    assert "critic_loss became nan" in error
    assert "lower" not in error
    assert "Traceback" not in error


def test_nan_parameters_are_never_saved(tmp_path, monkeypatch):
    run("loqa", tmp_path, 2)
    update = SelfPlay.update

    def broken(self):
        metrics = update(self)
        self.player_states[0].theta = self.player_states[0].theta * torch.nan
        return metrics

    monkeypatch.setattr(SelfPlay, "update", broken)
    with pytest.raises(TrainingError, match=r"theta became"):
        run("loqa", tmp_path, 3)
    assert load(tmp_path / "checkpoints").step == 2


def test_out_of_memory_says_what_to_lower(tmp_path, monkeypatch):
    def full(self):
        raise MemoryError

    monkeypatch.setattr(SelfPlay, "update", full)
    with pytest.raises(TrainingError, match=r"lower batch \(now 8\), snapshots \(now 4\)"):
        run("loqa", tmp_path, 3)


LONG = """
import sys
from agents import train
from agents.training.settings import split_settings
config, plan, game = split_settings("loqa", "coin_game_v0", {settings})
how = {"config": config, "plan": plan, "game": game}
train("loqa", "coin_game_v0", seed=1, device="cpu", out=sys.argv[1], **how)
"""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signals_save_and_leave(number, status, tmp_path):
    """A long run is told to stop after its first line of metrics; it can go on from there."""
    settings = {**TINY, "iterations": 100_000, "eval_every": 0}
    code = LONG.replace("{settings}", repr(settings))
    environment = {**os.environ, "SOCIAL_DILEMMAS_TENSORBOARD": "0", "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], env=environment)
    while not (tmp_path / "metrics.jsonl").exists():
        assert process.poll() is None, "it ended before it was told to"
        time.sleep(0.05)

    process.send_signal(number)
    assert process.wait(300) == status  # a hang, not a slow machine, is what this limit is for
    stopped = load(tmp_path / "checkpoints").step
    assert 20 <= stopped < 100_000

    run("loqa", tmp_path, stopped + 2)
    assert load(tmp_path / "checkpoints").step == stopped + 2


def test_what_was_told_to_stop_finishes_its_update_only(tmp_path):
    """One more update would be one too many; evaluation does not begin."""
    told = []

    class TellToStop:
        def on_update(self, run, metrics):
            if run.iteration == 3:
                os.kill(os.getpid(), signal.SIGTERM)

        def on_evaluate(self, run, scores):
            told.append(run.iteration)

    with pytest.raises(SystemExit) as left:
        run("loqa", tmp_path, 9, callbacks=[TellToStop()])
    assert left.value.code == 143
    assert load(tmp_path / "checkpoints").step == 3
    assert told == []
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
