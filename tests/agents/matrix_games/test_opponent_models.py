"""Opponent models: counts by hand, fits to known policies, and who is modelled by whom."""

import pytest
import torch

import social_dilemmas_env as sde
from agents.learners.lola.lola_exact import lola
from agents.learners.naive.naive_exact import naive
from agents.matrix_games.closed_form import MatrixGame
from agents.matrix_games.opponent_models import (
    CountModel,
    ExactModelConfig,
    LikelihoodConfig,
    LikelihoodModel,
    action_counts,
    climb,
    counted,
    estimates_of,
    fit_exactly,
    kl_divergence,
    log_likelihood,
    modelling,
)
from agents.matrix_games.parametrisations import network
from agents.matrix_games.sampled import SampleConfig, SampledGame

torch.set_num_threads(1)
IPD = MatrixGame(sde.payoffs("ipd_v0"), 0.96)


def random_theta(runs=2, seed=0):
    return torch.randn(
        runs, 2, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)
    )


def two_logs(logit):
    """Log-probabilities of two actions from the logit of the first."""
    both = (torch.nn.functional.logsigmoid(logit), torch.nn.functional.logsigmoid(-logit))
    return torch.stack(both, -1)


def test_action_counts_by_hand():
    # joint states: start, then CD, DC, DD. Player 0 stands in 0, CD, DC; player 1 in 0, DC, CD.
    states = torch.tensor([0, 2, 3, 4])[:, None, None]
    counts = action_counts(states, 2)
    assert counts.shape == (1, 2, 5, 2)
    assert counts[0, 0].tolist() == [[1, 0], [0, 0], [0, 1], [0, 1], [0, 0]]
    assert counts[0, 1].tolist() == [[0, 1], [0, 0], [0, 1], [1, 0], [0, 0]]


def test_counted_is_laplace_s_rule():
    counts = torch.zeros(1, 2, 5, 2, dtype=torch.float64)
    counts[0, 0, 1] = torch.tensor([8.0, 0.0])
    found = torch.sigmoid(counted(counts))
    assert found[0, 0].tolist() == pytest.approx([0.5, 0.9, 0.5, 0.5, 0.5])
    three = counted(torch.tensor([[[[4.0, 0.0, 1.0]]]], dtype=torch.float64))
    torch.testing.assert_close(three[0, 0], torch.tensor([5 / 2, 1 / 2], dtype=torch.float64).log())


def test_beliefs_keep_the_own_parameters():
    theta, model = torch.zeros(1, 2, 1), torch.tensor([[[7.0], [9.0]]])
    estimates = estimates_of(theta, model)
    assert estimates[0, 0, :, 0].tolist() == [0.0, 9.0]  # player 0 models player 1
    assert estimates[1, 0, :, 0].tolist() == [
        7.0,
        0.0,
    ]  # player 1 models player 0: not itself, as the released code


def test_count_model_is_consistent():
    theta = random_theta()
    model = CountModel(SampledGame(IPD, SampleConfig(games=4000)))
    estimates = model(theta)
    seen = torch.sigmoid(estimates[0][:, 1]) - torch.sigmoid(theta[:, 1])
    assert seen.abs().max() < 0.1
    assert seen.abs().max() > 0
    assert torch.equal(estimates[0][:, 0], theta[:, 0])
    assert torch.equal(estimates[1][:, 1], theta[:, 1])


def test_log_likelihood_and_its_climb():
    counts = torch.tensor([[[[3.0, 1.0]]]], dtype=torch.float64)
    policies = torch.tensor([[[[0.75, 0.25]]]], dtype=torch.float64)
    expected = (3 * torch.tensor(0.75).log() + torch.tensor(0.25).log()) / (2 * 4)
    assert log_likelihood(policies.log(), counts, games=4).item() == pytest.approx(expected.item())
    found = climb(
        torch.zeros(1, 1, 1, dtype=torch.float64),
        lambda x: log_likelihood(two_logs(x), counts, 4),
        1.0,
        300,
    )
    assert torch.sigmoid(found).item() == pytest.approx(0.75, abs=1e-3)


