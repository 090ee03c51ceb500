"""Networks cloned from policies of exact games."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from agents import load_agent
from agents.checkpoint import Checkpoint, CheckpointError
from agents.evaluation.agent import Agent
from agents.evaluation.loading import list_bundled, restore_agent
from agents.learners.exact_clone import (
    RECIPES,
    CloneConfig,
    Labelled,
    clone,
    cloning_gap,
    cloning_loss,
    correct,
    logits_of,
    make_bundle,
    network,
    play_labelled,
)

SMALL = CloneConfig(hidden=8, rounds=2, teacher_rounds=1, games=12, steps=3, batch=6)
FACTS = {"env_id": "coin_game_v0", "game": {}}


@pytest.fixture(scope="module")
def teacher():
    return load_agent("bundled:exact_loqa_3x3")


def test_labels_are_what_the_teacher_would_do(teacher):
    """Of every seat, with itself and with scripted partners; rows are distributions."""
    labelled = play_labelled(teacher, teacher, SMALL, 5)
    assert labelled.seen.shape[:2] == labelled.wanted.shape[:2] == (50, 1)
    assert labelled.seen.shape[2] == labelled.wanted.shape[2] == 2 * 3 + 3 * 2
    assert labelled.wanted.sum(-1) == pytest.approx(1.0)
    again = correct(teacher, labelled.seen[:, 0].numpy(), 0)
    assert torch.equal(again, labelled.wanted)


def test_whole_episodes_are_the_steps_of_the_agent(teacher):
    """What learns is what plays."""
    net = network("coin_game_v0", {}, 8)
    theta = net.initial(1, torch.Generator().manual_seed(1))
    labelled = play_labelled(teacher, teacher, SMALL, 6)
    pupil, hidden = Agent(net, theta, FACTS), None
    logits = logits_of(net, theta, labelled.seen)
    for t, seen in enumerate(labelled.seen[:, 0]):
        chances, hidden = pupil.probabilities(seen, hidden)
        assert torch.allclose(chances, torch.softmax(logits[t, 0], -1), atol=1e-5)


def test_the_loss_by_hand():
    net = network("coin_game_v0", {}, 4)
    theta = torch.zeros(1, net.size)  # uniform, whatever it sees
    labelled = Labelled(torch.zeros(3, 1, 2, 36), torch.full((3, 1, 2, 4), 0.25))
    assert float(cloning_loss(net, theta, labelled)) == pytest.approx(np.log(4))


def untaught(seed):
    net = network("coin_game_v0", {}, SMALL.hidden)
    return Agent(net, net.initial(1, torch.Generator().manual_seed(seed)), FACTS)


@pytest.mark.wide
def test_a_seed_repeats_and_a_pupil_learns(teacher):
    one, losses = clone(SMALL, 3)
    two, _ = clone(SMALL, 3)
    assert torch.equal(one, two)
    assert len(losses) == SMALL.rounds

    longer = replace(SMALL, rounds=5, steps=40)
    three, losses = clone(longer, 3)
    assert losses[-1] < losses[0] - 0.1

    facts = {**FACTS, "learner": "exact_clone", "settings": asdict(SMALL)}
    pupil = restore_agent(Checkpoint("x", 2, facts, {"self0.theta": three}))
    assert cloning_gap(pupil, teacher, SMALL) < cloning_gap(untaught(3), teacher, SMALL) - 0.1
    assert cloning_gap(teacher, teacher, SMALL) == pytest.approx(0, abs=1e-5)

    with pytest.raises(CheckpointError, match="theta"):
        restore_agent(Checkpoint("x", 2, facts, {"self0.theta": one[:, :-1]}))


def test_bad_input(tmp_path):
    with pytest.raises(ValueError, match="no recipe"):
        make_bundle("cloned_4x4", tmp_path / "x.json")
    with pytest.raises(ValueError, match=r"NAME\.json"):
        make_bundle("cloned_3x3", tmp_path / "x")


@pytest.mark.parametrize("name", [name for name in RECIPES if name in list_bundled()])
def test_the_loss_of_cloning_is_stated(name):
    facts = load_agent(f"bundled:{name}").facts
    assert facts["teacher_scores"].keys() == facts["scores"].keys()
    assert 0 < facts["cloning_loss"] < {"cloned_3x3": 0.1, "cloned_7x7": 0.5}[name]
