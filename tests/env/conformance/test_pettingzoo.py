"""PettingZoo's and Gymnasium's own tests, and ours, on every game in every API, without a single
warning.

PettingZoo's parallel tests prove little (see `social_dilemmas_env.testing`), so the turn-by-turn
route is taken as well."""

import functools
import importlib
import importlib.util
import subprocess
import sys
import warnings
from pathlib import Path

import pettingzoo
import pytest
from pettingzoo import AECEnv, ParallelEnv
from pettingzoo.test import (
    api_test,
    max_cycles_test,
    parallel_api_test,
    parallel_seed_test,
    render_test,
    seed_test,
    state_test,
)
from pettingzoo.utils import aec_to_parallel, parallel_to_aec

import social_dilemmas_env as sde
from tests.helpers.games import (
    GAMES,
    Dice,
    any_game,
    make,
    play,
    play_new,
    wide_game,
)

CYCLES = 40
ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def no_warnings():
    """A warning of any of these tests is a failure."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def parallel(name, **more):
    return functools.partial(make, name, **more)


def turns(name, **more):
    return functools.partial(make, name, api="aec", **more)


def module_of(name):
    """The game's PettingZoo-style module with its arguments filled in."""
    env_id, arguments = GAMES[name]
    module = importlib.import_module(f"social_dilemmas_env.{env_id}")
    arguments = {key: value for key, value in arguments.items() if key != "max_cycles"}

    class Filled:
        parallel_env = functools.partial(module.parallel_env, **arguments)
        env = functools.partial(module.env, **arguments)
        raw_env = functools.partial(module.raw_env, **arguments)

    return Filled


@wide_game
def test_api(name, capsys):
    """Both APIs, the bare turn-by-turn one, and the parallel one led through PettingZoo's
    conversion."""
    parallel_api_test(make(name), num_cycles=CYCLES)
    api_test(make(name, api="aec"), num_cycles=CYCLES)
    api_test(module_of(name).raw_env(), num_cycles=CYCLES)
    api_test(parallel_to_aec(make(name)), num_cycles=CYCLES)
    parallel_api_test(aec_to_parallel(make(name, api="aec")), num_cycles=CYCLES)
    assert "warning" not in capsys.readouterr().out.lower()


@wide_game
def test_seeds(name):
    parallel_seed_test(parallel(name), num_cycles=CYCLES)
    seed_test(turns(name), num_cycles=CYCLES)
    seed_test(lambda: parallel_to_aec(make(name)), num_cycles=CYCLES)


@wide_game
def test_max_cycles(name):
    max_cycles_test(module_of(name))


@any_game
def test_state(name):
    state_test(make(name, api="aec"), make(name))


@pytest.mark.wide
@pytest.mark.parametrize("name", ["coin", "ipd", "coin_3p", "rps"])
def test_render(name, monkeypatch):
    """Constructs `human` first, then every mode of the metadata; on a display that is not there."""
    if not (
        importlib.util.find_spec("social_dilemmas_env.render")
        and importlib.util.find_spec("pygame")
    ):
        pytest.skip("needs pygame and the pictures")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setenv("SDL_AUDIODRIVER", "dummy")
    env_id, arguments = GAMES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("default")  # of pygame's own, on import
        render_test(
            lambda render_mode=None: sde.make_env(
                env_id, api="aec", render_mode=render_mode, **arguments
            )
        )


@any_game
def test_kinds(name):
    """What is made is of the classes that other libraries look for, under the game's own name."""
    env, aec = make(name), make(name, api="aec")
    assert isinstance(env, ParallelEnv)
    assert isinstance(aec, AECEnv)
    for wrapper in (env, aec):
        assert wrapper.metadata["name"] == GAMES[name][0]
        assert wrapper.metadata["is_parallelizable"] is True
        assert wrapper.metadata["render_modes"] == ["human", "rgb_array", "ansi"]
        assert wrapper.metadata["render_fps"] > 0
        assert wrapper.possible_agents == [f"player_{i}" for i in range(wrapper.max_num_agents)]
        for agent in wrapper.possible_agents:
            assert wrapper.observation_space(agent) is wrapper.observation_space(agent)
            assert wrapper.action_space(agent) is wrapper.action_space(agent)
    assert aec.unwrapped is env.__class__ or isinstance(aec.unwrapped, type(env))
    assert isinstance(env.state_space.sample(), type(env.reset(seed=0) and env.state()))
    assert env.num_agents == env.max_num_agents == len(env.possible_agents)


@wide_game
def test_back_and_forth(name):
    """PettingZoo's conversions lead to the same games."""
    converted = aec_to_parallel(parallel_to_aec(make(name)))
    assert play_new(converted, 5, 20) == play_new(make(name), 5, 20)


