"""The training loop: exact resuming, and that a trained agent plays what was trained."""

import json

import numpy as np
import pytest
import torch

import social_dilemmas_env as sde
from agents import load_agent
from agents.checkpoint import CheckpointError, manifests
from social_dilemmas_env.registry import EnvSpec
from tests.agents.training.tiny import CASES, run, tensors


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setenv("SOCIAL_DILEMMAS_TENSORBOARD", "0")


@pytest.mark.parametrize("case", CASES)
def test_stopping_and_going_on_changes_nothing(case, tmp_path):
    whole = run(case, tmp_path / "whole", 8)
    parts = run(case, tmp_path / "parts", 5)
    before = tensors(parts)
    run(case, parts, 8)

    one, two = tensors(whole), tensors(parts)
    for name in one:
        assert torch.equal(one[name], two[name]), name
    assert not torch.equal(before["self0.theta"], two["self0.theta"])


def test_seeds_differ_and_evaluation_changes_nothing(tmp_path):
    base = tensors(run("loqa", tmp_path / "a", 3))["self0.theta"]
    evaluated = run(
        "loqa", tmp_path / "b", 3, eval_every=1, eval_episodes=2, save_minutes=0.0, keep=1
    )
    assert torch.equal(base, tensors(evaluated)["self0.theta"])
    assert len(manifests(evaluated / "checkpoints")) == 1

    other = run("loqa", tmp_path / "c", 3, seed=2)
    assert not torch.equal(base, tensors(other)["self0.theta"])

    lines = [json.loads(line) for line in (evaluated / "metrics.jsonl").read_text().splitlines()]
    assert {"eval self", "eval vs always_defect", "eval adversarial"} <= lines[-1].keys()


def test_the_callers_random_state_and_threads_stay(tmp_path):
    torch.manual_seed(5)
    np.random.seed(5)
    expected = torch.rand(1).item(), np.random.rand()

    torch.manual_seed(5)
    np.random.seed(5)
    threads = torch.get_num_threads()
    run("loqa", tmp_path, 2)
    assert (torch.rand(1).item(), np.random.rand()) == expected
    assert torch.get_num_threads() == threads


def test_a_trained_agent_plays(tmp_path):
    agent = load_agent(run("loqa", tmp_path, 2))
    env = sde.make_env("coin_game_v0")
    observations, _ = env.reset(seed=0)
    batch = np.stack([observations["player_0"]] * 5)
    actions, hidden = agent.act(batch)
    assert actions.shape == (5,)
    assert actions.dtype == np.int64
    assert ((actions >= 0) & (actions < 4)).all()

    again, _ = agent.act(torch.from_numpy(batch), hidden, greedy=True)
    assert isinstance(again, torch.Tensor)
    assert again.shape == (5,)
    with pytest.raises(ValueError, match="36 numbers"):
        agent.act(np.zeros((5, 4, 5, 5), np.float32))


@pytest.mark.parametrize("case", ["loqa", "ipd", "ipd mlp", "ipd gru", "three players"])
def test_the_agent_is_the_policy_that_was_trained(case, tmp_path):
    """Step by step on observations equals the learner's pass over view ids."""
    folder = run(case, tmp_path, 3)
    agent = load_agent(folder)
    _, env_id, settings = CASES[case]
    game = {k: v for k, v in settings.items() if k in ("num_agents", "grid_size")}
    venv = sde.make_vec_env(env_id, num_envs=4, backend="torch", obs_mode="state", **game)

    # Observation ids of random play.
    views = [venv.reset(seed=3)[0]]
    draws = torch.Generator().manual_seed(0)
    for _ in range(5):
        shape = (4, len(venv.possible_agents))
        views.append(
            venv.step(torch.randint(int(venv.single_action_space.n), shape, generator=draws))[0]
        )
    views = torch.stack(views)[..., 0].long()
    expected = agent._net(agent.theta, views[:, None])[:, 0]

    hidden = None
    for t in range(6):
        logits, hidden = agent.logits(venv.observation_table[views[t]], hidden)
        assert (logits - expected[t]).abs().max() < 1e-5


def test_a_checkpoint_of_another_grid(tmp_path):
    small = run("loqa", tmp_path / "small", 1)
    large = run("loqa", tmp_path / "large", 1, grid_size=4)
    for path in (large / "checkpoints").iterdir():
        path.unlink()
    for path in (small / "checkpoints").iterdir():
        path.rename(large / "checkpoints" / path.name)
    with pytest.raises(CheckpointError, match=r"theta.*another game, grid"):
        run("loqa", large, 2, grid_size=4)


def test_the_rules_are_built_once(tmp_path, monkeypatch):
    build, built = EnvSpec.game, []

    def counted(self, **kwargs):
        built.append(self.id)
        return build(self, **kwargs)

    monkeypatch.setattr(EnvSpec, "game", counted)
    run("loqa", tmp_path, 1)
    assert built == ["coin_game_v0"]
