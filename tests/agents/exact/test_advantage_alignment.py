"""Advantage Alignment: the aligned advantage is the gradient of LOQA's shaping term without its
normaliser."""

from dataclasses import replace

import pytest
import torch

from agents.learners.loqa import advantage_alignment as aa
from agents.learners.loqa import loqa
from agents.learners.loqa.data import ActorData, OpponentData


def actor_data(opponents=1, runs=2, games=3, steps=6, actions=4, seed=0):
    """Random data of the right shapes; log π attached to `logits`."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    logits = normal(runs, games, steps, actions).requires_grad_()
    log_policy = torch.log_softmax(logits, -1)
    own = torch.randint(actions, (runs, games, steps), generator=generator)
    theirs = torch.randint(actions, (opponents, runs, games, steps), generator=generator)
    others = OpponentData(
        normal(opponents, runs, games, steps),
        theirs,
        normal(*theirs.shape, actions),
        normal(opponents, runs, games, steps),
    )
    logp = log_policy.gather(-1, own[..., None])[..., 0]
    parts = [normal(runs, games, size) for size in (steps, steps, steps + 1)]
    data = ActorData(log_policy, logp, *parts, others, True)
    return data, logits


def gradient(loss, logits):
    return torch.autograd.grad(loss.sum(), logits, retain_graph=True)[0]


@pytest.mark.parametrize("opponents", [1, 2, 3])
@pytest.mark.parametrize("weight", [1.0, 0.3])
def test_aligned_and_loaded_have_one_gradient(opponents, weight):
    data, logits = actor_data(opponents)
    cfg = aa.AlignmentConfig(weight=weight, temperature=1.0)
    loaded, aligned = (
        gradient(aa.loss(data, replace(cfg, form=form)), logits) for form in ("loaded", "aligned")
    )
    assert (loaded - aligned).abs().max() < 1e-12
    assert loaded.abs().max() > 1e-3
    normalised = gradient(
        loqa.loss(data, replace(cfg, form="loaded", stop_normaliser=False)), logits
    )
    assert (loaded - normalised).abs().max() > 1e-3


def test_many_opponents_are_the_sum_over_each():
    """The shaping gradient with J opponents is the sum of J two-player ones (LOQA.

    three_player_coin_train.py's intent).
    """
    data, logits = actor_data(3)
    cfg = loqa.LoqaConfig(weight=0.7)
    own = gradient(loqa.actor_loss(data.advantages, data.logp), logits)
    parts = []
    for j in range(3):
        only = data._replace(others=OpponentData(*(x[j : j + 1] for x in data.others)))
        parts.append(gradient(loqa.loss(only, cfg), logits) - own)
    assert (gradient(loqa.loss(data, cfg), logits) - own - sum(parts)).abs().max() < 1e-12


def test_shaping_can_be_switched_off():
    data, logits = actor_data()
    own = gradient(loqa.actor_loss(data.advantages, data.logp), logits)
    for off, cfg in (
        (data, loqa.LoqaConfig(weight=0.0)),
        (data._replace(shaping=False), loqa.LoqaConfig()),
    ):
        assert torch.equal(gradient(loqa.loss(off, cfg), logits), own)
    assert not torch.equal(gradient(loqa.loss(data, loqa.LoqaConfig(shaping_until=5)), logits), own)


def test_past_by_hand():
    advantages = torch.tensor([1.0, 10.0, 100.0, 0.0])
    assert aa.mean_past(advantages).tolist() == [0.0, 1.0, 5.5, 37.0]
    assert aa.discounted_past(advantages, 0.5, 1.0).tolist() == [0.0, 0.5, 5.25, 52.625]
    decayed = aa.discounted_past(advantages, 0.5, 0.2).tolist()
    assert decayed == pytest.approx([0.0, 0.5, 0.5 * (10 + 0.1), 0.5 * (100 + 1 + 0.01)])


def test_mean_form_uses_standardised_gae():
    data, logits = actor_data(2)
    cfg = aa.AlignmentConfig(form="mean", gae_decay=0.9)
    got = gradient(aa.loss(data, cfg), logits)
    own = torch.zeros_like(data.rewards)
    after = 0.0
    for t in reversed(range(6)):
        delta = data.rewards[..., t] + cfg.gamma * data.values[..., t + 1] - data.values[..., t]
        own[..., t] = after = delta + cfg.gamma * 0.9 * after
    own = (own - own.mean((1, 2), keepdim=True)) / own.std((1, 2), keepdim=True, correction=0)
    theirs = torch.zeros_like(data.others.rewards)
    after = 0.0
    for t in reversed(range(6)):
        following = data.others.values[..., min(t + 1, 5)]
        delta = data.others.rewards[..., t] + cfg.gamma * following - data.others.values[..., t]
        theirs[..., t] = after = delta + cfg.gamma * 0.9 * after
    theirs = (theirs - theirs.mean((2, 3), keepdim=True)) / theirs.std(
        (2, 3), keepdim=True, correction=0
    )
    star = own.clone()
    for t in range(1, 6):
        star[..., t] = own[..., t] + own[..., :t].mean(-1) * theirs.sum(0)[..., t]
    expected = gradient(-(star * data.logp).mean((1, 2)), logits)
    assert (got - expected).abs().max() < 1e-7
