"""The public face of the running games: what a graph capture reads and puts back, observations of
the moment, and how few files a step runs through."""

import sys
from pathlib import Path

import numpy as np
import pytest
from gymnasium.error import ResetNeeded

import social_dilemmas_env as sde
from social_dilemmas_env.engine.array_engine import ALIGNMENT
from tests.env.parity.batches import any_route, batch, moves, numpy_of, step

PACKAGE = str(Path(sde.__file__).parent)


@any_route
@pytest.mark.parametrize("obs_mode", ["float32", "uint8", "state"])
def test_observe_now_is_what_the_last_step_gave(route, obs_mode):
    venv = batch("coin", 5, route, obs_mode=obs_mode)
    observations, _ = venv.reset(seed=3)
    np.testing.assert_array_equal(numpy_of(venv.observe_now()), numpy_of(observations))
    observations = step(venv, moves(venv, np.random.default_rng(0)))[0]
    np.testing.assert_array_equal(numpy_of(venv.observe_now()), observations)


def test_observe_now_is_fresh_where_buffers_are_reused():
    venv = batch("coin", 5, reuse_buffers=True)
    observations, _ = venv.reset(seed=3)
    assert venv.observe_now() is not observations
    assert not np.shares_memory(venv.observe_now(), observations)


def copied(venv):
    """The running episodes, with arrays of their own."""
    running = venv.running
    return running._replace(
        episode=running.episode + 0,
        key=tuple(part + 0 for part in running.key),
        encoded=tuple(column + 0 for column in running.encoded),
    )


@any_route
@pytest.mark.parametrize("name", ["coin", "coin_random", "ipd_noise"])
def test_what_is_put_back_continues(name, route):
    """Episodes that were taken out, while the batch went elsewhere, go on as if they had not."""
    venv, twin = batch(name, 5, route, max_cycles=6), batch(name, 5, route, max_cycles=6)
    venv.reset(seed=3), twin.reset(seed=3)
    actions = [moves(venv, np.random.default_rng(t)) for t in range(9)]

    step(venv, actions[0]), step(twin, actions[0])
    kept = copied(venv)
    for action in actions[:3]:
        step(venv, action)
    venv.put_back(kept, -3)
    assert venv.clock == 1
    for action in actions[1:]:
        step(venv, action), step(twin, action)
        assert venv.get_state() == twin.get_state()


@pytest.mark.parametrize("autoreset", ["same_step", "disabled", "next_step"])
def test_putting_back_at_the_end_ends_the_episode(autoreset):
    venv = batch("coin", 5, max_cycles=4, autoreset=autoreset)
    venv.reset(seed=3)
    venv.put_back(copied(venv), 4)
    ended = autoreset != "same_step"
    assert venv.over is ended
    assert venv.clock == (4 if ended else 0)
    assert venv.get_state().episode == [0 if ended else 1] * 5


@any_route
def test_before_the_first_reset_nothing_runs(route):
    venv = batch("coin", 5, route)
    assert venv.clock is None
    assert venv.over is False
    with pytest.raises(ResetNeeded):
        _ = venv.running
    with pytest.raises(ResetNeeded):
        venv.observe_now()


def files_of(call):
    """Files of the package that a call runs through, and how often it moves between two."""
    trail = []

    def note(frame, event, _):
        path = frame.f_code.co_filename
        if event in ("call", "return") and path.startswith(PACKAGE):
            frame = frame.f_back if event == "return" else frame
            path = frame.f_code.co_filename
            if path.startswith(PACKAGE) and (not trail or trail[-1] != path):
                trail.append(path)

    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(None)
    return {Path(path).name for path in trail}, len(trail) - 1


@pytest.mark.parametrize("num_envs", [64, 8192])
def test_a_step_of_many_games_runs_through_few_files(num_envs):
    """`base` asks for the move, `seen` for what it looks like; large arrays come from a pool."""
    venv = batch("coin", num_envs)
    venv.reset(seed=0)
    actions = moves(venv, np.random.default_rng(0))
    names, moved = files_of(lambda: venv.step(actions))
    files = {"base.py", "seen.py", "numpy_env.py", "numpy_engine.py", "lane_draws.py"}
    assert names == files | ({"array_pool.py"} if num_envs > 64 else set())
    assert moved <= 20, moved  # there and back again


def test_a_step_of_one_game_runs_through_few_files():
    env = sde.make_env("coin_game_v0")
    env.reset(seed=0)
    names, _ = files_of(lambda: env.step({"player_0": 0, "player_1": 1}))
    assert names <= {"parallel.py", "python_engine.py", "rng.py"}


def calls_of(call):
    """How many functions a call calls, those of C too."""
    events = []
    sys.setprofile(lambda frame, event, _: events.append(event))
    try:
        call()
    finally:
        sys.setprofile(None)
    return events.count("call") + events.count("c_call")


@pytest.mark.parametrize("env_id", ["coin_game_v0", "ipd_v0"])
def test_a_round_turn_by_turn_takes_few_calls(env_id):
    """A look and a move of both players."""
    env = sde.make_env(env_id, api="aec")
    env.reset(seed=0)

    def play_round():
        for _ in env.agent_iter(2):
            env.last()
            env.step(1)

    assert calls_of(play_round) <= 70  # 65 and 59; through PettingZoo's detours 86 and 83


@pytest.mark.parametrize("obs_mode", ["float32", "uint8"])
def test_large_observations_begin_at_round_addresses(obs_mode):
    """Where copying them takes less time; see `array_engine.ALIGNMENT`."""
    venv = batch("coin", 8192, obs_mode=obs_mode)
    observations, _ = venv.reset(seed=0)
    assert observations.ctypes.data % ALIGNMENT == 0
    assert venv.engine.state_observations.ctypes.data % ALIGNMENT == 0
