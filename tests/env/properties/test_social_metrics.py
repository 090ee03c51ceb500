"""Metrics of societies, against numbers that can be worked out by hand."""

import numpy as np
import pytest

from social_dilemmas_env import social_metrics as social


def test_collective_return_sums_time_and_players():
    rewards = np.arange(24.0).reshape(2, 3, 4)  # two steps, three games, four players
    assert social.collective_return(rewards).tolist() == [60.0, 92.0, 124.0]


@pytest.mark.parametrize(
    ("returns", "expected"),
    [([1, 1, 1], 0.0), ([0, 0, 0], 0.0), ([1, 0], 0.5), ([4, 0, 0, 0], 0.75), ([1, 3], 0.25)],
)
def test_gini(returns, expected):
    assert social.gini(returns) == pytest.approx(expected)


def test_equality_of_each_game():
    assert social.equality([[1, 1], [2, 0]]).tolist() == [1.0, 0.5]


def test_gini_does_not_depend_on_the_unit():
    returns = np.random.default_rng(0).random((5, 7))
    np.testing.assert_allclose(social.gini(returns), social.gini(1_000 * returns))


def test_sustainability():
    """Player 0 is paid at 0 and 2, player 1 at 3, player 2 never."""
    rewards = np.zeros((4, 3))
    rewards[[0, 2], 0] = rewards[3, 1] = 1
    assert social.sustainability(rewards) == pytest.approx((1 + 3) / 2)


def test_sustainability_of_nothing_is_nan():
    assert np.isnan(social.sustainability(np.zeros((4, 3))))


def test_peace():
    away = np.zeros((4, 3), bool)
    away[:2, 1] = True
    assert social.peace(away) == pytest.approx(2.5)


@pytest.mark.parametrize(
    ("stock", "steps"), [([4, 2, 1, 0, 0], 2), ([4, 4, 4], 2), ([4, 0, 3], 0), ([4], 0)]
)
def test_survival(stock, steps):
    assert social.survival_time(stock) == steps


def test_survival_of_a_batch():
    stock = [[9, 9], [6, 1], [5, 9]]
    assert social.survival_time(stock, collapse=4).tolist() == [2, 0]


def test_over_use():
    catches = [[[10, 11], [1, 2]]]  # one step, two games
    assert social.over_use(catches, [[10, 5]]).tolist() == [0.5, 0.0]


def test_price_of_anarchy():
    assert social.price_of_anarchy(6, 2) == 3


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: social.gini([1, -1]), "no return may be negative"),
        (lambda: social.gini(3), "last axis of players"),
        (lambda: social.collective_return([1, 2]), "shape"),
        (lambda: social.sustainability(np.zeros((0, 2))), "not empty"),
        (lambda: social.survival_time(3), "axis of time"),
        (lambda: social.over_use([[1, 2]], [1, 2]), "thresholds"),
        (lambda: social.price_of_anarchy(1, 0), "positive"),
    ],
)
def test_bad_input(call, words):
    with pytest.raises(ValueError, match=words):
        call()
