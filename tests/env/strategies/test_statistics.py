"""Metrics on trajectories small enough to count by hand."""

import numpy as np
import pytest

from social_dilemmas_env import metrics as st
from social_dilemmas_env.strategies import make_strategy
from tests.env.strategies.versus import drawing, game_of, random_movers, simulate

NAN = float("nan")


def moves(*rows):
    """[T, B, 2] from one string a game, pairs of C and D separated by spaces."""
    games = [[["CD".index(move) for move in pair] for pair in row.split()] for row in rows]
    return np.array(games).swapaxes(0, 1)


def test_cooperation_rate():
    actions = moves("CC CD DD CD", "CC CC CC CC")
    np.testing.assert_array_equal(st.cooperation_rate(actions), [7 / 8, 5 / 8])
    np.testing.assert_array_equal(st.cooperation_rate(actions, cooperate=1), [1 / 8, 3 / 8])
    np.testing.assert_array_equal(
        st.cooperation_rate(actions[:, 0]), [3 / 4, 1 / 4]
    )  # one game, [T, N]


def test_conditional_cooperation_counts_by_the_last_joint_action():
    actions = moves("CC CD DD CD CC")
    # player 0: start C; after CC C; after CD D, C; after DD C.  player 1: start C; after CC D;
    # after DC D, C; after DD D.
    np.testing.assert_array_equal(
        st.conditional_cooperation(actions), [[1, 1, 0.5, NAN, 1], [1, 0, NAN, 0.5, 0]]
    )


def test_conditional_cooperation_pools_games_and_heeds_episodes():
    actions = moves("CC CC DD", "DC CC CC")
    pooled = st.conditional_cooperation(actions)
    np.testing.assert_array_equal(pooled, [[0.5, 2 / 3, NAN, 1, NAN], [1, 2 / 3, 1, NAN, NAN]])
    first = np.array(
        [[False, False], [False, False], [True, False]]
    )  # game 0's last move opens a new episode
    np.testing.assert_array_equal(
        st.conditional_cooperation(actions, first),
        [[1 / 3, 1, NAN, 1, NAN], [2 / 3, 1, 1, NAN, NAN]],
    )
    assert not first[0].any()  # the caller's array is left alone


@pytest.mark.parametrize(
    ("name", "expected"),
    [("tit_for_tat", [1, 1, 0, 1, 0]), ("pavlov", [1, 1, 0, 0, 1]), ("grim", [1, 1, 0, NAN, 0])],
)
def test_conditional_cooperation_recovers_a_strategy(name, expected):
    player, opponent = make_strategy(name, "ipd_v0"), make_strategy("random", "ipd_v0", player=1)
    position, actions = np.zeros(200, int), []
    for _ in range(20):
        own, other = player.act(np.eye(5)[position]), opponent.act(np.eye(5)[position])
        actions.append(np.stack([own, other], -1))
        position = 1 + 2 * own + other
    measured = st.conditional_cooperation(np.stack(actions))[0]
    known = ~np.isnan(expected)
    np.testing.assert_array_equal(measured[known], np.array(expected)[known])
    if name == "grim":
        assert measured[3] == 0  # it got to DC only by having been betrayed before


def test_rewards():
    rewards = np.array([[[1, 0], [-2, 1]], [[0, 0], [1, 1]]], np.float32)  # [T, B, N]
    np.testing.assert_array_equal(st.mean_reward(rewards), [0, 0.5])
    np.testing.assert_array_equal(st.mean_reward(rewards[:, 0]), [0.5, 0])
    np.testing.assert_array_equal(st.discounted_return(rewards, 0.5), [[1, 0], [-1.5, 1.5]])
    np.testing.assert_array_equal(st.discounted_return([1, 1, 1, 1], 0.5), 1.875)
    np.testing.assert_array_equal(st.discounted_return([1, 1, 1], 0), 1)  # 0 ** 0 = 1
    np.testing.assert_array_equal(st.discounted_return([1, 1, 1], 1), 3)
    assert st.discounted_return(np.ones(2000), 0.96, normalised=True) == pytest.approx(1)


def test_many_small_float32_rewards_are_added_in_double_precision():
    rewards = np.full((1 << 20, 1), 0.1, np.float32)
    assert st.mean_reward(rewards)[0] == pytest.approx(float(np.float32(0.1)), rel=1e-12)


# Coins
# --------------------------------------------------------------------------------------------------

STORY = [
    "R r . / . . . / . B .",  # red next to its coin
    ". R b / . . . / . . B",  # red took red's
    ". . R / . r . / . . B",  # red took blue's
    ". . . / . RB . / . . b",  # both took red's
    ". . . / . . R / . . B",  # both went; the next board says that blue took blue's
    "r . . / . . R / . . B",
]


def film(boards, **arguments):
    game = game_of("coin_game_v0", arguments)
    return game, np.stack([drawing(board, game.num_agents, game.view) for board in boards])


