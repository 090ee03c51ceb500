"""Proximal LOQA's weights: LOQA's gradient, sorted by the own action; its steps start along it."""

import itertools
from dataclasses import replace

import pytest
import torch

from agents.learners.loqa import loqa
from agents.learners.loqa.data import ActorData, OpponentData
from agents.learners.loqa_proximal import loqa_proximal as proximal
from tests.agents.exact.test_advantage_alignment import actor_data
from tests.agents.exact.test_loqa import GAMMA, PAYOFFS, gradient, joint, opponents_q, policies

# λ' = 0: then both parts hold the one-step advantage, as LOQA's loss does.
ONE_STEP = proximal.ProximalConfig(
    gae_decay=0.0, decay=0.8, gamma=0.9, temperature=0.7, bootstrap=False
)
STEPS = 3


def loqa_gradient(data, logits, cfg):
    """Of LOQA's own loss, by autograd."""
    same = loqa.LoqaConfig(
        gamma=cfg.gamma,
        decay=cfg.decay,
        temperature=cfg.temperature,
        weight=cfg.shaping,
        stop_normaliser=cfg.weight == "advantage_alignment",
    )
    advantages = loqa.td_advantages(data.rewards, data.values, cfg.gamma)
    return grad(loqa.loss(data._replace(advantages=advantages), same), logits)


def weighted_gradient(data: ActorData, logits, cfg):
    """Of the same by the weights."""
    own, shaping = proximal.action_weights(data.rewards, data.values, data.others, cfg)
    return grad(loqa.actor_loss(own + shaping, data.logp), logits)


def grad(loss, logits):
    return torch.autograd.grad(loss.sum(), logits, retain_graph=True)[0]


@pytest.mark.parametrize("opponents", [1, 2, 3])
@pytest.mark.parametrize("weight", ["loqa", "advantage_alignment"])
@pytest.mark.parametrize("shaping", [1.0, 0.3])
def test_weights_are_loqas_gradient(opponents, weight, shaping):
    data, logits = actor_data(opponents)
    cfg = replace(ONE_STEP, weight=weight, shaping=shaping)
    expected = loqa_gradient(data, logits, cfg)
    assert (weighted_gradient(data, logits, cfg) - expected).abs().max() < 1e-12
    assert expected.abs().max() > 1e-3


@pytest.mark.parametrize(("gae_decay", "alike"), [(0.0, True), (0.9, False)])
def test_the_past_by_gae_is_another_past(gae_decay, alike):
    """What others have done to us: δ, or A, which is δ where λ' = 0."""
    data, _ = actor_data(2)
    cfg = replace(ONE_STEP, gae_decay=gae_decay, past="gae")
    own, shaping = proximal.action_weights(data.rewards, data.values, data.others, cfg)
    usual = replace(cfg, past="one_step")
    _, expected = proximal.action_weights(data.rewards, data.values, data.others, usual)
    assert torch.equal(shaping, proximal.shaping_weights(own, data.others, cfg))
    assert torch.equal(shaping, expected) == alike


@pytest.mark.parametrize(
    "mutant", [{"gamma": 0.91}, {"decay": 0.9}, {"temperature": 1.0}, {"weight": "none"}]
)
def test_other_weights_are_not(mutant):
    data, logits = actor_data(2)
    expected = loqa_gradient(data, logits, ONE_STEP)
    wrong = weighted_gradient(data, logits, replace(ONE_STEP, **mutant))
    assert (wrong - expected).abs().max() > 1e-3


def test_without_shaping_it_is_the_policy_gradient_of_gae():
    data, _ = actor_data(1)
    cfg = replace(ONE_STEP, weight="none", gae_decay=1.0)
    own, shaping = proximal.action_weights(data.rewards, data.values, data.others, cfg)
    returns = sum(0.9**t * data.rewards[..., t] for t in range(6)) + 0.9**6 * data.values[..., 6]
    assert not shaping.any()
    assert (own[..., 0] - (returns - data.values[..., 0])).abs().max() < 1e-12


# ------------------------------------------------------------------------------------- enumeration


