"""The switches of the Coin Game that came after the first version."""

import numpy as np
import pytest

import social_dilemmas_env as sde

PLAIN = sde.spec("coin_game_v0").game()
LEFT, RIGHT, UP, DOWN, STAY = range(5)


def at(board, **kwargs):
    env = sde.make_env("coin_game_v0", **kwargs)
    env.reset(seed=0)
    env.set_state(env.get_state()._replace(board=board))
    return env


def test_states_of_the_first_version_are_read():
    """The name that a state carries has not changed where no later switch is set."""
    assert repr(PLAIN) == (
        "CoinGame(height=3, width=3, num_agents=2, coins=1, ties='both', coin_color='alternate', "
        "coin_avoids_players=True, distinct_starts=False, moves='LRUD', view='ego', max_cycles=50)"
    )


def test_defaults_written_out_are_the_same_game():
    same = sde.spec("coin_game_v0").game(payoffs=(1, -2), stay=False, walls=False)
    assert (same, repr(same)) == (PLAIN, repr(PLAIN))


def test_states_of_other_switches_are_refused():
    env = sde.make_env("coin_game_v0", payoffs=(1, -1))
    env.reset(seed=0)
    state = env.get_state()
    with pytest.raises(ValueError, match="another game"):
        sde.make_env("coin_game_v0").set_state(state)


def test_payoffs():
    env = at([0, 8, 1, 1], payoffs=(0.5, -1.25))
    assert env.step({"player_0": RIGHT, "player_1": LEFT})[1] == {
        "player_0": 0.5,
        "player_1": -1.25,
    }


def test_a_third_is_a_third():
    rewards = sde.spec("coin_game_v0").game(payoffs=(1 / 3, -2 / 3)).reward_values
    assert rewards == (-2 / 3, -1 / 3, 0.0, 1 / 3)


def test_stay():
    env = at([0, 8, 1, 1], stay=True)
    env.step({"player_0": STAY, "player_1": STAY})
    assert env.get_state().board == [0, 8, 1, 1]


def test_whoever_stays_on_a_coin_takes_it():
    env = at([0, 8, 0, 0], stay=True, coin_avoids_players=False)
    assert env.step({"player_0": STAY, "player_1": LEFT})[1]["player_0"] == 1.0


def test_walls():
    """A corner, and the opposite one."""
    env = at([0, 8, 4, 1], walls=True)
    env.step({"player_0": LEFT, "player_1": DOWN})
    assert env.get_state().board[:2] == [0, 8]
    env.step({"player_0": RIGHT, "player_1": UP})
    assert env.get_state().board[:2] == [1, 5]


def test_an_owner_loses_to_each():
    env = at([0, 2, 4, 1, 0], num_agents=3, ties="each", coin_color="random")
    rewards = env.step({"player_0": RIGHT, "player_1": LEFT, "player_2": UP})[1]
    assert list(rewards.values()) == [1 - 4, 1, 1]


@pytest.mark.parametrize(("num_agents", "loss"), [(2, -2.0), (3, -1.5), (5, -1.25)])
def test_loss_of_reciprocators(num_agents, loss):
    env = sde.make_env("coin_game_v0", variant="reciprocator", num_agents=num_agents)
    env.reset(seed=0)
    far, coins = 8, [1 if i == 1 else 6 for i in range(num_agents)]
    players = [0] + [far] * (num_agents - 1)
    env.set_state(env.get_state()._replace(board=[*players, *coins]))
    moves = dict.fromkeys(env.agents, STAY) | {"player_0": 0}  # right
    assert env.step(moves)[1]["player_1"] == loss


def test_cooperators_beat_thieves_on_a_board_with_walls():
    """The scripted players find coins there: two thieves or two cooperators take some each step."""
    for name in ("always_cooperate", "always_defect"):
        venv = sde.make_vec_env("coin_game_v0", 256, walls=True, stay=True, seed=0)
        players = [
            sde.make_strategy(name, "coin_game_v0", player=i, walls=True, stay=True)
            for i in range(2)
        ]
        observations, taken = venv.reset(seed=0)[0], 0
        for player in players:
            player.reset(256, seed=0)
        for _ in range(49):
            moves = [p.act(observations[:, i]) for i, p in enumerate(players)]
            observations, rewards, *_ = venv.step(np.stack(moves, -1))
            taken += (rewards != 0).any(1).sum()
        assert taken > 256 * 49 / 6


@pytest.mark.parametrize("kwargs", [{"walls": True}, {"variant": "reciprocator", "grid_size": 2}])
def test_exact_games_honour_them(kwargs):
    """A random player's exact score against a thief is that of the rules, by 6 standard errors.

    A false alarm in fewer than one of 10^8 runs.
    """
    game = sde.exact_game("coin_game_v0", **kwargs)
    exact = game.finite(20).score([game.policy("random"), game.policy("always_defect")])
    venv = sde.make_vec_env("coin_game_v0", 2_000, seed=1, max_cycles=20, **kwargs)
    players = [
        sde.make_strategy(name, "coin_game_v0", player=i, **kwargs)
        for i, name in enumerate(("random", "always_defect"))
    ]
    observations, total = venv.reset(seed=1)[0], 0.0
    for player in players:
        player.reset(2_000, seed=2)
    for _ in range(20):
        moves = [p.act(observations[:, i]) for i, p in enumerate(players)]
        observations, rewards, *_ = venv.step(np.stack(moves, -1))
        total = total + rewards
    mean, error = total.mean(0) / 20, total.std(0) / 20 / np.sqrt(2_000)
    assert (np.abs(mean - exact) < 6 * error).all()


def test_walls_have_no_translations():
    assert len(sde.spec("coin_game_v0").game(walls=True).symmetries()) == 3


def test_pictures_are_drawn():
    pytest.importorskip("pygame")
    env = sde.make_env("coin_game_v0", walls=True, stay=True, render_mode="rgb_array")
    env.reset(seed=0)
    env.step(dict.fromkeys(env.agents, STAY))
    with_walls = env.render()
    assert (with_walls != picture_without()).any()


def picture_without():
    env = sde.make_env("coin_game_v0", stay=True, render_mode="rgb_array")
    env.reset(seed=0)
    env.step(dict.fromkeys(env.agents, STAY))
    return env.render()


@pytest.mark.parametrize(
    ("kwargs", "error", "words"),
    [
        ({"payoffs": (1,)}, ValueError, "pair"),
        ({"payoffs": (-1, -2)}, ValueError, "at least 0"),
        ({"payoffs": (1, 2)}, ValueError, "at most 0"),
        ({"payoffs": (1, float("nan"))}, ValueError, "finite"),
        ({"payoffs": ("a", 1)}, TypeError, "number"),
        ({"stay": 1}, TypeError, "stay"),
        ({"walls": "yes"}, TypeError, "walls"),
        ({"ties": "eech"}, ValueError, "did you mean"),
    ],
)
def test_bad_switches(kwargs, error, words):
    with pytest.raises(error, match=words):
        sde.make_env("coin_game_v0", **kwargs)
