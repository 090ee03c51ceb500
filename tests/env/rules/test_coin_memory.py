"""The Coin Game's memory in observations: hand-written histories, and the exact games' automata."""

import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.games.coin_memory import NOTHING, OTHERS, OWN
from tests.helpers.games import Dice

# Player 0 at cell 0, player 1 at cell 8 of a 3x3 board, a coin on cell 1: LRUD.
LEFT, RIGHT, UP, DOWN = range(4)


def begun(owner, coin=1, **kwargs):
    """A game at a board of our choice, nothing remembered."""
    env = sde.make_env("coin_game_v0", memory="last_pickup", **kwargs)
    env.reset(seed=0)
    state = env.get_state()
    env.set_state(state._replace(board=[0, 8, coin, owner, 0, 0, 0, 0]))
    return env


def remembered(env):
    return env.get_state().board[4:]


def test_own_coin():
    env = begun(owner=0)
    env.step({"player_0": RIGHT, "player_1": LEFT})
    assert remembered(env) == [OWN, NOTHING, 0, 0]


def test_theft_hurts_its_owner():
    env = begun(owner=1)
    env.step({"player_0": RIGHT, "player_1": LEFT})
    assert remembered(env) == [OTHERS, NOTHING, 0, 1]


def test_both_on_one_coin():
    """Cell 2 is left of 0 and below 8; the owner gets +1 - 2."""
    env = begun(owner=0, coin=2)
    _, rewards, *_ = env.step({"player_0": LEFT, "player_1": DOWN})
    assert (remembered(env), rewards) == (
        [OWN, OTHERS, 1, 0],
        {"player_0": -1.0, "player_1": 1.0},
    )


def test_a_gain_heals():
    env = begun(owner=0)
    env.set_state(env.get_state()._replace(board=[0, 8, 1, 0, OTHERS, OTHERS, 1, 1]))
    env.step({"player_0": RIGHT, "player_1": LEFT})
    assert remembered(env) == [OWN, OTHERS, 0, 1]


def test_own_coin_and_anothers_at_once():
    """Both coins on cell 1: who takes the other's is a thief, whatever else it takes."""
    env = sde.make_env("coin_game_v0", memory="pickups", coins=2)
    env.reset(seed=0)
    env.set_state(env.get_state()._replace(board=[0, 8, 1, 1, 0, 0]))
    env.step({"player_0": RIGHT, "player_1": LEFT})
    assert remembered(env) == [OTHERS, NOTHING]


def test_memory_stays_until_the_next_pickup():
    env = begun(owner=1)
    memory = [OTHERS, OWN, 0, 1]
    env.set_state(env.get_state()._replace(board=[1, 7, 5, 0, *memory]))
    env.step({"player_0": LEFT, "player_1": DOWN})
    assert remembered(env) == memory


@pytest.mark.parametrize("memory", ["pickups", "last_pickup"])
@pytest.mark.parametrize("view", ["ego", "joint"])
def test_planes_hold_the_number(memory, view):
    """In the order of the view: each plane's single 1 stands on the cell that is the number."""
    env = sde.make_env("coin_game_v0", memory=memory, view=view)
    observations, dice = env.reset(seed=5)[0], Dice(1)
    for _ in range(40):
        observations = env.step(dice.actions(env))[0]
        columns = np.array(remembered(env)).reshape(-1, 2)
        for player, agent in enumerate(env.agents):
            seen = observations[agent][4:].reshape(-1, 9)
            shift = player if view == "ego" else 0
            expected = np.roll(columns, -shift, 1).reshape(-1)
            assert (seen.sum(1) == 1).all()
            assert seen.argmax(1).tolist() == expected.tolist()


def test_the_game_is_the_same():
    """Whatever is observed, boards, rewards and truncation are those of the plain game."""
    plain = sde.make_vec_env("coin_game_v0", 64, seed=3)
    shown = sde.make_vec_env("coin_game_v0", 64, seed=3, memory="pickups")
    first, second = plain.reset(seed=3)[0], shown.reset(seed=3)[0]
    rng = np.random.default_rng(0)
    for _ in range(120):
        assert (first == second[:, :, :4]).all()
        actions = rng.integers(0, 4, (64, 2))
        first, *rest = plain.step(actions)
        second, *same = shown.step(actions)
        assert all((a == b).all() for a, b in zip(rest[:3], same[:3], strict=True))


def test_memory_is_forgotten_at_the_start_of_an_episode():
    env = sde.make_env("coin_game_v0", memory="last_pickup")
    env.reset(seed=1)
    dice = Dice(2)
    while env.agents:
        env.step(dice.actions(env))
    env.reset()
    assert remembered(env) == [0, 0, 0, 0]


def test_strategies_play_with_any_view():
    """They read the board and not the memory."""
    scores = []
    for memory in (None, "last_pickup"):
        venv = sde.make_vec_env("coin_game_v0", 32, seed=0, memory=memory)
        players = [
            sde.make_strategy(name, "coin_game_v0", player=i, memory=memory)
            for i, name in enumerate(("tit_for_tat", "always_defect"))
        ]
        observations = venv.reset(seed=0)[0]
        for player in players:
            player.reset(32, seed=0)
        total = np.zeros(2)
        for _ in range(49):
            moves = [p.act(observations[:, i]) for i, p in enumerate(players)]
            observations, rewards, *_ = venv.step(np.stack(moves, -1))
            total += rewards.sum(0)
        scores.append(total.tolist())
    assert scores[0] == scores[1]


def test_unknown_memory():
    with pytest.raises(ValueError, match="did you mean 'last_pickup'"):
        sde.make_env("coin_game_v0", memory="lastpickup")


def test_a_game_without_coins_has_none():
    with pytest.raises(TypeError, match="unexpected keyword argument 'memory'"):
        sde.make_env("ipd_v0", memory="last_pickup")
