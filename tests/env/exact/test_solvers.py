"""Direct and iterative solutions agree, and a breakdown of one is caught by the other."""

import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.exact import solvers
from tests.env.exact.games import coin, some_policies


@pytest.fixture
def iterative(monkeypatch):
    """No factorisations."""
    monkeypatch.setattr(solvers, "DIRECT", 0)


def test_iterative_values(monkeypatch):
    game = coin()
    policies = some_policies(game)
    direct, visits = game.values(policies), game.occupancy(policies)
    monkeypatch.setattr(solvers, "DIRECT", 0)
    np.testing.assert_allclose(game.values(policies), direct, atol=1e-9)
    np.testing.assert_allclose(game.occupancy(policies), visits, atol=1e-10)


@pytest.mark.parametrize("first", ["always_defect", "always_cooperate", "tit_for_tat"])
@pytest.mark.parametrize("second", ["always_defect", "tit_for_tat", "random"])
def test_scripted_pairs(first, second, monkeypatch):
    """Symmetric, scripted policies are where BiCGSTAB breaks down."""
    game = coin()
    direct = game.score([first, second])
    monkeypatch.setattr(solvers, "DIRECT", 0)
    assert game.score([first, second]) == pytest.approx(direct, abs=1e-9)


def test_gmres_takes_over(iterative, monkeypatch):
    """If BiCGSTAB fails altogether the answer is the same."""
    game = coin()
    policies = some_policies(game)
    expected = game.score(policies)
    linalg = pytest.importorskip("scipy.sparse.linalg")
    monkeypatch.setattr(linalg, "bicgstab", lambda a, b, **kwargs: (b * np.nan, -10))
    assert game.score(policies) == pytest.approx(expected, abs=1e-9)


def test_a_guess_saves_steps(iterative, monkeypatch):
    game = coin()
    policies = some_policies(game)
    steps = []
    real = solvers.Chain.step
    monkeypatch.setattr(solvers.Chain, "step", lambda c, v: steps.append(1) or real(c, v))
    values = game.values(policies)
    cold = len(steps)
    again = game.values(policies, guess=values)
    assert len(steps) - cold < cold / 4
    np.testing.assert_allclose(again, values, atol=1e-9)


def test_best_responses(monkeypatch):
    game = coin()
    policies = some_policies(game)
    _, direct = game.best_response(policies)
    monkeypatch.setattr(solvers, "DIRECT", 0)
    assert game.best_response(policies)[1] == pytest.approx(direct, abs=1e-9)


def test_a_patient_game():
    """gamma .999: about the mean reward of a game that never ends."""
    game = sde.exact_game("coin_game_v0", memory=None, gamma=0.999)
    score = game.score(["always_defect", "always_cooperate"])
    long = game.finite(2000).score(["always_defect", "always_cooperate"])
    assert score == pytest.approx(long, abs=1e-3)


def test_gamma_0_is_one_step():
    game = sde.exact_game("ipd_v0", gamma=0.0)
    assert game.score(["tit_for_tat", "always_defect"]) == pytest.approx([-3, 0])


@pytest.mark.parametrize("discount", [1.0, 0.96, 0.5])
def test_long_finite_games_tend_to_the_endless_one(discount):
    game = sde.exact_game("ipd_v0", gamma=min(discount, 0.999))
    pair = ["extort2", "pavlov"]
    finite = game.finite(1500, discount).score(pair)
    assert game.score(pair) == pytest.approx(finite, abs=5e-3)


def test_values_of_a_finite_game_are_sums():
    game = sde.exact_game("ipd_v0").finite(10)
    pair = ["always_defect", "always_defect"]
    assert (game.values(pair) == -20).all()
    assert game.score(pair) == pytest.approx([-2, -2])
    assert game.occupancy(pair).sum() == pytest.approx(1)


def test_a_best_response_with_a_table_a_step_is_a_policy():
    """What it earns is what was said."""
    game = coin().finite(3)
    policies = some_policies(coin())
    response, scores = game.best_response([None, policies[1]])
    assert response.ndim == 3
    assert game.score([response, policies[1]]) == pytest.approx(scores, abs=1e-12)
