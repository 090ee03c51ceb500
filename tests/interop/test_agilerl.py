"""AgileRL's vector environment: against a stand-in base where AgileRL is not installed."""

import importlib
import sys
import types

import numpy as np
import pytest

import social_dilemmas_env as sde

MODULE = "social_dilemmas_env.adapters.agilerl"


class StandIn:
    """What AgileRL's `PettingZooVecEnv` asks for and keeps."""

    def __init__(self, num_envs, observation_spaces, action_spaces, possible_agents):
        self.num_envs, self.agents = num_envs, list(possible_agents)
        self.observation_spaces, self.action_spaces = observation_spaces, action_spaces


@pytest.fixture
def agile(monkeypatch):
    """The adapter, with the library or its stand-in."""
    if importlib.util.find_spec("agilerl") is None:
        library = {name: types.ModuleType(name) for name in ("agilerl", "agilerl.vector")}
        library["agilerl.vector.pz_vec_env"] = types.ModuleType("agilerl.vector.pz_vec_env")
        library["agilerl.vector.pz_vec_env"].PettingZooVecEnv = StandIn
        for name, module in library.items():
            monkeypatch.setitem(sys.modules, name, module)
        monkeypatch.delitem(sys.modules, MODULE, raising=False)
    yield importlib.import_module(MODULE)
    sys.modules.pop(MODULE, None)


@pytest.mark.parametrize("flat", [False, True])
def test_it_is_a_subclass_and_plays_the_games(agile, flat):
    envs = agile.AgileVecEnv("coin_game_v0", 3, flat=flat, max_cycles=4)
    batch = sde.make_vec_env("coin_game_v0", 3, flat=flat, max_cycles=4)
    assert isinstance(envs, agile.PettingZooVecEnv)
    assert (envs.num_envs, envs.agents, envs.max_cycles) == (3, ["player_0", "player_1"], 4)
    observations, _ = envs.reset(seed=2)
    expected, _ = batch.reset(seed=2)
    rng = np.random.default_rng(0)
    for _ in range(6):
        for n, agent in enumerate(envs.agents):
            np.testing.assert_array_equal(observations[agent], expected[:, n])
        actions = rng.integers(4, size=(3, 2))
        observations, rewards, *_ = envs.step(
            {agent: actions[:, n, None] for n, agent in enumerate(envs.agents)}
        )
        expected, expected_rewards, *_ = batch.step(actions)
        np.testing.assert_array_equal(rewards["player_1"], expected_rewards[:, 1])
    envs.close()


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    for name in ("agilerl", "agilerl.vector.pz_vec_env"):  # which an earlier test may have imported
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModuleNotFoundError, match="pip install agilerl"):
        importlib.import_module(MODULE)
