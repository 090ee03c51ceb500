"""The contracts of learners and their registry: what `train` may rely on, by name and by shape."""

import inspect
import subprocess
import sys
from dataclasses import fields, is_dataclass, replace

import pytest
import torch

import social_dilemmas_env as sde
from agents.evaluation.agent import AgentPlayer
from agents.execution.direct import Direct
from agents.learners import protocol
from agents.registry import LEARNERS

torch.set_num_threads(1)
LOOPLESS = {"sb3_ppo", "exact_policy", "exact_clone"}  # with a loop of its own
TINY = {
    "batch": 4,
    "horizon": 3,
    "snapshots": 2,
    "thieves": 1,
    "hidden": 4,
    "actor_hidden": 4,
    "critic_hidden": 4,
    "reward_hidden": 4,
    "outer_steps": 2,
    "model_batches": 1,
    "games": 2,
    "steps": 2,
    "chain": 1,
}


def tiny(name):
    """A learner of the dilemma, as small as its settings allow."""
    spec = LEARNERS[name]
    base = spec.settings("ipd_v0")
    known = {f.name for f in fields(base)}
    changes = {setting: value for setting, value in TINY.items() if setting in known}
    if name != "pola_om":
        changes.pop("model_batches", None)
    return spec.make(replace(base, **changes), "ipd_v0", {}, 0, "cpu")


def test_listing_learners_imports_no_torch():
    code = "import sys, agents.registry, agents.protocol; print('torch' in sys.modules)"
    words = [sys.executable, "-c", code]
    found = subprocess.run(words, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


@pytest.mark.parametrize("name", LEARNERS)
def test_a_spec_says_what_it_is(name):
    spec = LEARNERS[name]
    assert isinstance(spec, protocol.LearnerSpec)
    assert spec.name == name
    assert is_dataclass(spec.settings("ipd_v0"))


@pytest.mark.parametrize("name", sorted(set(LEARNERS) - LOOPLESS))
def test_a_learner_keeps_the_contract(name):
    learner = tiny(name)
    assert learner.iteration == 0
    metrics = learner.update()
    assert learner.iteration == 1
    for metric, value in metrics.items():
        assert isinstance(value, torch.Tensor), metric
        assert value.ndim == 0, metric

    # What it saves is tensors without graphs, and enough to make another one the same.
    saved = learner.state() | learner.frozen()
    assert not any(x.requires_grad for x in saved.values())
    other = tiny(name)
    other.load({key: x.clone() for key, x in saved.items()}, 1)
    again = other.state() | other.frozen()
    assert again.keys() == saved.keys()
    assert all(torch.equal(again[key], saved[key]) for key in saved)


@pytest.mark.parametrize("name", sorted(set(LEARNERS) - LOOPLESS))
def test_graphs_are_for_learners_that_compute_through_an_object(name):
    compute = getattr(tiny(name), "compute", None)
    assert isinstance(compute, Direct) == LEARNERS[name].graphs


@pytest.mark.parametrize("method", ["reset", "act"])
@pytest.mark.parametrize("kind", [type(sde.make_strategy("tit_for_tat", "ipd_v0")), AgentPlayer])
def test_strategies_and_agents_take_what_a_policy_takes(kind, method):
    wanted = inspect.signature(getattr(protocol.Policy, method)).parameters
    assert set(wanted) <= set(inspect.signature(getattr(kind, method)).parameters)
