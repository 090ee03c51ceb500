"""Learners from samples, with every trajectory played once and weighted by its probability.

LOLA-DiCE, LOLA-PG and NL-PG are then exact: their directions equal the finite-horizon closed form
to 1e-12.
"""

import itertools

import pytest
import torch
from torch.func import grad, jacrev

from agents import estimators as est
from agents.learners.lola.lola_dice import LolaDiceConfig, lola_dice
from agents.learners.lola.lola_exact import LolaConfig, lola
from agents.learners.lola.lola_pg import (
    LolaPg,
    LolaPgConfig,
    cross_hessians,
    reward_weights,
    scores,
    shaping_term,
)
from agents.learners.naive.naive_exact import naive
from agents.learners.naive.naive_pg import (
    NaivePg,
    advantages,
    critic_step,
    gradient_matrix,
    gradient_weights,
)
from agents.matrix_games.closed_form import MatrixGame
from agents.matrix_games.differentiable import StatelessGame
from agents.matrix_games.sampled import (
    SampleConfig,
    SampledGame,
    look_up,
    pairs,
    rollout,
    weighted_visits,
)
from tests.agents.exact import enumeration as en

torch.set_num_threads(1)
GAMMA, ETA, STEPS = 0.9, 0.7, 3
EXACT = 1e-12


class EnumeratedGame(SampledGame):
    """Plays all (A²)^T trajectories; means over games become expectations."""

    def play(self, theta):
        joint = self.game.num_actions**2
        actions = torch.tensor(list(itertools.product(range(joint), repeat=self.cfg.steps)))
        states = torch.cat((torch.zeros_like(actions[:, :1]), 1 + actions), 1).T
        return states[:, None].repeat(1, len(theta), 1)

    def weights(self, theta, states):
        """Probability of each trajectory times their number: a mean becomes the expectation.

        [L, N, D], [T + 1, L, B] -> [L, B].
        """
        return self.joint_logp(theta, states).sum(-1).exp().detach() * states.shape[-1]

    def values(self, theta):
        lanes = theta.flatten(0, -3)
        states = self.play(lanes)
        objective = self.objective(
            self.joint_logp(lanes, states), self.rewards(states).permute(1, 2, 3, 0), states
        )
        return (objective * self.weights(lanes, states)).mean(-1).T.reshape(*theta.shape[:-2], 2)


def enumerated(payoffs, **settings):
    steps = settings.pop("steps", STEPS)
    return EnumeratedGame(
        MatrixGame(payoffs, GAMMA), SampleConfig(games=1, steps=steps, **settings)
    )


def value_of(payoffs, steps=STEPS):
    return lambda theta: en.value(theta, payoffs, GAMMA, steps)


def brute_look_ahead(value, theta, lookaheads):
    """∇_i V_i(θ_i, θ_j^K), one player at a time."""

    def objective(full, i):
        j, there = 1 - i, full
        for _ in range(lookaheads):
            step = grad(lambda t: value(t)[j])(there)[j]
            moved = there[j] + ETA * step
            there = torch.stack((there[0], moved) if j == 1 else (moved, there[1]))
        return value(there)[i]

    return torch.stack([grad(lambda t, i=i: objective(t, i))(theta)[i] for i in range(2)])


@pytest.mark.parametrize("baseline", ["time", "none"])
@pytest.mark.parametrize("lookaheads", [0, 1, 2])
@pytest.mark.parametrize("name", ["ipd", "lopsided"])
def test_lola_dice_is_the_exact_look_ahead(name, lookaheads, baseline):
    payoffs = en.GAMES[name]
    theta = en.random_theta(payoffs, seed=5, runs=2).detach()
    game = enumerated(payoffs, baseline=baseline)
    found = lola_dice(theta, game, LolaDiceConfig(lookaheads=lookaheads, lr_in=ETA))
    assert not found.requires_grad
    for r in range(2):
        true = brute_look_ahead(value_of(payoffs), theta[r], lookaheads)
        torch.testing.assert_close(found[r], true, rtol=EXACT, atol=EXACT)


