"""The least and the most that arguments may be, and which boards can be: by hand, on both sides."""

import itertools

import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.games import matrix
from social_dilemmas_env.games.coin import coin_game
from social_dilemmas_env.games.escape_room import DOOR, LEVER, START, escape_room
from social_dilemmas_env.games.govsim_commons import govsim_commons
from social_dilemmas_env.games.public_goods import MAX_AGENTS, public_goods


def test_joint_actions_are_at_most_65536():
    payoffs = np.zeros((256, 256, 2))
    assert sde.make_env("matrix_game_v0", payoffs=payoffs).action_space("player_0").n == 256
    with pytest.raises(ValueError, match="between 1 and 65536 joint actions"):
        sde.make_env("matrix_game_v0", payoffs=np.zeros((256, 257, 2)))
    assert matrix.MAX_JOINT_ACTIONS == 65_536


def test_one_player_is_a_game():
    env = sde.make_env("matrix_game_v0", payoffs=[[1.0], [3.0]])
    env.reset(seed=0)
    assert env.step({"player_0": 1})[1] == {"player_0": 3.0}
    with pytest.raises(ValueError, match="payoffs must have shape"):
        sde.make_env("matrix_game_v0", payoffs=[1.0, 3.0])


def test_who_sees_what_of_two_players():
    """Own action first, or with `view="joint"` player 0's."""
    for view, expected in (("ego", 3), ("joint", 2)):
        env = sde.make_env("ipd_v0", view=view)
        env.reset(seed=0)
        seen, *_ = env.step({"player_0": 0, "player_1": 1})  # C, D
        assert seen["player_0"].tolist().index(1) == 2
        assert seen["player_1"].tolist().index(1) == expected


def test_public_goods_have_up_to_so_many_players():
    assert public_goods(num_agents=MAX_AGENTS).num_actions == (2,) * MAX_AGENTS
    with pytest.raises(ValueError, match=f"at most {MAX_AGENTS}"):
        public_goods(num_agents=MAX_AGENTS + 1)
    assert public_goods(num_agents=3).action_names == (("cooperate", "defect"),) * 3


@pytest.mark.parametrize("num_agents", [2, 3])
def test_boards_of_public_goods(num_agents):
    """Codes 0 not moved, 1 gave, 2 kept: all have moved or nobody; own action, idle others."""
    game = public_goods(num_agents=num_agents)
    for board in itertools.product(range(3), repeat=num_agents):
        assert game.is_possible(board) == (board.count(0) in (0, num_agents))
        if 0 not in board:
            others = board[1:].count(2)
            first = 1 if board[0] == 1 else 1 + num_agents
            assert game.view_of(board, 0) == (first + others,)
    assert game.view_of((0,) * num_agents, 0) == (0,)
    assert game.player_0_sees_all == (num_agents == 2)


def test_rewards_of_public_goods():
    """Who keeps gets a share more than who gives: factor c / n, less 1."""
    game = public_goods(num_agents=3, factor=1.5)
    for actions in itertools.product(range(2), repeat=3):
        _, codes = game.act((0, 0, 0), actions)
        share = 1.5 * actions.count(0) / 3
        paid = [game.reward_values[code] for code in codes]
        assert paid == pytest.approx([share - (action == 0) for action in actions])


def test_the_escape_room():
    assert sde.make_env("escape_room_v0").unwrapped.max_cycles == 5
    assert escape_room(reward=1).reward_values == (-1.0, 0.0, 1.0)
    with pytest.raises(ValueError, match="reward"):
        escape_room(reward=0)

    # Somebody has left exactly where one pulls and the other is at the door.
    game = escape_room()
    for places in itertools.product((START, LEVER, DOOR), repeat=2):
        left = LEVER in places and DOOR in places
        assert [bool(game.is_possible((*places, over))) for over in (0, 1)] == [not left, left]


def test_the_escape_room_stands_still_when_it_is_over():
    game = escape_room()
    board, codes = game.act((START, START, 0), (LEVER, DOOR))
    assert board == (LEVER, DOOR, 1)
    assert [game.reward_values[code] for code in codes] == [-1, 10]
    assert game.act(board, (START, LEVER)) == (board, [1, 1])


def test_the_pool():
    """Least capacity, least threshold; catches are shown as one more than they are."""
    assert govsim_commons(num_agents=3, capacity=6, max_catch=2).capacity == 6
    with pytest.raises(ValueError, match="capacity"):
        govsim_commons(num_agents=3, capacity=5, max_catch=2)
    assert govsim_commons(collapse=1).collapse == 1
    with pytest.raises(ValueError, match="collapse"):
        govsim_commons(collapse=0)

    game = govsim_commons(num_agents=2, capacity=20, max_catch=5)
    assert game.act((20, 0, 0), (3, 1)) == ((20, 4, 2), [3, 1])
    assert game.act((20, 0, 0), (0, 0)) == ((20, 1, 1), [0, 0])
    assert game.act((8, 1, 1), (3, 1)) == ((8, 4, 2), [3, 1])
    assert game.features((8, 4, 2)) == [8, 21 + 4, 21 + 7 + 2]


@pytest.mark.parametrize("arguments", [{}, {"num_agents": 3}, {"coins": 2}, {"variant": "mfos"}])
def test_no_two_choices_of_a_start_share_a_word(arguments):
    """Places of players, then cells and owners of coins: each has a stream of its own."""
    game, used = coin_game(**arguments), []

    def draw(stream, n):
        used.append(stream)
        return n * 0

    game.chance(game.start(draw), draw)
    assert len(used) > game.num_agents
    assert len(set(used)) == len(used)
    assert set(used) <= set(range(game.streams))
