"""What an estimator holds constant: nothing is learned through a baseline or an advantage."""

import pytest
import torch

from agents import estimators as est

GAMMA = 0.9


def attached(*shape, seed):
    """Numbers that a gradient could flow to."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(shape, generator=generator, dtype=torch.float64)
    return x.requires_grad_()


# Surrogate (logp, what must stay constant) -> J.
CONSTANTS = {
    "dice_baseline": lambda logp, x: est.dice_baseline(logp, x, GAMMA),
    "dice_with_baseline": lambda logp, x: est.dice_with_baseline(logp, x.detach() * 2, x, GAMMA),
    "loaded_dice": lambda logp, x: est.loaded_dice(logp, x, GAMMA),
    "loaded_dice, κ < 1": lambda logp, x: est.loaded_dice(logp, x, GAMMA, 0.5),
    "policy_gradient": lambda logp, x: est.policy_gradient(logp, x, GAMMA),
}


@pytest.mark.parametrize("name", CONSTANTS)
def test_no_derivative_of_any_order_reaches_what_is_constant(name):
    logp, x = attached(3, 5, seed=0), attached(3, 5, seed=1)
    surrogate = CONSTANTS[name](logp, x)
    (first,) = torch.autograd.grad(surrogate.sum(), logp, create_graph=True)
    assert first.abs().max() > 0.1
    for output in (surrogate.sum(), first.square().sum()):
        if output.requires_grad:
            found = torch.autograd.grad(output, x, retain_graph=True, allow_unused=True)[0]
            assert found is None or not found.any()


def test_policy_gradient_is_the_sum_that_its_formula_says():
    logp, advantages = attached(2, 4, seed=2), attached(2, 4, seed=3)
    found = est.policy_gradient(logp, advantages, GAMMA)
    for b in range(2):
        by_hand = sum(GAMMA**t * logp[b, t] * advantages[b, t] for t in range(4))
        assert found[b].item() == pytest.approx(by_hand.item(), abs=1e-12)
    (gradient,) = torch.autograd.grad(found.sum(), logp)
    discounts = torch.tensor([GAMMA**t for t in range(4)], dtype=torch.float64)
    assert torch.equal(gradient, discounts * advantages.detach())


def test_the_baseline_is_worth_nothing_and_pulls_each_action_back():
    """B = 0, and ∂B/∂logp_t = - γᵗ v_t."""
    logp, values = attached(2, 4, seed=4), attached(2, 4, seed=5)
    found = est.dice_baseline(logp, values, GAMMA)
    assert not found.any()
    (gradient,) = torch.autograd.grad(found.sum(), logp)
    discounts = torch.tensor([GAMMA**t for t in range(4)], dtype=torch.float64)
    assert torch.allclose(gradient, -discounts * values, atol=1e-15)


@pytest.mark.parametrize("function", [est.discounted_returns, est.gae])
def test_values_stay_attached_where_that_is_promised(function):
    """Critics learn through `gae`; detaching is the caller's business."""
    rewards, values, last = attached(4, seed=6), attached(4, seed=7), attached(1, seed=8)[0]
    if function is est.gae:
        total = est.gae(rewards, values, GAMMA, 0.8, last).sum()
    else:
        total = est.discounted_returns(rewards, GAMMA, last).sum()
    for x in (rewards, last):
        assert torch.autograd.grad(total, x, retain_graph=True)[0].abs().min() > 0
    if function is est.gae:
        first = est.gae(rewards, values, GAMMA, 0.8, last)[0]
        by_value = torch.autograd.grad(first, values)[0]
        # A_0 = Σ (γλ)^t (r_t + γ v_{t+1} - v_t)
        weights = [(GAMMA * 0.8) ** t for t in range(4)]
        before = [0.0, *[GAMMA * weight for weight in weights[:-1]]]
        expected = [old - new for old, new in zip(before, weights, strict=True)]
        assert by_value.tolist() == pytest.approx(expected)


@pytest.mark.parametrize("decay", [1.0, 0.5])
def test_loaded_dice_is_worth_nothing_and_climbs_the_policy_gradient(decay):
    """J = 0, and ∂J/∂logp_t = γᵗ A_t, whatever κ is."""
    logp, advantages = attached(2, 4, seed=6), attached(2, 4, seed=7)
    found = est.loaded_dice(logp, advantages, GAMMA, decay)
    assert not found.any()
    (gradient,) = torch.autograd.grad(found.sum(), logp)
    discounts = torch.tensor([GAMMA**t for t in range(4)], dtype=torch.float64)
    assert torch.allclose(gradient, discounts * advantages, atol=1e-15)


def test_gae_of_a_batch_is_that_of_its_rows():
    rewards, values, last = (attached(*shape, seed=8) for shape in ((2, 4), (2, 4), (2,)))
    found = est.gae(rewards, values, GAMMA, 0.7, last)
    rows = zip(rewards, values, last, strict=True)
    assert torch.equal(found, torch.stack([est.gae(r, v, GAMMA, 0.7, b) for r, v, b in rows]))
