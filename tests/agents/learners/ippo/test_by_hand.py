"""The formulas of independent PPO, against sums written out, cases by hand, and other code."""

from itertools import product

import pytest
import torch

from agents.estimators import gae
from agents.learners.ippo.ippo import advantages_of, aligned, clipped_surrogate, past_mean
from agents.learners.loqa import advantage_alignment

STEPS, GAMMA, LAM = 3, 0.9, 0.8
ENDS = list(product((0, 1), repeat=STEPS))
DRAWS = torch.Generator().manual_seed(7)


def uniform(*shape):
    return torch.rand(shape, generator=DRAWS, dtype=torch.float64)


# ------------------------------------------------------------------------------------ advantages


def test_without_ends_it_is_gae():
    rewards, values = uniform(2, 4, STEPS), uniform(2, 4, STEPS + 1)
    found = advantages_of(rewards, values, torch.zeros_like(rewards), GAMMA, LAM)
    expected = gae(rewards, values[..., :-1], GAMMA, LAM, values[..., -1])
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("ends", ENDS)
def test_advantages_are_sums_of_errors_until_an_end(ends):
    """Every way in which three steps can fall into episodes."""
    rewards, values = uniform(STEPS), uniform(STEPS + 1)
    expected = []
    for t in range(STEPS):
        total, weight = 0.0, 1.0
        for k in range(t, STEPS):
            after = 0.0 if ends[k] else values[k + 1]
            total += weight * (rewards[k] + GAMMA * after - values[k])
            weight *= GAMMA * LAM
            if ends[k]:
                break
        expected.append(total)

    over = torch.tensor(ends, dtype=torch.float64)
    found = advantages_of(rewards, values, over, GAMMA, LAM)
    torch.testing.assert_close(found, torch.stack(expected))


def test_lambda_1_is_the_return_minus_the_value():
    """By hand: 1 + .5 (2 + .5 x 4) - 3, then an end."""
    rewards, values = torch.tensor([1.0, 2.0, 5.0]), torch.tensor([3.0, 1.0, 4.0, 9.0])
    found = advantages_of(rewards, values, torch.tensor([0.0, 0.0, 1.0]), 0.5, 1.0)
    expected = torch.tensor([1 + 0.5 * 2 + 0.25 * 5 - 3, 2 + 0.5 * 5 - 1, 5 - 4])
    torch.testing.assert_close(found, expected)


# ------------------------------------------------------------------------------------- alignment


def test_the_past_is_a_mean_over_the_same_episode():
    found = past_mean(torch.tensor([2.0, 4.0, 6.0, 8.0, 1.0]), torch.tensor([0.0, 0, 1, 0, 0]))
    torch.testing.assert_close(found, torch.tensor([0.0, 2, 3, 0, 8]))


@pytest.mark.parametrize("players", [2, 3])
def test_alignment_is_that_of_the_learner_of_that_name(players):
    advantages = uniform(players, 4, STEPS) - 0.5
    found = aligned(advantages, torch.zeros_like(advantages), 0.7)
    for i in range(players):
        own = advantages[i][None]
        others = torch.stack([advantages[j][None] for j in range(players) if j != i])
        past = advantage_alignment.mean_past(own)
        expected = advantage_alignment.aligned(own, past, others, 0.7)
        torch.testing.assert_close(found[i], expected[0])


@pytest.mark.parametrize("ends", ENDS)
def test_alignment_is_its_closed_form(ends):
    advantages = uniform(3, STEPS) - 0.5
    over = torch.tensor(ends, dtype=torch.float64).expand(3, STEPS)
    expected = advantages.clone()
    for i, t in product(range(3), range(STEPS)):
        start = max([k + 1 for k in range(t) if ends[k]], default=0)
        past = sum(advantages[i, k] for k in range(start, t)) / max(1, t - start)
        others = sum(advantages[j, t] for j in range(3) if j != i)
        expected[i, t] += 0.7 * past * others
    found = aligned(advantages[:, None], over[:, None], 0.7)[:, 0]
    torch.testing.assert_close(found, expected)


# ------------------------------------------------------------------------------------- surrogate


@pytest.mark.parametrize(
    ("ratio", "advantage", "gain", "slope"),
    [
        (1.0, 2.0, 2.0, 2.0),
        (1.1, 2.0, 2.2, 2.2),
        (1.5, 2.0, 2.4, 0.0),  # likely enough
        (0.5, 2.0, 1.0, 1.0),  # the worse of both counts
        (1.5, -2.0, -3.0, -3.0),
        (0.5, -2.0, -1.6, 0.0),  # unlikely enough
    ],
)
def test_the_surrogate_by_hand(ratio, advantage, gain, slope):
    logp = torch.tensor([[ratio]], dtype=torch.float64).log().requires_grad_()
    weight = torch.tensor([[advantage]], dtype=torch.float64)
    found = clipped_surrogate(logp, torch.zeros_like(logp), weight, 0.2)
    assert found.item() == pytest.approx(gain)
    (gradient,) = torch.autograd.grad(found.sum(), logp)
    assert gradient.item() == pytest.approx(slope)


def test_where_nothing_moved_it_climbs_the_expected_advantage():
    """Of all actions, each as often as it is played: ∇ Σ_a π(a) A(a)."""
    logits = uniform(4).requires_grad_()
    advantages, old = uniform(4) - 0.5, torch.log_softmax(logits.detach(), -1)
    weights = old.exp() * advantages * 4  # a sample an action stands for all with it
    found = clipped_surrogate(torch.log_softmax(logits, -1)[None], old[None], weights[None], 0.2)
    (sampled,) = torch.autograd.grad(found.sum(), logits)
    (exact,) = torch.autograd.grad((torch.softmax(logits, -1) * advantages).sum(), logits)
    torch.testing.assert_close(sampled, exact)
