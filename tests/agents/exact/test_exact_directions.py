"""Every exact learner's direction against brute force, and the symmetries all of them have."""

import numpy as np
import pytest
import torch
from torch.func import jacrev

from agents.learners.exact_table import exact_learner
from agents.learners.lola.lola_exact import LolaConfig, lola
from agents.learners.naive.naive_exact import naive
from agents.learners.sos.sos import (
    ConsensusConfig,
    SosConfig,
    consensus,
    look_ahead,
    sos,
)
from agents.matrix_games.closed_form import MatrixGame
from tests.agents.exact import enumeration as en
from tests.agents.exact.brute_force import ETA, EXACT, GAMES, GAMMA, Brute, parameters

torch.set_num_threads(1)


def assert_matches(direction, brute, theta):
    found = direction(theta)
    assert not found.requires_grad
    for run in range(len(theta)):
        torch.testing.assert_close(found[run], brute(theta[run]), rtol=EXACT, atol=EXACT)


@pytest.mark.parametrize("name", GAMES)
def test_naive(name):
    game, value = GAMES[name]
    assert_matches(lambda t: naive(t, game), Brute(value).naive, parameters(game))


@pytest.mark.parametrize("form", ["shaping", "taylor", "lookahead"])
@pytest.mark.parametrize("name", GAMES)
def test_lola(name, form):
    game, value = GAMES[name]
    brute = Brute(value)
    expected = lambda t: getattr(brute, form)(t, brute.naive)  # noqa: E731
    assert_matches(
        lambda t: lola(t, game, LolaConfig(form=form, eta=ETA)), expected, parameters(game)
    )


@pytest.mark.parametrize("form", ["shaping", "taylor", "lookahead"])
@pytest.mark.parametrize("name", ["zero_sum", "tandem", "three_players"])
def test_lola_of_second_order(name, form):
    game, value = GAMES[name]
    brute = Brute(value)
    first = lambda t: getattr(brute, form)(t, brute.naive)  # noqa: E731
    expected = lambda t: getattr(brute, form)(t, first)  # noqa: E731
    assert_matches(
        lambda t: lola(t, game, LolaConfig(form=form, eta=ETA, order=2)), expected, parameters(game)
    )


def test_lola_of_second_order_in_the_prisoners_dilemma():
    game = MatrixGame(en.IPD, GAMMA)
    brute = Brute(lambda t: en.value(t, en.IPD, GAMMA, 28))
    first = lambda t: brute.shaping(t, brute.naive)  # noqa: E731
    theta = parameters(game, runs=1)
    found = lola(theta, game, LolaConfig(eta=ETA, order=2))[0]
    torch.testing.assert_close(found, brute.shaping(theta[0], first), rtol=EXACT, atol=EXACT)


def test_lola_of_third_order():
    game, value = GAMES["three_players"]
    brute = Brute(value)
    first = lambda t: brute.shaping(t, brute.naive)  # noqa: E731
    second = lambda t: brute.shaping(t, first)  # noqa: E731
    cfg = LolaConfig(eta=ETA, order=3)
    assert_matches(
        lambda t: lola(t, game, cfg),
        lambda t: brute.shaping(t, second),
        0.5 * parameters(game, runs=1),
    )


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_lola_with_several_look_aheads(steps):
    game, value = GAMES["three_players"]
    brute = Brute(value)
    cfg = LolaConfig(form="lookahead", eta=ETA, lookaheads=steps)
    assert_matches(
        lambda t: lola(t, game, cfg),
        lambda t: brute.lookahead(t, brute.naive, steps),
        parameters(game),
    )


def test_order_zero_is_naive():
    game = MatrixGame(en.IPD, GAMMA)
    theta = parameters(game)
    assert torch.equal(lola(theta, game, LolaConfig(order=0)), naive(theta, game))


def test_holding_all_gradients_differs_only_from_second_order_on():
    game = MatrixGame(en.IPD, 0.96)
    theta = parameters(game)
    own, everything = LolaConfig(order=1), LolaConfig(order=1, hold="all")
    assert torch.equal(lola(theta, game, own), lola(theta, game, everything))
    own, everything = LolaConfig(order=2), LolaConfig(order=2, hold="all")
    assert (lola(theta, game, own) - lola(theta, game, everything)).abs().max() > 1e-3


def blocks(brute, theta):
    """ξ, its Jacobian, the off-diagonal blocks of that, and χ: SOS's terms, for losses L = -V."""
    n, d = theta.shape
    xi = -brute.naive(theta)
    jacobian = -jacrev(brute.naive)(theta)
    gradient = -jacrev(brute.value)(theta)
    off = jacobian.clone()
    for i in range(n):
        off[i, :, i] = 0
    chi = torch.stack(
        [sum(jacobian[j, :, i].T @ gradient[i, j] for j in range(n) if j != i) for i in range(n)]
    )
    return xi.flatten(), jacobian.reshape(n * d, n * d), off.reshape(n * d, n * d), chi.flatten()


@pytest.mark.parametrize("name", GAMES)
def test_look_ahead_and_consensus(name):
    game, value = GAMES[name]
    brute = Brute(value)

    def expected_look_ahead(theta):
        xi, _, off, _ = blocks(brute, theta)
        return -(xi - ETA * off @ xi).view(theta.shape)

    def expected_consensus(theta):
        xi, jacobian, _, _ = blocks(brute, theta)
        return -(xi + ETA * jacobian.T @ xi).view(theta.shape)

    theta = parameters(game)
    assert_matches(lambda t: look_ahead(t, game, SosConfig(alpha=ETA)), expected_look_ahead, theta)
    assert_matches(
        lambda t: consensus(t, game, ConsensusConfig(weight=ETA)), expected_consensus, theta
    )


