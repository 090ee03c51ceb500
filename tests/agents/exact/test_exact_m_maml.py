"""M-MAML: its meta-gradient against one by torch.func, and what a learned start is good for."""

import pytest
import torch
from torch.func import grad, jacrev

import social_dilemmas_env as sde
from agents.learners.meta_mapg.m_maml import (
    MMamlConfig,
    meta_train,
    objective,
)
from agents.matrix_games.closed_form import MatrixGame
from agents.matrix_games.differentiable import StatelessGame

torch.set_num_threads(1)
IPD = MatrixGame(sde.payoffs("ipd_v0"), 0.96)
CFG = MMamlConfig(runs=2, batch=3, unroll=4)


def brute(init, alpha, opponents, value, unroll, opponent_lr=1.0, mutant=None):
    """J / K of one run, opponent by opponent, each player's gradient by torch.func."""
    total = 0.0
    for start in opponents:
        theta = torch.stack((init, start))
        for _ in range(unroll):
            total = total + value(theta)[0]
            slopes = jacrev(value)(theta)
            if mutant == "opponent held fixed":
                slopes = torch.stack((slopes[0], slopes[1].detach()))
            if mutant == "first order":
                slopes = slopes.detach()
            theta = torch.stack(
                (theta[0] + alpha * slopes[0, 0], theta[1] + opponent_lr * slopes[1, 1])
            )
    return total / (unroll * len(opponents))


def draw(runs=2, batch=3):
    generator = torch.Generator().manual_seed(0)
    init = torch.randn(runs, 5, dtype=torch.float64, generator=generator)
    opponents = torch.randn(runs, batch, 5, dtype=torch.float64, generator=generator)
    return init, torch.tensor([0.3, 0.9], dtype=torch.float64), opponents


def gradients(init, alpha, opponents):
    init, alpha = init.clone().requires_grad_(), alpha.clone().requires_grad_()
    return torch.autograd.grad(objective(init, alpha, opponents, IPD, CFG).sum(), (init, alpha))


def test_meta_gradient_goes_through_both_players_updates():
    init, alpha, opponents = draw()
    ours = gradients(init, alpha, opponents)
    for r in range(2):
        assert objective(init, alpha, opponents, IPD, CFG)[r].item() == pytest.approx(
            brute(init[r], alpha[r], opponents[r], IPD.values, 4).item(), abs=1e-12
        )
        truth = grad(lambda x, a, r=r: brute(x, a, opponents[r], IPD.values, 4), (0, 1))(
            init[r], alpha[r]
        )
        torch.testing.assert_close(ours[0][r], truth[0], rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(ours[1][r], truth[1], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("mutant", ["opponent held fixed", "first order"])
def test_mutants_are_told_apart(mutant):
    init, alpha, opponents = draw()
    ours = gradients(init, alpha, opponents)[0][0]
    wrong = grad(lambda x: brute(x, alpha[0], opponents[0], IPD.values, 4, mutant=mutant))(init[0])
    assert (ours - wrong).abs().max() > 1e-3


def test_learning_where_to_start_pays():
    """A few meta-updates against naive learners already earn more than a naive learner does."""
    learned = meta_train(IPD, MMamlConfig(runs=2, batch=16, unroll=15, iterations=25, meta_lr=0.1))
    assert learned.init.shape == (2, 5)
    assert learned.alpha.shape == (2,)
    assert learned.curve.shape == (26, 2)
    assert (learned.curve[-5:].mean(0) > learned.curve[:5].mean(0) + 0.02).all()


def test_runs_are_independent_and_seeds_repeat():
    cfg = MMamlConfig(runs=2, batch=2, unroll=2, iterations=2)
    first, again = meta_train(IPD, cfg), meta_train(IPD, cfg)
    assert torch.equal(first.init, again.init)
    assert torch.equal(first.curve, again.curve)
    assert not torch.equal(
        first.init,
        meta_train(IPD, MMamlConfig(runs=2, batch=2, unroll=2, iterations=2, seed=1)).init,
    )


def test_a_run_that_would_diverge_keeps_its_last_finite_start():
    explosive = StatelessGame(
        lambda theta: (theta[..., 0] ** 4).sum(-1, keepdim=True).expand(*theta.shape[:-1])
    )
    learned = meta_train(explosive, MMamlConfig(runs=2, batch=2, unroll=20, iterations=3))
    assert torch.isfinite(learned.init).all()
    assert torch.isfinite(learned.alpha).all()


def test_bad_input():
    three = StatelessGame(lambda theta: theta[..., 0], num_players=3)
    with pytest.raises(ValueError, match="one opponent"):
        meta_train(three, CFG)
    for wrong in ({"runs": 0}, {"batch": 0}, {"unroll": 0}, {"iterations": -1}):
        with pytest.raises(ValueError, match="must be at least"):
            MMamlConfig(**wrong)
