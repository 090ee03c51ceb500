"""The rows that Stable-Baselines3 sees are the players of the games, and its PPO learns on them."""

import random
import warnings

import numpy as np
import pytest
import torch

import social_dilemmas_env as sde

pytest.importorskip("stable_baselines3", reason='pip install -e ".[sb3]"')
from stable_baselines3 import PPO
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecMonitor

from social_dilemmas_env.adapters.sb3 import SB3VecEnv


def test_rows_are_players_of_games():
    env, batch = (
        SB3VecEnv("coin_game_v0", 5, max_cycles=4),
        sde.make_vec_env("coin_game_v0", 5, max_cycles=4),
    )
    env.seed(3)
    assert env.num_envs == 10
    np.testing.assert_array_equal(env.reset().reshape(5, 2, 4, 3, 3), batch.reset(seed=3)[0])
    rng = np.random.default_rng(0)
    for t in range(1, 13):
        actions = rng.integers(4, size=10)
        observations, rewards, dones, infos = env.step(actions)
        expected = batch.step(actions.reshape(5, 2))
        np.testing.assert_array_equal(observations.reshape(5, 2, 4, 3, 3), expected[0])
        np.testing.assert_array_equal(rewards.reshape(5, 2), expected[1])
        assert dones.all() == dones.any() == (t % 4 == 0)
        assert len(infos) == 10
        for row, info in enumerate(infos):
            if t % 4:
                assert info == {}
            else:
                assert info["episode"]["l"] == 4
                assert info["TimeLimit.truncated"]
                np.testing.assert_array_equal(
                    info["terminal_observation"], expected[4]["final_obs"][row // 2, row % 2]
                )


def test_the_seed_of_ppo_is_the_seed_of_the_games():
    def train():
        model = PPO(
            "MlpPolicy",
            SB3VecEnv("ipd_v0", 8, max_cycles=8),
            n_steps=8,
            batch_size=32,
            seed=5,
            device="cpu",
        )
        model.learn(256)
        return model.env.batch.get_state(), torch.nn.utils.parameters_to_vector(
            model.policy.parameters()
        )

    (state, weights), (again, same_weights) = train(), train()
    assert state == again
    assert state.seed[3] == sde.draw(5, 3)
    assert torch.equal(weights, same_weights)


def test_ppo_learns_to_defect():
    """Independent learners of the prisoner's dilemma with a shared policy come to defect."""
    env = VecMonitor(SB3VecEnv("ipd_v0", 32, max_cycles=8))
    model = PPO(
        "MlpPolicy",
        env,
        n_steps=8,
        batch_size=256,
        learning_rate=3e-3,
        seed=0,
        device="cpu",
        gamma=0.5,
    )
    before, _ = evaluate_policy(model, env, n_eval_episodes=64, deterministic=False)
    model.learn(12_000)
    after, _ = evaluate_policy(model, env, n_eval_episodes=64, deterministic=True)
    assert before == pytest.approx(-12, abs=1.5)  # 8 steps of -1.5 between random players
    assert after == pytest.approx(-16, abs=0.5)
    assert len(model.ep_info_buffer) > 0


def test_calls_of_the_base_class():
    env = SB3VecEnv("coin_game_v0", 3, obs_mode="uint8")
    assert env.get_attr("num_agents") == [2] * 6
    assert env.get_attr("render_mode", indices=[0, 1]) == [None, None]
    env.set_attr("note", 7, indices=0)
    assert env.get_attr("note", indices=4) == [7]
    assert env.env_is_wrapped(VecMonitor) == [False] * 6
    env.reset()
    state = env.env_method("get_state", indices=[2])
    assert state == [env.batch.get_state()]
    assert list(env.get_images()) == [None] * 6
    assert env.observation_space.dtype == np.uint8
    env.close()


def test_no_global_random_state_is_used():
    random.seed(0), np.random.seed(0)
    before = random.getstate(), np.random.get_state()[1].tolist()
    env = SB3VecEnv("coin_game_v0", 3)
    env.seed()
    env.reset()
    env.step(np.zeros(6, int))
    assert before == (random.getstate(), np.random.get_state()[1].tolist())


def test_bad_input():
    with pytest.raises(ValueError, match="rows share one action space"):
        SB3VecEnv("matrix_game_v0", 3, payoffs=np.zeros((2, 3, 2)))
    env = SB3VecEnv("coin_game_v0", 3)
    env.reset()
    with pytest.raises(ValueError, match=r"0 \.\. 3"):
        env.step(np.full(6, 4))
    with pytest.raises(ValueError, match="shape"):
        env.step(np.zeros(5, int))
    with pytest.raises(ValueError, match="seed must lie"):
        env.seed(-1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env.step(np.zeros(6, int))


def test_bad_input_is_refused():
    """Options with which the library would keep stale observations, and actions in the wrong
    shape."""
    for options in ({"reuse_buffers": True}, {"backend": "torch"}, {"autoreset": "disabled"}):
        with pytest.raises(ValueError, match=next(iter(options))):
            SB3VecEnv("ipd_v0", 3, **options)
    env = SB3VecEnv("ipd_v0", 3)
    env.reset()
    with pytest.raises(ValueError, match="shape"):
        env.step(np.zeros((2, 3), np.int64))


def test_episode_statistics_are_those_of_vec_monitor():
    env, bare = (
        SB3VecEnv("coin_game_v0", 5, max_cycles=4),
        SB3VecEnv("coin_game_v0", 5, max_cycles=4),
    )
    monitored = VecMonitor(bare)
    env.seed(3), monitored.seed(3)
    env.reset(), monitored.reset()
    rng = np.random.default_rng(0)
    seen = 0
    for t in range(14):
        if t == 6:  # an episode that is broken off does not count
            env.reset(), monitored.reset()
        actions = rng.integers(4, size=10)
        infos, expected = env.step(actions)[3], monitored.step(actions)[3]
        for info, other in zip(infos, expected, strict=True):
            assert ("episode" in info) == ("episode" in other)
            if "episode" in info:
                seen += 1
                assert info["episode"]["r"] == pytest.approx(other["episode"]["r"])
                assert info["episode"]["l"] == other["episode"]["l"]
                assert info["episode"]["t"] >= 0
    assert seen == 30


def test_the_learning_curve_is_logged_without_a_monitor():
    env = SB3VecEnv("ipd_v0", 4, max_cycles=8)
    model = PPO("MlpPolicy", env, n_steps=8, batch_size=32, seed=0, device="cpu").learn(256)
    assert len(model.ep_info_buffer) > 0
    assert env.max_cycles == 8


def test_pictures(tmp_path):
    """Of the first games, each as its own environment draws it."""
    pytest.importorskip("pygame", reason="pictures need pygame")
    env = SB3VecEnv("coin_game_v0", 12, render_mode="rgb_array")
    env.seed(3)
    env.reset()
    images = env.get_images()
    assert len(images) == 9
    single = sde.make_env("coin_game_v0", render_mode="rgb_array")
    single.reset(seed=sde.draw(3, 2))
    np.testing.assert_array_equal(images[2], single.render())
    assert env.render_mode == "rgb_array"
    assert env.render().ndim == 3
    with pytest.raises(ValueError, match="render_mode must be one of 'rgb_array'"):
        SB3VecEnv("coin_game_v0", 2, render_mode="human")


def test_flat_rows():
    assert SB3VecEnv("coin_game_v0", 2, flat=True).reset().shape == (4, 36)
