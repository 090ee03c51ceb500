"""Promise 6: the end of the horizon is a truncation, and its last observation is there to bootstrap
from."""

import numpy as np
import pytest
from gymnasium.error import ResetNeeded

import social_dilemmas_env as sde
from social_dilemmas_env.games.game import player_0_sees_all
from tests.helpers.games import Dice, any_game, make


@any_game
def test_flags(name):
    """Never a termination.

    Truncation for all at once, exactly at the horizon; then nobody is left.
    """
    env, dice = make(name), Dice(0)
    for seed in (1, None):
        env.reset(seed=seed)
        for t in range(1, env.max_cycles + 1):
            assert env.agents == env.possible_agents
            observations, rewards, terminations, truncations, infos = env.step(dice.actions(env))
            for part in (observations, rewards, terminations, truncations, infos):
                assert list(part) == env.possible_agents
            assert set(terminations.values()) == {False}
            assert set(truncations.values()) == {t == env.max_cycles}
            assert all(
                type(flag) is bool for flag in (*terminations.values(), *truncations.values())
            )
        assert env.agents == []


@any_game
def test_the_last_observation(name):
    """What the last step returns is the position reached, not that of a new episode: a longer game
    sees the same."""
    env, longer = make(name), make(name)
    longer.max_cycles = env.max_cycles + 5
    env.reset(seed=2)
    longer.reset(seed=2)
    dice = Dice(1)
    while env.agents:
        actions = dice.actions(env)
        last, also = env.step(actions), longer.step(actions)
        for agent in env.possible_agents:
            np.testing.assert_array_equal(last[0][agent], also[0][agent])
            assert last[0][agent].dtype == np.float32
            assert env.observation_space(agent).contains(last[0][agent])
        assert last[1] == also[1]
    assert set(also[3].values()) == {False}
    assert longer.agents == longer.possible_agents
    assert env.state_space.contains(env.state())  # still there afterwards
    if player_0_sees_all(env.game):
        np.testing.assert_array_equal(env.state(), last[0]["player_0"])


@any_game
def test_a_horizon_of_one(name):
    env = make(name)
    env.max_cycles = 1
    for _ in range(3):
        env.reset(seed=3)
        *_, truncations, _ = env.step(Dice(0).actions(env))
        assert set(truncations.values()) == {True}
        assert env.agents == []
        with pytest.raises(ResetNeeded, match="over"):
            env.step(Dice(0).actions(env))


@any_game
def test_last_rewards_arrive_turn_by_turn(name):
    """In the turn-by-turn view every player sees its last observation and reward, truncated and not
    terminated."""
    env, aec, dice = make(name), make(name, api="aec"), Dice(1)
    env.reset(seed=4)
    aec.reset(seed=4)
    total, collected = (
        dict.fromkeys(env.possible_agents, 0.0),
        dict.fromkeys(env.possible_agents, 0.0),
    )
    while env.agents:
        actions = dice.actions(env)
        observations, rewards, *_ = env.step(actions)
        for agent in env.possible_agents:
            collected[agent] += aec.last()[1]
            aec.step(actions[agent])
            total[agent] += rewards[agent]
    for agent in env.possible_agents:
        seen, reward, terminated, truncated, _ = aec.last()
        np.testing.assert_array_equal(seen, observations[agent])
        assert truncated
        assert not terminated
        collected[agent] += reward
        aec.step(None)
    assert collected == pytest.approx(total)


def test_setting_the_horizon():
    """`max_cycles` may be set, as PettingZoo's tests do; between episodes it holds for the next."""
    env = sde.make_env("ipd_v0", max_cycles=3)
    for horizon in (3, 5, 1, np.int64(2)):
        env.max_cycles = horizon
        env.reset(seed=0)
        steps = 0
        while env.agents:
            env.step({"player_0": 0, "player_1": 1})
            steps += 1
        assert steps == horizon == env.max_cycles
        assert type(env.max_cycles) is int


def test_a_coin_taken_by_the_last_move():
    """It is paid for, and what lies on the board afterwards is the next coin."""
    env = sde.make_env("coin_game_v0", max_cycles=2)
    env.reset(seed=0)
    env.set_state(env.get_state()._replace(t=1, board=[0, 8, 1, 0]))
    observations, rewards, _, truncations, _ = env.step({"player_0": 1, "player_1": 2})
    assert rewards == {"player_0": 1.0, "player_1": 0.0}
    assert all(truncations.values())
    assert observations["player_0"][2].sum() == 0
    assert observations["player_0"][3].sum() == 1  # now a blue coin
