"""Bad calls: what is called, the exception it must be, and words that its message must hold."""

import math
from collections import OrderedDict

import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env import chicken_v0, coin_game_v0
from tests.helpers.games import playing

NAN, INF = math.nan, math.inf


def refuse(env, call, error, words):
    """The call raises exactly this exception, whose message is one line that holds the words."""
    with pytest.raises(error) as caught:
        call(env)
    assert type(caught.value) is error
    message = str(caught.value)
    assert all(word in message for word in words), message
    assert len(message) > 15
    assert "\n" not in message


def making(env_id, **arguments):
    """The call `make_env(env_id, **arguments)`."""
    return lambda env: sde.make_env(env_id, **arguments)


def arguments(env_id, *wrong):
    """Entries of BAD of games with one wrong argument, which the message must name too.

    Args:
        env_id: the game.
        *wrong: (title, the argument and its value, exception, words).
    """
    return {
        title: (making(env_id, **argument), error, [*argument, words])
        for title, argument, error, words in wrong
    }


def coin(**arguments):
    return making("coin_game_v0", **arguments)


def matrix(payoffs, **arguments):
    return making("matrix_game_v0", payoffs=payoffs, **arguments)


def seed(value):
    return lambda env: env.reset(seed=value)


def act(value):
    return lambda env: env.step({"player_0": 0, "player_1": value})


def acts(value):
    return lambda env: env.step(value)


def state(**fields):
    return lambda env: env.set_state(env.get_state()._replace(**fields))


TABLE = [[[1, 1], [0, 0]], [[0, 0], [1, 1]]]