@pytest.mark.parametrize("name", GAMES)
@pytest.mark.parametrize("scale", [1.0, 0.01])
def test_sos(name, scale):
    """scale .01 brings the zero-sum game within |ξ| < b.

    Many runs visit both sides of <χ, ξ_0> = 0.
    """
    game, value = GAMES[name]
    brute = Brute(value)
    seen = set()

    def expected(theta):
        xi, _, off, chi = blocks(brute, theta)
        xi_0 = xi - ETA * off @ xi
        along = (-ETA * chi) @ xi_0
        p_1 = 1.0 if along >= 0 else min(1.0, -0.5 * (xi_0 @ xi_0) / along)
        p_2 = xi @ xi if xi.norm() < 0.1 else 1.0
        seen.add((along >= 0, xi.norm() < 0.1))
        return -(xi_0 - min(p_1, p_2) * ETA * chi).view(theta.shape)

    assert_matches(
        lambda t: sos(t, game, SosConfig(alpha=ETA)), expected, scale * parameters(game, runs=6)
    )
    assert seen


def test_sos_terms_add_up_to_lola_taylor():
    game = MatrixGame(en.IPD, 0.96)
    theta = parameters(game)
    always = SosConfig(alpha=ETA, a=1e9, b=0.0)
    torch.testing.assert_close(
        sos(theta, game, always), lola(theta, game, LolaConfig(form="taylor", eta=ETA))
    )


def numpy_value(theta, payoffs, gamma, steps):
    """The same value once more, without torch: distribution over joint actions, pushed forward."""
    p, q = (1 / (1 + np.exp(-theta[n])) for n in range(2))
    q = q[[0, 1, 3, 2, 4]]
    rows = np.stack([p * q, p * (1 - q), (1 - p) * q, (1 - p) * (1 - q)], 1)
    now, total = rows[0], np.zeros(2)
    for t in range(steps):
        total += gamma**t * now @ payoffs.reshape(4, 2)
        now = now @ rows[1:]
    return total


def test_lola_lookahead_by_finite_differences():
    payoffs, h = en.LOPSIDED.numpy(), 1e-5
    theta = parameters(MatrixGame(en.LOPSIDED, GAMMA), runs=1)[0].numpy()

    def difference(f, x, i):
        return np.array(
            [
                (f(x + h * e) - f(x - h * e)) / (2 * h)
                for e in np.eye(10).reshape(10, 2, 5)[5 * i : 5 * i + 5]
            ]
        )

    def expected(i):
        def objective(x):
            j, there = 1 - i, x.copy()
            there[j] += ETA * difference(lambda y: numpy_value(y, payoffs, GAMMA, 30)[j], x, j)
            return numpy_value(there, payoffs, GAMMA, 30)[i]

        return difference(objective, theta, i)

    found = lola(
        torch.tensor(theta)[None],
        MatrixGame(en.LOPSIDED, GAMMA),
        LolaConfig(form="lookahead", eta=ETA),
    )[0]
    np.testing.assert_allclose(found.numpy(), np.stack([expected(0), expected(1)]), atol=1e-5)


LEARNERS = {
    "naive": exact_learner("naive"),
    "shaping": exact_learner("lola", eta=ETA),
    "taylor": exact_learner("lola", form="taylor", eta=ETA),
    "lookahead": exact_learner("lola", form="lookahead", eta=ETA),
    "order 2": exact_learner("lola", order=2, eta=ETA),
    "look_ahead": exact_learner("look_ahead"),
    "sos": exact_learner("sos"),
    "consensus": exact_learner("consensus"),
}


@pytest.mark.parametrize(
    "payoffs", [en.LOPSIDED, en.THREE_ACTIONS], ids=["lopsided", "three_actions"]
)
@pytest.mark.parametrize("name", LEARNERS)
def test_swapping_the_players_swaps_the_directions(name, payoffs):
    theta = en.random_theta(payoffs, runs=3).detach()
    there = LEARNERS[name](theta, MatrixGame(payoffs, 0.9))
    back = LEARNERS[name](theta.flip(1), MatrixGame(payoffs.transpose(0, 1).flip(-1), 0.9)).flip(1)
    torch.testing.assert_close(there, back, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", LEARNERS)
def test_runs_do_not_influence_one_another(name):
    game = MatrixGame(en.IPD, 0.96)
    theta = parameters(game, runs=5)
    order = torch.tensor([3, 0, 4, 2, 1])
    together = LEARNERS[name](theta, game)
    torch.testing.assert_close(LEARNERS[name](theta[order], game), together[order])
    torch.testing.assert_close(LEARNERS[name](theta[2:3], game), together[2:3])


@pytest.mark.parametrize("name", LEARNERS)
def test_a_direction_is_differentiable_when_asked(name):
    """Higher-order and meta-learners differentiate through a learner's update."""
    game = MatrixGame(en.IPD, GAMMA)
    theta = parameters(game, runs=1)
    weights = torch.randn_like(theta)
    attached = theta.clone().requires_grad_()
    (found,) = torch.autograd.grad((weights * LEARNERS[name](attached, game)).sum(), attached)
    numeric = torch.zeros_like(theta)
    for n in range(2):
        for d in range(5):
            e = torch.zeros_like(theta)
            e[0, n, d] = 1e-5
            change = LEARNERS[name](theta + e, game) - LEARNERS[name](theta - e, game)
            numeric[0, n, d] = (weights * change).sum() / 2e-5
    torch.testing.assert_close(found, numeric, rtol=1e-4, atol=1e-6)
