"""The best collective return, and Schelling's curves."""

import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.exact import best_welfare, schelling
from social_dilemmas_env.social_metrics import price_of_anarchy
from tests.env.exact.games import coin, ipd, some_policies


def test_cooperation_is_the_best_of_the_prisoners_dilemma():
    assert best_welfare(ipd()) == pytest.approx(-2, abs=1e-9)


@pytest.mark.parametrize("horizon", [1, 7])
def test_also_of_a_finite_one(horizon):
    assert best_welfare(ipd().finite(horizon)) == pytest.approx(-2)


def test_of_the_coin_game_it_is_two_cooperators():
    """The anchor .348600 each, in 50 steps."""
    assert best_welfare(coin(None).finite(50)) == pytest.approx(2 * 0.348600, abs=2e-6)


def test_no_pair_of_policies_earns_more():
    game = coin(None)
    best = best_welfare(game)
    for seed in range(3):
        assert game.score(some_policies(game, seed)).sum() < best


def test_the_escape_room():
    """One pulls and the other leaves at once: 9 in five steps."""
    game = sde.exact_game("escape_room_v0").finite(5)
    assert 5 * best_welfare(game) == pytest.approx(9)


def test_price_of_anarchy_of_the_pool():
    """Restraint is the best of 12 rounds but for the last one, in which all is taken."""
    kwargs = {"num_agents": 2, "capacity": 12, "max_catch": 6, "show_catches": False}
    game = sde.exact_game("govsim_commons_v0", **kwargs).finite(12)
    best = 12 * best_welfare(game)
    assert best == pytest.approx(11 * 6 + 12)
    greedy = 12 * game.score(["greedy", "greedy"]).sum()
    assert price_of_anarchy(best, greedy) == pytest.approx(78 / 12)


def test_schellings_curves_of_two_prisoners():
    cooperate, defect = schelling(ipd())
    np.testing.assert_allclose(cooperate, [-1, -3], atol=1e-9)
    np.testing.assert_allclose(defect, [0, -2], atol=1e-9)


def test_of_other_strategies():
    """A greedy fisher takes 6 of 12, the other 3; then 5 and 1 of 6, and the pool is dead."""
    kwargs = {"num_agents": 2, "capacity": 12, "max_catch": 6, "show_catches": False}
    game = sde.exact_game("govsim_commons_v0", **kwargs).finite(12)
    restrained, greedy = schelling(game, "restrained", "greedy")
    assert restrained[0] == pytest.approx(3)
    assert greedy[1] == pytest.approx(6 / 12)
    assert (12 * greedy[0], 12 * restrained[1]) == pytest.approx((11, 4))
