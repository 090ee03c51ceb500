"""`flat=True`: the same games with observations of one axis, in every API and adapter."""

import copy
import pickle

import gymnasium
import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.adapters.dict_vec_env import DictVecEnv
from social_dilemmas_env.metrics import coin_pickups
from social_dilemmas_env.single_agent import SingleEnv, SingleVectorEnv


def test_spaces_have_one_axis():
    """Of every way to make one; `test_all_views` compares what they give."""
    flat = gymnasium.spaces.Box(0, 1, (36,), np.float32)
    one = sde.make_env("coin_game_v0", flat=True)
    assert one.observation_space("player_1") == one.state_space == flat
    assert sde.make_env("coin_game_v0", api="aec", flat=True).observation_space("player_0") == flat
    assert sde.make_vec_env("coin_game_v0", 3, flat=True).single_observation_space == flat
    assert gymnasium.make("social_dilemmas/coin_game-v0", flat=True).observation_space == flat
    many = gymnasium.make_vec("social_dilemmas/coin_game-v0", num_envs=2, flat=True)
    assert many.single_observation_space == flat
    assert DictVecEnv("coin_game_v0", 3, flat=True).state_space == flat


def test_games_with_one_axis_are_as_they_were():
    assert sde.make_env("ipd_v0", flat=True).game == sde.make_env("ipd_v0").game


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))])
def test_states_and_copies(how):
    """A state moves between a flat game and another; a copy of a flat one is flat."""
    flat, other = sde.make_env("coin_game_v0", flat=True), sde.make_env("coin_game_v0")
    flat.reset(seed=4)
    flat.step({"player_0": 1, "player_1": 2})
    other.set_state(flat.get_state())
    twin = how(flat)
    assert (twin.state() == other.state().ravel()).all()
    assert twin.game == flat.game
    flat.max_cycles = 9
    assert flat.game.observation_shape == (36,)


@pytest.mark.parametrize("opponent", ["tit_for_tat", "always_defect", "always_cooperate", "random"])
def test_strategies_play_alike(opponent):
    one, two = (SingleEnv("coin_game_v0", opponent, flat=flat) for flat in (False, True))
    many = SingleVectorEnv(2, env_id="coin_game_v0", opponent=opponent, flat=True)
    for env in (one, two):
        env.reset(seed=6)
    many.reset(seed=[6, 6])
    for t in range(30):
        expected = one.step(t % 4)
        got, batch = two.step(t % 4), many.step(np.full(2, t % 4))
        assert got[1] == batch[1][0] == expected[1]
        assert (got[0] == expected[0].ravel()).all()
        assert (batch[0][1] == expected[0].ravel()).all()


def test_pickups_are_read_from_flat_observations():
    venv = sde.make_vec_env("coin_game_v0", 4, autoreset="disabled", flat=True)
    seen = [venv.reset(seed=1)[0][:, 0]]
    rng = np.random.default_rng(0)
    rewards = 0
    for _ in range(venv.max_cycles):
        observations, reward, *_ = venv.step(rng.integers(4, size=(4, 2)))
        seen.append(observations[:, 0])
        rewards += reward
    own, other = coin_pickups(venv.game, np.stack(seen))
    assert own.sum() > 0
    assert (own + other).sum() - 2 * other.sum() <= rewards.sum()


def test_flat_is_true_or_false():
    with pytest.raises(TypeError, match="flat must be True or False, got 1"):
        sde.make_env("coin_game_v0", flat=1)
