"""A signal between the parts of a long update: the half update is discarded, the rest is kept."""

import os
import signal

import pytest
import torch

from agents import interruption
from agents.checkpoint import load
from agents.interruption import between_parts
from agents.learners.pola import learner as pola_learner
from agents.learners.pola import pola_dice, pola_exact
from tests.agents.training.tiny import tensors, train_flat

POLA = {"batch": 4, "horizon": 4, "hidden": 4, "outer_steps": 2}
CASES = {
    "pola_dice": ("pola_dice", POLA),
    "pola_om": ("pola_dice", {**POLA, "model_batches": 2}),
    "adam goes on": ("pola_dice", {**POLA, "model_batches": 2, "reset_optimiser": False}),
    "pola_exact": ("pola_exact", {"outer_steps": 4, "inner_steps": 2, "runs": 2}),
}


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setenv("SOCIAL_DILEMMAS_TENSORBOARD", "0")


def go(case, out, iterations):
    learner, settings = CASES[case]
    flat = {**settings, "iterations": iterations, "eval_every": 0, "quiet": True}
    return train_flat(learner, "ipd_v0", out, flat)


def count_parts(monkeypatch, at=None):
    """Counts the places where an update may be left; at one of them a signal comes."""
    places = [0]

    def counted():
        places[0] += 1
        if places[0] == at:
            os.kill(os.getpid(), signal.SIGTERM)
        between_parts()

    for module in (pola_learner, pola_dice, pola_exact):
        monkeypatch.setattr(module, "between_parts", counted)
    return places


@pytest.mark.parametrize("case", CASES)
def test_a_long_update_is_left_at_once_and_costs_nothing(case, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        places = count_parts(patch)
        whole = go(case, tmp_path / "whole", 4)
    assert places[0] >= 4 * 4  # several in each update

    # Left at places of the third update and of the one before, which begins a POLA update.
    for at in range(places[0] // 4 + 1, places[0] * 3 // 4, 3):
        folder = tmp_path / str(at)
        with monkeypatch.context() as patch:
            reached = count_parts(patch, at)
            with pytest.raises(SystemExit) as left:
                go(case, folder, 4)
        assert left.value.code == 143
        assert reached[0] == at  # no part more
        assert load(folder / "checkpoints").step < 3

        go(case, folder, 4)
        for name, x in tensors(whole).items():
            assert torch.equal(x, tensors(folder)[name]), (at, name)


def test_outside_a_training_nothing_is_left():
    between_parts()
    with pytest.raises(interruption.LeftHalfWay), interruption.leaving_if(lambda: True):
        between_parts()
    between_parts()
