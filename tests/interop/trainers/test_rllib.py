"""RLlib: PPO in both seats and in one, on its own wrappers."""

import os

import pytest

import social_dilemmas_env as sde
from tests.interop.trainers.learned import COOPERATES, DEFECTS, library

pytestmark = pytest.mark.slow
AGENTS = ("player_0", "player_1")


@pytest.fixture(scope="module", autouse=True)
def _cluster():
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    ray = library("ray")
    library("ray.rllib")
    ray.init(
        num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=200_000_000
    )
    yield
    ray.shutdown()


def ppo(env, **settings):
    from ray.rllib.algorithms.ppo import PPOConfig

    runners = {"num_env_runners": 0, "num_envs_per_env_runner": 8}
    how = {"train_batch_size_per_learner": 1600, "minibatch_size": 400, "num_epochs": 6, "lr": 3e-3}
    config = PPOConfig().environment(env, env_config=settings).env_runners(**runners)
    return config.training(**how, gamma=0.96, entropy_coeff=0.0).debugging(seed=0)


def last_return(config, iterations):
    algorithm = config.build_algo()
    for _ in range(iterations):
        found = algorithm.train()
    algorithm.stop()
    return found["env_runners"]["episode_return_mean"]


def test_two_learners_defect_in_the_dilemma():
    from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig
    from ray.rllib.core.rl_module.multi_rl_module import MultiRLModuleSpec
    from ray.rllib.core.rl_module.rl_module import RLModuleSpec
    from ray.rllib.env.wrappers.pettingzoo_env import ParallelPettingZooEnv
    from ray.tune.registry import register_env

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
    assert last_return(config, 15) / 100 < DEFECTS  # of both players, 50 steps


def test_one_learner_cooperates_with_tit_for_tat():
    assert last_return(ppo("social_dilemmas/ipd-v0", opponent="tit_for_tat"), 20) / 50 > COOPERATES
