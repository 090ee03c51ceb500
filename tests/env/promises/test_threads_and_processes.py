"""Promise 1 beside other threads and in other processes: environments share nothing that changes.

Two environments in two threads are what they are one after the other.  One environment in two
threads is not supported: its calls may interleave, and what is promised is no more than that other
environments do not notice.
"""

import copy
import multiprocessing
import pickle
import threading

import numpy as np
import pytest
from gymnasium.error import ResetNeeded

import social_dilemmas_env as sde
from tests.env.promises.machines import FIRST

THREADS, STEPS = 3, 12


def one(env_id, seed):
    """A digest of some steps of one game."""
    env = sde.make_env(env_id, **FIRST[env_id])
    rng, found = np.random.default_rng(seed), []
    env.reset(seed=seed)
    for _ in range(STEPS):
        if not env.agents:
            env.reset()
        moves = {agent: int(rng.integers(env.action_space(agent).n)) for agent in env.agents}
        found.append([env.step(moves)[1], list(env.get_state())])
    return repr(found)


def many(env_id, seed):
    """The same of a batch."""
    venv = sde.make_vec_env(env_id, 4, **FIRST[env_id])
    rng, found = np.random.default_rng(seed), []
    venv.reset(seed=seed)
    for _ in range(STEPS):
        counts = venv.game.num_actions
        actions = np.stack([rng.integers(n, size=4) for n in counts], -1)
        found.append([venv.step(actions)[1].tolist(), list(venv.get_state())])
    return repr(found)


def in_threads(function, env_id):
    """Results by seed, of threads that begin together."""
    results, gate = {}, threading.Barrier(THREADS)

    def work(seed):
        gate.wait()
        results[seed] = function(env_id, seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize("env_id", sde.list_envs())
@pytest.mark.parametrize("function", [one, many])
def test_environments_of_their_own_in_threads(function, env_id):
    """Tables that are made once in a process are made by whoever comes first."""
    together = in_threads(function, env_id)
    assert together == {seed: function(env_id, seed) for seed in range(THREADS)}


def test_one_environment_in_two_threads_harms_no_other():
    """Whatever becomes of it: it raises what a single thread may see, or goes on."""
    env, other = sde.make_env("coin_game_v0"), sde.make_env("coin_game_v0")
    env.reset(seed=0), other.reset(seed=0)
    twin = copy.deepcopy(other)

    def work():
        for _ in range(200):
            try:
                env.step(dict.fromkeys(env.possible_agents, 1))
            except ResetNeeded:  # the other thread came to the end
                env.reset()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    moves = dict.fromkeys(other.possible_agents, 2)
    assert repr(other.step(moves)) == repr(twin.step(moves))
    env.reset(seed=3), other.reset(seed=3)
    assert repr(env.get_state()) == repr(other.get_state())


def continued(pickled):
    """What a process makes of an environment that was pickled in the middle of a game."""
    env = pickle.loads(pickled)
    moves = dict.fromkeys(env.possible_agents, 1)
    return repr([env.step(moves)[1], list(env.get_state())])


@pytest.mark.slow
@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_a_pickle_goes_on_in_another_process(method):
    """Every game, half-way; processes begun in each way there is."""
    pickles = []
    for env_id in sde.list_envs():
        env = sde.make_env(env_id, **FIRST[env_id])
        env.reset(seed=5)
        env.step(dict.fromkeys(env.possible_agents, 0))
        pickles.append(pickle.dumps(env))

    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.map(continued, pickles) == [continued(each) for each in pickles]
