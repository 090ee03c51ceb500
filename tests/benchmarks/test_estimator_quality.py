"""Sampled gradients of the benchmark: the learners' own, and on average the true ones.

Statistical tests look at D components at once and allow LARGEST standard errors in each: a false
alarm once in 10,000 seeds at most (D times the tail of the normal distribution, D <= 12).
"""

from dataclasses import replace

import pytest
import torch

from agents.exact.markov_game import MarkovGame, Play
from agents.exact.pola import outer_gradient as exact_outer_gradient
from agents.learners.lola.lola_dice import LolaDiceConfig, lola_dice
from agents.learners.lola.lola_exact import LolaConfig
from agents.learners.loqa.advantage_alignment import AlignmentConfig
from agents.learners.loqa.advantage_alignment import loss as alignment_loss
from agents.learners.meta_mapg import meta_mapg, meta_mapg_exact
from agents.learners.meta_mapg.config import MetaConfig
from agents.learners.meta_mapg.games import World
from agents.learners.pola.pola_dice import PolaDiceConfig, outer_gradient
from agents.matrix_games.sampled import SampleConfig, SampledGame
from agents.nn.networks import Tabular
from benchmarks.coin_batches import (
    Record,
    Table,
    actor_data,
    loqa_batches,
    outer_problem,
    pola_batches,
)
from benchmarks.coin_gradients import (
    Coin,
    alignment_mean,
    by_logits,
    coin,
    inner_config,
    pola_gradient,
)
from benchmarks.dilemma_gradients import (
    dilemma,
    lola_batches,
    lola_parts,
    meta_batches,
    meta_gradient,
)
from benchmarks.gradient_quality import quality
from tests.agents.exact_games.small import random_policies, small_game

torch.set_num_threads(1)
LARGEST = 4.6  # standard errors; the normal distribution's tails beyond it hold 4e-6
GAMMA = 0.5


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def tiny():
    """Six states, two actions, chance, seats that see permuted states."""
    game = replace(small_game(2, gamma=GAMMA), seen_actions=None)
    markov = MarkovGame(game)
    return Coin(game, markov, Play(markov, random_policies(1, game)))


def pola_config(**changes):
    settings = {"gamma": GAMMA, "horizon": 16, "batch": 100, "inner_steps": 1, "lr_in": 0.1}
    settings |= {"lr_v": 0.0, "beta_in": 0.0, "beta_out": 0.0, "gae_lambda": 0.9}
    return PolaDiceConfig(actor="tabular", **(settings | changes))


def errors(batches, truth):
    """By how many standard errors each component's mean is off."""
    return (batches.mean(0) - truth) / (batches.std(0) / len(batches) ** 0.5)


# ------------------------------------------------------------------------------ the learners' own


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_the_parts_of_pola_dice_are_its_outer_gradient(tiny, steps):
    cfg = pola_config(inner_steps=steps, batch=20)
    _, after = pola_gradient(tiny, inner_config(0.1, 1, GAMMA))
    parts, _ = pola_batches(Table(tiny, generator()), cfg, after, 3)
    problem = outer_problem(Table(tiny, generator()), cfg, after, 3)
    expected = outer_gradient(problem.old, problem).gradient[:, : problem.net.actor_size]
    torch.testing.assert_close(parts.whole, expected, rtol=0, atol=1e-12)
    assert (parts.shaping.abs().max() > 0) == (steps > 0)


def test_the_parts_of_lola_dice_are_its_direction():
    theta = torch.randn(2, 5, dtype=torch.float64, generator=generator())
    game = SampledGame(dilemma(0.9), SampleConfig(8, 6, seed=4))
    parts = lola_batches(game, theta, LolaConfig(form="lookahead", eta=0.3), 3)
    game.generator.manual_seed(4)
    expected = lola_dice(theta.expand(3, -1, -1).clone(), game, LolaDiceConfig(1, 0.3))
    torch.testing.assert_close(parts.whole, expected[:, 0], rtol=0, atol=1e-12)