def every_game(mine, theirs):
    """All games of T steps: joint actions, states [M, T + 1], probability [M]; log π [M, T]."""
    histories = torch.tensor(list(itertools.product(range(4), repeat=STEPS)))
    states = torch.cat([torch.zeros_like(histories[:, :1]), histories + 1], 1)
    chances = joint(mine, theirs)[states[:, :-1], histories].prod(1).detach()
    signs = 1 - 2 * (histories // 2)
    return histories, states, chances, torch.nn.functional.logsigmoid(signs * mine[states[:, :-1]])


def test_expected_weights_are_the_gradient_of_the_opponents_values():
    """E Σ_t w_t ∇log π(a_t) = Σ_k E δ_k ∇Q_j(s_k, a_k, b_k), whatever both critics say (λ = 1)."""
    mine, theirs = policies()
    histories, states, chances, logp = every_game(mine, theirs)
    generator = torch.Generator().manual_seed(5)
    own_values, their_values = torch.randn(2, 5, generator=generator, dtype=torch.float64)
    rewards, values = PAYOFFS[histories], own_values[states]

    q = torch.zeros(*histories.shape, 2, dtype=torch.float64)
    parts = (rewards[..., 1], histories % 2, q, their_values[states[:, :-1]])
    others = OpponentData(*(part[None, None] for part in parts))
    cfg = replace(ONE_STEP, gamma=GAMMA, decay=1.0, temperature=1.0, weight="advantage_alignment")
    deltas = loqa.td_advantages(rewards[..., 0], values, GAMMA)
    weights = proximal.shaping_weights(deltas[None], others, cfg)[0]
    found = gradient((chances[:, None] * weights * logp).sum(), mine)

    expected = torch.zeros(5, dtype=torch.float64)
    for k in range(STEPS):
        for first in range(4):
            here = (histories[:, k] == first).double() * chances
            slope = gradient(opponents_q(mine, theirs, first, STEPS - k) + 0 * mine.sum(), mine)
            expected += (here * deltas[:, k]).sum() * slope
    assert (found - expected).abs().max() < 1e-12
    assert expected.abs().max() > 0.1


def test_the_past_must_be_of_one_step():
    """With GAE in its place both factors hold the same future: another gradient."""
    data, _ = actor_data(1)
    own, shaping = proximal.action_weights(
        data.rewards, data.values, data.others, replace(ONE_STEP, gae_decay=0.95)
    )
    wrong = proximal.shaping_weights(own, data.others, ONE_STEP)
    assert (wrong - shaping).abs().max() > 0.1


def test_a_return_goes_on_with_the_last_value():
    data, _ = actor_data(2)
    rewards, values = data.others.rewards, data.others.values
    found = proximal.opponent_returns(data.others, replace(ONE_STEP, bootstrap=True))
    expected = sum(0.9 ** (k - 3) * rewards[..., k] for k in (3, 4)) + 0.81 * values[..., 5]
    assert (found[..., 3] - expected).abs().max() < 1e-12
    assert torch.equal(found[..., 5], values[..., 5])


def test_an_opponents_policy_by_hand():
    q = torch.tensor([[0.3, -0.2, 1.0]], dtype=torch.float64)
    found = proximal.opponent_policy(q, torch.tensor([1]), torch.tensor([0.7]).double(), 0.5)
    assert found.item() == pytest.approx(torch.softmax(torch.tensor([0.6, 1.4, 2.0]), 0)[1].item())


# ------------------------------------------------------------------------------------------- steps


@pytest.mark.parametrize("rule", proximal.STEP_RULES)
def test_steps_start_along_the_policy_gradient(rule):
    data, logits = actor_data(1)
    cfg = replace(ONE_STEP, step_rule=rule)
    old = data.logp.detach()
    found = grad(proximal.surrogate(data.logp, old, data.advantages, cfg), logits)
    expected = grad(loqa.actor_loss(data.advantages, data.logp), logits)
    assert (found - expected).abs().max() < 1e-12


def test_the_clipped_surrogate_by_hand():
    """It stops where a ratio has gone beyond 1 ± ε in the direction that its weight asks for."""
    ratios, weights = torch.tensor([1.5, 1.5, 0.5, 0.5]), torch.tensor([1.0, -1.0, 1.0, -1.0])
    logp = ratios.log()[None, None].requires_grad_()
    cfg = proximal.ProximalConfig(step_rule="clip", clip_range=0.2)
    loss = proximal.surrogate(logp, torch.zeros(1, 1, 4), weights[None, None], cfg)
    assert loss.item() == pytest.approx(-(1.2 - 1.5 + 0.5 - 0.8) / 4)
    assert gradient(loss.sum(), logp)[0, 0].tolist() == pytest.approx([0, 1.5 / 4, -0.5 / 4, 0])


def test_divergence_by_hand():
    new, old = torch.tensor([0.5, 0.5]).log(), torch.tensor([0.9, 0.1]).log()
    expected = 0.5 * (torch.tensor(0.5 / 0.9).log() + torch.tensor(0.5 / 0.1).log()).item()
    found = proximal.divergence(new.expand(1, 1, 3, 2), old.expand(1, 1, 3, 2))
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_explored_games_give_the_policys_own_gradient():
    """E_μ ρ W ∇log π = E_π W ∇log π, μ the policy that explores."""
    logits = torch.tensor([0.4, -1.0, 2.0], dtype=torch.float64, requires_grad=True)
    weights = torch.tensor([1.0, 5.0, -2.0], dtype=torch.float64)
    logp = torch.log_softmax(logits, 0)
    played = proximal.explored(logp.detach(), 3, 0.3)
    assert played.exp().sum().item() == pytest.approx(1)

    ratio = (logp - played).exp()
    found = gradient((played.exp() * ratio * weights).sum(), logits)
    assert (found - gradient((logp.exp() * weights).sum(), logits)).abs().max() < 1e-12
