"""Promise 2, the caller's half: nobody else's random state is read or written, also when a call
raises.

(That games of a batch do not depend on each other is tested with the batches.)
"""

import copy
import pickle
import random
import time

import numpy as np
import pytest

import social_dilemmas_env as sde
from tests.helpers.games import (
    Dice,
    make,
    play_new,
    play_turns,
    wide_game,
)

torch = pytest.importorskip("torch")


def snapshot():
    """The state of every global generator, and the settings that a careless library changes."""
    return (
        random.getstate(),
        pickle.dumps(np.random.get_state()),
        torch.get_rng_state().tolist(),
        torch.get_num_threads(),
        torch.get_default_dtype(),
        np.geterr(),
        tuple(np.get_printoptions().items()),
    )


@pytest.fixture(autouse=True)
def untouched():
    """Every test in this file."""
    random.seed(5)
    np.random.seed(5)
    torch.manual_seed(5)
    before = snapshot()
    yield
    assert snapshot() == before


@wide_game
def test_play(name):
    """Make, reset, step, observe, copy, save, close; both views."""
    env, aec = make(name), make(name, api="aec")
    play_new(env, None, 30)
    play_new(env, 3, 30)
    aec.reset()
    play_turns(aec, 30, Dice(0))
    for view in (env, aec):
        copy.deepcopy(view).set_state(pickle.loads(pickle.dumps(view)).get_state())
        view.state()
        view.close()


CALLS = {
    "unknown id": lambda env: sde.make_env("nothing_v0"),
    "unknown keyword": lambda env: sde.make_env("ipd_v0", pay_off=1),
    "bad payoffs": lambda env: sde.make_env("matrix_game_v0", payoffs=[1, 2, 3]),
    "bad seed": lambda env: env.reset(seed=-1),
    "bad action": lambda env: env.step({"player_0": 9, "player_1": 0}),
    "bad agents": lambda env: env.step({"player_0": 0}),
    "bad state": lambda env: env.set_state(None),
    "no picture": lambda env: env.render(),
}


@pytest.mark.parametrize("call", CALLS)
def test_calls_that_raise(call):
    env = make("coin")
    env.reset(seed=0)
    with pytest.raises((ValueError, TypeError)):
        CALLS[call](env)


def test_global_seeds_do_not_matter():
    """Neither to a seeded game, nor to an unseeded one: that would make "random" games equal."""
    games, seeds = set(), set()
    for _ in range(3):
        random.seed(5)
        np.random.seed(5)
        torch.manual_seed(5)
        games.add(tuple(play_new(make("coin"), 1, 50)))
        env = make("coin")
        env.reset()
        seeds.add(env.get_state().seed)
    assert len(games) == 1
    assert len(seeds) == 3


def test_the_clock_does_not_matter(monkeypatch):
    seeds = set()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    for _ in range(3):
        env = make("coin")
        env.reset()
        seeds.add(env.get_state().seed)
    assert len(seeds) == 3


def test_space_samples_belong_to_the_caller():
    """Sampling an action space draws from the space's own generator, never from the game's."""
    quiet, loud = make("coin"), make("coin")
    quiet.reset(seed=1)
    loud.reset(seed=1)
    for _ in range(20):
        for agent in loud.agents:
            loud.action_space(agent).sample()
            loud.observation_space(agent).sample()
    assert quiet.get_state() == loud.get_state()
    assert quiet.step(Dice(0).actions(quiet))[1] == loud.step(Dice(0).actions(loud))[1]
