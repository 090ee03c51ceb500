"""Stable-Baselines3 on both sides: a batched learner against a fixed opponent, and its policies as
opponents."""

import gymnasium
import numpy as np
import pytest
import torch

import social_dilemmas_env as sde

pytest.importorskip("stable_baselines3", reason='pip install "social-dilemmas-env[sb3]"')
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecMonitor

from agents.evaluation.league import round_robin
from social_dilemmas_env.adapters.sb3 import SB3VecEnv
from social_dilemmas_env.single_agent import SingleEnv, SingleVectorEnv


def make_ppo(env, **settings):
    settings = {"n_steps": 25, "batch_size": 100, "seed": 0, "device": "cpu", **settings}
    return PPO("MlpPolicy", env, **settings)


# ----------------------------------------------------------------------------- against an opponent


def test_rows_are_games_seen_by_one_player():
    env = SB3VecEnv("ipd_v0", 5, opponent="grim", player=1, seed=3, max_cycles=4)
    games = SingleVectorEnv(
        5, env_id="ipd_v0", opponent="grim", player=1, autoreset_mode="SameStep", max_cycles=4
    )
    assert env.num_envs == 5
    np.testing.assert_array_equal(env.reset(), games.reset(seed=3)[0])

    for t in range(1, 11):
        actions = np.random.default_rng(t).integers(2, size=5)
        observations, rewards, dones, infos = env.step(actions)
        expected = games.step(actions)
        np.testing.assert_array_equal(observations, expected[0])
        np.testing.assert_array_equal(rewards, expected[1])
        assert rewards.dtype == np.float32
        assert dones.all() == dones.any() == (t % 4 == 0)
        for row, info in enumerate(infos):
            assert info.get("TimeLimit.truncated", False) == (t % 4 == 0)
            if info:
                last = expected[4]["final_obs"][row]
                np.testing.assert_array_equal(info["terminal_observation"], last)


@pytest.mark.slow
def test_ppo_learns_to_cooperate_with_tit_for_tat():
    """An episode of 50 is worth -50 to who cooperates, and about -99 to who always defects."""
    env = VecMonitor(SB3VecEnv("ipd_v0", 8, opponent="tit_for_tat"))
    model = make_ppo(env, n_steps=50, gamma=0.96, learning_rate=3e-3)
    model.learn(20_000)
    assert np.mean([episode["r"] for episode in model.ep_info_buffer]) > -60


def test_exchange_and_states_through_env_method():
    env = SB3VecEnv("ipd_v0", 3, opponent="always_defect")
    env.reset()
    assert env.step(np.zeros(3, int))[1].tolist() == [-3.0] * 3
    state = env.env_method("get_state", indices=[0])[0]
    env.env_method("set_opponent", "always_cooperate")
    assert env.step(np.zeros(3, int))[1].tolist() == [-1.0] * 3
    with pytest.raises(ValueError, match="other opponents"):
        env.env_method("set_state", state)


def test_what_a_row_against_an_opponent_cannot_be():
    with pytest.raises(ValueError, match="with an opponent needs obs_mode='float32'"):
        SB3VecEnv("ipd_v0", 2, opponent="grim", obs_mode="uint8")
    with pytest.raises(ValueError, match="there is no strategy"):
        SB3VecEnv("ipd_v0", 2, opponent="grimm")
    with pytest.raises(ValueError, match="player must lie in"):
        SB3VecEnv("ipd_v0", 2, opponent="grim", player=2)
    # Other numbers of actions are no matter to a single seat.
    payoffs = np.arange(12).reshape(2, 3, 2)
    env = SB3VecEnv("matrix_game_v0", 2, opponent="random", player=1, payoffs=payoffs)
    assert env.action_space.n == 3


# -------------------------------------------------------------------------------- as an opponent


@pytest.fixture(scope="module")
def models():
    """Trained a little: then a policy holds gradients, which cannot be copied."""
    ppo = make_ppo(SB3VecEnv("ipd_v0", 4)).learn(200)
    dqn = DQN("MlpPolicy", SB3VecEnv("ipd_v0", 4), learning_starts=40, seed=0, device="cpu")
    return {"ppo": ppo, "dqn": dqn.learn(80), "policy": ppo.policy}


@pytest.mark.parametrize("name", ["ppo", "dqn", "policy"])
def test_game_i_of_many_is_the_single_game(models, name):
    """Promise 2; and nobody's random state moves."""
    envs = gymnasium.make_vec("social_dilemmas/ipd-v0", 4, opponent=models[name])
    alone = [SingleEnv("ipd_v0", models[name]) for _ in range(4)]
    envs.reset(seed=5)
    for i, env in enumerate(alone):
        env.reset(seed=sde.draw(5, i))

    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    for t in range(49):
        actions = np.random.default_rng(t).integers(2, size=4)
        singles = [env.step(action)[1] for env, action in zip(alone, actions, strict=True)]
        assert envs.step(actions)[1].tolist() == singles
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])


def test_a_model_that_learns_on_is_another_opponent(models):
    """What sits in the seat is a copy of that moment."""
    model = make_ppo(SB3VecEnv("ipd_v0", 4))
    env = SingleEnv("ipd_v0", model)
    seated = env.opponents.policies[0].model
    before = {name: x.clone() for name, x in seated.state_dict().items()}
    model.learn(100)
    assert all(torch.equal(x, before[name]) for name, x in seated.state_dict().items())
    assert any(not torch.equal(x, before[n]) for n, x in model.policy.state_dict().items())
    assert all(x.requires_grad for x in model.policy.parameters())


def test_actions_follow_its_probabilities(models):
    """2,000 games; five standard errors, false alarm below 1e-5."""
    envs = SingleVectorEnv(2000, env_id="ipd_v0", opponent=models["ppo"], max_cycles=5)
    seen, _ = envs.reset(seed=0)
    envs.step(np.zeros(2000, int))
    defects = (envs.venv.observe_now()[:, 0].argmax(-1) == 2).mean()  # start CC CD ...
    tensor, _ = models["ppo"].policy.obs_to_tensor(seen[:1])
    chance = models["ppo"].policy.get_distribution(tensor).distribution.probs[0, 1].item()
    assert abs(defects - chance) < 5 * (chance * (1 - chance) / 2000) ** 0.5


def test_in_a_league(models):
    league = round_robin([("mine", models["ppo"]), "tit_for_tat"], "ipd_v0", episodes=4)
    assert league.forfeits == {}
    assert np.isfinite(league.means).all()


def test_own_vectorisation_gives_every_game_its_own_opponent():
    """`make_vec_env` hands one object to all environments."""
    grim = sde.make_strategy("grim", "ipd_v0", player=1)
    envs = make_vec_env("social_dilemmas/ipd-v0", 2, env_kwargs={"opponent": grim}, seed=0)
    envs.reset()
    rewards = [envs.step(np.array([t == 0, 0], int))[1].tolist() for t in range(3)]
    assert rewards == [[0.0, -1.0], [-3.0, -1.0], [-3.0, -1.0]]


def test_metrics_of_an_episode_against_an_opponent():
    """They are in infos as without one."""
    env = SB3VecEnv("coin_game_v0", 2, opponent="random", info_metrics=True, max_cycles=3)
    env.reset()
    for _ in range(3):
        infos = env.step(np.zeros(2, int))[3]
    assert all(set(info["metrics"]) >= {"return", "own_coins"} for info in infos)