# call, exception, words that the message must hold
BAD = {
    # ----------------------------------------------------------------------------- ids and keywords
    "a typing error": (
        making("cion_game_v0"),
        ValueError,
        ["'cion_game_v0'", "did you mean 'coin_game_v0'"],
    ),
    "no version": (making("ipd"), ValueError, ["did you mean 'ipd_v0'"]),
    "another version": (making("ipd_v7"), ValueError, ["did you mean 'ipd_v0'"]),
    "upper case": (making("IPD_v0"), ValueError, ["did you mean 'ipd_v0'"]),
    "nothing like it": (
        making("zzzz"),
        ValueError,
        ["there are bach_stravinsky_v0, chicken_v0, clean_up_v0"],
    ),
    "no id": (making(None), ValueError, ["None", "coin_game_v0"]),
    "a list as id": (making(["ipd_v0"]), ValueError, ["no environment"]),
    "unknown argument": (
        coin(gridsize=3),
        TypeError,
        ["coin_game_v0", "'gridsize'", "did you mean 'grid_size'"],
    ),
    "another game's argument": (
        making("imp_v0", contribution_factor=1.3),
        TypeError,
        ["imp_v0", "contribution_factor"],
    ),
    "unlike any argument": (
        making("ipd_v0", qqq=3),
        TypeError,
        ["'qqq'", "contribution_factor, payoff_noise"],
    ),
    "missing argument": (
        making("matrix_game_v0"),
        TypeError,
        ["matrix_game_v0 needs", "'payoffs'"],
    ),
    "unknown api": (coin(api="turns"), ValueError, ["one of 'parallel', 'aec'", "'turns'"]),
    "unknown render mode": (
        coin(render_mode="rgb"),
        ValueError,
        ["'human', 'rgb_array', 'ansi'", "'rgb'"],
    ),
    "a list as render mode": (coin(render_mode=["ansi"]), ValueError, ["render_mode", "'ansi'"]),
    "module, unknown argument": (
        lambda env: coin_game_v0.env(size=3),
        TypeError,
        ["'size'", "grid_size"],
    ),
    "module, bad argument": (
        lambda env: chicken_v0.parallel_env(max_cycles=0),
        ValueError,
        ["max_cycles"],
    ),
    "spec of nothing": (lambda env: sde.spec("coin"), ValueError, ["coin_game_v0"]),
    "payoffs of the Coin Game": (
        lambda env: sde.payoffs("coin_game_v0"),
        ValueError,
        ["no payoff table"],
    ),
    "id without version": (lambda env: sde.register("my_game", None), ValueError, ["my_game_v0"]),
    "id that is taken": (
        lambda env: sde.register("ipd_v0", None),
        ValueError,
        ["already registered"],
    ),
    # ------------------------------------------------------------------- arguments of the Coin Game
    "grid of 1": (coin(grid_size=1), ValueError, ["grid_size", "at least 2", "got 1"]),
    "grid of 0": (coin(grid_size=0), ValueError, ["grid_size", "at least 2"]),
    "grid with a side of 1": (coin(grid_size=(3, 1)), ValueError, ["grid_size", "at least 2"]),
    "grid of a half": (coin(grid_size=2.5), TypeError, ["grid_size", "integer", "2.5"]),
    "grid as text": (coin(grid_size="3x3"), TypeError, ["grid_size", "'3x3'"]),
    "grid of three sides": (coin(grid_size=(3, 3, 3)), ValueError, ["(height, width)"]),
    "too small for 4 players": (
        coin(grid_size=2, num_agents=4),
        ValueError,
        ["2x2", "4 players", "at least 5 cells"],
    ),
    "too small for distinct starts": (
        coin(grid_size=2, num_agents=5, distinct_starts=True, coin_avoids_players=False),
        ValueError,
        ["at least 5 cells"],
    ),
    "too many states": (coin(grid_size=30, num_agents=20), ValueError, ["too many states"]),
    "one player": (coin(num_agents=1), ValueError, ["num_agents", "at least 2"]),
    "two and a half players": (coin(num_agents=2.5), TypeError, ["num_agents", "integer"]),
    "unknown variant": (
        coin(variant="lolla"),
        ValueError,
        ["'loqa', 'pola', 'lola', 'mfos'", "'lolla'"],
    ),
    "unknown ties": (coin(ties="blue"), ValueError, ["ties", "'both', 'red', 'split'"]),
    "unknown colour": (
        coin(coin_color="green"),
        ValueError,
        ["coin_color", "'alternate', 'random'"],
    ),
    "unknown moves": (coin(moves="UDLR"), ValueError, ["moves", "'LRUD', 'RLDU'"]),
    "unknown view": (coin(view="me"), ValueError, ["view", "'ego', 'joint'"]),
    "three coins for two": (coin(coins=3), ValueError, ["coins must be 1 or num_agents (2"]),
    "no coins": (coin(coins=0), ValueError, ["coins", "at least 1"]),
    "random colours of a coin each": (
        coin(coins=2, coin_color="random"),
        ValueError,
        ["coin_color", "coins=1"],
    ),
    "1 for True": (
        coin(coin_avoids_players=1),
        TypeError,
        ["coin_avoids_players", "True or False"],
    ),
    "yes for True": (coin(distinct_starts="yes"), TypeError, ["distinct_starts", "True or False"]),
    # ------------------------------------------------------------------------- horizons and payoffs
    "no steps": (coin(max_cycles=0), ValueError, ["max_cycles", "at least 1"]),
    "negative steps": (
        making("rps_v0", max_cycles=-3),
        ValueError,
        ["max_cycles", "at least 1", "-3"],
    ),
    "half a step": (making("rps_v0", max_cycles=0.5), TypeError, ["max_cycles", "integer"]),
    "steps as text": (
        making("public_goods_v0", max_cycles="50"),
        TypeError,
        ["max_cycles", "'50'"],
    ),
    "a bool of steps": (coin(max_cycles=True), TypeError, ["max_cycles", "True"]),
    "endless": (coin(max_cycles=2**30), ValueError, ["max_cycles", "2^24"]),
    "infinitely many": (coin(max_cycles=INF), TypeError, ["max_cycles", "inf"]),
    "horizon set to 0": (
        lambda env: setattr(env, "max_cycles", 0),
        ValueError,
        ["max_cycles", "at least 1"],
    ),
    "payoffs without players": (
        matrix([1, 2, 3]),
        ValueError,
        ["shape [A_0, ..., A_(N-1), N]", "(3,)"],
    ),
    "payoffs of two matrices": (
        matrix(np.zeros((2, 2))),
        ValueError,
        ["(2, 2)", "last axis should be 1"],
    ),
    "payoffs, axes first": (
        matrix(np.zeros((2, 3, 3))),
        ValueError,
        ["(2, 3, 3)", "last axis should be 2"],
    ),
    "payoffs, three players, two numbers": (
        matrix(np.zeros((2, 2, 2, 2))),
        ValueError,
        ["last axis should be 3"],
    ),
    "no actions": (matrix(np.zeros((0, 2, 2))), ValueError, ["between 1 and 65536 joint actions"]),
    "too many actions": (matrix(np.zeros((300, 300, 2))), ValueError, ["65536 joint actions"]),
    "NaN payoff": (matrix([[[1, 1], [0, NAN]], [[0, 0], [1, 1]]]), ValueError, ["finite", "nan"]),
    "infinite payoff": (
        matrix([[[1, 1], [0, -INF]], [[0, 0], [1, 1]]]),
        ValueError,
        ["finite", "-inf"],
    ),
    "ragged payoffs": (matrix([[[1, 1], [0]], [[0, 0], [1, 1]]]), TypeError, ["numeric array"]),
    "payoffs as text": (matrix("1 2 3"), TypeError, ["numeric array", "'1 2 3'"]),
    "payoffs as digits": (matrix([[["1", "1"]], [["0", "0"]]]), TypeError, ["numeric array"]),
    "no payoffs": (matrix(None), TypeError, ["numeric array", "None"]),
    "complex payoffs": (
        matrix(np.zeros((2, 2, 2), complex)),
        TypeError,
        ["numeric array", "complex128"],
    ),
    "a word among payoffs": (
        matrix([[["a", 1], [0, 0]], [[0, 0], [1, 1]]]),
        TypeError,
        ["numeric array"],
    ),
    "too few names": (matrix(TABLE, action_names=["left"]), ValueError, ["action_names", "(2, 2)"]),
    "names for one player": (
        matrix(TABLE, action_names=[["left", "right"]]),
        ValueError,
        ["action_names"],
    ),
    "no names": (matrix(TABLE, action_names=3), TypeError, ["action_names", "3"]),
    "numbers as names": (matrix(TABLE, action_names=[0, 1]), TypeError, ["action_names", "[0, 1]"]),
    "unknown view of a matrix": (matrix(TABLE, view="all"), ValueError, ["'ego', 'joint'"]),
    **arguments(
        "ipd_v0",
        ("negative noise", {"payoff_noise": -0.1}, ValueError, "negative"),
        ("NaN noise", {"payoff_noise": NAN}, ValueError, "finite"),
        ("noise as text", {"payoff_noise": "0.1"}, TypeError, "finite number"),
        ("a bool of noise", {"payoff_noise": True}, TypeError, "finite number"),
        ("infinite factor", {"contribution_factor": INF}, ValueError, "finite"),
        ("factor of 1", {"contribution_factor": 1}, ValueError, "(1, 2)"),
        ("factor of 2", {"contribution_factor": 2.0}, ValueError, "(1, 2)"),
        ("NaN factor", {"contribution_factor": NAN}, ValueError, "finite"),
    ),
    **arguments(
        "public_goods_v0",
        ("goods for one", {"num_agents": 1}, ValueError, "at least 2"),
        ("goods for 33", {"num_agents": 33}, ValueError, "at most 32"),
        ("goods that pay the giver", {"factor": 4}, ValueError, "between 1 and num_agents"),
        ("goods as text", {"factor": "3"}, TypeError, "finite number"),
    ),
    # ---------------------------------------------------------------------------------------- seeds
    "seed -1": (seed(-1), ValueError, ["seed", "[0, 2^63)", "-1"]),
    "seed 2^63": (seed(2**63), ValueError, ["[0, 2^63)"]),
    "seed 2^70": (seed(2**70), ValueError, ["[0, 2^63)"]),
    "seed 1.0": (seed(1.0), TypeError, ["seed must be an integer", "float"]),
    "seed NaN": (seed(NAN), TypeError, ["seed must be an integer"]),
    "seed as text": (seed("1"), TypeError, ["seed must be an integer", "str"]),
    "seed True": (seed(True), TypeError, ["seed must be an integer", "bool"]),
    "seed np.True_": (seed(np.True_), TypeError, ["seed must be an integer"]),
    "a list of seeds": (seed([1, 2]), TypeError, ["seed must be an integer", "list"]),
    "an array of seeds": (seed(np.array([1])), TypeError, ["seed must be an integer", "ndarray"]),
    # -------------------------------------------------------------------------------------- actions
    "action 4": (act(4), ValueError, ["player_1", "0 .. 3", "got 4"]),
    "action -1": (act(-1), ValueError, ["player_1", "0 .. 3", "got -1"]),
    "action 2^70": (act(2**70), ValueError, ["player_1", "0 .. 3"]),
    "action 255 as uint8": (act(np.uint8(255)), ValueError, ["player_1", "got 255"]),
    "action 1.0": (act(1.0), TypeError, ["player_1", "integer", "float"]),
    "action np.float32": (act(np.float32(1)), TypeError, ["player_1", "float32"]),
    "action NaN": (act(NAN), TypeError, ["player_1", "nan"]),
    "action True": (act(True), TypeError, ["player_1", "bool"]),
    "action np.bool_": (act(np.bool_(True)), TypeError, ["player_1", "integer"]),
    "action as text": (act("1"), TypeError, ["player_1", "str"]),
    "action None": (act(None), TypeError, ["player_1", "NoneType"]),
    "action [1]": (act([1]), TypeError, ["player_1", "list"]),
    "action array of one": (act(np.array([1])), TypeError, ["player_1", "ndarray"]),
    "action array of floats": (act(np.array(1.0)), TypeError, ["player_1", "ndarray"]),
    "missing agent": (acts({"player_0": 0}), ValueError, ["missing ['player_1']"]),
    "no agents": (acts({}), ValueError, ["missing ['player_0', 'player_1']"]),
    "extra agent": (
        acts({"player_0": 0, "player_1": 0, "player_2": 0}),
        ValueError,
        ["unknown ['player_2']"],
    ),
    "wrong agent": (
        acts({"player_0": 0, "player_2": 0}),
        ValueError,
        ["missing ['player_1']", "unknown ['player_2']"],
    ),
    "agents by number": (
        acts({0: 0, 1: 0}),
        ValueError,
        ["missing ['player_0', 'player_1']", "unknown [0, 1]"],
    ),
    "a list of actions": (acts([0, 0]), TypeError, ["dict", "list"]),
    "an array of actions": (acts(np.array([0, 0])), TypeError, ["dict", "ndarray"]),
    "one number": (acts(3), TypeError, ["dict", "int"]),
    "no actions at all": (acts(None), TypeError, ["dict", "NoneType"]),
    "the first of two is bad": (
        acts(OrderedDict(player_0=7, player_1=0)),
        ValueError,
        ["player_0", "0 .. 3", "got 7"],
    ),
    # --------------------------------------------------------------------------------------- states
    "no state": (
        lambda env: env.set_state(None),
        ValueError,
        ["not a state", "game, seed, episode, t, board, over"],
    ),
    "half a state": (lambda env: env.set_state(env.get_state()[:3]), ValueError, ["not a state"]),
    "another dict": (lambda env: env.set_state({"x": 1}), ValueError, ["not a state"]),
    "another game's": (
        lambda env: env.set_state(playing("ipd").get_state()),
        ValueError,
        ["another game", "MatrixGame"],
    ),
    "other switches'": (
        lambda env: env.set_state(playing("coin_pola").get_state()),
        ValueError,
        ["another game"],
    ),
    "the other view's": (
        lambda env: env.set_state(playing("coin", api="aec").get_state()),
        ValueError,
        ["another game"],
    ),
    "a short board": (state(board=[0, 1, 2]), ValueError, ["4 columns"]),
    "a long board": (state(board=[0, 1, 2, 0, 0]), ValueError, ["4 columns"]),
    "off the board": (state(board=[9, 1, 2, 0]), ValueError, ["player_0", "0 .. 8"]),
    "a negative cell": (state(board=[0, -1, 2, 0]), ValueError, ["player_1", "0 .. 8"]),
    "half a cell": (state(board=[0, 1, 2.5, 0]), ValueError, ["coin", "0 .. 8"]),
    "nobody's coin": (state(board=[0, 1, 2, 2]), ValueError, ["owner", "0 .. 1"]),
    "a board of text": (state(board="0120"), TypeError, ["board"]),
    "no board": (state(board=None), TypeError, ["board"]),
    "a cell of None": (state(board=[0, None, 2, 0]), ValueError, ["player_1"]),
    "a negative seed": (state(seed=-1), ValueError, ["seed"]),
    "half a seed": (state(seed=0.5), TypeError, ["seed"]),
    "no seed": (state(seed=None), TypeError, ["seed"]),
    "before the reset": (state(t=-1), ValueError, ["t must be at least 0"]),
    "time as text": (state(t="3"), TypeError, ["t must be an integer"]),
    "half a step taken": (state(t=1.5), TypeError, ["t must be an integer"]),
    "a negative episode": (state(episode=-1), ValueError, ["episode"]),
    "over twice": (state(over=2), ValueError, ["over"]),
    # ------------------------------------------------------------------------------------- pictures
    "no render mode": (lambda env: env.render(), ValueError, ["render_mode=", "coin_game_v0"]),
}
