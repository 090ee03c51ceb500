"""Tianshou: independent DQN in both seats, and one learner against tit for tat.

In turn-by-turn games its n-step return counts turns: `n_step_return_horizon` = 2 is one step of
ours (README).
"""

import gymnasium
import pytest
import torch

import social_dilemmas_env as sde
from tests.interop.trainers.learned import COOPERATES, DEFECTS, library

pytestmark = pytest.mark.slow
torch.set_num_threads(1)


@pytest.fixture(scope="module", autouse=True)
def _library():
    library("tianshou")


def dqn(env, **settings):
    from tianshou.algorithm import DQN
    from tianshou.algorithm.modelfree.dqn import DiscreteQLearningPolicy
    from tianshou.algorithm.optim import AdamOptimizerFactory
    from tianshou.utils.net.common import Net

    policy = DiscreteQLearningPolicy(
        model=Net(state_shape=(5,), action_shape=2, hidden_sizes=(32,)),
        action_space=env.action_space,
        observation_space=env.observation_space,
        eps_training=0.2,
        eps_inference=0.0,
    )
    return DQN(
        policy=policy, optim=AdamOptimizerFactory(lr=1e-3), target_update_freq=50, **settings
    )


def trained(algorithm, make, epochs, **more):
    """Mean return of test episodes at the end."""
    from tianshou.data import Collector, VectorReplayBuffer
    from tianshou.env import DummyVectorEnv
    from tianshou.trainer import OffPolicyTrainerParams

    buffer = VectorReplayBuffer(20_000, 8)
    collector = Collector(algorithm, DummyVectorEnv([make] * 8), buffer, exploration_noise=True)
    collector.reset()
    collector.collect(n_step=400)
    tests = Collector(algorithm, DummyVectorEnv([make] * 2))
    algorithm.run_training(
        OffPolicyTrainerParams(
            training_collector=collector,
            test_collector=tests,
            max_epochs=epochs,
            epoch_num_steps=1600,
            collection_step_num_env_steps=80,
            test_step_num_episodes=4,
            batch_size=64,
            update_step_num_gradient_steps_per_sample=0.25,
            test_in_training=False,
            **more,
        )
    )
    tests.reset()
    return tests.collect(n_episode=4).returns.mean()


def test_two_dqns_defect_in_the_dilemma():
    from tianshou.algorithm.multiagent.marl import MultiAgentOffPolicyAlgorithm
    from tianshou.env import PettingZooEnv

    def make():
        return PettingZooEnv(sde.make_env("ipd_v0", api="aec"))

    torch.manual_seed(0)
    both = [dqn(make(), gamma=0.5, n_step_return_horizon=2) for _ in range(2)]
    algorithm = MultiAgentOffPolicyAlgorithm(algorithms=both, env=make())
    mean = trained(
        algorithm, make, 4, multi_agent_return_reduction=lambda returns: returns.mean(axis=1)
    )
    assert mean / 50 < DEFECTS


def test_one_dqn_cooperates_with_tit_for_tat():
    def make():
        return gymnasium.make("social_dilemmas/ipd-v0", opponent="tit_for_tat")

    torch.manual_seed(0)
    assert trained(dqn(make(), gamma=0.9), make, 6) / 50 > COOPERATES
