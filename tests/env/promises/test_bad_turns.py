"""Promise 10 in the turn-by-turn view: bad input is one clear error and changes nothing, in the
middle of a round too."""

import copy

import pytest
from gymnasium.error import ResetNeeded

from social_dilemmas_env import coin_game_v0
from social_dilemmas_env.envs.turn_based import SequentialState
from tests.env.promises.bad_calls import refuse, seed
from tests.helpers.games import Dice, make, play_turns, playing


def turn_state(**fields):
    return lambda env: env.set_state(SequentialState(*env.get_state())._replace(**fields))


def inner(**fields):
    return lambda env: env.set_state(
        env.get_state()._replace(state=env.get_state().state._replace(**fields))
    )


BAD_TURNS = {
    "action 4": (lambda env: env.step(4), ValueError, ["player_1", "0 .. 3"]),
    "action -1": (lambda env: env.step(-1), ValueError, ["player_1", "0 .. 3"]),
    "action 1.0": (lambda env: env.step(1.0), TypeError, ["player_1", "float"]),
    "action True": (lambda env: env.step(True), TypeError, ["player_1", "bool"]),
    "action None": (lambda env: env.step(None), TypeError, ["player_1", "NoneType"]),
    "a dict": (lambda env: env.step({"player_1": 0}), TypeError, ["player_1", "dict"]),
    "seed -1": (seed(-1), ValueError, ["[0, 2^63)"]),
    "seed as text": (seed("1"), TypeError, ["seed must be an integer"]),
    "no state": (lambda env: env.set_state(None), ValueError, ["turn-by-turn view"]),
    "the parallel view's": (
        lambda env: env.set_state(playing().get_state()),
        ValueError,
        ["not a state"],
    ),
    "another game's": (
        lambda env: env.set_state(playing("rps", api="aec").get_state()),
        ValueError,
        ["another game"],
    ),
    "nobody's turn": (turn_state(selection="player_9"), ValueError, ["selection", "player_9"]),
    "no turn": (turn_state(selection=None), TypeError, ["selection"]),
    "the wrong turn": (turn_state(selection="player_0"), ValueError, ["turn of player_0"]),
    "no moves": (turn_state(moves={}), ValueError, ["turn of player_1"]),
    "too many moves": (
        turn_state(moves={"player_0": 0, "player_1": 0}),
        ValueError,
        ["turn of player_1"],
    ),
    "moves as a list": (turn_state(moves=[0]), TypeError, ["moves"]),
    "a move out of range": (turn_state(moves={"player_0": 4}), ValueError, ["player_0", "0 .. 3"]),
    "a move of 1.0": (turn_state(moves={"player_0": 1.0}), TypeError, ["player_0", "float"]),
    "an agent too few": (turn_state(agents=["player_1"]), ValueError, ["turn of player_1"]),
    "agents as a number": (turn_state(agents=2), TypeError, ["agents"]),
    "rewards for one": (turn_state(rewards={"player_0": 0}), ValueError, ["rewards"]),
    "rewards as text": (
        turn_state(rewards={"player_0": "a", "player_1": 0}),
        ValueError,
        ["rewards"],
    ),
    "no rewards": (turn_state(cumulative=None), TypeError, ["cumulative"]),
    "a bad board": (inner(board=[0]), ValueError, ["4 columns"]),
    "a bad clock": (inner(t=-1), ValueError, ["t must be at least 0"]),
    "over, and moving": (inner(over=1), ValueError, ["turn of player_1"]),
}


@pytest.mark.parametrize("what", BAD_TURNS)
def test_turns_refused_and_nothing_changed(what):
    """After player 0's move and before player 1's."""
    env, twin = playing(api="aec"), playing(api="aec")
    assert env.agent_selection == "player_1"
    before = copy.deepcopy(env.get_state())
    refuse(env, *BAD_TURNS[what])
    assert env.get_state() == before
    assert play_turns(env, 120, Dice(1)) == play_turns(twin, 120, Dice(1))


def test_turns_at_the_end():
    """A player whose episode is over may only say None; a wrong move then does no harm."""
    env, twin = make("ipd_noise", api="aec"), make("ipd_noise", api="aec")
    for view in (env, twin):
        view.reset(seed=1)
        play_turns(view, 2 * 7, Dice(0))
    assert all(env.truncations.values())
    refuse(env, lambda env: env.step(0), ValueError, ["player_0", "over", "None"])
    assert env.get_state() == twin.get_state()
    assert play_turns(env, 30, Dice(1)) == play_turns(twin, 30, Dice(1))


def test_turns_before_the_reset_and_after_the_end():
    """Without PettingZoo's wrapper there is a sentence too; with it, its own error or warning."""
    raw = coin_game_v0.raw_env(max_cycles=1)
    refuse(raw, lambda env: env.step(0), ResetNeeded, ["call reset() before step()"])
    refuse(raw, lambda env: env.get_state(), ResetNeeded, ["call reset() before"])
    raw.reset(seed=0)
    for action in (0, 0, None, None):
        raw.step(action)
    state = raw.get_state()
    for action in (0, None):
        refuse(raw, lambda env, action=action: env.step(action), ResetNeeded, ["reset()", "over"])
    assert raw.get_state() == state
    wrapped = coin_game_v0.env()
    with pytest.raises(AssertionError, match="reset"):
        wrapped.step(0)
    with pytest.raises(AttributeError, match="reset"):
        _ = wrapped.agent_selection


def test_a_reset_that_failed_does_not_count():
    env = make("coin", api="aec")
    with pytest.raises(ValueError, match="seed"):
        env.reset(seed=-1)
    with pytest.raises(AssertionError, match="reset"):
        env.step(0)
    with pytest.raises(AttributeError, match="reset"):
        _ = env.agents


@pytest.mark.parametrize("name", ["agents", "agent_selection", "rewards", "num_agents"])
def test_before_the_first_reset_there_is_no_turn(name):
    env = make("coin", api="aec")
    with pytest.raises(AttributeError, match="cannot be accessed before reset"):
        getattr(env, name)
    env.reset(seed=0)
    assert getattr(env, name) is not None
