"""What is promised of every learner, on the day it is registered: it has a tiny training here, and
weights that are not finite are refused in a sentence."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from agents import checkpoint, load_agent
from agents.checkpoint import CheckpointError
from agents.evaluation.loading import BUNDLED
from agents.registry import LEARNERS
from agents.training.run_folder import checkpoints, resume
from tests.agents.faults.table import EVIDENCE, HEAD, rows
from tests.agents.faults.tiny_learners import LOOPLESS, TINY, request_of

HERE = Path(__file__).parents[1]


def test_every_learner_has_a_tiny_training_or_a_reason():
    """A new learner: add it to tests/agents/faults/tiny_learners.py."""
    assert sorted(set(TINY) | set(LOOPLESS)) == sorted(LEARNERS)
    assert not set(TINY) & set(LOOPLESS)


@pytest.mark.parametrize("name", TINY)
def test_weights_that_are_not_finite_are_refused(name, tmp_path):
    """Neither played nor trained on."""
    request = request_of(name)
    learner = request.spec.make(request.config, request.env_id, request.game, 1, "cpu")
    facts = {**request.facts, "seconds": 0.0, "scores": {}}
    broken = {
        key: torch.full_like(x, torch.nan) if x.is_floating_point() else x
        for key, x in learner.state().items()
    }
    checkpoint.save(checkpoints(tmp_path), 1, broken, facts, learner.frozen())

    with pytest.raises(CheckpointError, match=r"state-00000001\.json.*is not finite"):
        load_agent(tmp_path)
    before = {key: x.clone() for key, x in learner.state().items()}
    with pytest.raises(CheckpointError, match=r"state-00000001\.json.*is not finite"):
        resume(tmp_path, learner, request.facts)
    assert all(torch.equal(x, before[key]) for key, x in learner.state().items())


BUNDLED_OF = {
    "sb3_ppo": "sb3_ppo_3x3",
    "exact_policy": "exact_naive_3x3",
    "exact_clone": "cloned_3x3",
}


@pytest.mark.parametrize("name", LOOPLESS)
def test_agents_of_learners_without_a_loop_are_refused_too(name, tmp_path):
    good = checkpoint.load(BUNDLED / f"{BUNDLED_OF[name]}.json")
    broken = {
        key: torch.full_like(x, torch.nan) if x.is_floating_point() else x
        for key, x in good.tensors.items()
    }
    path = tmp_path / "agent.json"
    checkpoint.export(path, replace(good, tensors=broken))
    with pytest.raises(CheckpointError, match=r"agent\.json.*is not finite"):
        load_agent(path)


def test_the_table_of_learners_has_no_empty_cell():
    """Each is a file that is there, or a reason."""
    assert set(EVIDENCE) == set(LEARNERS)
    for name, *cells in rows():
        assert len(cells) == len(HEAD) - 1, name
        for cell in cells:
            is_file = cell.endswith(".py")
            assert (HERE / cell).is_file() if is_file else len(cell) >= 3, f"{name}: {cell}"
