"""Single files in CleanRL's manner: rows of `make_vec_env`, `gymnasium.make_vec`, SuperSuit."""

import gymnasium
import numpy as np
import pytest
import torch

import social_dilemmas_env as sde
from tests.interop.trainers.actor_critic import Ppo, Settings
from tests.interop.trainers.learned import (
    COOPERATES,
    DEFECTS,
    coin_rates,
    library,
    random_coin_rate,
)

pytestmark = pytest.mark.slow
torch.set_num_threads(1)


class Rows:
    """A batch as rows, player by player within each game."""

    def __init__(self, env_id, games):
        self.batch = sde.make_vec_env(env_id, games)

    def reset(self):
        observations, _ = self.batch.reset(seed=0)
        return observations.reshape(-1, *observations.shape[2:])

    def step(self, actions):
        parts = self.batch.step(actions.reshape(self.batch.num_envs, -1))[:4]
        return tuple(x.reshape(-1, *x.shape[2:]) for x in parts)


def test_rows_of_the_dilemma_defect():
    rows = Rows("ipd_v0", 64)
    assert Ppo((5,), 2).learn(rows.reset, rows.step)[-1] < DEFECTS


def test_rows_of_the_coin_game_take_coins_whoever_owns_them():
    rows = Rows("coin_game_v0", 64)
    learner = Ppo((4, 3, 3), 4, Settings(iterations=60, lr=1e-3))
    learner.learn(rows.reset, rows.step)

    def act(observations):
        flat = observations.reshape(-1, *observations.shape[2:])
        return learner.act(flat).reshape(observations.shape[:2])

    rate, stolen = coin_rates(act)
    assert rate > 1.3 * random_coin_rate()
    assert 0.3 < stolen < 0.7


def test_one_seat_against_tit_for_tat_cooperates():
    env = gymnasium.make_vec("social_dilemmas/ipd-v0", num_envs=64, opponent="tit_for_tat")
    learner = Ppo((5,), 2, Settings(iterations=40))
    means = learner.learn(lambda: env.reset(seed=0)[0], lambda actions: env.step(actions)[:4])
    assert means[-1] > COOPERATES


def test_supersuits_vector_environments_defect_too():
    supersuit = library("supersuit")
    env = supersuit.pettingzoo_env_to_vec_env_v1(sde.make_env("ipd_v0"))
    env = supersuit.concat_vec_envs_v1(env, 16, num_cpus=0, base_class="gymnasium")
    learner = Ppo((5,), 2)
    means = learner.learn(
        lambda: env.reset(seed=0)[0], lambda actions: tuple(map(np.asarray, env.step(actions)[:4]))
    )
    assert means[-1] < DEFECTS