# Registries
# --------------------------------------------------------------------------------------------------


def pettingzoo_name(env_id):
    return f"social_dilemmas/{env_id.replace('_v', '-v')}"


def required(env_id):
    return (
        {"payoffs": [[[1.0, 1.0], [0.0, 2.0]], [[2.0, 0.0], [0.5, 0.5]]]}
        if env_id == "matrix_game_v0"
        else {}
    )


@pytest.mark.skipif(
    not hasattr(pettingzoo, "register"), reason="PettingZoo has a registry from 1.27 on"
)
@pytest.mark.parametrize("env_id", sde.list_envs())
def test_pettingzoo_registry(env_id):
    made = pettingzoo.make("parallel", pettingzoo_name(env_id), **required(env_id))
    assert play_new(made.unwrapped, 3, 20) == play_new(
        sde.make_env(env_id, **required(env_id)), 3, 20
    )
    aec = pettingzoo.make("aec", pettingzoo_name(env_id), **required(env_id))
    assert isinstance(aec, AECEnv)
    aec.reset(seed=3)
    env = sde.make_env(env_id, **required(env_id))
    env.reset(seed=3)
    assert aec.unwrapped.get_state() == env.get_state()


@pytest.mark.skipif(
    not hasattr(pettingzoo, "register"), reason="PettingZoo has a registry from 1.27 on"
)
def test_pettingzoo_registry_takes_arguments():
    env = pettingzoo.make("parallel", "social_dilemmas/coin_game-v0", variant="mfos", num_agents=3)
    assert env.unwrapped.game == sde.spec("coin_game_v0").game(variant="mfos", num_agents=3)
    with pytest.raises(TypeError, match="did you mean 'grid_size'"):
        pettingzoo.make("parallel", "social_dilemmas/coin_game-v0", gridsize=3)


def test_importing_twice_registers_once():
    """And without PettingZoo's or Gymnasium's warning about a name that is taken."""
    code = (
        "import sys, social_dilemmas_env\n"
        "for name in [m for m in sys.modules if m.startswith('social_dilemmas_env')]:\n"
        "    del sys.modules[name]\n"
        "import social_dilemmas_env"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, cwd=ROOT)


@pytest.mark.parametrize("env_id", sde.list_envs())
def test_gymnasium_registry_knows_the_ids(env_id):
    import gymnasium

    assert gymnasium.spec(pettingzoo_name(env_id)).kwargs == {"env_id": env_id}


# Ours
# --------------------------------------------------------------------------------------------------


@wide_game
def test_check_env(name):
    """`check_env` has nothing to say (at length below)."""
    check_env = pytest.importorskip("social_dilemmas_env.testing").check_env
    assert [str(finding) for finding in check_env(parallel(name), episodes=1, max_steps=30)] == []


@pytest.mark.slow
@wide_game
def test_check_env_at_length(name):
    """Whole episodes, rendered too, over several seeds."""
    check_env = pytest.importorskip("social_dilemmas_env.testing").check_env
    env_id, arguments = GAMES[name]

    def env_fn(render_mode=None):
        return sde.make_env(env_id, render_mode=render_mode, **arguments)

    assert [str(finding) for seed in range(3) for finding in check_env(env_fn, seed=seed)] == []


def test_a_game_of_ones_own():
    """A registered game is made, checked and refused like those that come with the package."""
    from social_dilemmas_env import registry

    def my_dilemma(*, stakes=1.0, max_cycles=50):
        return sde.spec("matrix_game_v0").game(
            payoffs=[[[stakes] * 2, [-1, 2]], [[2, -1], [0, 0]]], max_cycles=max_cycles
        )

    sde.register("my_dilemma_v3", my_dilemma)
    try:
        assert "my_dilemma_v3" in sde.list_envs()
        assert sde.spec("my_dilemma_v3").keywords.keys() == {"stakes", "max_cycles"}
        env = sde.make_env("my_dilemma_v3", stakes=1.5, max_cycles=4)
        env.reset(seed=0)
        assert env.step({"player_0": 0, "player_1": 0})[1] == {"player_0": 1.5, "player_1": 1.5}
        play(env, 10, Dice(0))
        parallel_api_test(env, num_cycles=CYCLES)
        with pytest.raises(TypeError, match="did you mean 'stakes'"):
            sde.make_env("my_dilemma_v3", stake=1)
        with pytest.raises(ValueError, match="did you mean 'my_dilemma_v3'"):
            sde.make_env("my_dilema_v3")
    finally:
        registry._SPECS.pop("my_dilemma_v3")
