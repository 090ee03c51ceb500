"""Whole stretches of the Coin Game by hand, what the players see of them, and where games start."""

import itertools

import numpy as np
import pytest

import social_dilemmas_env as sde

RED, BLUE = 0, 1


def picture(text):
    """A plane drawn as rows of `.` and `#`."""
    return np.array([[mark == "#" for mark in row] for row in text.split()], np.float32)


def place(env, *board):
    env.set_state(env.get_state()._replace(board=list(board)))


def move(env, letters):
    order = env.game.moves
    return env.step(dict(zip(env.possible_agents, map(order.index, letters), strict=True)))


def begin(**arguments):
    env = sde.make_env("coin_game_v0", **arguments)
    env.reset(seed=11)
    return env


# A history: after each joint move, the rewards and the players' cells; and the cell that the coin
# is then put on (by the test: chance has chosen some legal one) where it was picked up.  Cells of a
# 3x3 board are numbered 0 1 2 / 3 4 5 / 6 7 8.


def replay(env, board, history):
    place(env, *board)
    n = env.game.num_agents
    for t, (letters, rewards, players, owner, coin) in enumerate(history, 1):
        before = env.get_state().board
        assert list(move(env, letters)[1].values()) == rewards, t
        after = env.get_state().board
        assert after[:n] == players and after[-1] == owner, t
        if coin is None:
            assert after[n] == before[n], t
        else:
            assert after[n] not in players, t
            place(env, *players, coin, owner)


def test_two_players_of_loqa():
    replay(
        begin(),
        [0, 8, 1, RED],
        [
            ("RU", [1, 0], [1, 5], BLUE, 3),  # red takes its own coin
            ("DL", [0, 0], [4, 4], BLUE, None),
            ("LL", [1, -1], [3, 3], RED, 2),  # together onto blue's coin
            ("UR", [0, 0], [0, 4], RED, None),
            ("LU", [1, 0], [2, 1], BLUE, 8),  # red around the left edge
            ("DL", [0, 0], [5, 0], BLUE, None),
            ("DL", [1, -2], [8, 2], RED, 4),  # red steals, blue wraps
        ],
    )


def test_two_players_of_lola():
    replay(
        begin(variant="lola"),
        [0, 2, 1, BLUE],
        [
            ("RL", [1, -2], [1, 1], RED, 7),  # both arrive, red gets it
            ("UU", [1, 0], [7, 7], BLUE, 4),  # and again, across the edge
            ("DU", [0, 1], [1, 4], RED, 0),
            ("LL", [1, 0], [0, 3], BLUE, 8),
        ],
    )


def test_three_players_and_the_circle_of_colours():
    replay(
        begin(num_agents=3),
        [0, 2, 4, 1, 2],
        [
            ("RLU", [1, 1, -1], [1, 1, 1], 0, 3),  # all on player 2's coin: it loses 2 once
            ("LDD", [0, 0, 0], [0, 4, 4], 0, None),
            ("RLL", [-2, 1, 1], [1, 3, 3], 1, 5),  # two thieves, one loss
            ("DLU", [0, 1, 0], [4, 5, 0], 2, 6),  # player 1 around the left edge, its own coin
            ("UDU", [0, 0, 1], [1, 8, 6], 0, 2),  # player 2 across the upper edge, its own
        ],
    )


def test_a_coin_each_comes_back_in_its_own_colour():
    env = begin(variant="mfos", max_cycles=15)
    place(env, 0, 8, 1, 7)  # players, red's coin, blue's coin
    assert list(move(env, "RL")[1].values()) == [1, 1]
    place(env, 1, 7, 4, 1)
    assert list(move(env, "DU")[1].values()) == [
        -1,
        1,
    ]  # both onto 4, red's coin; blue's stays on 1
    assert env.get_state().board[:2] == [4, 4]
    assert env.get_state().board[3] == 1
    place(env, 4, 4, 3, 5)
    assert list(move(env, "RL")[1].values()) == [-1, -1]  # a theft each
    state = env.get_state()
    assert state.t == 3
    assert state.board[:2] == [5, 3]


# --------------------------------------------------------------------------------- what players see


def test_the_egocentric_view():
    env = begin()
    place(env, 0, 5, 7, RED)
    env.step({"player_0": 1, "player_1": 2})  # right, up
    planes = env.observations()
    mine, other, coin, none = (
        picture(".#. ... ..."),
        picture("..# ... ..."),
        picture("... ... .#."),
        picture("... ... ..."),
    )
    np.testing.assert_array_equal(planes["player_0"], [mine, other, coin, none])
    np.testing.assert_array_equal(planes["player_1"], [other, mine, none, coin])


