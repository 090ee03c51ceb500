"""skrl: independent and multi-agent PPO on dicts of tensors."""

import dataclasses

import pytest
import torch
from torch import nn

from tests.interop.trainers.learned import DEFECTS, library

pytestmark = pytest.mark.slow
torch.set_num_threads(1)


@pytest.fixture(scope="module", autouse=True)
def _library():
    library("skrl")


def models(env, central):
    """A policy and a value for each player."""
    from skrl.models.torch import CategoricalMixin, DeterministicMixin, Model

    def spaces(agent):
        return {
            "observation_space": env.observation_space(agent),
            "state_space": env.state_space(agent),
            "action_space": env.action_space(agent),
            "device": "cpu",
        }

    class Policy(CategoricalMixin, Model):
        def __init__(self, agent):
            Model.__init__(self, **spaces(agent))
            CategoricalMixin.__init__(self, unnormalized_log_prob=True)
            self.net = mlp(self.num_observations, self.num_actions)

        def compute(self, inputs, role=""):
            return self.net(inputs["observations"].float()), {}

    class Value(DeterministicMixin, Model):
        def __init__(self, agent):
            Model.__init__(self, **spaces(agent))
            DeterministicMixin.__init__(self)
            self.net = mlp(self.num_states if central else self.num_observations, 1)

        def compute(self, inputs, role=""):
            return self.net(inputs["states" if central else "observations"].float()), {}

    return {agent: {"policy": Policy(agent), "value": Value(agent)} for agent in env.agents}


def mlp(inputs, outputs):
    return nn.Sequential(nn.Linear(inputs, 32), nn.Tanh(), nn.Linear(32, outputs))


def settings(kind, agents, folder):
    cfg = kind()
    cfg.rollouts, cfg.learning_epochs, cfg.mini_batches = 50, 6, 1
    cfg.learning_rate, cfg.discount_factor = 3e-3, 0.96
    # What is empty must be a dict an agent.
    for field in dataclasses.fields(cfg):
        if field.name != "experiment" and getattr(cfg, field.name) == {}:
            setattr(cfg, field.name, {agent: {} for agent in agents})
    cfg.experiment.directory = str(folder)
    cfg.experiment.write_interval = cfg.experiment.checkpoint_interval = 0
    return cfg


@pytest.mark.parametrize("name", ["IPPO", "MAPPO"])
def test_ppo_defects_in_the_dilemma(name, tmp_path):
    import importlib

    from skrl.envs.wrappers.torch import wrap_env
    from skrl.memories.torch import RandomMemory
    from skrl.trainers.torch import SequentialTrainer, SequentialTrainerCfg

    from social_dilemmas_env.adapters.dict_vec_env import DictVecEnv

    module = importlib.import_module(f"skrl.multi_agents.torch.{name.lower()}")
    env = wrap_env(DictVecEnv("ipd_v0", 64, seed=0), wrapper="isaaclab-multi-agent")
    torch.manual_seed(0)
    agents = getattr(module, name)(
        possible_agents=env.possible_agents,
        models=models(env, name == "MAPPO"),
        memories={
            agent: RandomMemory(memory_size=50, num_envs=64, device="cpu")
            for agent in env.possible_agents
        },
        cfg=settings(getattr(module, f"{name}_CFG"), env.possible_agents, tmp_path),
        device="cpu",
        observation_spaces=env.observation_spaces,
        state_spaces=env.state_spaces,
        action_spaces=env.action_spaces,
    )

    rewards, step = [], env.step

    def recorded(actions):
        found = step(actions)
        rewards.append(torch.cat([x.flatten().float() for x in found[1].values()]).mean().item())
        return found

    env.step = recorded
    quiet = {"headless": True, "close_environment_at_exit": False, "disable_progressbar": True}
    trainer = SequentialTrainer(
        env=env, agents=agents, cfg=SequentialTrainerCfg(timesteps=1000, **quiet)
    )
    trainer.train()
    assert sum(rewards[:50]) / 50 > -1.65
    assert sum(rewards[-50:]) / 50 < DEFECTS
