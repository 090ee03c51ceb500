"""TorchRL accepts the specs, resets parts of the batch, and its PPO learns on it."""

import numpy as np
import pytest
import torch

import social_dilemmas_env as sde

pytest.importorskip("torchrl", reason='pip install -e ".[torchrl]"')
from tensordict import TensorDict
from tensordict.nn import TensorDictModule
from torchrl.collectors import Collector
from torchrl.envs import GymEnv, check_env_specs
from torchrl.modules import MultiAgentMLP, ProbabilisticActor
from torchrl.objectives import ClipPPOLoss
from torchrl.objectives.value import GAE

from social_dilemmas_env.adapters.torchrl import TorchRLEnv


@pytest.mark.parametrize("obs_mode", ["float32", "uint8", "state"])
@pytest.mark.parametrize("env_id", ["coin_game_v0", "ipd_v0", "public_goods_v0"])
def test_specs(env_id, obs_mode):
    check_env_specs(TorchRLEnv(env_id, 4, obs_mode=obs_mode, max_cycles=5, seed=0))


def test_a_rollout_is_the_batch():
    env, batch = (
        TorchRLEnv("coin_game_v0", 5, seed=3, max_cycles=4),
        sde.make_vec_env("coin_game_v0", 5, max_cycles=4),
    )
    assert env.batch_size == (5,)
    assert env.group_map == {"player": ["player_0", "player_1"]}
    rollout = env.rollout(10, break_when_any_done=False)
    assert rollout["player", "observation"].shape == (5, 10, 2, 4, 3, 3)
    observations, _ = batch.reset(seed=3)
    for t in range(10):
        step = rollout[:, t]
        np.testing.assert_array_equal(step["player", "observation"].numpy(), observations)
        observations, rewards, _, truncations, infos = batch.step(step["player", "action"].numpy())
        np.testing.assert_array_equal(step["next", "player", "reward"][..., 0].numpy(), rewards)
        np.testing.assert_array_equal(step["next", "truncated"].numpy(), truncations[:, :1])
        np.testing.assert_array_equal(step["next", "done"].numpy(), truncations[:, :1])
        assert not step["next", "terminated"].any()
        last = infos.get("final_obs", observations)
        np.testing.assert_array_equal(step["next", "player", "observation"].numpy(), last)


def test_partial_reset():
    env = TorchRLEnv("coin_game_v0", 4, seed=0, max_cycles=3)
    state = env.reset()
    for _ in range(3):
        state = env.rand_step(state)["next"]
    assert state["done"].all()
    mask = torch.tensor([[True], [False], [True], [False]])
    state = env.reset(TensorDict({**state, "_reset": mask}, batch_size=[4]))
    assert state["done"].flatten().tolist() == [False, True, False, True]
    assert env.batch.get_state().episode == [1, 0, 1, 0]
    state = env.reset(TensorDict({**state, "_reset": ~mask}, batch_size=[4]))
    assert env.batch.get_state().episode == [1, 1, 1, 1]
    assert not state["done"].any()


def test_seeds():
    env = TorchRLEnv("coin_game_v0", 4)
    env.set_seed(7)
    first = env.reset()["player", "observation"]
    second = env.reset()["player", "observation"]
    env.set_seed(7)
    assert torch.equal(env.reset()["player", "observation"], first)
    assert not torch.equal(first, second)
    assert env.batch.get_state().seed == [sde.draw(7, i) for i in range(4)]


def test_ppo_learns_to_defect():
    torch.manual_seed(0)
    env = TorchRLEnv("ipd_v0", 32, seed=0, max_cycles=8)
    keys = {"depth": 1, "num_cells": 32, "share_params": True}
    logits = TensorDictModule(
        MultiAgentMLP(5, 2, 2, centralized=False, **keys),
        [("player", "observation")],
        [("player", "logits")],
    )
    policy = ProbabilisticActor(
        logits,
        in_keys=[("player", "logits")],
        out_keys=[env.action_key],
        distribution_class=torch.distributions.Categorical,
        return_log_prob=True,
        log_prob_key=("player", "log_prob"),
    )
    critic = TensorDictModule(
        MultiAgentMLP(5, 1, 2, centralized=True, **keys),
        [("player", "observation")],
        [("player", "state_value")],
    )
    loss = ClipPPOLoss(policy, critic, normalize_advantage=False)
    ends = {"done": ("player", "done"), "terminated": ("player", "terminated")}
    names = {"reward": ("player", "reward"), "value": ("player", "state_value"), **ends}
    loss.set_keys(action=env.action_key, sample_log_prob=("player", "log_prob"), **names)
    gae = GAE(gamma=0.5, lmbda=0.95, value_network=critic)
    gae.set_keys(**names)
    optimiser, rewards = torch.optim.Adam(loss.parameters(), 1e-2), []
    for data in Collector(env, policy, frames_per_batch=32 * 8, total_frames=32 * 8 * 25):
        reward = data["next", "player", "reward"]
        rewards.append(reward.mean().item())
        for name in ("done", "terminated"):  # one flag a game -> one a player
            data["next", "player", name] = data["next", name][..., None].expand(reward.shape)
        with torch.no_grad():
            gae(data)
        for _ in range(6):
            values = loss(data.reshape(-1))
            optimiser.zero_grad()
            sum(value.sum() for key, value in values.items() if key.startswith("loss_")).backward()
            optimiser.step()
    assert rewards[0] == pytest.approx(-1.5, abs=0.2)
    assert rewards[-1] < -1.85


