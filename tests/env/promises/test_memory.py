"""Promise 11: memory is flat, and nothing is left behind: no objects, no processes, no threads."""

import gc
import multiprocessing
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.engine import python_engine, tables
from tests.helpers.games import (
    Dice,
    make,
    play,
    play_turns,
)

MB = 1 << 20
ROOT = Path(__file__).parents[3]


def resident():
    """Bytes of memory this process holds."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def settle():
    gc.collect()
    return len(gc.get_objects())


def churn(name, steps, resets):
    """Plays; makes records of nothing."""
    env, dice = make(name), Dice(0)
    env.reset(seed=0)
    for _ in range(steps):
        if not env.agents:
            env.reset()
        env.step(dice.actions(env))
    for seed in range(resets):
        env.reset(seed=seed)
    env.close()


def growth(work, name, steps, resets):
    """Bytes and objects gained by the second of two equal rounds (the first may fill caches)."""
    work(name, steps, resets)
    objects, memory = settle(), resident()
    work(name, steps, resets)
    return resident() - memory, settle() - objects


def churn_turns(name, steps, resets):
    aec = make(name, api="aec")
    aec.reset(seed=0)
    play_turns(aec, steps, Dice(0))
    for seed in range(resets):
        aec.reset(seed=seed)


def churn_made(name, steps, resets):
    """Environments made, played for a step, and dropped."""
    for seed in range(resets):
        env = make(name)
        env.reset(seed=seed)
        play(env, 1, Dice(seed))


needs_proc = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")


@needs_proc
@pytest.mark.parametrize(
    "name",
    [
        "coin",
        *(
            pytest.param(n, marks=pytest.mark.wide)
            for n in ("ipd_noise", "coin_5x5", "public_goods")
        ),
    ],
)
def test_flat(name):
    gained, objects = growth(churn, name, 6_000, 500)
    assert gained < 2 * MB
    assert abs(objects) < 50


@needs_proc
@pytest.mark.parametrize("work", [churn_turns, churn_made])
def test_flat_otherwise(work):
    gained, objects = growth(work, "coin", 3_000, 300)
    assert gained < 2 * MB
    assert abs(objects) < 50


@needs_proc
@pytest.mark.slow
@pytest.mark.parametrize("name", ["ipd_noise", "coin", "coin_5x5", "coin_3p"])
def test_flat_over_a_million_steps(name):
    churn(name, 1_000, 10)
    objects, memory = settle(), resident()
    churn(name, 1_000_000, 1_000)
    assert resident() - memory < 2 * MB
    assert abs(settle() - objects) < 50


def test_tables_are_kept_once_for_the_last_rules_only():
    """Environments with one set of rules share tables.

    Many sets of rules do not pile up without end.
    """
    envs = [sde.make_env("coin_game_v0", grid_size=2, max_cycles=m) for m in (5, 5, 5)]
    assert len({id(env._single.driver) for env in envs}) == 1
    for cached in (python_engine.driver, tables.tables):
        assert 0 < cached.cache_info().maxsize <= 64
    for m in range(1, 200):
        sde.make_env("coin_game_v0", grid_size=2, max_cycles=m)
    assert python_engine.driver.cache_info().currsize <= 64


def test_no_processes_and_no_threads():
    before = threading.active_count()
    churn("coin", 100, 10)
    assert threading.active_count() == before
    assert multiprocessing.active_children() == []


@needs_proc
def test_construction_is_quick_and_small():
    """No game of the usual sizes takes long to make, or much memory: a coin each on 3x3 once took 2
    s and 500 MB."""
    code = (
        "import re, time, social_dilemmas_env as s\n"
        "t = time.process_time()\n"
        "three = {'num_agents': 3}\n"
        "sizes = ({}, {'coins': 2}, {'grid_size': 4}, three)\n"
        "for kw in (*sizes, {'variant': 'mfos'}, {**three, 'coins': 3}):\n"
        "    s.make_env('coin_game_v0', **kw).reset(seed=0)\n"
        "peak = re.search(r'VmHWM:\\s+(\\d+) kB', open('/proc/self/status').read())[1]\n"
        "print(time.process_time() - t, peak)\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert float(out[0]) < 5
    assert int(out[1]) < 250 * 1024