def test_the_parts_of_meta_mapg_are_its_gradient():
    start = torch.randn(2, 10, dtype=torch.float64, generator=generator())
    rates, cfg = torch.ones(2, 2, dtype=torch.float64), MetaConfig(2, 8, 6, entropy=0.0)
    parts = meta_batches(start, rates, cfg, 3, generator(1))

    payoffs = dilemma(0.9).payoffs.expand(3, -1, -1, -1)
    world = World([Tabular(torch.zeros(5, 1), 2)] * 2, payoffs, cfg, generator(1))
    phi, alpha = tuple(p.expand(3, -1) for p in start), rates[..., None].expand(-1, -1, 3)
    (expected,) = meta_mapg.meta_gradients(phi, alpha, world, [0])
    torch.testing.assert_close(parts.whole, expected.start, rtol=0, atol=1e-10)


# --------------------------------------------------------------------------------- the true ones


@pytest.mark.parametrize("steps", [1, 3])
def test_true_pola_is_the_exact_learners(tiny, steps):
    cfg = inner_config(2.0, steps, GAMMA)
    parts, _ = pola_gradient(tiny, cfg)
    expected, _ = exact_outer_gradient(tiny.play, 0, cfg)
    expected = by_logits(expected[0], tiny.play.policies[0, 0]) / (1 - GAMMA)
    torch.testing.assert_close(parts.whole, expected, rtol=0, atol=1e-12)


def test_true_lola_and_meta_mapg_are_the_exact_learners():
    theta = torch.randn(1, 2, 5, dtype=torch.float64, generator=generator())
    parts = lola_parts(theta, dilemma(0.9), LolaConfig(form="lookahead", eta=0.3))
    expected = lola_dice(theta, dilemma(0.9), LolaDiceConfig(1, 0.3))
    torch.testing.assert_close(parts.whole, expected[:, 0], rtol=0, atol=1e-12)

    start = torch.randn(2, 10, dtype=torch.float64, generator=generator())
    rates, rules = torch.ones(3, 2, dtype=torch.float64), meta_mapg_exact.LearningRules()
    game = dilemma(0.9, two_logits=True)
    exact = meta_mapg_exact.meta_gradient(start[None], rates[:, None], game, rules)
    found = meta_gradient(start, rates, 0.9)
    torch.testing.assert_close(found.whole, exact.start[0], rtol=0, atol=1e-10)


def all_records(table, steps):
    """Every game of T steps, each a batch of its own, and its probability."""
    game, play = table.coin.game, table.coin.play
    chance = game.chance.toarray()
    found = [([s], [], p) for s, p in enumerate(game.start)]
    for _ in range(steps):
        longer = []
        for states, moves, weight in found:
            for j, likely in enumerate(play.joint[0, states[-1]].tolist()):
                to = game.successors[states[-1], j]
                waits = to >= game.num_states
                then = enumerate(chance[to - game.num_states]) if waits else [(to, 1.0)]
                longer += [([*states, s], [*moves, j], weight * likely * p) for s, p in then if p]
        found = longer
    states, moves, weights = zip(*found, strict=True)
    record = Record(torch.tensor(states).T[..., None], torch.tensor(moves).T[..., None])
    return record, torch.tensor(weights)


@pytest.mark.parametrize("decay", [0.7, 1.0])
def test_mean_of_advantage_alignment_over_all_games(tiny, decay):
    table, steps = Table(tiny, generator()), 3
    record, weights = all_records(table, steps)
    assert weights.sum() == pytest.approx(1)
    cfg = AlignmentConfig(gamma=GAMMA, horizon=steps, decay=decay, past_selves=False)
    theta = tiny.play.policies[0, 0].log().expand(len(weights), -1, -1).clone().requires_grad_()
    data = actor_data(table, theta, record, cfg)
    shaping = alignment_loss(data, cfg) - alignment_loss(data._replace(shaping=False), cfg)
    (mean,) = torch.autograd.grad(-(weights * shaping).sum(), theta)
    expected = alignment_mean(tiny, decay, steps)
    torch.testing.assert_close(mean.sum(0).flatten(), expected, rtol=0, atol=1e-12)
    assert expected.norm() > 1e-3
    assert (expected - alignment_mean(tiny, decay, steps, apart=True)).norm() > 1e-3


