"""The closed-form value against long histories, hand-computed games and its own symmetries."""

import numpy as np
import pytest
import torch

from agents.matrix_games.closed_form import MatrixGame, one_shot, other_view
from agents.matrix_games.differentiable import (
    StatelessGame,
    own_gradients,
    tandem,
    zero_sum,
)
from tests.agents.exact import enumeration as en

torch.set_num_threads(1)
ALWAYS, NEVER = 60.0, -60.0  # logits whose sigmoid is 1 or 0 in float64


def theta_of(*players):
    return torch.tensor([players], dtype=torch.float64)


TFT = [ALWAYS, ALWAYS, NEVER, ALWAYS, NEVER]
GRIM = [ALWAYS, ALWAYS, NEVER, NEVER, NEVER]
ALLC, ALLD = [ALWAYS] * 5, [NEVER] * 5


@pytest.mark.parametrize("name", en.GAMES)
def test_value_is_the_limit_of_finite_horizons(name):
    payoffs, gamma = en.GAMES[name], 0.6
    theta = en.random_theta(payoffs, seed=1)
    found = MatrixGame(payoffs, gamma).values(theta[None])[0]
    torch.testing.assert_close(found, en.value(theta, payoffs, gamma, 70), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["ipd", "three_actions"])
def test_first_and_second_derivatives_are_those_of_the_long_horizon(name):
    payoffs, gamma = en.GAMES[name], 0.3
    theta = en.random_theta(payoffs, seed=2)
    for player in range(2):
        found = en.derivatives(MatrixGame(payoffs, gamma).values(theta[None])[0, player], theta)
        true = en.derivatives(en.value(theta, payoffs, gamma, 27)[player], theta)
        assert max(en.errors(found, true).values()) < 1e-12


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (ALLC, ALLC, (-1.0, -1.0)),
        (ALLD, ALLD, (-2.0, -2.0)),
        (ALLC, ALLD, (-3.0, 0.0)),
        (TFT, TFT, (-1.0, -1.0)),
        # exploited once, then mutual defection: (1 - γ)(-3) + γ(-2), and (1 - γ) 0 + γ(-2)
        (TFT, ALLD, (-0.04 * 3 - 0.96 * 2, -0.96 * 2)),
        (ALLD, GRIM, (-0.96 * 2, -0.04 * 3 - 0.96 * 2)),
    ],
)
def test_known_pairs_of_the_prisoners_dilemma(first, second, expected):
    game = MatrixGame(en.IPD, 0.96)
    assert game.report(theta_of(first, second))[0].numpy() == pytest.approx(expected, abs=1e-12)


def test_own_action_comes_first_in_the_state():
    """Cooperate only after having been exploited: in CD, which is another state for each player."""
    forgiving = [NEVER, NEVER, ALWAYS, NEVER, NEVER]
    game = MatrixGame(en.IPD, 0.5)
    opening = [ALWAYS, NEVER, NEVER, NEVER, NEVER]
    # (C, D), then player 0 is in CD and cooperates again, forever; player 1 is in DC and defects.
    assert game.values(theta_of([ALWAYS, *forgiving[1:]], ALLD))[0].tolist() == pytest.approx(
        [-6.0, 0.0]
    )
    # The same with the roles exchanged, and: player 1's `opening` never repeats cooperation.
    assert game.values(theta_of(ALLD, [ALWAYS, *forgiving[1:]]))[0].tolist() == pytest.approx(
        [0.0, -6.0]
    )
    assert game.values(theta_of(ALLD, opening))[0].tolist() == pytest.approx([-2.0, -5.0])


@pytest.mark.parametrize("name", en.GAMES)
def test_swapping_players_swaps_values(name):
    payoffs = en.GAMES[name]
    swapped = payoffs.transpose(0, 1).flip(-1)
    theta = en.random_theta(payoffs, runs=5).detach()
    found = MatrixGame(swapped, 0.9).values(theta.flip(1)).flip(1)
    torch.testing.assert_close(
        found, MatrixGame(payoffs, 0.9).values(theta), rtol=1e-13, atol=1e-13
    )


