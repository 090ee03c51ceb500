"""Stable-Baselines3: what its learners make of our games, in one seat and in all of them."""

import numpy as np
import pytest
import torch

import social_dilemmas_env.single_agent  # noqa: F401  the names that gymnasium knows
from tests.interop.trainers.learned import (
    COOPERATES,
    DEFECTS,
    coin_rates,
    library,
    random_coin_rate,
)

pytestmark = pytest.mark.slow
torch.set_num_threads(1)
SETTINGS = {"seed": 0, "device": "cpu"}
PPO = {"n_steps": 50, "batch_size": 800, "learning_rate": 3e-3, "gamma": 0.96}


@pytest.fixture(scope="module")
def sb3():
    return library("stable_baselines3")


def both_seats(env_id, games):
    from social_dilemmas_env.adapters.sb3 import SB3VecEnv

    return SB3VecEnv(env_id, games)


def mean_reward(model, env, steps=50):
    """A step and seat, with actions drawn from the policy."""
    observations, total = env.reset(), 0.0
    for _ in range(steps):
        actions, _ = model.predict(observations, deterministic=False)
        observations, rewards, *_ = env.step(actions)
        total += rewards.mean() / steps
    return total


@pytest.mark.parametrize(("name", "settings", "steps"), [("PPO", PPO, 60_000), ("A2C", {}, 60_000)])
def test_one_network_in_both_seats_of_the_dilemma_defects(sb3, name, settings, steps):
    env = both_seats("ipd_v0", 32)
    model = getattr(sb3, name)("MlpPolicy", env, **settings, **SETTINGS)
    model.learn(steps)
    assert mean_reward(model, env) < DEFECTS


def test_ppo_cooperates_with_tit_for_tat(sb3):
    from stable_baselines3.common.env_util import make_vec_env

    env = make_vec_env("social_dilemmas/ipd-v0", 8, seed=0, env_kwargs={"opponent": "tit_for_tat"})
    model = sb3.PPO("MlpPolicy", env, **{**PPO, "batch_size": 400}, **SETTINGS)
    model.learn(60_000)
    assert mean_reward(model, env) > COOPERATES


def test_ppo_learns_to_take_coins_whoever_owns_them(sb3):
    env = both_seats("coin_game_v0", 64)
    network = {"activation_fn": torch.nn.ReLU}
    how = {**PPO, "batch_size": 1600, "learning_rate": 1e-3, "ent_coef": 0.01}
    model = sb3.PPO("MlpPolicy", env, policy_kwargs=network, **how, **SETTINGS)
    model.learn(256_000)

    def act(observations):
        rows = observations.reshape(-1, *observations.shape[2:])
        return model.predict(rows, deterministic=False)[0].reshape(observations.shape[:2])

    rate, stolen = coin_rates(act)
    assert rate > 1.5 * random_coin_rate()
    assert 0.3 < stolen < 0.7


def test_a_recurrent_policy_learns_to_defect(sb3):
    contrib = library("sb3_contrib")
    env = both_seats("ipd_v0", 32)
    how = {**PPO, "gamma": 0.5, "policy_kwargs": {"lstm_hidden_size": 16}}
    model = contrib.RecurrentPPO("MlpLstmPolicy", env, **how, **SETTINGS)
    model.learn(30_000)
    observations, state, start, paid = env.reset(), None, np.ones(env.num_envs, bool), []
    for _ in range(50):
        actions, state = model.predict(observations, state=state, episode_start=start)
        observations, rewards, start, _ = env.step(actions)
        paid.append(rewards.mean())
    assert np.mean(paid) < DEFECTS
