"""RLlib: PPO with a policy for each seat, and one learner against tit for tat.

    pip install -r examples/trainers/requirements/rllib.txt -e .
    python examples/trainers/with_rllib.py        # two minutes

RLlib pins Gymnasium to a version of its own, so it wants an environment of its own.
"""

import os

from pinned import pinned

with pinned("rllib"):
    import ray
    from ray.rllib.algorithms.ppo import PPOConfig
    from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig
    from ray.rllib.core.rl_module.multi_rl_module import MultiRLModuleSpec
    from ray.rllib.core.rl_module.rl_module import RLModuleSpec
    from ray.rllib.env.wrappers.pettingzoo_env import ParallelPettingZooEnv
    from ray.tune.registry import register_env

    import social_dilemmas_env as sde

AGENTS, HORIZON = ("player_0", "player_1"), 50


def start():
    """A small cluster in this process."""
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    quiet = {"include_dashboard": False, "log_to_driver": False}
    ray.init(num_cpus=2, object_store_memory=200_000_000, **quiet)


def ppo(env, **settings):
    """PPO's configuration for an environment."""
    runners = {"num_env_runners": 0, "num_envs_per_env_runner": 8}
    how = {"train_batch_size_per_learner": 1600, "minibatch_size": 400, "num_epochs": 6, "lr": 3e-3}
    config = PPOConfig().environment(env, env_config=settings).env_runners(**runners)
    return config.training(**how, gamma=0.96, entropy_coeff=0.0).debugging(seed=0)


def last_return(config, iterations):
    """Mean return of an episode in the last iteration."""
    algorithm = config.build_algo()
    for _ in range(iterations):
        found = algorithm.train()
    algorithm.stop()
    return found["env_runners"]["episode_return_mean"]


def both_seats(iterations=15):
    """Mean reward a step and seat of two learners."""
    register_env("dilemma", lambda _: ParallelPettingZooEnv(sde.make_env("ipd_v0")))
    module = RLModuleSpec(model_config=DefaultModelConfig(fcnet_hiddens=[32, 32]))
    config = (
        ppo("dilemma")
        .training(gamma=0.9)
        .multi_agent(policies=set(AGENTS), policy_mapping_fn=lambda agent, *_, **__: agent)
    )
    config = config.rl_module(
        rl_module_spec=MultiRLModuleSpec(rl_module_specs=dict.fromkeys(AGENTS, module))
    )
    return last_return(config, iterations) / HORIZON / len(AGENTS)


def against_tit_for_tat(iterations=20):
    """Mean reward a step of one learner."""
    return last_return(ppo("social_dilemmas/ipd-v0", opponent="tit_for_tat"), iterations) / HORIZON


def main():
    """Both."""
    start()
    print(f"both seats:          {both_seats():+.2f} a step (both defect: -2)")
    print(f"against tit for tat: {against_tit_for_tat():+.2f} a step (both cooperate: -1)")
    ray.shutdown()


if __name__ == "__main__":
    main()