def test_pickups_from_observations():
    game, seen = film(STORY[:4])
    pickups = st.coin_pickups(game, seen)
    assert pickups.own[:, 0].tolist() == [[1, 0], [0, 0], [1, 0]]
    assert pickups.other[:, 0].tolist() == [[0, 0], [1, 0], [0, 1]]
    np.testing.assert_array_equal(st.own_coin_rate(pickups), [2 / 3, 0])
    np.testing.assert_array_equal(st.adversarial_fraction(pickups), [1 / 3, 1])


def test_pickups_depend_on_who_gets_a_shared_coin():
    game, seen = film(STORY[2:4], ties="red")
    pickups = st.coin_pickups(game, seen)
    assert (pickups.own.tolist(), pickups.other.tolist()) == ([[[1, 0]]], [[[0, 0]]])


def test_pickups_skip_automatic_resets():
    game, seen = film(STORY[:4])
    first = np.array([[True], [False], [True], [False]])
    pickups = st.coin_pickups(game, seen, first=first)
    assert pickups.own[:, 0].tolist() == [[1, 0], [0, 0], [1, 0]]
    assert pickups.other[:, 0].tolist() == [[0, 0], [0, 0], [0, 1]]


def test_no_pickups_no_rate():
    game, seen = film([STORY[0], "R r . / . . . / B . ."])
    pickups = st.coin_pickups(game, seen)
    assert np.isnan(st.own_coin_rate(pickups)).all()
    assert np.isnan(st.adversarial_fraction(pickups)).all()


def test_two_coins_at_once_count_as_two_coins_and_one_step():
    game, seen = film(["R rb . / . . . / . B .", ". R . / r . . / b . B"], variant="mfos")
    pickups = st.coin_pickups(game, seen)
    assert pickups.own[0, 0].tolist() == [1, 0]
    assert pickups.other[0, 0].tolist() == [1, 0]
    assert st.own_coin_rate(pickups)[0] == 0.5
    assert st.adversarial_fraction(pickups)[0] == 1


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"variant": "lola", "grid_size": (3, 4)},
        {"variant": "mfos"},
        {"num_agents": 3, "ties": "split", "view": "joint"},
        {"variant": "mfos", "num_agents": 3, "ties": "red"},
    ],
    ids=str,
)
def test_boards_and_every_view_tell_the_same_and_rewards_follow(arguments):
    """Pick-ups inferred from boards or any player's observations give back the rewards of the
    rules, step by step."""
    game, games = game_of("coin_game_v0", arguments), 100
    movers = random_movers("coin_game_v0", arguments)
    history = list(simulate(game, movers, games, 30, seed=4))
    boards = np.stack([np.stack(board, -1) for board, _, _ in history])
    rewards = np.stack([np.stack(rewards, -1) for _, rewards, _ in history])[1:]
    pickups = st.coin_pickups(game, boards)
    for player in range(game.num_agents):
        seen = np.stack([views[player] for _, _, views in history])
        for ours, theirs in zip(pickups, st.coin_pickups(game, seen, player=player), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert pickups.own.sum() > 100
    assert pickups.other.sum() > 100
    own, other = pickups
    if game.num_agents == 2 and game.ties == "both":  # a coin that I lose, the other takes
        np.testing.assert_array_equal(rewards, own + other - 2 * other[..., ::-1])
    if game.ties == "red":  # nobody takes a coin together with another
        np.testing.assert_array_equal(rewards.sum(-1), own.sum(-1) - other.sum(-1))
    if game.coins == 1:
        np.testing.assert_array_equal((rewards != 0).any(-1), (own + other > 0).any(-1))
    else:
        assert (own + other).max() == game.coins  # several coins on one cell


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda g: st.conditional_cooperation(np.zeros((3, 2))), r"\[T, B, 2\], got \(3, 2\)"),
        (lambda g: st.conditional_cooperation(np.zeros((3, 2, 3), int)), r"\[T, B, 2\]"),
        (
            lambda g: st.conditional_cooperation(np.zeros((3, 2, 2), int), np.zeros((3, 2))),
            "first must be bool",
        ),
        (
            lambda g: st.conditional_cooperation(np.zeros((3, 2, 2), int), np.zeros(3, bool)),
            r"of shape \(3, 2\)",
        ),
        (
            lambda g: st.coin_pickups(g, np.zeros((3, 2, 5))),
            r"boards \[T \+ 1, B, 4\] or observations",
        ),
        (lambda g: st.coin_pickups(g, np.zeros((3, 2, 35))), "got shape"),
        (lambda g: st.discounted_return([1.0], 1.5), "between 0 and 1"),
        (lambda g: st.mean_reward(np.zeros((0, 2))), "not empty"),
        (lambda g: st.mean_reward(3.0), "at least 1 axis"),
        (lambda g: st.cooperation_rate([]), "not empty"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call(game_of("coin_game_v0", {}))
