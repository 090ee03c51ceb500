"""LOQA's shaping gradient and critic, exactly: all continuations of a joint action are
enumerated."""

import itertools
from dataclasses import replace

import pytest
import torch

from agents.learners.loqa.loqa import (
    LoqaConfig,
    n_step_q,
    opponent_log_policy,
    sarsa_targets,
    shaped_q,
    shaped_returns,
    td_advantages,
)

GAMMA, STEPS = 0.96, 4
PAYOFFS = torch.tensor(
    [[-1.0, -1.0], [-3.0, 0.0], [0.0, -3.0], [-2.0, -2.0]], dtype=torch.float64
)  # joint action -> rewards
EXACT = LoqaConfig(gamma=GAMMA, decay=1.0)


def policies(seed=1):
    """Logits of cooperation in start, CC, CD, DC, DD (player 0's words) of both players.

    The first attached.
    """
    generator = torch.Generator().manual_seed(seed)
    mine, theirs = torch.randn(2, 5, generator=generator, dtype=torch.float64)
    return mine.requires_grad_(), theirs


def joint(mine, theirs):
    """Probability of each joint action in each state.  [5, 4]."""
    p, q = torch.sigmoid(mine), torch.sigmoid(theirs)
    return torch.stack([p * q, p * (1 - q), (1 - p) * q, (1 - p) * (1 - q)], 1)


def opponents_q(mine, theirs, first, steps=STEPS):
    """The opponent's value of a first joint action in a game of `steps` steps, differentiable."""
    value, where = (
        torch.zeros((), dtype=torch.float64),
        torch.nn.functional.one_hot(torch.tensor(first), 4).double(),
    )
    for t in range(steps):
        value = value + GAMMA**t * where @ PAYOFFS[:, 1]
        where = where @ joint(mine, theirs)[1:]
    return value


