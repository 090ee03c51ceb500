"""Autoreset as in Gymnasium 1.x, resets of some games, seeds, observation modes and buffers."""

import numpy as np
import pytest
from gymnasium.error import ResetNeeded

import social_dilemmas_env as sde
from tests.env.parity.batches import (
    any_route,
    batch,
    given,
    moves,
    numpy_of,
    reset,
    singles,
    step,
)
from tests.helpers.games import wide

GAME = {"max_cycles": 4}
CHANCY = ("coin", "coin_3p", "ipd_noise")
chancy = pytest.mark.parametrize("name", wide(CHANCY, ("coin", "ipd_noise")))


def mask(*games, of=6):
    marked = np.zeros(of, bool)
    marked[list(games)] = True
    return marked


@any_route
@chancy
def test_same_step(name, route):
    venv, rng = batch(name, 6, route, **GAME), np.random.default_rng(0)
    off = batch(name, 6, route, autoreset="disabled", **GAME)
    reset(venv, seed=1), reset(off, seed=1)
    for t in range(1, 13):
        actions = moves(venv, rng)
        observations, rewards, terminations, truncations, infos = step(venv, actions)
        last, expected, *_ = step(off, actions)
        np.testing.assert_array_equal(rewards, expected)
        assert not terminations.any()
        assert truncations.all() == truncations.any() == (t % 4 == 0)
        if t % 4 == 0:
            np.testing.assert_array_equal(infos["final_obs"], last)
            assert infos["_final_obs"].all()
            assert infos["_final_obs"].dtype == bool
            assert infos["_final_obs"].shape == (6,)
            np.testing.assert_array_equal(observations, reset(off))
        else:
            assert infos == {}
            np.testing.assert_array_equal(observations, last)


@any_route
@chancy
def test_next_step(name, route):
    venv, rng = batch(name, 6, route, autoreset="next_step", **GAME), np.random.default_rng(0)
    off = batch(name, 6, route, autoreset="disabled", **GAME)
    reset(venv, seed=1), reset(off, seed=1)
    for t in range(1, 16):
        actions = moves(venv, rng)
        observations, rewards, terminations, truncations, infos = step(venv, actions)
        if t % 5 == 0:
            np.testing.assert_array_equal(observations, reset(off))
            assert not rewards.any()
            assert not truncations.any()
        else:
            expected = step(off, actions)
            np.testing.assert_array_equal(observations, expected[0])
            np.testing.assert_array_equal(rewards, expected[1])
            assert truncations.all() == truncations.any() == (t % 5 == 4)
        assert infos == {}
        assert not terminations.any()


@any_route
def test_disabled_games_must_be_reset(route):
    venv = batch("coin", 6, route, autoreset="disabled", validate=True, **GAME)
    reset(venv, seed=1)
    for _ in range(4):
        truncations = step(venv, np.zeros((6, 2), int))[3]
    assert truncations.all()
    before = venv.get_state()
    with pytest.raises(ResetNeeded, match="all games are over"):
        step(venv, np.zeros((6, 2), int))
    reset(venv, options={"reset_mask": mask(0, 1, 2, 3, 4)})
    with pytest.raises(ResetNeeded, match=r"games \[5\]"):
        step(venv, np.zeros((6, 2), int))
    assert venv.get_state().episode == [1, 1, 1, 1, 1, 0]
    assert before.episode == [0] * 6
    reset(venv, options={"reset_mask": mask(5)})
    assert venv.get_state().over == [0] * 6
    assert isinstance(venv.clock, int)
    step(venv, np.zeros((6, 2), int))


@any_route
@chancy
@pytest.mark.parametrize("autoreset", ["same_step", "next_step", "disabled"])
def test_games_out_of_step(name, route, autoreset):
    """Each game of a batch in which some are reset at odd times is the game alone."""
    venv, rng = (
        batch(name, 6, route, autoreset=autoreset, validate=True, **GAME),
        np.random.default_rng(3),
    )
    alone = [batch(name, 1, autoreset=autoreset, **GAME) for _ in range(6)]
    reset(venv, seed=8)
    for i, one in enumerate(alone):
        reset(one, seed=[sde.draw(8, i)])
    for t in range(30):
        chosen = rng.random(6) < 0.2
        if autoreset == "disabled":
            chosen |= np.array(venv.get_state().over) > 0
        observations = reset(venv, options={"reset_mask": chosen})
        for i in np.flatnonzero(chosen):
            np.testing.assert_array_equal(observations[i : i + 1], reset(alone[i]))
        actions = moves(venv, rng)
        result = step(venv, actions)
        for i, one in enumerate(alone):
            expected = step(one, actions[i : i + 1])
            for a, b in zip(result[:4], expected[:4], strict=True):
                np.testing.assert_array_equal(a[i : i + 1], b, err_msg=f"game {i} at {t}")
            assert bool(expected[4]) == bool(result[4] and result[4]["_final_obs"][i])
            if expected[4]:
                np.testing.assert_array_equal(
                    result[4]["final_obs"][i : i + 1], expected[4]["final_obs"]
                )
    assert [part[2] for part in venv.get_state()[1:]] == [
        part[0] for part in alone[2].get_state()[1:]
    ]


@any_route
def test_games_fall_into_step_again(route):
    venv = batch("coin", 6, route, max_cycles=7)
    reset(venv, seed=0)
    step(venv, np.zeros((6, 2), int))
    reset(venv, options={"reset_mask": mask(2, 3)})
    assert not isinstance(venv.clock, int)
    reset(venv, options={"reset_mask": mask()})
    assert not isinstance(venv.clock, int)
    reset(venv, options={"reset_mask": mask(0, 1, 4, 5)})
    assert venv.clock == 0
    assert venv.get_state().episode == [1] * 6