def test_loaded_dice_gives_the_same_direction():
    theta = en.random_theta(en.IPD, seed=5, runs=1).detach()
    found = lola_dice(theta, enumerated(en.IPD, estimator="loaded"), LolaDiceConfig(lr_in=ETA))[0]
    true = brute_look_ahead(value_of(en.IPD), theta[0], 1)
    torch.testing.assert_close(found, true, rtol=EXACT, atol=EXACT)


def test_the_surrogate_without_dice_gives_naive_learning_s_first_order_but_not_the_shaping():
    theta = en.random_theta(en.IPD, seed=5, runs=1).detach()
    game = enumerated(en.IPD, estimator="surrogate")
    true = value_of(en.IPD)
    own = torch.stack([grad(lambda t, i=i: true(t)[i])(theta[0])[i] for i in range(2)])
    torch.testing.assert_close(naive(theta, game)[0], own, rtol=EXACT, atol=EXACT)
    found = lola_dice(theta, game, LolaDiceConfig(lr_in=ETA))[0]
    assert (found - brute_look_ahead(true, theta[0], 1)).abs().max() > 1e-3


def test_three_actions():
    theta = en.random_theta(en.THREE_ACTIONS, seed=5, runs=1).detach()
    found = lola_dice(theta, enumerated(en.THREE_ACTIONS, steps=2), LolaDiceConfig(lr_in=ETA))[0]
    true = brute_look_ahead(value_of(en.THREE_ACTIONS, 2), theta[0], 1)
    torch.testing.assert_close(found, true, rtol=EXACT, atol=EXACT)


@pytest.mark.parametrize("form", ["shaping", "taylor", "lookahead"])
def test_every_exact_form_and_third_derivatives_work_on_dice_values(form):
    """Order 2 differentiates DiCE three times; equal to the learner on the closed form."""
    payoffs = en.LOPSIDED
    theta = 0.5 * en.random_theta(payoffs, seed=6, runs=1).detach()

    def closed(x):
        flat = x.reshape(-1, 2, 5)
        return torch.stack([en.value(t, payoffs, GAMMA, 2) for t in flat]).view(x.shape[:-1])

    cfg = LolaConfig(form=form, order=2, eta=ETA)
    found = lola(theta, enumerated(payoffs, steps=2), cfg)
    true = lola(theta, StatelessGame(closed, dim=5), cfg)
    torch.testing.assert_close(found, true, rtol=EXACT, atol=EXACT)