def test_other_view_is_an_involution():
    for actions in (2, 3, 4):
        swap = other_view(actions)
        assert swap[swap].tolist() == list(range(actions**2 + 1))
    assert other_view(2).tolist() == [0, 1, 3, 2, 4]


def test_policies_are_probabilities_and_one_logit_is_a_sigmoid():
    game = MatrixGame(en.IPD, 0.9)
    theta = en.random_theta(en.IPD, runs=3).detach()
    torch.testing.assert_close(game.policies(theta)[..., 0], torch.sigmoid(theta))
    three = MatrixGame(en.THREE_ACTIONS, 0.9)
    policies = three.policies(en.random_theta(en.THREE_ACTIONS, runs=3).detach())
    assert policies.shape == (3, 2, 10, 3)
    torch.testing.assert_close(policies.sum(-1), torch.ones(3, 2, 10, dtype=torch.float64))


def test_any_leading_axes_and_runs_do_not_mix():
    game = MatrixGame(en.IPD, 0.9)
    theta = torch.randn(2, 3, 4, 2, 5, dtype=torch.float64)
    values = game.values(theta)
    assert values.shape == (2, 3, 4, 2)
    torch.testing.assert_close(values[1, 2, 3], game.values(theta[1, 2, 3][None])[0])


def test_one_shot_is_the_matrix_game_without_a_future():
    theta = en.random_theta(en.LOPSIDED, runs=4).detach()
    found = one_shot(en.LOPSIDED).values(theta[..., :1])
    torch.testing.assert_close(found, MatrixGame(en.LOPSIDED, 0.0).values(theta))


def test_numpy_payoffs_and_lists_are_accepted():
    theta = en.random_theta(en.IPD, runs=2).detach()
    as_array, as_list = (
        MatrixGame(x, 0.9).values(theta) for x in (en.IPD.numpy(), en.IPD.tolist())
    )
    assert torch.equal(as_array, as_list)


@pytest.mark.parametrize(
    ("payoffs", "gamma", "message"),
    [
        (np.zeros((2, 2)), 0.9, "shape"),
        (np.zeros((2, 3, 2)), 0.9, "shape"),
        (np.zeros((2, 2, 2, 3)), 0.9, "2-player"),
        (np.zeros((1, 1, 2)), 0.9, "actions"),
        (np.full((2, 2, 2), np.nan), 0.9, "finite"),
        (np.full((2, 2, 2), np.inf), 0.9, "finite"),
        (np.zeros((2, 2, 2)), 1.0, "discount"),
        (np.zeros((2, 2, 2)), -0.1, "discount"),
        (np.zeros((2, 2, 2)), float("nan"), "discount"),
    ],
)
def test_bad_games_are_refused(payoffs, gamma, message):
    with pytest.raises(ValueError, match=message):
        MatrixGame(payoffs, gamma)


@pytest.mark.parametrize("game", [MatrixGame(en.IPD, 0.9), tandem(), zero_sum(), one_shot(en.IPD)])
def test_parameters_of_another_shape_are_refused(game):
    with pytest.raises(ValueError, match="players, parameters"):
        game.values(torch.zeros(4, game.num_players + 1, game.dim))
    with pytest.raises(ValueError, match="players, parameters"):
        game.values(torch.zeros(4, game.num_players, game.dim + 1))


def test_stateless_games_are_their_formulas():
    theta = torch.tensor([[[0.7], [-1.9]]], dtype=torch.float64)
    x, y = 0.7, -1.9
    assert tandem().values(theta)[0].tolist() == pytest.approx(
        [2 * x - (x + y) ** 2, 2 * y - (x + y) ** 2]
    )
    assert zero_sum().values(theta)[0].tolist() == pytest.approx([x * y, -x * y])
    assert own_gradients(zero_sum(), theta)[0, :, 0].tolist() == pytest.approx([y, -x])


def test_a_constant_game_has_no_gradient():
    constant = StatelessGame(lambda theta: torch.ones(theta.shape[:-1], dtype=theta.dtype))
    assert own_gradients(constant, torch.zeros(3, 2, 1)).tolist() == [[[0.0], [0.0]]] * 3
