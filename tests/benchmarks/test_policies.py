"""What benchmarks read of trained policies."""

import pytest
import torch

from agents import load_agent, train
from agents.checkpoint import CheckpointError
from benchmarks.harness.policies import (
    players_of,
    policies_of,
    read_run,
    score_of,
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    arguments = {"iterations": 3, "batch": 4, "horizon": 3, "runs": 2, "seed": 5, "device": "cpu"}
    out = tmp_path_factory.mktemp("policies") / "run"
    return train("loqa", "ipd_v0", out=out, quiet=True, eval_every=0, **arguments)


def test_policies_are_what_the_agents_play(trained):
    policies = policies_of(trained)
    assert policies.shape == (2, 5, 2)
    assert policies.dtype == torch.float64
    torch.testing.assert_close(policies.sum(-1), torch.ones(2, 5, dtype=torch.float64))
    for run in range(2):
        logits, _ = load_agent(trained, run=run).logits(torch.eye(5))
        expected = torch.softmax(logits, -1).detach().double()
        torch.testing.assert_close(policies[run], expected)


def test_runs_differ(trained):
    first, second = policies_of(trained)
    assert not torch.equal(first, second)


def test_a_run_folder_says_what_was_trained(trained):
    run = read_run(trained)
    assert (run.env_id, run.game, run.seed, run.iterations) == ("ipd_v0", {}, 5, 3)
    assert run.settings["horizon"] == 3
    assert run.seconds > 0


def test_a_player_for_every_seat_and_its_scores(trained):
    assert len(players_of(trained, run=1)) == 2
    scores = score_of(trained, episodes=4, seed=0, opponents=("always_defect",))
    assert scores.keys() == {"self", "vs always_defect", "always_defect vs it"}


def test_no_training_is_an_error(tmp_path):
    with pytest.raises(CheckpointError):
        read_run(tmp_path)
