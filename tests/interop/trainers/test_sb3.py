"""Stable-Baselines3, in one seat and in all of them (examples/trainers/with_sb3.py)."""

import numpy as np
import pytest

from tests.interop.trainers.learned import (
    COOPERATES,
    DEFECTS,
    coin_rates,
    example,
    library,
    random_coin_rate,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def script():
    return example("sb3", "stable_baselines3")


@pytest.mark.parametrize("name", ["PPO", "A2C"])
def test_one_network_in_both_seats_of_the_dilemma_defects(script, name):
    settings = script.PPO_SETTINGS if name == "PPO" else {}
    kind = getattr(library("stable_baselines3"), name)
    assert script.both_seats(kind, **settings) < DEFECTS


def test_ppo_cooperates_with_tit_for_tat(script):
    assert script.against_tit_for_tat() > COOPERATES


def test_ppo_learns_to_take_coins_whoever_owns_them(script):
    rate, stolen = coin_rates(script.coin_taker())
    assert rate > 1.5 * random_coin_rate()
    assert 0.3 < stolen < 0.7


def test_a_recurrent_policy_learns_to_defect(script):
    contrib = library("sb3_contrib")
    env = script.SB3VecEnv("ipd_v0", 32)
    how = {**script.PPO_SETTINGS, "gamma": 0.5, "policy_kwargs": {"lstm_hidden_size": 16}}
    model = contrib.RecurrentPPO("MlpLstmPolicy", env, **how, **script.SETTINGS)
    model.learn(30_000)
    observations, state, start, paid = env.reset(), None, np.ones(env.num_envs, bool), []
    for _ in range(50):
        actions, state = model.predict(observations, state=state, episode_start=start)
        observations, rewards, start, _ = env.step(actions)
        paid.append(rewards.mean())
    assert np.mean(paid) < DEFECTS
