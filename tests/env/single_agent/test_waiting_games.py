"""Games that wait for their reset while others play: an opponent's moves are its game's own."""

import gymnasium
import numpy as np
import pytest

from social_dilemmas_env.single_agent import OpponentPool, SingleEnv, SingleVectorEnv

IPD = {"env_id": "ipd_v0", "continuation": 0.7}
OPPONENTS = {
    "random": "random",
    "pool": OpponentPool(["random", "tit_for_tat", "generous_tit_for_tat"]),
    "coin": "always_cooperate",  # it draws among the shortest ways
}


def settings(name):
    coin = {"env_id": "coin_game_v0", "continuation": 0.7, "grid_size": 5}
    return {**(coin if name == "coin" else IPD), "opponent": OPPONENTS[name]}


@pytest.mark.parametrize("name", OPPONENTS)
def test_they_are_gymnasiums_batch_of_single_games(name):
    """With ends at different times, in the mode in which a reset takes a step."""
    how = settings(name)
    many = SingleVectorEnv(4, autoreset_mode="NextStep", **how)
    alone = gymnasium.vector.SyncVectorEnv([lambda: SingleEnv(**how)] * 4)
    seeds = [3, 1, 4, 15]
    first, second = many.reset(seed=seeds)[0], alone.reset(seed=seeds)[0]
    rng = np.random.default_rng(0)
    apart = False
    for _ in range(40):
        np.testing.assert_array_equal(first, second)
        actions = rng.integers(0, many.single_action_space.n, 4)
        first, *parts = many.step(actions)
        second, *same = alone.step(actions)
        for mine, theirs in zip(parts[:3], same[:3], strict=True):
            np.testing.assert_array_equal(mine, theirs)
        apart |= 0 < parts[2].sum() < 4
    assert apart


def test_a_game_does_not_depend_on_its_neighbours():
    one, five = (SingleVectorEnv(n, opponent="random", **IPD) for n in (1, 5))
    one.reset(seed=[7]), five.reset(seed=[7, 8, 9, 10, 11])
    for _ in range(40):
        mine, theirs = (envs.step(np.zeros(envs.num_envs, int)) for envs in (one, five))
        for a, b in zip(mine[:4], theirs[:4], strict=True):
            assert a[0].tolist() == b[0].tolist()
