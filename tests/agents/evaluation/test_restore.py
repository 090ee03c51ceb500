"""Networks from checkpoints: settings by their old names, and those that nobody knows."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from agents.checkpoint import Checkpoint, CheckpointError, load
from agents.evaluation.cards import BUNDLED
from agents.evaluation.restore import known_settings, restore_agent
from agents.learners.loqa.loqa import LoqaConfig
from agents.learners.loqa.loqa_modelled import ModelledConfig
from agents.learners.loqa.self_play import actor_critic

torch.set_num_threads(1)


def checkpoint(**settings):
    return Checkpoint(Path("x.json"), 0, {"settings": settings}, {})


def test_settings_are_found_by_the_names_they_had():
    found = known_settings(checkpoint(taste_hidden=7, gamma=0.5), ModelledConfig())
    assert found == {"reward_hidden": 7, "gamma": 0.5}


def test_a_setting_that_nobody_knows_is_an_error():
    with pytest.raises(CheckpointError, match=r"x\.json: it has the setting 'zeal'"):
        known_settings(checkpoint(zeal=1, gamma=0.5), LoqaConfig)


def test_an_agent_plays_with_the_first_player_of_the_first_run():
    saved = load(BUNDLED / "loqa_3x3.json")
    theta = saved.tensors["self0.theta"]
    two = replace(saved, tensors={"self0.theta": torch.cat((theta, theta + 1))})
    agents = [
        restore_agent(each, "cpu", 0, base=LoqaConfig(), networks=actor_critic)
        for each in (saved, two)
    ]
    observations = torch.zeros(3, *(4, 3, 3))
    logits = [agent.logits(observations)[0] for agent in agents]
    assert torch.equal(*logits)


def test_a_checkpoint_without_networks_is_an_error():
    saved = replace(load(BUNDLED / "loqa_3x3.json"), tensors={})
    words = r"it has no 'self0\.theta': saved by another learner or version"
    with pytest.raises(CheckpointError, match=words):
        restore_agent(saved, "cpu", 0, base=LoqaConfig(), networks=actor_critic)