def test_one_step_of_the_climb_by_hand():
    """δ/(A B) Σ (n_C - n p) at p = 1/2: .1 / 8 * (3 - 2)."""
    counts = torch.tensor([[[[3.0, 1.0]]]], dtype=torch.float64)
    found = climb(
        torch.zeros(1, 1, 1, dtype=torch.float64),
        lambda x: log_likelihood(two_logs(x), counts, 4),
        0.1,
        1,
    )
    assert found.item() == pytest.approx(0.1 / 8)


def test_likelihood_model_approaches_the_other_and_is_kept():
    theta = random_theta()
    model = LikelihoodModel(
        SampledGame(IPD, SampleConfig(games=500)),
        LikelihoodConfig(lr=0.1, first_steps=200, steps=50),
    )
    gaps = [
        (torch.sigmoid(model(theta)[0][:, 1]) - torch.sigmoid(theta[:, 1])).abs().max().item()
        for _ in range(4)
    ]
    assert gaps[-1] < 0.1
    assert gaps[-1] <= gaps[0] + 0.05


def test_likelihood_model_takes_its_first_steps_once():
    class Counting(MatrixGame):
        calls = 0

        def log_policies(self, theta):
            self.calls += 1
            return super().log_policies(theta)

    theta, cfg = random_theta(), LikelihoodConfig(lr=0.0, first_steps=3, steps=2)
    game = Counting(sde.payoffs("ipd_v0"), 0.96)
    model = LikelihoodModel(SampledGame(game, SampleConfig(games=4, steps=5)), cfg)

    model(theta)
    assert game.calls == 3
    model(theta)
    assert game.calls == 5
    assert torch.equal(model.model, torch.zeros_like(theta))


def test_kl_divergence_is_summed_over_states():
    p = torch.tensor([[0.5, 0.5], [0.9, 0.1]], dtype=torch.float64).log()
    q = torch.tensor([[0.25, 0.75], [0.9, 0.1]], dtype=torch.float64).log()
    expected = 0.5 * torch.tensor(2.0).log() + 0.5 * torch.tensor(0.5 / 0.75).log()
    assert kl_divergence(p, q).item() == pytest.approx(expected.item())
    assert kl_divergence(p, p).item() == 0.0


def test_an_exact_fit_reaches_its_tolerance_and_stops():
    theta, cfg = 0.5 * random_theta(), ExactModelConfig(tolerance=1e-6)

    def both(true, model):
        return IPD.log_policies(true), IPD.log_policies(model)

    model = fit_exactly(theta, torch.zeros_like(theta), both, cfg)
    assert kl_divergence(*both(theta, model)).max() < 1e-6
    assert (torch.sigmoid(model) - torch.sigmoid(theta)).abs().max() < 2e-3
    assert torch.equal(fit_exactly(theta, model, both, cfg), model)


def test_exact_fit_of_a_network_and_its_limit_of_steps():
    net = network()
    theta, start = 0.5 * random_theta(), net.initial(2, seed=1)

    def both(true, model):
        game = MatrixGame(sde.payoffs("ipd_v0"), 0.96, parametrisation=net)
        return IPD.log_policies(true), game.log_policies(model)

    before = kl_divergence(*both(theta, start))
    after = kl_divergence(
        *both(theta, fit_exactly(theta, start, both, ExactModelConfig(steps=200)))
    )
    assert (after < before / 5).all()
    assert torch.equal(fit_exactly(theta, start, both, ExactModelConfig(steps=0)), start)


def test_modelling_with_the_truth_changes_nothing():
    theta = random_theta()
    direction = modelling(lola, lambda t: t.expand(2, *t.shape))
    torch.testing.assert_close(direction(theta, IPD), lola(theta, IPD))


def test_each_player_acts_on_its_own_belief():
    theta, wrong = random_theta(), random_theta(seed=1)
    found = modelling(naive, lambda t: estimates_of(t, wrong))(theta, IPD)
    first = naive(torch.stack((theta[:, 0], wrong[:, 1]), 1), IPD)[:, 0]
    second = naive(torch.stack((wrong[:, 0], theta[:, 1]), 1), IPD)[:, 1]
    torch.testing.assert_close(found, torch.stack((first, second), 1))
