"""Promise 3: a state, a copy or a pickle of a running batch continues the same games, on any
route."""

import copy
import json
import pickle

import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env import State
from tests.env.parity.batches import (
    ROUTES,
    any_route,
    batch,
    moves,
    reset,
    same,
    step,
)
from tests.helpers.games import GAMES

games = pytest.mark.parametrize(
    "name", ["coin", "coin_mfos", "coin_3p", "ipd_noise", "public_goods"]
)


@games
@pytest.mark.parametrize("autoreset", ["same_step", "next_step"])
def test_a_state_moves_between_all_routes(name, autoreset):
    """In step and out of step, through JSON, at every step."""
    venvs = [batch(name, 4, route, autoreset=autoreset, max_cycles=5) for route in ROUTES]
    rng = np.random.default_rng(0)
    reset(venvs[0], seed=3)
    for t in range(24):
        source = venvs[t % len(venvs)]
        if t == 13:
            reset(source, options={"reset_mask": np.array([True, False, True, False])})
        state = source.get_state()
        assert state == json_round_trip(state)
        assert isinstance(state, State)
        for venv in venvs:
            venv.set_state(list(state) if t % 2 else json.loads(json.dumps(state._asdict())))
            assert venv.get_state() == state
        actions = moves(source, rng)
        results = [step(venv, actions) for venv in venvs]
        for result in results[1:]:
            same(results[0], result)


def json_round_trip(state):
    return State(*json.loads(json.dumps(state)))


@any_route
@games
def test_a_single_game_is_one_element(name, route):
    venv, single = batch(name, 3, route, max_cycles=6), make_with(name, max_cycles=6)
    reset(venv, seed=1)
    for _ in range(4):
        step(venv, np.zeros((3, venv.num_agents), int))
    state = venv.get_state()
    single.set_state(State(state.game, *(part[2] for part in state[1:])))
    assert tuple(single.get_state()) == (state.game, *(part[2] for part in state[1:]))
    observations, rewards, *_ = step(venv, np.ones((3, venv.num_agents), int))
    expected = single.step(dict.fromkeys(venv.possible_agents, 1))
    for n, agent in enumerate(venv.possible_agents):
        np.testing.assert_array_equal(observations[2, n], expected[0][agent])
        assert rewards[2, n] == np.float32(expected[1][agent])
    back = batch(name, 1, route, max_cycles=6)
    back.set_state([x if i == 0 else [x] for i, x in enumerate(single.get_state())])
    assert [part[0] for part in back.get_state()[1:]] == list(single.get_state()[1:])


def make_with(name, **more):
    env_id, arguments = GAMES[name]
    return sde.make_env(env_id, **{**arguments, **more})


@any_route
@games
@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))], ids=["deepcopy", "pickle"]
)
def test_copies_continue(name, route, copied):
    venv, rng = batch(name, 4, route, max_cycles=5), np.random.default_rng(0)
    reset(venv, seed=3)
    for t in range(12):
        twin, other = copied(venv), copied(venv)
        actions = moves(venv, rng)
        step(other, moves(venv, np.random.default_rng(99)))  # a copy that goes another way
        result = step(venv, actions)
        same(result, step(twin, actions))
        assert twin.get_state() == venv.get_state()
        if t == 6:
            venv = twin
            reset(venv, options={"reset_mask": np.array([True, False, True, False])})


def test_pickles_are_small():
    venv = batch("coin", 8)
    venv.reset(seed=0)
    assert len(pickle.dumps(venv)) < 4000


def bad(**changes):
    def change(state):
        return state._replace(**changes)

    return change


BAD_STATES = {
    "another game": (bad(game="CoinGame(height=4)"), ValueError, "another game"),
    "another batch size": (
        lambda s: State(s.game, *(part[:2] for part in s[1:])),
        ValueError,
        "each of 3 games",
    ),
    "fewer boards": (lambda s: s._replace(board=s.board[:2]), ValueError, "3 boards of 4 columns"),
    "short board": (
        lambda s: s._replace(board=[row[:3] for row in s.board]),
        ValueError,
        "3 boards of 4 columns",
    ),
    "ragged board": (lambda s: s._replace(board=[[1], [1, 2], [1, 2, 3]]), ValueError, "3 boards"),
    "cell off the board": (
        bad(board=[[9, 0, 1, 0]] * 3),
        ValueError,
        "player_0 must hold integers in 0 .. 8",
    ),
    "negative cell": (bad(board=[[0, -1, 1, 0]] * 3), ValueError, "player_1"),
    "fractional cell": (bad(board=[[0.5, 1, 1, 0]] * 3), ValueError, "player_0"),
    "no board": (bad(board=None), ValueError, "3 boards"),
    "negative seed": (bad(seed=[1, -1, 1]), ValueError, "seed"),
    "large seed": (bad(seed=[1, 2**63, 1]), ValueError, "seed"),
    "huge seed": (bad(seed=[1, 2**70, 1]), ValueError, "seed"),
    "fractional seed": (bad(seed=[1, 0.5, 1]), TypeError, "seed"),
    "one seed": (bad(seed=5), ValueError, "seed"),
    "late": (bad(t=[51, 0, 0]), ValueError, "t must lie in 0 .. 50"),
    "negative t": (bad(t=[-1, 0, 0]), ValueError, "t must"),
    "over twice": (bad(over=[2, 0, 0]), ValueError, "over"),
    "negative episode": (bad(episode=[0, -2, 0]), ValueError, "episode"),
    "nothing": (lambda s: None, ValueError, "not a state"),
    "three fields": (lambda s: list(s)[:3], ValueError, "not a state"),
    "a wrong field": (lambda s: {**s._asdict(), "clock": 1}, ValueError, "not a state"),
}


@any_route
@pytest.mark.parametrize("case", BAD_STATES)
def test_bad_states(case, route):
    change, error, message = BAD_STATES[case]
    venv = batch("coin", 3, route)
    reset(venv, seed=0)
    step(venv, np.ones((3, 2), int))
    before = venv.get_state()
    with pytest.raises(error, match=message):
        venv.set_state(change(before))
    assert venv.get_state() == before


@any_route
def test_states_of_games_that_are_over(route):
    """A state from the end of an episode continues as it would have: the next step resets, or asks
    for a reset."""
    ended = batch("coin", 3, autoreset="next_step", max_cycles=2)
    reset(ended, seed=0)
    for _ in range(2):
        step(ended, np.zeros((3, 2), int))
    state = ended.get_state()
    assert state.over == [1, 1, 1]
    assert state.t == [2, 2, 2]
    for over in ([1, 1, 1], [0, 1, 0]):
        t = [2 if o else 1 for o in over]
        for autoreset in ("same_step", "disabled"):
            venv = batch("coin", 3, route, autoreset=autoreset, max_cycles=2, validate=True)
            venv.set_state(state._replace(over=over, t=t))
            with pytest.raises(Exception, match="reset"):
                step(venv, np.zeros((3, 2), int))
            reset(venv)
            step(venv, np.zeros((3, 2), int))
        venv = batch("coin", 3, route, autoreset="next_step", max_cycles=2)
        venv.set_state(state._replace(over=over, t=t))
        assert step(venv, np.zeros((3, 2), int))[3][:, 0].tolist() == [not o for o in over]


def test_no_state_before_the_first_reset():
    with pytest.raises(Exception, match="reset"):
        batch("coin", 3).get_state()
    venv, other = batch("coin", 3), batch("coin", 3)
    reset(other, seed=0)
    venv.set_state(other.get_state())  # as good as a reset
    same(step(venv, np.zeros((3, 2), int)), step(other, np.zeros((3, 2), int)))
