"""Promise 3: a game copied, pickled, or saved and set, at any step and in any view, goes on as if
nothing had happened."""

import copy
import json
import pickle

import numpy as np
import pytest

from social_dilemmas_env import State
from social_dilemmas_env.engine.python_engine import SingleGame
from social_dilemmas_env.envs.turn_based import SequentialState
from tests.helpers.games import (
    Dice,
    any_game,
    make,
    pack,
    play,
    play_new,
    play_turns,
    rules,
    wide_game,
)


def by_state(env, name, through=lambda state: state, **view):
    """A fresh environment that was never reset, continuing from the state."""
    twin = make(name, **view)
    twin.set_state(through(env.get_state()))
    return twin


def used(env, name, through=lambda state: state, **view):
    """The same, into an environment in the middle of another game."""
    twin = make(name, **view)
    twin.reset(seed=1234)
    for _ in range(2):
        if view:
            play_turns(twin, 1, Dice(8))
        else:
            play(twin, 1, Dice(8))
    twin.set_state(through(env.get_state()))
    return twin


def by_json(state):
    return json.loads(json.dumps(state))


COPIES = {
    "deepcopy": lambda env, name, **view: copy.deepcopy(env),
    **{
        f"pickle {protocol}": lambda env, name, p=protocol, **view: pickle.loads(
            pickle.dumps(env, protocol=p)
        )
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
    },
    "state": by_state,
    "state, used": used,
    "json": lambda env, name, **view: by_state(env, name, by_json, **view),
    "json, used": lambda env, name, **view: used(env, name, by_json, **view),
    "copy of a copy": lambda env, name, **view: copy.deepcopy(
        pickle.loads(pickle.dumps(copy.deepcopy(env)))
    ),
}


def stops(name):
    """After the reset, at some random steps, at the last but one, and at the end.

    In the first episode and in the next.
    """
    length, dice = rules(name).max_cycles, Dice(len(name))
    return sorted({0, dice.below(length), length - 1, length, length + dice.below(length)})


def copies(stop, length):
    """At most stops a few ways are enough; at the first step inside an episode all are tried."""
    few = ["deepcopy", "pickle 5", "state, used", "json"]
    return COPIES if 0 < stop < length else {how: COPIES[how] for how in few}


@wide_game
def test_parallel(name):
    """The copies and the original play on to the end and over the next episode, one after the
    other: all alike."""
    length = rules(name).max_cycles
    for stop in stops(name):
        env = make(name)
        env.reset(seed=17)
        play(env, stop, Dice(2))
        twins = {how: make_copy(env, name) for how, make_copy in copies(stop, length).items()}
        state, agents = env.get_state(), list(env.agents)
        after = play(env, length + 3, Dice(stop))
        for how, twin in twins.items():
            assert (twin.get_state(), twin.agents) == (state, agents), how
            assert pack((twin.observations(),)) == pack(
                (by_state_of(name, state).observations(),)
            ), how
            assert play(twin, length + 3, Dice(stop)) == after, how
            assert twin.get_state() == env.get_state(), how
    assert state.t in range(length + 1)
    assert type(state) is State


def by_state_of(name, state):
    twin = make(name)
    twin.set_state(state)
    return twin


def one_by_one(aec, turns):
    """What is seen at each of the next turns, and the state after it."""
    return [(play_turns(aec, 1, Dice(turn)), aec.get_state()) for turn in range(turns)]


@wide_game
def test_turn_by_turn(name):
    """The same in the turn-by-turn view: between two players' moves, while players leave, and after
    all have left."""
    game = rules(name)
    players = len(game.num_actions)
    round_, length = players, (game.max_cycles + 1) * players  # a dead step each at the end
    more = (
        min(length, 60 + round_) + 3
    )  # from the late stops: to the end, and into the next episode
    dice = Dice(5)
    for stop in sorted(
        {
            0,
            1,
            round_,
            dice.below(length),
            length - round_,
            length - 1,
            length,
            length + dice.below(length),
        }
    ):
        env = make(name, api="aec")
        env.reset(seed=17)
        play_turns(env, stop, Dice(2))
        twins = {
            how: make_copy(env, name, api="aec")
            for how, make_copy in copies(stop, round_ + 1).items()
        }
        state = env.get_state()
        soon = one_by_one(env, round_)
        after = play_turns(env, more, Dice(stop))
        for how, twin in twins.items():
            assert twin.get_state() == state, (how, stop)
            assert one_by_one(twin, round_) == soon, (how, stop)
            assert play_turns(twin, more, Dice(stop)) == after, (how, stop)
            assert twin.get_state() == env.get_state(), (how, stop)
    assert type(state) is SequentialState


