"""Promises 2 and 11 for batches: nobody's random state is touched, and memory is flat and small."""

import gc
import random
import tracemalloc

import numpy as np
import pytest
import torch

from social_dilemmas_env import rng
from social_dilemmas_env.engine.numpy_engine import NumpyArrays
from tests.env.parity.batches import (
    any_route,
    batch,
    moves,
    reset,
    step,
)


@any_route
def test_global_random_state_is_neither_read_nor_written(route):
    def play(caller_seed):
        random.seed(caller_seed), np.random.seed(caller_seed), torch.manual_seed(caller_seed)
        states = (
            random.getstate(),
            np.random.get_state()[1].tolist(),
            torch.get_rng_state().tolist(),
        )
        venv, generator, records = (
            batch("coin_random", 9, route, max_cycles=5),
            np.random.default_rng(1),
            [],
        )
        records.append(reset(venv, seed=3))
        for _ in range(12):
            records.append(step(venv, moves(venv, generator))[0])
        reset(venv, options={"reset_mask": np.arange(9) < 4})
        with pytest.raises(ValueError, match="shape"):
            step(venv, np.zeros((1, 2), int))
        batch("coin", 2, route).reset()  # a fresh seed is the operating system's
        assert states == (
            random.getstate(),
            np.random.get_state()[1].tolist(),
            torch.get_rng_state().tolist(),
        )
        return np.concatenate(records)

    np.testing.assert_array_equal(play(1), play(2))


@pytest.mark.parametrize(
    "autoreset", ["same_step", pytest.param("next_step", marks=pytest.mark.wide)]
)
@pytest.mark.parametrize("route", ["numpy", pytest.param("numpy_rules", marks=pytest.mark.slow)])
def test_memory_is_flat(route, autoreset):
    venv, generator = (
        batch("coin", 2, route, autoreset=autoreset, max_cycles=10),
        np.random.default_rng(0),
    )
    actions = [moves(venv, generator) for _ in range(10)]

    def play(resets):
        for _ in range(resets):
            venv.reset(seed=1)
        for t in range(500):
            venv.step(actions[t % 10])
        venv.reset(options={"reset_mask": np.array([True, False])})
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    play(100)
    before = play(100)
    after = play(400)
    tracemalloc.stop()
    assert after - before < 4096


@pytest.mark.slow
def test_memory_is_flat_for_long():
    venv, generator = batch("coin", 2), np.random.default_rng(0)
    actions = [moves(venv, generator) for _ in range(10)]
    venv.reset(seed=1)
    tracemalloc.start()
    for t in range(100_000):
        if t == 1000:
            before = tracemalloc.get_traced_memory()[0]
        venv.step(actions[t % 10])
    assert tracemalloc.get_traced_memory()[0] - before < 4096
    tracemalloc.stop()


def test_65536_games_take_less_than_64_mb():
    """Tables, states, scratch and one set of outputs; observations in uint8."""
    batch("coin", 1, obs_mode="uint8")  # imports
    tracemalloc.start()
    venv = batch("coin", 65536, obs_mode="uint8", view="ego", max_cycles=3)
    venv.reset(seed=0)
    actions = np.zeros((65536, 2), np.uint8)
    for _ in range(7):
        outputs = venv.step(actions)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert outputs[0].nbytes == 65536 * 72
    assert peak < 64e6


SHARED = (
    "next_codes",
    "successors",
    "joint_rewards",
    "state_ids",
    "state_observations",
    "start_states",
    "observation_table",
)


@pytest.mark.parametrize("route", ["numpy", "torch", "torch_static"])
def test_batches_of_the_same_rules_share_their_tables(route):
    first, second = batch("coin", 3, route), batch("coin", 5, route)
    for table in SHARED:
        assert getattr(first.engine, table) is getattr(second.engine, table)


@any_route
def test_inference_mode_may_come_and_go(route):
    """torch: tensors made inside of inference mode could not be written outside of it."""
    venv, twin = batch("coin", 4, route, max_cycles=3), batch("coin", 4, max_cycles=3)
    with torch.inference_mode():
        reset(venv, seed=0)
    reset(twin, seed=0)
    for t in range(9):
        with torch.inference_mode(t % 2 == 0):
            result = step(venv, np.full((4, 2), t % 4))
            reset(venv, options={"reset_mask": np.arange(4) == t})
        expected = step(twin, np.full((4, 2), t % 4))
        reset(twin, options={"reset_mask": np.arange(4) == t})
        np.testing.assert_array_equal(result[0], expected[0])


@pytest.mark.parametrize("route", ["torch", "torch_static", "torch_rules"])
def test_the_callers_default_dtype_does_not_matter(route):
    torch.set_default_dtype(torch.float64)
    try:
        venv, twin = batch("ipd_noise", 4, route), batch("ipd_noise", 4)
        assert venv.reset(seed=0)[0].dtype == torch.float32
        reset(twin, seed=0)
        for t in range(9):
            actions = np.full((4, 2), t % 2)
            result = step(venv, actions)
            assert result[1].dtype == np.float32
            np.testing.assert_array_equal(result[1], step(twin, actions)[1])
    finally:
        torch.set_default_dtype(torch.float32)


def test_words_are_those_of_rng():
    """The numpy driver's hash is written for speed.

    It is the hash of `rng`, and keeping the stem changes nothing.
    """
    generator, xp = np.random.default_rng(0), NumpyArrays()
    key = generator.integers(2**32, size=(2, 999))
    for counter in (0, 1, 7, 2**32 - 1, generator.integers(2**32, size=999)):
        fast = xp.words((xp.word(key[0]), xp.word(key[1])), xp.word(counter))
        np.testing.assert_array_equal(xp.integer(fast), rng.word((key[0], key[1]), counter))
    for seed in (0, 7, 2**63 - 1):
        stem = rng.stem(seed)
        assert rng.key_of(stem, 5) == rng.key(seed, 5)
        column = xp.word(np.full(3, stem))
        assert [part[0] for part in rng.key_of(column, xp.word(np.full(3, 5)))] == list(
            rng.key(seed, 5)
        )
