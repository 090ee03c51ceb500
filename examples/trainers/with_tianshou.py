"""Tianshou: independent DQN in both seats, and one learner against tit for tat.

    pip install -r examples/trainers/requirements/tianshou.txt -e .
    python examples/trainers/with_tianshou.py     # a minute

In turn-by-turn games its n-step return counts turns: `n_step_return_horizon` = 2, the number of
players, is one step of ours.  With its default player 0 is never paid.
"""

from pinned import pinned

with pinned("tianshou"):
    import gymnasium
    import torch
    from tianshou.algorithm import DQN
    from tianshou.algorithm.modelfree.dqn import DiscreteQLearningPolicy
    from tianshou.algorithm.multiagent.marl import MultiAgentOffPolicyAlgorithm
    from tianshou.algorithm.optim import AdamOptimizerFactory
    from tianshou.data import Collector, VectorReplayBuffer
    from tianshou.env import DummyVectorEnv, PettingZooEnv
    from tianshou.trainer import OffPolicyTrainerParams
    from tianshou.utils.net.common import Net

    import social_dilemmas_env as sde

HORIZON = 50


def dqn(env, **settings):
    """A DQN with a small network."""
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


def both_seats(epochs=4):
    """Mean reward a step of two learners."""

    def make():
        return PettingZooEnv(sde.make_env("ipd_v0", api="aec"))

    torch.manual_seed(0)
    both = [dqn(make(), gamma=0.5, n_step_return_horizon=2) for _ in range(2)]
    algorithm = MultiAgentOffPolicyAlgorithm(algorithms=both, env=make())
    mean = trained(
        algorithm, make, epochs, multi_agent_return_reduction=lambda returns: returns.mean(axis=1)
    )
    return mean / HORIZON


def against_tit_for_tat(epochs=6):
    """Mean reward a step of one learner."""

    def make():
        return gymnasium.make("social_dilemmas/ipd-v0", opponent="tit_for_tat")

    torch.manual_seed(0)
    return trained(dqn(make(), gamma=0.9), make, epochs) / HORIZON


def main():
    """Both."""
    torch.set_num_threads(1)
    print(f"both seats:          {both_seats():+.2f} a step (both defect: -2)")
    print(f"against tit for tat: {against_tit_for_tat():+.2f} a step (both cooperate: -1)")


if __name__ == "__main__":
    main()