@wide_game
def test_copies_are_apart(name):
    """Playing the copy does not move the original, nor the other way round."""
    env = make(name)
    env.reset(seed=3)
    for make_copy in COPIES.values():
        state, twin = env.get_state(), make_copy(env, name)
        play(twin, 5, Dice(1))
        assert env.get_state() == state
        end = twin.get_state()
        play(env, 2, Dice(2))
        assert twin.get_state() == end
        twin.agents.append("nobody")
        assert "nobody" not in env.agents + env.possible_agents + twin.possible_agents


@wide_game
def test_before_the_first_reset(name):
    for view in ({}, {"api": "aec"}):
        env = make(name, **view)
        for twin in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
            twin.reset(seed=2)
            env.reset(seed=2)
            assert twin.get_state() == env.get_state()


@any_game
def test_a_state_is_plain_integers(name):
    """JSON gives it back as it was, and nothing in it is numpy's."""
    env = make(name)
    env.reset(seed=np.int64(2**40))
    play(env, 3, Dice(1))
    state = env.get_state()
    assert State(*by_json(state)) == state
    assert [type(x) for x in (state.seed, state.episode, state.t, state.over, *state.board)] == [
        int
    ] * (4 + len(state.board))
    assert type(state.game) is str
    assert type(state.board) is list
    assert len(state.board) == len(rules(name).columns)


def test_numpy_arguments_make_the_same_rules():
    """An argument given as a numpy integer neither changes the state's text nor slips into it."""
    import social_dilemmas_env as sde

    numbers = {"grid_size": 3, "num_agents": 2, "coins": 2, "max_cycles": 9}
    plain = sde.make_env("coin_game_v0", coin_avoids_players=False, **numbers)
    numpy = sde.make_env(
        "coin_game_v0", coin_avoids_players=False, **{k: np.int64(v) for k, v in numbers.items()}
    )
    plain.reset(seed=1)
    numpy.reset(seed=1)
    assert by_json(numpy.get_state()) == by_json(plain.get_state())
    play(plain, 5, Dice(0))
    numpy.set_state(plain.get_state())
    assert play(numpy, 9, Dice(1)) == play(plain, 9, Dice(1))


def test_a_state_may_be_a_dict():
    env, twin = make("coin"), make("coin")
    env.reset(seed=2)
    twin.set_state(env.get_state()._asdict())
    assert twin.get_state() == env.get_state()


@any_game
def test_a_state_is_a_snapshot(name):
    """Playing on does not change it; changing it does not change the game."""
    env = make(name)
    env.reset(seed=5)
    state = env.get_state()
    kept = copy.deepcopy(state)
    play(env, 4, Dice(1))
    assert state == kept
    now = env.get_state()
    now.board[0] = 10**6
    assert env.get_state() != now
    env.set_state(state)
    state.board[0] = 10**6
    assert env.get_state() == kept


@pytest.mark.parametrize("by_rules", [False, True])
@pytest.mark.parametrize("name", ["coin", "coin_5x5", "ipd_noise"])
def test_the_engine_without_an_api(name, by_rules):
    """`SingleGame` too, whichever route it takes."""
    single = SingleGame(rules(name), by_rules=by_rules)
    single.reset(4)
    single.step([1] * len(single.game.num_actions))
    for twin in (
        copy.deepcopy(single),
        *(pickle.loads(pickle.dumps(single, p)) for p in range(2, 6)),
    ):
        assert type(twin.driver) is type(single.driver)
        assert twin.get_state() == single.get_state()
        original = copy.deepcopy(single)
        for t in range(5):
            actions = [t % n for n in single.game.num_actions]
            assert twin.step(actions) == original.step(actions)
            assert twin.board == original.board


@any_game
def test_returned_arrays_are_the_callers(name):
    """Garbage written into anything that was returned changes no game.

    Earlier results do not change by later steps.
    """
    env, length = make(name), min(8, rules(name).max_cycles)
    expected = play_new(
        make(name), 6, length, dice_seed=1
    )  # before any garbage: environments may share tables
    dice, results = Dice(1), [env.reset(seed=6)]
    for t in range(1, length + 1):
        for part in results[-1]:
            for agent, value in part.items():
                if isinstance(value, np.ndarray):
                    value[...] = 9
                part[agent] = None
        env.state()[...] = 9
        results.append(env.step(dice.actions(env)))
        assert pack(results[-1]) == expected[t]
    kept = copy.deepcopy(results[-1])
    if env.agents:
        env.step(dice.actions(env))
    env.reset()
    assert pack(results[-1]) == pack(kept)
