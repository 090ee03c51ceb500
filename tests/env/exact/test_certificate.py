"""Gains of deviating, and what is claimed of them."""

import numpy as np
import pytest

from social_dilemmas_env.exact import certificate
from tests.env.exact.games import coin, ipd, some_policies


def test_tit_for_tat_is_an_equilibrium():
    game = ipd()
    assert game.nash_gap(["tit_for_tat"] * 2) == pytest.approx(0, abs=1e-12)
    assert game.exploitability(["tit_for_tat"] * 2) == pytest.approx([0, 0], abs=1e-12)


def test_gains_of_cooperators():
    """Who defects against always_cooperate gains 1, whatever gamma."""
    game = ipd()
    assert game.exploitability(["always_cooperate"] * 2) == pytest.approx([1, 1])
    assert game.regret(["always_cooperate", "always_defect"], 0) == pytest.approx(1)
    assert game.regret(["always_cooperate", "always_defect"], 1) == pytest.approx(0)


@pytest.mark.parametrize("clock", ["endless", "50 steps"])
def test_gains_are_what_best_responses_earn_more(clock):
    game = coin() if clock == "endless" else coin().finite(50)
    policies = some_policies(game)
    score = game.score(policies)
    gains = game.exploitability(policies)
    for player in (0, 1):
        response, best = game.best_response(policies, player)
        pair = [response if n == player else policies[n] for n in (0, 1)]
        assert best[player] - score[player] == pytest.approx(gains[player], abs=1e-9)
        assert game.score(pair) == pytest.approx(best, abs=1e-9)
    assert game.nash_gap(policies) == pytest.approx(gains.max(), abs=1e-12)


def test_a_best_response_cannot_be_improved():
    game = coin()
    response, _ = game.best_response([None, "random"])
    assert game.regret([response, "random"]) == pytest.approx(0, abs=1e-9)


def test_the_certificate():
    game = ipd()
    found = game.certificate(["always_cooperate", "tit_for_tat"])
    assert found.epsilon == pytest.approx(1, abs=0.05)
    assert str(found).startswith("epsilon-Nash against every strategy, epsilon = ")
    assert "Markov in the product" in str(found)
    same = certificate(game, ["always_cooperate", "tit_for_tat"])
    np.testing.assert_array_equal(found.gains, same.gains)


def test_the_certificate_names_its_clock():
    assert "gamma 0.96" in str(ipd().certificate(["tit_for_tat"] * 2))
    assert "50 steps" in str(ipd().finite(50).certificate(["tit_for_tat"] * 2))


def test_the_last_step_ends_cooperation():
    """With a known end the best response to tit for tat defects last."""
    game = ipd().finite(50)
    response, score = game.best_response([None, "tit_for_tat"])
    assert score[0] == pytest.approx(-49 / 50)
    mutual = np.argmax(game.columns["last joint action + 1"] == 1)
    assert response[-1, mutual].tolist() == [0, 1]
    assert response[-2, mutual].tolist() == [1, 0]