def test_the_joint_view():
    env = begin(view="joint")
    place(env, 1, 2, 7, BLUE)
    red, blue, none, coin = (
        picture(".#. ... ..."),
        picture("..# ... ..."),
        picture("... ... ..."),
        picture("... ... .#."),
    )
    for planes in env.observations().values():
        np.testing.assert_array_equal(planes, [red, blue, none, coin])


def test_the_view_of_three_players_turns():
    env = begin(num_agents=3)
    place(env, 0, 1, 2, 8, 1)  # the coin is player 1's
    a, b, c = picture("#.. ... ..."), picture(".#. ... ..."), picture("..# ... ...")
    coin, none = picture("... ... ..#"), picture("... ... ...")
    planes = env.observations()
    np.testing.assert_array_equal(
        planes["player_0"], [a, b, c, none, coin, none]
    )  # the next player's coin
    np.testing.assert_array_equal(planes["player_1"], [b, c, a, coin, none, none])  # mine
    np.testing.assert_array_equal(
        planes["player_2"], [c, a, b, none, none, coin]
    )  # the one after the next's


def test_the_view_with_a_coin_each():
    env = begin(variant="mfos")
    place(env, 0, 1, 7, 8)
    me, you, my_coin, your_coin = (
        picture(p) for p in ("#.. ... ...", ".#. ... ...", "... ... .#.", "... ... ..#")
    )
    planes = env.observations()
    np.testing.assert_array_equal(planes["player_0"], [me, you, my_coin, your_coin])
    np.testing.assert_array_equal(planes["player_1"], [you, me, your_coin, my_coin])


def test_a_wide_board_is_seen_row_by_row():
    env = begin(grid_size=(2, 4))
    place(env, 4, 3, 6, RED)
    planes = env.observations()["player_0"]
    assert planes.shape == (4, 2, 4)
    np.testing.assert_array_equal(
        planes[:3], [picture(".... #..."), picture("...# ...."), picture(".... ..#.")]
    )


def test_state_is_what_player_0_sees():
    env = begin()
    np.testing.assert_array_equal(env.state(), env.observations()["player_0"])


# ------------------------------------------------------------------------------------------- starts


def starts(seeds=400, **arguments):
    env = sde.make_env("coin_game_v0", **arguments)
    boards = []
    for seed in range(seeds):
        env.reset(seed=seed)
        boards.append(env.get_state().board)
    return np.array(boards)


@pytest.mark.parametrize("variant", ["lola"])
def test_distinct_starts(variant):
    boards = starts(variant=variant)
    assert (boards[:, 0] != boards[:, 1]).all()
    assert len(set(map(tuple, boards[:, :2]))) == 72  # all ordered pairs of different cells occur


@pytest.mark.parametrize("variant", ["loqa", "pola", "mfos"])
def test_starts_that_may_coincide(variant):
    assert (starts(variant=variant)[:, 0] == starts(variant=variant)[:, 1]).any()


@pytest.mark.parametrize(
    "arguments", [{}, {"variant": "pola"}, {"variant": "lola"}, {"num_agents": 3}, {"grid_size": 2}]
)
def test_the_first_coin_avoids_players_and_has_any_colour(arguments):
    boards = starts(**arguments)
    n = arguments.get("num_agents", 2)
    assert all(coin not in players for *players, coin, _ in boards.tolist())
    assert set(boards[:, -1]) == set(
        range(n)
    )  # LOQA's authors draw only from the first two of three: not copied


def test_coins_of_mfos_fall_anywhere():
    """Under players and onto each other, as in the authors' code."""
    boards = starts(variant="mfos").tolist()
    assert any(red in (a, b) for a, b, red, _ in boards)
    assert any(red == blue for _, _, red, blue in boards)


def test_the_last_free_cell():
    """Three players on three of four cells: the coin has one place to go."""
    env = begin(num_agents=3, grid_size=2)
    for players in itertools.permutations(range(4), 3):
        for letters in itertools.product("LRUD", repeat=3):
            free = 6 - sum(players)
            place(env, *players, free, 0)
            move(env, letters)
            *cells, coin, owner = env.get_state().board
            if free in cells:
                assert coin not in cells
                assert owner == 1
                if len(set(cells)) == 3:
                    assert coin == 6 - sum(cells)
            else:
                assert coin == free
                assert owner == 0
            env.reset()
