"""BenchMARL's task: against a stand-in base where BenchMARL is not installed."""

import importlib
import sys
import types

import pytest

pytest.importorskip("torchrl", reason="the task is made of TorchRLEnv")

MODULE = "social_dilemmas_env.adapters.benchmarl"


class StandIn:
    """What BenchMARL's `TaskClass` keeps."""

    def __init__(self, name, config):
        self.name, self.config = name, config


@pytest.fixture
def task_class(monkeypatch):
    if importlib.util.find_spec("benchmarl") is None:
        names = ("benchmarl", "benchmarl.environments", "benchmarl.environments.common")
        library = {name: types.ModuleType(name) for name in names}
        library[names[-1]].TaskClass = StandIn
        for name, module in library.items():
            monkeypatch.setitem(sys.modules, name, module)
        monkeypatch.delitem(sys.modules, MODULE, raising=False)
    yield importlib.import_module(MODULE).SocialDilemmaTask
    sys.modules.pop(MODULE, None)


def test_the_task_makes_the_games(task_class):
    config = {"env_id": "coin_game_v0", "flat": True, "max_cycles": 6}
    task = task_class("COIN_GAME", config)
    make = task.get_env_fun(num_envs=4, continuous_actions=False, seed=3, device="cpu")
    env = make()
    assert env.rollout(3)["player", "observation"].shape == (4, 3, 2, 36)
    assert task.config == config  # made as often as it takes
    assert make().batch_size == (4,)
    assert task.max_steps(env) == 6
    assert task.group_map(env) == {"player": ["player_0", "player_1"]}
    assert task.observation_spec(env)["player", "observation"].shape == (2, 36)
    assert task.action_spec(env)["player", "action"].n == 4
    assert task.supports_discrete_actions()
    assert not task.supports_continuous_actions()
    assert not task.has_render(env)
    assert task.state_spec(env) is task.info_spec(env) is task.action_mask_spec(env) is None
    assert task.env_name() == "social_dilemmas"


def test_metrics_are_no_observations(task_class):
    task = task_class("COIN", {"env_id": "coin_game_v0", "info_metrics": True})
    env = task.get_env_fun(2, False, 0, "cpu")()
    assert set(task.observation_spec(env)["player"].keys()) == {"observation"}
    assert set(task.info_spec(env)["player"].keys()) == {"metrics"}
    assert env.rollout(2)["next", "player", "metrics", "return"].shape == (2, 2, 2)


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    for name in ("benchmarl", "benchmarl.environments.common"):  # an earlier test may have it
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModuleNotFoundError, match="pip install benchmarl"):
        importlib.import_module(MODULE)
