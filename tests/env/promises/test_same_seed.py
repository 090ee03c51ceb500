"""Promise 1: same seed, same game, in any view, next to any other environment, in any process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import social_dilemmas_env as sde
from tests.env.promises.digests import (
    FILE,
    STEPS,
    digest,
    digests,
)
from tests.helpers.games import (
    COIN_GAMES,
    GAMES,
    KINDS,
    Dice,
    any_game,
    make,
    pack,
    play,
    play_new,
    wide_game,
)

ROOT = Path(__file__).parents[3]
CHANCY = [*COIN_GAMES, "ipd_noise"]


@wide_game
def test_two_instances_with_a_third_alive(name):
    """Interleaved with each other and with a third environment of the same rules, which is reset
    and stepped wildly."""
    first, second, third = make(name), make(name), make(name)
    dice, also, wild = Dice(1), Dice(1), Dice(99)
    third.reset(seed=5)
    assert pack(first.reset(seed=7)) == pack(second.reset(seed=7))
    for t in range(120):
        if not third.agents or t % 11 == 0:
            third.reset(seed=None if t % 2 else t)
        third.step(wild.actions(third))
        assert play(first, 1, dice) == play(second, 1, also)
        assert first.get_state() == second.get_state()


@any_game
def test_one_after_the_other(name):
    alone = play_new(make(name), 7, 120)
    make(name).reset(seed=8)
    env = make(name)
    play_new(env, 8, 13)
    assert play_new(env, 7, 120) == alone  # a seed starts anew, whatever was played before


@wide_game
def test_the_turn_by_turn_view_is_the_same_game(name):
    """Nobody's observation changes before all have moved.

    Then observations, rewards and ends are the parallel view's.
    """
    parallel, aec = make(name), make(name, api="aec")
    dice = Dice(3)
    for seed in (3, None, None):
        observations, _ = parallel.reset(seed=seed)
        aec.reset(seed=seed)
        assert aec.possible_agents == parallel.possible_agents
        assert aec.agents == parallel.agents
        while parallel.agents:
            actions = dice.actions(parallel)
            for agent in parallel.possible_agents:
                assert aec.agent_selection == agent
                seen = {other: aec.observe(other) for other in parallel.possible_agents}
                assert pack((seen,)) == pack((observations,))
                aec.step(actions[agent])
            observations, rewards, terminations, truncations, infos = parallel.step(actions)
            assert dict(aec.rewards) == rewards
            assert aec.terminations == terminations
            assert aec.truncations == truncations
            assert aec.infos == infos
            assert (aec.state() == parallel.state()).all()
        for agent in parallel.possible_agents:
            seen, reward, terminated, truncated, _ = aec.last()
            assert aec.agent_selection == agent
            assert (seen == observations[agent]).all()
            assert (reward, terminated, truncated) == (rewards[agent], False, True)
            aec.step(None)
        assert aec.agents == []


@any_game
def test_modules_make_the_same_game(name):
    """`from social_dilemmas_env import coin_game_v0` and its three functions."""
    import importlib

    env_id, arguments = GAMES[name]
    module = importlib.import_module(f"social_dilemmas_env.{env_id}")
    assert play_new(module.parallel_env(**arguments), 4, 30) == play_new(make(name), 4, 30)
    for view in (module.env(**arguments), module.raw_env(**arguments)):
        view.reset(seed=4)
        assert view.unwrapped.get_state() == play_new_state(name, 4)
    assert module.__all__ == ["env", "parallel_env", "raw_env"]


def play_new_state(name, seed):
    env = make(name)
    env.reset(seed=seed)
    return env.get_state()


@any_game
def test_reset_without_a_seed_goes_on(name):
    """Episode after episode in one sequence.

    The same in two instances, and from the start again with the seed.
    """
    first, second = make(name), make(name)
    starts = [pack(first.reset(seed=21))]
    for _ in range(5):
        play(first, 3, Dice(0))  # how much of an episode is played does not matter to the next
        starts.append(pack(first.reset()))
    assert [pack(second.reset(seed=21)), *[pack(second.reset()) for _ in range(5)]] == starts
    assert [second.get_state().seed, second.get_state().episode] == [21, 5]
    assert pack(first.reset(seed=21)) == starts[0]
    assert first.get_state().episode == 0


@pytest.mark.parametrize("name", CHANCY)
def test_episodes_differ(name):
    env = make(name)
    games = [
        tuple(play_new(env, seed, env.max_cycles, dice_seed=0))
        for seed in (0, None, None, None, None)
    ]
    assert len(set(games)) == 5


@pytest.mark.parametrize("name", CHANCY)
def test_seeds_differ(name):
    """0, 1, 2, ..., seeds that differ only above 32 bits, and the largest one."""
    seeds = [*range(20), 2**31, 2**32, 2**32 + 1, 2**40, 2**62, 2**63 - 1]
    env = make(name)
    assert len({tuple(play_new(env, seed, env.max_cycles)) for seed in seeds}) == len(seeds)


def test_seed_0_is_a_seed():
    assert play_new(make("coin"), 0, 50) == play_new(make("coin"), 0, 50)
    fresh = make("coin")
    fresh.reset()
    assert fresh.get_state().seed != 0


def test_unseeded_games_differ():
    """A game reset without a seed takes one from the operating system, and tells it."""
    env = make("coin")
    env.reset()
    seed = env.get_state().seed
    assert len({make_unseeded() for _ in range(20)} | {seed}) == 21
    assert play_new(make("coin"), seed, 50) == play_new_from(env, 50)


def make_unseeded():
    env = make("coin")
    env.reset()
    return env.get_state().seed


def play_new_from(env, steps):
    return [
        pack((env.observations(), {agent: {} for agent in env.agents})),
        *play(env, steps, Dice(0)),
    ]


def test_the_same_actions_of_other_types():
    """numpy's integers play the same game as Python's."""
    import numpy as np

    for cast in (np.int32, np.int64, np.uint8, np.array):
        env, same = make("coin"), make("coin")
        env.reset(seed=1)
        same.reset(seed=1)
        dice = Dice(4)
        for _ in range(30):
            actions = dice.actions(env)
            assert pack(env.step({a: cast(x) for a, x in actions.items()})) == pack(
                same.step(actions)
            )


def test_options_and_the_order_of_actions_do_not_matter():
    env, same = make("coin_3p"), make("coin_3p")
    assert pack(env.reset(seed=1, options={"anything": 1})) == pack(same.reset(seed=1))
    dice = Dice(4)
    for _ in range(30):
        actions = dice.actions(env)
        assert pack(env.step(dict(reversed(actions.items())))) == pack(same.step(actions))


# ---------------------------------------------------------------------------------------- processes


def test_the_committed_digests_are_of_these_games():
    committed = json.loads(FILE.read_text())
    assert list(committed) == list(GAMES)
    assert len(set(committed.values())) == len(GAMES)
    assert STEPS == 1_000


@any_game
def test_committed_digests(name):
    """See `digests.py` for what a difference means, and for how to write them anew."""
    assert digest(name) == json.loads(FILE.read_text())[name]


@pytest.mark.parametrize(
    ("hash_seed", "names"),
    [
        ("random", KINDS),
        pytest.param("random", list(GAMES), marks=pytest.mark.wide),
        pytest.param("0", list(GAMES), marks=pytest.mark.wide),
    ],
)
def test_digests_in_other_processes(hash_seed, names):
    environment = {
        **os.environ,
        "PYTHONHASHSEED": hash_seed,
        "PYTHONWARNINGS": "error",
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "tests.env.promises.digests", *names]
    result = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr
    committed = json.loads(FILE.read_text())
    assert json.loads(result.stdout) == {name: committed[name] for name in names}


@pytest.mark.slow
def test_digests_do_not_depend_on_other_imports():
    """With torch, pygame and the agents imported, and with the global generators seeded, the games
    are the same."""
    import random

    import numpy as np
    import torch

    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    assert digests() == json.loads(FILE.read_text())


def test_ids_of_states():
    """The rules named in a state are the same text in every process: it is what a state is
    recognised by."""
    code = (
        "import social_dilemmas_env as s\n"
        "e = s.make_env('coin_game_v0', variant='mfos')\n"
        "e.reset(0)\n"
        "print(e.get_state())"
    )
    out = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("0", "random")
    ]
    env = sde.make_env("coin_game_v0", variant="mfos")
    env.reset(seed=0)
    assert out == [f"{env.get_state()}\n"] * 2
