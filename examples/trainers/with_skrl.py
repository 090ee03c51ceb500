"""skrl: independent and multi-agent PPO on dicts of tensors.

pip install -r examples/trainers/requirements/skrl.txt -e .
python examples/trainers/with_skrl.py         # a minute
"""

import dataclasses
import importlib
import tempfile

from pinned import pinned

with pinned("skrl"):
    import torch
    from skrl.envs.wrappers.torch import wrap_env
    from skrl.memories.torch import RandomMemory
    from skrl.models.torch import CategoricalMixin, DeterministicMixin, Model
    from skrl.trainers.torch import SequentialTrainer, SequentialTrainerCfg
    from torch import nn

    from social_dilemmas_env.adapters.dict_vec_env import DictVecEnv


def models(env, central):
    """A policy and a value for each player."""

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
    """One hidden layer."""
    return nn.Sequential(nn.Linear(inputs, 32), nn.Tanh(), nn.Linear(32, outputs))


def settings(kind, agents, folder):
    """The configuration, with what its defaults leave empty."""
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


def mean_rewards(name, folder, steps=1000):
    """Mean reward of each step of a training; `name` is IPPO or MAPPO."""
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
        cfg=settings(getattr(module, f"{name}_CFG"), env.possible_agents, folder),
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
        env=env, agents=agents, cfg=SequentialTrainerCfg(timesteps=steps, **quiet)
    )
    trainer.train()
    return rewards


def main():
    """Independent PPO, and PPO with a critic that sees everybody."""
    torch.set_num_threads(1)
    for name in ("IPPO", "MAPPO"):
        rewards = mean_rewards(name, tempfile.mkdtemp())
        first, last = sum(rewards[:50]) / 50, sum(rewards[-50:]) / 50
        print(f"{name:6s} {first:+.2f} a step at first, {last:+.2f} at last (both defect: -2)")


if __name__ == "__main__":
    main()