@any_route
def test_seeds(route):
    venv = batch("coin", 6, route)
    first = reset(venv, seed=5)
    np.testing.assert_array_equal(first, singles("coin", range(6), 5).reset())
    second = reset(venv)
    assert venv.get_state().episode == [1] * 6
    assert (first != second).any()
    np.testing.assert_array_equal(reset(venv, seed=5), first)
    np.testing.assert_array_equal(reset(venv, seed=[sde.draw(5, i) for i in range(6)]), first)
    reset(venv, seed=9, options={"reset_mask": mask(1, 4)})
    assert venv.get_state().seed == [sde.draw(9 if i in (1, 4) else 5, i) for i in range(6)]
    at_construction = batch("coin", 6, route, seed=5)
    np.testing.assert_array_equal(reset(at_construction), first)
    np.testing.assert_array_equal(reset(at_construction), second)


def test_no_seed_is_a_fresh_one():
    seeds = set()
    for _ in range(3):
        venv = batch("coin", 2)
        venv.reset()
        seeds |= set(venv.get_state().seed)
    assert len(seeds) == 6


@any_route
@pytest.mark.parametrize(
    "name", ["coin", "coin_5x5", "ipd", "coin_3p", "matrix_3p", "public_goods"]
)
def test_observation_modes(name, route):
    floats, bytes_, states = (
        batch(name, 5, route, obs_mode=mode, max_cycles=6) for mode in ("float32", "uint8", "state")
    )
    rng = np.random.default_rng(0)
    results = [[reset(v, seed=2)] for v in (floats, bytes_, states)]
    for _ in range(14):
        actions = moves(floats, rng)
        results = [step(v, actions) for v in (floats, bytes_, states)]
        dense, small, ids = (result[0] for result in results)
        assert dense.dtype == np.float32
        assert small.dtype == np.uint8
        assert ids.dtype == np.int32
        assert ids.shape == dense.shape[:2]
        np.testing.assert_array_equal(dense, small)
        own, _ = states.reset(options={"reset_mask": mask(of=5)})  # as the backend gives them
        np.testing.assert_array_equal(numpy_of(states.observe(own)), dense)
        assert numpy_of(states.observe(own[:2, 0])).shape == (2, *dense.shape[2:])
        if "final_obs" in results[0][4]:
            np.testing.assert_array_equal(results[0][4]["final_obs"], results[1][4]["final_obs"])
        assert floats.single_observation_space.contains(dense[0, 0])
        assert bytes_.single_observation_space.contains(small[0, 0])
        assert states.single_observation_space.contains(ids[0, 0])


@any_route
def test_the_observation_table_is_a_first_layer(route):
    venv = batch("coin", 5, route, obs_mode="state")
    ids, _ = venv.reset(seed=0)
    table = venv.observation_table
    assert tuple(table.shape) == (1458, 36)
    weights = np.random.default_rng(0).integers(-9, 9, (36, 8)).astype(np.float32)
    layer = numpy_of(table) @ weights
    np.testing.assert_array_equal(
        layer[numpy_of(ids)], numpy_of(venv.observe(ids)).reshape(5, 2, 36) @ weights
    )
    with pytest.raises(ValueError, match="too many for a table"):
        _ = batch("coin", 1, route, grid_size=9).observation_table


def pointer(array):
    """Where an array lies in memory."""
    if isinstance(array, np.ndarray):
        return array.ctypes.data
    return getattr(array, "data_ptr", getattr(array, "unsafe_buffer_pointer", None))()


@any_route
def test_arrays_are_fresh_unless_reused(route):
    fresh, reused, rng = (
        batch("coin", 5, route, **GAME),
        batch("coin", 5, route, reuse_buffers=True, **GAME),
        np.random.default_rng(0),
    )
    kept, copies, first = [], [], []
    fresh.reset(seed=0), reused.reset(seed=0)
    for _ in range(9):
        actions = moves(fresh, rng)
        one, two = fresh.step(given(fresh, actions)), reused.step(given(fresh, actions))
        (
            kept.append(one),
            copies.append([numpy_of(part).copy() for part in one[:4]]),
            first.append(pointer(two[0])),
        )
        for a, b in zip(one[:4], two[:4], strict=True):
            np.testing.assert_array_equal(numpy_of(a), numpy_of(b))
        if one[4]:
            np.testing.assert_array_equal(
                numpy_of(one[4]["final_obs"]), numpy_of(two[4]["final_obs"])
            )
    for one, copy in zip(kept, copies, strict=True):
        for a, b in zip(one[:4], copy, strict=True):
            np.testing.assert_array_equal(numpy_of(a), b)
    assert len(set(first)) == 1
    assert len({pointer(one[0]) for one in kept}) == 9


@any_route
def test_what_callers_write_into_outputs_changes_nothing(route):
    if route.startswith("jax"):
        pytest.skip("nobody can write into an array of JAX's")
    venv, twin, rng = (
        batch("coin", 5, route, **GAME),
        batch("coin", 5, route, **GAME),
        np.random.default_rng(0),
    )
    venv.reset(seed=0)[0][:] = 7
    twin.reset(seed=0)
    for _ in range(9):
        actions = moves(venv, rng)
        taken = given(venv, actions.copy())
        result = venv.step(taken)
        expected = step(twin, actions)
        for part, other in zip(result[:4], expected[:4], strict=True):
            np.testing.assert_array_equal(numpy_of(part), other)
            part[:] = 1
        taken[:] = 0
        for value in result[4].values():
            value[:] = 1