def test_bad_input():
    with pytest.raises(ValueError, match="a group shares one action space"):
        TorchRLEnv("matrix_game_v0", 3, payoffs=np.zeros((2, 3, 2)))
    with pytest.raises(ValueError, match="num_envs"):
        TorchRLEnv("coin_game_v0", 0)


@pytest.mark.parametrize(
    "option", [{"reuse_buffers": True}, {"backend": "numpy"}, {"autoreset": "same_step"}], ids=str
)
def test_options_that_would_be_wrong_are_refused(option):
    with pytest.raises(ValueError, match=f"TorchRLEnv needs {next(iter(option))}"):
        TorchRLEnv("ipd_v0", 3, **option)


def test_gym_env_makes_registered_ids():
    """It first passes frameskip=, and looks for Python's words in the TypeError."""
    env = GymEnv("social_dilemmas/ipd-v0", opponent="tit_for_tat")
    check_env_specs(env)
    assert env.rollout(60).shape == (50,)


def test_options_that_are_the_only_ones_may_be_given():
    env = TorchRLEnv("ipd_v0", 3, backend="torch", autoreset="disabled", reuse_buffers=False)
    assert env.rollout(3).shape == (3, 3)


def test_to_moves_the_games():
    """A device that there is; what is none is refused, and the games go on where they were."""
    env, twin = TorchRLEnv("ipd_v0", 3, seed=2), TorchRLEnv("ipd_v0", 3, seed=2)
    env.reset(), twin.reset()
    assert env.to("cpu") is env
    assert env.to(None) is env
    with pytest.raises(ValueError, match='device must be "cpu", "cuda"'):
        env.to("meta")
    with pytest.raises(ValueError, match="takes nothing else"):
        env.to(torch.float64)
    assert env.batch.get_state() == twin.batch.get_state()
    if not torch.cuda.is_available():
        with pytest.raises(RuntimeError, match="there is no CUDA device here"):
            env.to("cuda")


def test_to_remakes_the_batch(monkeypatch):
    """As on a device that is another than the games' own: they go on where they are."""
    env, twin = TorchRLEnv("coin_game_v0", 3, seed=2), TorchRLEnv("coin_game_v0", 3, seed=2)
    for each in (env, twin):
        each.rand_step(each.reset())
    state, old = env.batch.get_state(), env.batch
    monkeypatch.setattr(old, "device", torch.device("cuda", 0))
    assert env.to("cpu") is env
    assert env.batch is not old
    assert env.batch.get_state() == state
    actions = torch.tensor([[0, 1], [2, 3], [1, 1]])
    other = twin.batch
    other.set_state(state)
    for got, expected in zip(env.batch.step(actions)[:2], other.step(actions)[:2], strict=True):
        assert torch.equal(got, expected)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_to_cuda_and_back():
    env = TorchRLEnv("coin_game_v0", 4, seed=0)
    env.reset()
    state = env.batch.get_state()
    assert env.to("cuda").batch.get_state() == state
    check_env_specs(env)
    assert env.rollout(5)["player", "observation"].device.type == "cuda"
    assert env.to("cpu").rollout(5)["player", "observation"].device.type == "cpu"


def test_horizon_and_flat():
    env = TorchRLEnv("coin_game_v0", 2, flat=True, max_cycles=6)
    assert env.max_cycles == 6
    check_env_specs(env)
    assert env.rollout(3)["player", "observation"].shape == (2, 3, 2, 36)
