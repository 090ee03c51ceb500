"""`state()` is the whole state: equal states mean equal observations of every player, by
enumeration of all boards; in every API, in the space that is announced."""

import numpy as np
import pytest
from gymnasium.error import ResetNeeded

import social_dilemmas_env as sde
from social_dilemmas_env.adapters.dict_vec_env import DictVecEnv
from social_dilemmas_env.engine.tables import num_states
from social_dilemmas_env.games.game import State, decode, is_possible
from tests.env.parity.batches import moves, numpy_of
from tests.helpers.games import COLUMN_GAMES, COMMONS, GAMES, Dice, make, rules, wide_game

MOST = 20_000  # boards that are enumerated; of larger games, so many at random


def boards(name):
    """All boards that can occur, [B, C], or some."""
    if name in COMMONS:
        return played_boards(name)
    game, count = rules(name), num_states(rules(name))
    if count <= MOST:
        codes = np.arange(count)
    else:
        codes = np.unique(np.random.default_rng(0).integers(count, size=MOST))
    columns = decode(codes, game.sizes)
    return np.stack(columns, -1)[np.broadcast_to(is_possible(game, columns), codes.shape)]


def played_boards(name):
    """Boards of random play, [B, C]: of commons few boards out of all numbers can occur."""
    env_id, arguments = GAMES[name]
    venv, found = sde.make_vec_env(env_id, 40, **arguments), []
    venv.reset(seed=0)
    for _ in range(8):
        found += venv.get_state().board
        venv.step(moves(venv, np.random.default_rng(1)))
    return np.array(found)


def batch_of(name, rows, **options):
    """A batch of games on these boards."""
    env_id, arguments = GAMES[name]
    venv = sde.make_vec_env(env_id, len(rows), **options, **arguments)
    zeros = [0] * len(rows)
    venv.set_state(State(repr(venv.game), zeros, zeros, zeros, rows.tolist(), zeros))
    return venv


def ambiguous(states, observations):
    """How many states go with two observations of all players."""
    seen = {}
    return sum(
        seen.setdefault(state.tobytes(), seen_now.tobytes()) != seen_now.tobytes()
        for state, seen_now in zip(states, observations, strict=True)
    )


@pytest.mark.parametrize(
    ("name", "obs_mode"),
    [
        *[(name, mode) for name in COLUMN_GAMES for mode in ("float32", "uint8", "state")],
        *[(name, mode) for name in COMMONS for mode in ("float32", "uint8")],
    ],
)
def test_it_determines_every_observation(name, obs_mode):
    venv = batch_of(name, boards(name), obs_mode=obs_mode)
    states = venv.state()
    assert ambiguous(states, venv.observe_now()) == 0
    space = venv.state_space
    for state in states[:: max(1, len(states) // 50)]:
        assert space.contains(state)


def test_player_0_of_three_does_not_see_all():
    """What state() was: the enumeration notices."""
    venv = batch_of("public_goods", boards("public_goods"))
    assert ambiguous(venv.observe_now()[:, 0], venv.observe_now()) == 8
    assert len(np.unique(venv.state(), axis=0)) == 17


@wide_game
def test_one_game_and_many_agree(name):
    env_id, arguments = GAMES[name]
    one, turns = make(name), make(name, api="aec")
    venvs = [
        sde.make_vec_env(env_id, 2, backend=backend, **arguments) for backend in ("numpy", "torch")
    ]
    dicts = DictVecEnv(env_id, 2, "numpy", **arguments)
    one.reset(seed=sde.draw(3, 1)), dicts.reset(3)
    for venv in venvs:
        venv.reset(seed=3)
    turns.reset(seed=sde.draw(3, 1))
    for _ in range(min(4, one.max_cycles) - 1):
        expected = one.state()
        assert one.state_space.contains(expected)
        assert expected.dtype == np.float32
        np.testing.assert_array_equal(turns.state(), expected, strict=True)
        np.testing.assert_array_equal(dicts.state()[1], expected, strict=True)
        assert dicts.state_space == one.state_space
        assert turns.unwrapped.state_space == one.state_space
        for venv in venvs:
            np.testing.assert_array_equal(numpy_of(venv.state())[1], expected, strict=True)
            assert venv.state_space == one.state_space
        actions = Dice(1).actions(one)
        rows = np.array([list(actions.values())] * 2)
        one.step(actions)
        dicts.step({a: rows[:, n] for n, a in enumerate(dicts.possible_agents)})
        for venv in venvs:
            venv.step(rows if venv.backend == "numpy" else venv.engine.xp.column(rows.tolist()))
        for action in actions.values():
            turns.step(action)


def test_before_the_first_reset():
    for env in (sde.make_env("ipd_v0"), sde.make_vec_env("ipd_v0", 2), DictVecEnv("ipd_v0", 2)):
        with pytest.raises(ResetNeeded, match=r"call reset\(\) before state\(\)"):
            env.state()
