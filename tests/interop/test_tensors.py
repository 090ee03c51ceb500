"""Dicts of arrays: what skrl reads."""

import dataclasses
import importlib
import sys

import numpy as np
import pytest
import torch

import social_dilemmas_env as sde
from social_dilemmas_env.adapters.dict_vec_env import DictVecEnv


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_the_dicts_are_the_batch(backend):
    env, batch = (
        DictVecEnv("public_goods_v0", 5, backend, max_cycles=4),
        sde.make_vec_env("public_goods_v0", 5, max_cycles=4),
    )
    assert env.agents == env.possible_agents == batch.possible_agents
    assert env.num_agents == 4
    observations, infos = env.reset(seed=3)
    assert set(infos) == set(env.agents)
    expected = [batch.reset(seed=3)[0]]
    rng = np.random.default_rng(0)
    for _ in range(9):
        for n, agent in enumerate(env.agents):
            np.testing.assert_array_equal(np.asarray(observations[agent]), expected[0][:, n])
        np.testing.assert_array_equal(np.asarray(env.state()), batch.state())
        actions = rng.integers(2, size=(5, 4))
        given = actions if backend == "numpy" else torch.as_tensor(actions)
        observations, *others, infos = env.step(
            {agent: given[:, n, None] for n, agent in enumerate(env.agents)}
        )
        expected = batch.step(actions)
        for part, other in zip(others, expected[1:4], strict=True):
            for n, agent in enumerate(env.agents):
                np.testing.assert_array_equal(np.asarray(part[agent]), other[:, n])
        for n, agent in enumerate(env.agents):
            assert infos[agent].keys() == expected[4].keys()
            if expected[4]:
                np.testing.assert_array_equal(
                    np.asarray(infos[agent]["final_obs"]), expected[4]["final_obs"][:, n]
                )


def test_spaces_are_the_same_objects_every_time():
    env = DictVecEnv("matrix_game_v0", 2, payoffs=np.zeros((2, 3, 2)))
    for agent, count in zip(env.agents, (2, 3), strict=True):
        assert env.action_space(agent) is env.action_spaces[agent] is env.single_action_space(agent)
        assert env.action_space(agent).n == count
        assert env.observation_space(agent) is env.observation_spaces[agent]


@pytest.mark.parametrize("option", [{"reuse_buffers": True}, {"autoreset": "disabled"}], ids=str)
def test_options_that_would_be_wrong_are_refused(option):
    with pytest.raises(ValueError, match=f"DictVecEnv needs {next(iter(option))}"):
        DictVecEnv("ipd_v0", 3, **option)


def test_bad_input():
    env = DictVecEnv("ipd_v0", 2)
    env.reset(seed=0)
    with pytest.raises(ValueError, match="exactly the players"):
        env.step({"player_0": torch.zeros(2, dtype=torch.int64)})
    with pytest.raises(TypeError, match="actions must be torch tensors, got list"):
        env.step({agent: [0, 0] for agent in env.agents})
    with pytest.raises(ValueError, match="shape"):
        env.step(dict.fromkeys(env.agents, torch.zeros(3, dtype=torch.int64)))


@pytest.mark.parametrize(
    ("module", "library"), [("sb3", "stable_baselines3"), ("torchrl", "torchrl")]
)
def test_a_missing_library_is_named(module, library, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, f"social_dilemmas_env.adapters.{module}", raising=False)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ModuleNotFoundError, match=rf'pip install -e "\.\[{module}\]"'):
        importlib.import_module(f"social_dilemmas_env.adapters.{module}")


def skrl_models(env):
    """For each player a linear policy and a linear value, for skrl's independent PPO."""
    from skrl.models.torch import CategoricalMixin, DeterministicMixin, Model

    class Linear(Model):
        def compute(self, inputs, role=""):
            return self.net(inputs["observations"]), {}

    class Policy(CategoricalMixin, Linear):
        def __init__(self, **spaces):
            Model.__init__(self, device="cpu", **spaces)
            CategoricalMixin.__init__(self, unnormalized_log_prob=True)
            self.net = torch.nn.Linear(self.num_observations, self.num_actions)

    class Value(DeterministicMixin, Linear):
        def __init__(self, **spaces):
            Model.__init__(self, device="cpu", **spaces)
            DeterministicMixin.__init__(self)
            self.net = torch.nn.Linear(self.num_observations, 1)

    models = {}
    for agent in env.possible_agents:
        spaces = {
            "observation_space": env.observation_space(agent),
            "state_space": env.state_space(agent),
            "action_space": env.action_space(agent),
        }
        models[agent] = {"policy": Policy(**spaces), "value": Value(**spaces)}
    return models


def skrl_config(agents, folder):
    """Settings of skrl's independent PPO."""
    from skrl.multi_agents.torch.ippo import IPPO_CFG

    cfg = IPPO_CFG()
    cfg.rollouts, cfg.learning_epochs, cfg.mini_batches = 8, 6, 1
    cfg.learning_rate, cfg.discount_factor = 3e-2, 0.5
    for field in dataclasses.fields(cfg):  # skrl 2.1.1 cannot expand its own empty defaults
        if field.name != "experiment" and getattr(cfg, field.name) == {}:
            setattr(cfg, field.name, {agent: {} for agent in agents})

    # Nothing is written but what it must.
    cfg.experiment.directory = str(folder)
    cfg.experiment.write_interval = cfg.experiment.checkpoint_interval = 0
    return cfg


def test_skrl_learns_to_defect(tmp_path):
    pytest.importorskip("skrl", reason="pip install skrl")
    from skrl.envs.wrappers.torch import wrap_env
    from skrl.memories.torch import RandomMemory
    from skrl.multi_agents.torch.ippo import IPPO
    from skrl.trainers.torch import SequentialTrainer, SequentialTrainerCfg

    torch.manual_seed(0)
    games = DictVecEnv("ipd_v0", 64, seed=0, max_cycles=8)
    env = wrap_env(games, wrapper="isaaclab-multi-agent")
    assert env.num_envs == 64
    assert env.possible_agents == ["player_0", "player_1"]
    models = skrl_models(env)

    agent = IPPO(
        possible_agents=env.possible_agents,
        models=models,
        memories={
            a: RandomMemory(memory_size=8, num_envs=64, device="cpu") for a in env.possible_agents
        },
        cfg=skrl_config(env.possible_agents, tmp_path),
        device="cpu",
        observation_spaces=env.observation_spaces,
        state_spaces=env.state_spaces,
        action_spaces=env.action_spaces,
    )
    options = SequentialTrainerCfg(
        timesteps=240, headless=True, close_environment_at_exit=False, disable_progressbar=True
    )
    SequentialTrainer(env=env, agents=agent, cfg=options).train()

    start = torch.eye(5)
    for name in env.possible_agents:
        logits = models[name]["policy"].net(start)
        assert (logits.softmax(-1)[:, 1] > 0.7).all()  # defects, whatever happened
