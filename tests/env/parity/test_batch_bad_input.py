"""Promise 10: bad input is an error with a sentence, and changes nothing."""

import numpy as np
import pytest
import torch
from gymnasium.error import ResetNeeded

import social_dilemmas_env as sde
from tests.env.parity.batches import (
    any_route,
    batch,
    no_cuda,
    reset,
    step,
)

GOOD = [[0, 1], [2, 3], [0, 0]]

BAD_OPTIONS = {
    "no games": ({"num_envs": 0}, ValueError, "num_envs must be at least 1"),
    "fewer than none": ({"num_envs": -3}, ValueError, "num_envs must be at least 1"),
    "half a game": ({"num_envs": 1.5}, TypeError, "num_envs must be an integer"),
    "True games": ({"num_envs": True}, TypeError, "num_envs must be an integer"),
    "too many games": ({"num_envs": 2**40}, ValueError, "num_envs must be at most"),
    "unknown game": ({"env_id": "coin_gam_v0"}, ValueError, "coin_game_v0"),
    "unknown backend": ({"backend": "numppy"}, ValueError, "did you mean 'numpy'"),
    "tensorflow": ({"backend": "tensorflow"}, ValueError, "'numpy', 'torch', 'jax'"),
    "no backend": ({"backend": None}, ValueError, "'numpy', 'torch'"),
    "a list": ({"backend": ["numpy"]}, ValueError, "'numpy', 'torch'"),
    "unknown mode": ({"obs_mode": "float23"}, ValueError, "did you mean 'float32'"),
    "unknown autoreset": ({"autoreset": "SameStep"}, ValueError, "did you mean 'same_step'"),
    "negative seed": ({"seed": -1}, ValueError, "seed must lie in"),
    "fractional seed": ({"seed": 0.5}, TypeError, "seed must be an integer"),
    "numpy on cuda": ({"device": "cuda"}, ValueError, 'backend="torch"'),
    "unknown device": ({"backend": "torch", "device": "gpu"}, ValueError, "device must be"),
    "no device": ({"backend": "torch", "device": 1.5}, ValueError, "device must be"),
    "another device": ({"backend": "torch", "device": "meta"}, ValueError, "device must be"),
    "reuse": ({"reuse_buffers": 1}, TypeError, "reuse_buffers must be True or False"),
    "tables": ({"tables": "yes"}, TypeError, "tables must be True or False"),
    "static numpy": ({"static": True}, ValueError, "static=True is an option of backend"),
    "too large for tables": (
        {"tables": True, "grid_size": 9},
        ValueError,
        "tables=True: this game has",
    ),
    "unknown keyword": ({"gridsize": 3}, TypeError, "did you mean 'grid_size'"),
    "bad argument": ({"grid_size": 1}, ValueError, "grid_size must be at least 2"),
}


@pytest.mark.parametrize("case", BAD_OPTIONS)
def test_bad_options(case):
    changes, error, message = BAD_OPTIONS[case]
    with pytest.raises(error, match=message):
        sde.make_vec_env(**{"env_id": "coin_game_v0", "num_envs": 3, **changes})


@pytest.mark.skipif(not no_cuda, reason="there is a CUDA device")
def test_absent_cuda():
    with pytest.raises(RuntimeError, match="there is no CUDA device here"):
        sde.make_vec_env("coin_game_v0", 3, backend="torch", device="cuda")


BAD_ACTIONS = {
    "too few games": (GOOD[:2], ValueError, r"\(3, 2\)"),
    "too few players": ([[0], [1], [2]], ValueError, r"\(3, 2\)"),
    "one axis": ([0, 1, 2], ValueError, r"\(3, 2\)"),
    "transposed": ([[0, 2, 0], [1, 3, 0]], ValueError, r"\(3, 2\)"),
    "floats": ([[0.0, 1.0]] * 3, TypeError, "integers"),
    "bools": ([[True, False]] * 3, TypeError, "integers"),
    "too large": ([[0, 1], [2, 4], [0, 0]], ValueError, r"must lie in 0 .. 3"),
    "negative": ([[0, 1], [2, -1], [0, 0]], ValueError, r"must lie in 0 .. 3"),
    "huge": ([[0, 1], [2, 2**40], [0, 0]], ValueError, r"must lie in 0 .. 3"),
}