def critic_table(seed=0):
    return torch.randn(1, 2, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def value_with_critic(payoffs, critic):
    """Finite horizon, then what the critic says."""
    return lambda theta: en.state_values(theta, payoffs, GAMMA, STEPS, critic[0].T)[0][0]


def test_policy_gradients_of_all_pairs_are_exact():
    payoffs, critic = en.LOPSIDED, critic_table()
    theta = en.random_theta(payoffs, seed=7, runs=1)
    game = enumerated(payoffs)
    states = game.play(theta)
    joint = game.game.joint_log_policy(game.game.logits(theta)).flatten(-2)
    advantage = advantages(game.rewards(states), critic, states, GAMMA) * game.weights(
        theta, states
    )
    weights = gradient_weights(advantage, pairs(states, 2), GAMMA, joint.shape[-1])
    found = gradient_matrix(weights, joint, theta)[:, 0]
    true = jacrev(value_with_critic(payoffs, critic))(theta[0].detach())
    torch.testing.assert_close(found, true, rtol=EXACT, atol=EXACT)


@pytest.mark.parametrize("centre", [0.0, -1.3])
def test_the_second_order_estimator_of_lola_pg_is_exact(centre):
    """Equation 4.6; a constant taken from the rewards changes nothing."""
    payoffs = en.LOPSIDED
    theta = en.random_theta(payoffs, seed=8, runs=1).detach()
    game = enumerated(payoffs)
    states = game.play(theta)
    discount = GAMMA ** torch.arange(STEPS, dtype=torch.float64)[:, None, None, None]
    weights = (game.rewards(states) - centre) * discount * game.weights(theta, states)
    found = cross_hessians(scores(theta, game), pairs(states, 2), weights)
    for n in range(2):
        hessian = en.derivatives(
            value_of(payoffs)(t := theta[0].clone().requires_grad_())[n], t
        ).second
        torch.testing.assert_close(found[n, 0], hessian[0, :, 1], rtol=EXACT, atol=EXACT)


MUTANTS = {
    "only the scores of the step": lambda score, index, w: sum(
        cross_hessians(score, index[t : t + 1], w[t : t + 1]) for t in range(len(index))
    ),
    "scores of the past without the step": lambda score, index, w: cross_hessians(
        score, index[:-1], w[1:]
    ),
    "players swapped": lambda score, index, w: cross_hessians(score.flip(2), index, w),
    "rewards swapped": lambda score, index, w: cross_hessians(score, index, w.flip(1)),
    "no discount": lambda score, index, w: cross_hessians(
        score, index, w / GAMMA ** torch.arange(STEPS, dtype=torch.float64)[:, None, None, None]
    ),
    "the released factor 1/2": lambda score, index, w: cross_hessians(score, index, w) / 2,
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutants_of_the_second_order_estimator_are_caught(name):
    payoffs = en.LOPSIDED
    theta = en.random_theta(payoffs, seed=8, runs=1).detach()
    game = enumerated(payoffs)
    states = game.play(theta)
    discount = GAMMA ** torch.arange(STEPS, dtype=torch.float64)[:, None, None, None]
    weights = game.rewards(states) * discount * game.weights(theta, states)
    found = MUTANTS[name](scores(theta, game), pairs(states, 2), weights)
    hessian = en.derivatives(value_of(payoffs)(t := theta[0].clone().requires_grad_())[0], t).second
    assert (found[0, 0] - hessian[0, :, 1]).abs().max() > 1e-4


def test_shaping_term_is_the_exact_learner_s():
    payoffs = en.LOPSIDED
    game = MatrixGame(payoffs, GAMMA)
    theta = en.random_theta(payoffs, seed=9, runs=2).detach()
    gradients, hessians = [], []
    for n in range(2):
        found = [en.derivatives(game.values(t := x.clone().requires_grad_())[n], t) for x in theta]
        gradients.append(torch.stack([d.first for d in found]))
        hessians.append(torch.stack([d.second[0, :, 1] for d in found]))
    term = shaping_term(torch.stack(hessians), torch.stack(gradients))
    true = lola(theta, game, LolaConfig(eta=1.0)) - naive(theta, game)
    torch.testing.assert_close(term, true, rtol=1e-11, atol=1e-11)


@pytest.fixture
def batch():
    """A batch of sampled play, its log-probabilities attached, its rewards, time last."""
    theta = en.random_theta(en.IPD, seed=10, runs=3)
    game = SampledGame(MatrixGame(en.IPD, GAMMA), SampleConfig(games=40, steps=12, seed=4))
    states = game.play(theta)
    policies = game.game.log_policies(theta)
    swap = torch.tensor([0, 1, 3, 2, 4])
    own = torch.stack((states[:-1], swap[states[:-1]]), 1)
    acts = torch.stack(((states[1:] - 1) // 2, (states[1:] - 1) % 2), 1)
    logp = torch.stack(
        [look_up(policies[:, n].flatten(1), own[:, n] * 2 + acts[:, n]) for n in range(2)], 1
    )  # [R, N, B, T]
    return theta, game, states, logp, game.rewards(states).permute(2, 1, 3, 0)


def test_sums_over_visits_are_the_autograd_of_the_formula(batch):
    """`gradient_matrix` against estimators.policy_gradient, `cross_hessians` against eq. 4.6."""
    theta, game, states, logp, rewards = batch
    critic = critic_table().expand(3, 2, 5).contiguous()
    advantage = advantages(game.rewards(states), critic, states, GAMMA)
    joint = game.game.joint_log_policy(game.game.logits(theta)).flatten(-2)
    found = gradient_matrix(gradient_weights(advantage, pairs(states, 2), GAMMA, 20), joint, theta)
    last = advantage.permute(2, 1, 3, 0)
    for i in range(2):
        objective = est.policy_gradient(logp.sum(1), last[:, i], GAMMA).mean(-1).sum()
        torch.testing.assert_close(
            found[i], torch.autograd.grad(objective, theta, retain_graph=True)[0]
        )

    weights = reward_weights(game.rewards(states), GAMMA)
    hessians = cross_hessians(scores(theta, game), pairs(states, 2), weights)
    centred = rewards - rewards.mean((-1, -2), keepdim=True)
    both = logp.cumsum(-1).prod(1)
    for n in range(2):
        objective = (both * est.discounts(both, GAMMA) * centred[:, n]).sum(-1).mean(-1).sum()
        (first,) = torch.autograd.grad(objective, theta, create_graph=True)
        for d in range(5):
            row = torch.autograd.grad(first[:, 0, d].sum(), theta, retain_graph=True)[0][:, 1]
            torch.testing.assert_close(hessians[n, :, d], row)


def test_joint_log_probability_is_the_sum_of_the_players(batch):
    theta, game, states, logp, _ = batch
    torch.testing.assert_close(game.joint_logp(theta, states), logp.sum(1))


def test_advantages_are_bootstrapped_returns_minus_the_critic(batch):
    _, game, states, _, rewards = batch
    critic = critic_table().expand(3, 2, 5).contiguous()
    values = torch.stack([look_up(critic[:, n], states) for n in range(2)], 1)
    true = est.discounted_returns(rewards, GAMMA, values[..., -1]) - values[..., :-1]
    torch.testing.assert_close(
        advantages(game.rewards(states), critic, states, GAMMA).permute(2, 1, 3, 0), true
    )


def test_critic_step_descends_the_squared_error(batch):
    _, game, states, _, _ = batch
    critic = critic_table().repeat(3, 1, 1).requires_grad_()
    target = advantages(game.rewards(states), critic.detach(), states, GAMMA).permute(
        2, 1, 3, 0
    ) + torch.stack([look_up(critic.detach()[:, n], states[:-1]) for n in range(2)], 1)
    values = torch.stack([look_up(critic[:, n], states[:-1]) for n in range(2)], 1)
    loss = ((target - values) ** 2 / 2).mean((-1, -2)).sum()
    advantage = advantages(game.rewards(states), critic.detach(), states, GAMMA)
    found = critic_step(critic.detach(), states, advantage, lr=0.3)
    torch.testing.assert_close(
        found, (critic - 0.3 * torch.autograd.grad(loss, critic)[0]).detach()
    )


def test_learners_are_their_formulas_on_the_same_play():
    """NaivePg and LolaPg draw one batch from the game's generator; replayed, the parts give it."""
    theta = en.random_theta(en.IPD, seed=10, runs=3).detach()

    def fresh():
        return SampledGame(MatrixGame(en.IPD, GAMMA), SampleConfig(games=20, steps=9, seed=4))

    learner, plain = LolaPg(LolaPgConfig(eta=0.6)), NaivePg()
    found, naive_found = learner(theta, fresh()), plain(theta, fresh())
    assert torch.equal(learner.critic.values, plain.critic.values)
    game = fresh()
    states = game.play(theta)
    weights = reward_weights(game.rewards(states), GAMMA)
    hessians = cross_hessians(scores(theta, game), pairs(states, 2), weights)
    critic = torch.randn(3, 2, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    advantage = advantages(game.rewards(states), critic, states, GAMMA)
    tracked = theta.clone().requires_grad_()
    joint = game.game.joint_log_policy(game.game.logits(tracked)).flatten(-2)
    gradients = gradient_matrix(
        gradient_weights(advantage, pairs(states, 2), GAMMA, 20), joint, tracked
    )
    own = torch.stack((gradients[0][:, 0], gradients[1][:, 1]), 1)
    torch.testing.assert_close(naive_found, own)
    torch.testing.assert_close(found, own + 0.6 * shaping_term(hessians, gradients))


def test_weighted_visits_and_rollout_shapes():
    index = torch.tensor([[[0, 2]], [[2, 2]]])
    assert weighted_visits(index, torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]]]), 3).tolist() == [
        [1.0, 0.0, 9.0]
    ]
    joint = torch.zeros(2, 5, 4, dtype=torch.float64)
    joint[0, :, 3] = joint[1, :, 0] = 1
    states = rollout(joint, 3, 4, torch.Generator().manual_seed(0))
    assert states[1:, 0].unique().tolist() == [4]
    assert states[1:, 1].unique().tolist() == [1]
    assert states.shape == (5, 2, 3)
    assert not states[0].any()