# -------------------------------------------------------------------------------- on average true


def test_batches_of_advantage_alignment_agree_with_their_mean(tiny):
    cfg = AlignmentConfig(gamma=GAMMA, horizon=8, batch=50, decay=0.9, past_selves=False)
    batches = loqa_batches(Table(tiny, generator(1)), cfg, 400).shaping
    assert errors(batches, alignment_mean(tiny, 0.9, 8)).abs().max() < LARGEST


@pytest.mark.parametrize("decay", [1.0, 0.6])
def test_batches_of_pola_dice_agree_with_the_truth_unless_they_forget(tiny, decay):
    true, after = pola_gradient(tiny, inner_config(0.1, 1, GAMMA))
    cfg = pola_config(dice_decay=decay)
    parts, _ = pola_batches(Table(tiny, generator(2)), cfg, after, 1000)
    assert errors(parts.own, true.own).abs().max() < LARGEST
    assert (errors(parts.shaping, true.shaping).abs().max() < LARGEST) == (decay == 1.0)


def test_batches_of_lola_dice_agree_with_the_truth():
    theta = torch.randn(2, 5, dtype=torch.float64, generator=generator(3))
    cfg, game = LolaConfig(form="lookahead", eta=0.05), dilemma(GAMMA)
    true = lola_parts(theta[None], game, cfg)
    sampled = SampledGame(game, SampleConfig(games=100, steps=24, seed=5))
    parts = lola_batches(sampled, theta, cfg, 1000)
    for batches, truth in zip(parts, true, strict=True):
        assert errors(batches, truth[0]).abs().max() < LARGEST


# ---------------------------------------------------------------------------------------- quality


def test_quality_of_batches_with_a_known_bias_and_deviation():
    """Means over 400 runs within LARGEST standard errors of what was put in."""
    truth = torch.tensor([3.0, 4.0, 0.0], dtype=torch.float64)
    off = torch.tensor([0.0, 0.0, 2.5], dtype=torch.float64)
    noise = 2 * torch.randn(400, 8, 3, dtype=torch.float64, generator=generator(6))
    found = quality(truth + off + noise, truth)
    expected = {"norm": 25.0, "kept": 1.0, "bias": 0.25, "direction": 1 / 1.25**0.5}
    for name, value in expected.items():
        spread = found[name].std() / 400**0.5
        assert abs(found[name].mean() - value) <= LARGEST * spread, name
    assert found["deviation"].square().mean() == pytest.approx(3 * 4 / 25, rel=0.1)


def test_a_part_that_is_always_zero_has_no_signal():
    zeros, truth = torch.zeros(2, 3, 4).double(), torch.ones(4).double()
    found = quality(zeros, truth)
    assert {name: float(found[name][0]) for name in ("kept", "bias", "cosine", "signal")} == {
        "kept": 0,
        "bias": 1,
        "cosine": 0,
        "signal": 0,
    }


def test_renamed_actions_are_refused():
    game = small_game(2)
    markov = MarkovGame(game)
    with pytest.raises(ValueError, match="renames actions"):
        Table(Coin(game, markov, Play(markov, random_policies(1, game))), generator())


def test_thieves_are_thieves():
    """They take what an always-cooperating player leaves, and gain nothing from each other."""
    near, thieves = (coin(policies, 0.96) for policies in ("near uniform", "two thieves"))
    assert thieves.game.score([thieves.play.policies[0, 0].numpy(), "always_cooperate"])[0] > 0.55
    assert near.play.score[0].abs().max() < 0.01
    assert thieves.play.score[0].abs().max() < 0.01