@any_route
@pytest.mark.parametrize("case", BAD_ACTIONS)
def test_bad_actions(case, route):
    actions, error, message = BAD_ACTIONS[case]
    venv = batch("coin", 3, route, validate=True)
    reset(venv, seed=0)
    step(venv, np.array(GOOD))
    before = venv.get_state()
    with pytest.raises(error, match=message):
        step(venv, np.array(actions))
    assert venv.get_state() == before
    step(venv, np.array(GOOD))


@any_route
def test_bad_actions_of_unequal_players(route):
    venv = batch("matrix_3p", 2, route, validate=True)
    reset(venv, seed=0)
    step(venv, np.array([[1, 2, 1], [0, 2, 0]]))
    for wrong in ([2, 0, 0], [0, 3, 0], [0, 0, 2], [0, 0, -1]):
        with pytest.raises(ValueError, match=r"0 .. 1 and 0 .. 2 and 0 .. 1"):
            step(venv, np.array([[0, 0, 0], wrong]))
    assert venv.get_state().t == [1, 1]


@pytest.mark.parametrize("route", ["torch", "torch_static"])
def test_actions_for_torch_are_tensors_on_its_device(route):
    venv = batch("coin", 3, route)
    reset(venv, seed=0)
    with pytest.raises(TypeError, match="must be a torch tensor on cpu, got ndarray"):
        venv.step(np.array(GOOD))
    with pytest.raises(TypeError, match="must be a torch tensor on cpu, got list"):
        venv.step(GOOD)
    with pytest.raises(ValueError, match="must be on cpu, got meta"):
        venv.step(torch.zeros((3, 2), dtype=torch.int64, device="meta"))
    with pytest.raises(TypeError, match="float32"):
        venv.step(torch.zeros((3, 2)))


def test_numpy_takes_lists():
    venv = batch("coin", 3)
    reset(venv, seed=0)
    venv.step(GOOD)
    venv.step(np.array(GOOD, dtype=">i4"))  # and the bytes of another machine
    with pytest.raises(ValueError, match=r"0 \.\. 3"):
        venv.step(np.array(GOOD, dtype=">i4") + 4)
    with pytest.raises(TypeError, match="integers"):
        venv.step("left")
    with pytest.raises(TypeError, match="integers, got rows of different lengths"):
        venv.step([[0, 1], [0], [0, 1]])


@any_route
def test_step_before_reset(route):
    with pytest.raises(ResetNeeded, match="reset"):
        step(batch("coin", 3, route), np.array(GOOD))


BAD_RESETS = {
    "negative seed": ({"seed": -1}, ValueError, "seed must lie in"),
    "large seed": ({"seed": 2**63}, ValueError, "seed must lie in"),
    "fractional seed": ({"seed": 1.0}, TypeError, "seed must be an integer"),
    "seed by name": ({"seed": "1"}, TypeError, "seed must be an integer"),
    "two seeds": ({"seed": [1, 2]}, ValueError, "one for each of 3 games"),
    "a bad seed among others": ({"seed": [1, 2, -3]}, ValueError, "seed must lie in"),
    "mask of integers": ({"options": {"reset_mask": [0, 1, 0]}}, TypeError, "bool"),
    "mask of another length": ({"options": {"reset_mask": [True, False]}}, ValueError, r"\(3,\)"),
    "mask for players": ({"options": {"reset_mask": [[True, False]] * 3}}, ValueError, r"\(3,\)"),
    "mask and bad seed": (
        {"seed": -1, "options": {"reset_mask": [True, False, True]}},
        ValueError,
        "seed",
    ),
}


@any_route
@pytest.mark.parametrize("case", BAD_RESETS)
def test_bad_resets(case, route):
    arguments, error, message = BAD_RESETS[case]
    venv = batch("coin", 3, route)
    reset(venv, seed=0)
    step(venv, np.array(GOOD))
    before = venv.get_state()
    with pytest.raises(error, match=message):
        venv.reset(**arguments)
    assert venv.get_state() == before
    reset(venv, options={"another": 1})  # unknown options are ignored


@any_route
def test_an_array_without_axes_is_one_seed(route):
    venv = batch("coin", 3, route)
    reset(venv, seed=np.array(7))
    state = venv.get_state()
    reset(venv, seed=7)
    assert venv.get_state() == state
    with pytest.raises(TypeError, match="seed must be an integer"):
        venv.reset(seed=np.array(7.0))


@any_route
def test_the_first_reset_is_of_all_games(route):
    with pytest.raises(ResetNeeded, match="first reset"):
        batch("coin", 3, route).reset(options={"reset_mask": np.array([True, False, True])})