def continuations(mine, theirs, first, steps=STEPS):
    """Every game that starts with a joint action: log π_i [M, T], rewards [M, T], states [M, T],
    probability [M]."""
    histories = torch.tensor(
        [(first, *rest) for rest in itertools.product(range(4), repeat=steps - 1)]
    )
    states = torch.cat([torch.zeros_like(histories[:, :1]), histories[:, :-1] + 1], 1)
    signs = 1 - 2 * (histories // 2)
    logp = torch.nn.functional.logsigmoid(signs * mine[states])
    weights = joint(mine, theirs)[states, histories][:, 1:].prod(1).detach()
    return logp, PAYOFFS[histories, 1], states, weights


def gradient(value, theta):
    return torch.autograd.grad(value, theta, retain_graph=True)[0]


@pytest.mark.parametrize("first", range(4))
@pytest.mark.parametrize("baseline_seed", [None, 3])
def test_shaped_q_is_the_opponents_q(first, baseline_seed):
    mine, theirs = policies()
    exact = opponents_q(mine, theirs, first)
    logp, rewards, states, weights = continuations(mine, theirs, first)
    baseline = torch.zeros(5, dtype=torch.float64)
    if baseline_seed is not None:
        baseline = torch.randn(
            5, generator=torch.Generator().manual_seed(baseline_seed), dtype=torch.float64
        )
    estimate = (weights * shaped_q(logp, rewards, baseline[states], EXACT)[:, 0]).sum()
    assert abs(estimate - exact) < 1e-12
    assert (gradient(estimate, mine) - gradient(exact, mine)).abs().max() < 1e-12
    assert gradient(exact, mine).abs().max() > 0.1


@pytest.mark.parametrize("mutant", ["decay", "current_reward", "gamma"])
def test_mutants_of_shaped_q_fail(mutant):
    wrong = {
        "decay": {"decay": 0.9},
        "current_reward": {"current_reward": True},
        "gamma": {"gamma": 0.95},
    }[mutant]
    mine, theirs = policies()
    logp, rewards, states, weights = continuations(mine, theirs, 1)
    estimate = (
        weights
        * shaped_q(logp, rewards, torch.ones(5).double()[states], replace(EXACT, **wrong))[:, 0]
    ).sum()
    assert (
        gradient(estimate, mine) - gradient(opponents_q(mine, theirs, 1), mine)
    ).abs().max() > 1e-3


def test_shaped_q_of_every_step_and_decay():
    """grad Q_t = γ Σ_{k>t} (γλ)^{k-t-1} (R_k - V_k) ∇ log π_k: the reference, term by term."""
    generator = torch.Generator().manual_seed(0)
    logp, rewards, values = torch.randn(3, 7, generator=generator, dtype=torch.float64)
    logp.requires_grad_()
    cfg = LoqaConfig(gamma=0.9, decay=0.8)
    returns = torch.stack([sum(0.9 ** (k - t) * rewards[k] for k in range(t, 7)) for t in range(7)])
    q = shaped_q(logp, rewards, values, cfg)
    for t in range(7):
        expected = torch.zeros(7, dtype=torch.float64)
        for k in range(t + 1, 7):
            expected[k] = 0.9 * 0.72 ** (k - t - 1) * (returns[k] - values[k])
        assert q[t].item() == pytest.approx(returns[t].item(), abs=1e-12)
        if t < 6:
            assert (gradient(q[t], logp) - expected).abs().max() < 1e-12
    counted = shaped_q(logp, rewards, values, replace(cfg, current_reward=True))
    assert gradient(counted[2], logp)[2].item() == pytest.approx((returns[2] - values[2]).item())


@pytest.mark.parametrize("n", [2, 3])
def test_n_step_q_is_the_opponents_q_of_n_steps(n):
    """What comes after n steps is a constant of it."""
    mine, theirs = policies()
    exact = opponents_q(mine, theirs, 1, steps=n)
    logp, rewards, _, weights = continuations(mine, theirs, 1)
    estimate = (
        weights * n_step_q(logp, rewards, torch.zeros_like(rewards), replace(EXACT, n_step=n))[:, 0]
    ).sum()
    assert abs(estimate - exact) < 1e-12
    assert (gradient(estimate, mine) - gradient(exact, mine)).abs().max() < 1e-12


def test_n_step_q_of_every_step():
    """The released code's formula, with its boxes, term by term."""
    generator = torch.Generator().manual_seed(0)
    logp, rewards, values = torch.randn(3, 2, 7, generator=generator, dtype=torch.float64)
    logp.requires_grad_()
    q = n_step_q(logp, rewards, values, LoqaConfig(gamma=0.9, n_step=3))
    assert q.shape == (2, 4)
    for t in range(4):
        first, both = (
            torch.exp(x - x.detach()) for x in (logp[:, t + 1], logp[:, t + 1] + logp[:, t + 2])
        )
        mean = rewards.mean()
        boxed = rewards[:, t] + 0.9 * (mean + (rewards[:, t + 1] - mean) * first)
        expected = (
            boxed + 0.81 * (mean + (rewards[:, t + 2] - mean) * both) + 0.729 * values[:, t + 3]
        )
        assert (q[:, t] - expected).abs().max() < 1e-12
        assert (gradient(q[:, t].sum(), logp) - gradient(expected.sum(), logp)).abs().max() < 1e-12


def test_first_order_equals_loaded_dice():
    """The surrogate's gradient is that of □(Σ_{l≤k}) - □(Σ_{l<k}), which the paper writes."""
    generator = torch.Generator().manual_seed(0)
    logp, returns, values = torch.randn(3, 6, generator=generator, dtype=torch.float64)
    logp.requires_grad_()
    through = logp.cumsum(-1)
    box = [torch.exp(x - x.detach()) for x in (through, through - logp)]
    for t in range(6):
        loaded = (
            sum(
                0.8 ** (k - t) * (returns[k] - values[k]) * (box[0][k] - box[1][k])
                for k in range(t, 6)
            )
            + returns[t]
        )
        ours = shaped_returns(logp, returns, values, 0.8)[t]
        assert ours.item() == pytest.approx(loaded.item())
        assert (gradient(ours, logp) - gradient(loaded, logp)).abs().max() < 1e-12


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_opponent_model(temperature):
    q = torch.tensor([[0.3, -0.2, 1.0]], dtype=torch.float64)
    shaped = torch.tensor([0.7], dtype=torch.float64, requires_grad=True)
    cfg = LoqaConfig(temperature=temperature)
    logp = opponent_log_policy(q, torch.tensor([1]), shaped, cfg)
    expected = torch.log_softmax(torch.tensor([0.3, 0.7, 1.0]).double() / temperature, 0)[1]
    assert logp.item() == pytest.approx(expected.item())
    assert gradient(logp, shaped).item() == pytest.approx((1 - expected.exp().item()) / temperature)
    stopped = opponent_log_policy(q, torch.tensor([1]), shaped, replace(cfg, stop_normaliser=True))
    assert stopped.item() == pytest.approx(logp.item())
    assert gradient(stopped, shaped).item() == pytest.approx(1 / temperature)


def test_advantages_and_targets_by_hand():
    rewards, values = torch.tensor([1.0, -2.0]), torch.tensor([0.5, 1.0, 3.0])
    assert td_advantages(rewards, values, 0.5).tolist() == [1.0, -1.5]
    assert sarsa_targets(rewards, torch.tensor([4.0]), torch.tensor(6.0), 0.5).tolist() == [
        3.0,
        1.0,
    ]
