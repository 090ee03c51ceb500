"""POLA-DiCE's outer step, with every game played once and weighted by its probability, is the exact
update to 1e-10.

The exact update is written a second time here: values by backward recursion over joint actions, one
player at a time, the look-ahead as a graph that autograd differentiates as a whole."""

from dataclasses import replace

import pytest
import torch

from agents.learners.pola import pola_dice
from agents.learners.pola.pola_dice import (
    OuterProblem,
    look_ahead,
    outer_gradient,
)
from agents.nn.gru import gru, gru_step
from agents.nn.networks import ActorCritic, Gru
from tests.agents.exact import enumeration as en
from tests.agents.exact.pola_games import (
    GAMMA,
    LOLA,
    NET,
    POLA,
    RUNS,
    STEPS,
    every_game,
    normal,
    policy,
    problem_of,
)

torch.set_num_threads(1)
EXACT = 1e-10


def exact_value(own, other, player, of, payoffs, critic):
    """V of player `of` when `player` plays own and the other one `other`.

    Then what the critic says.
    """
    tables = (own, other) if player == 0 else (other, own)
    theta = torch.stack([t[:10].view(5, 2)[:, 0] - t[:10].view(5, 2)[:, 1] for t in tables])
    last = critic[10:].detach()
    last = last if of == 0 else last[[0, 1, 3, 2, 4]]  # the recursion is in player 0's words
    return en.state_values(theta, payoffs, GAMMA, STEPS, last[:, None].expand(5, 2))[0][0][of]


def exact_divergence(old, new, own, other, player, of, payoffs, reverse=False):
    """KL(old || new) in the states that player `of` visits when these two play.

    Visits are constants.
    """
    states, acts, _ = every_game(payoffs)
    logp = sum(
        policy(t.detach())[states[n][:, :-1], acts[n]].sum(-1)
        for t, n in ((own, player), (other, 1 - player))
    )
    first, second = (policy(new), policy(old)) if reverse else (policy(old), policy(new))
    by_state = (first.exp() * (first - second)).sum(-1)
    return (logp.exp()[:, None] * by_state[states[of][:, :-1]]).sum() / STEPS


def exact_direction(own, lane, problem, payoffs):
    """∇_θ of the outer objective of one lane."""
    cfg, player = problem.cfg, lane // RUNS
    start, other = problem.other[lane], problem.other[lane].clone().requires_grad_()
    own = own[lane].clone().requires_grad_()
    first = other
    for _ in range(cfg.inner_steps):
        total = exact_value(own, other, player, 1 - player, payoffs, first)
        total = total - cfg.beta_in * exact_divergence(
            start, other, own, other, player, 1 - player, payoffs, cfg.reverse_kl
        )
        other = other + cfg.lr_in * torch.autograd.grad(total, other, create_graph=True)[0]
    total = exact_value(own, other, player, player, payoffs, own)
    old = problem.old[lane]
    total = total - cfg.beta_out * exact_divergence(
        old, own, own, other, player, player, payoffs, cfg.reverse_kl
    )
    return torch.autograd.grad(total, own)[0]


def errors(problem, own, payoffs):
    """Largest difference over the actors' parameters of all lanes."""
    found = outer_gradient(own, problem).gradient
    true = torch.stack([exact_direction(own, lane, problem, payoffs) for lane in range(len(own))])
    assert true[:, :10].abs().max() > 1e-2
    return (found - true)[:, :10].abs().max()


SETTINGS = {
    "naive": replace(LOLA, inner_steps=0),
    "lola": LOLA,
    "lola, two look-aheads": replace(LOLA, inner_steps=2),
    "lola, dice": replace(LOLA, inner_steps=2, estimator="dice"),
    "pola": POLA,
    "pola, three steps": replace(POLA, inner_steps=3, lr_in=0.4),
    "pola, other direction": replace(POLA, reverse_kl=True),
    "pola, rematerialised": replace(POLA, rematerialise=True),
    "pola, dice": replace(POLA, estimator="dice"),
    "lola, ratios": replace(LOLA, reuse_inner=True),
}


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("game", ["ipd", "lopsided"])
def test_the_outer_step_is_exact(name, game):
    payoffs = en.GAMES[game]
    problem, own = problem_of(payoffs, SETTINGS[name])
    assert errors(problem, own, payoffs) < EXACT


def _forgetful(own, step, problem, create_graph, really=pola_dice.inner_gradient):
    found = really(own.detach().requires_grad_(), step, problem, create_graph)
    return found + 0 * own if create_graph else found


def _no_derivative(own, cotangent, steps, problem):
    return torch.zeros_like(own)


def _swapped(logp, rewards, values, cfg, really=pola_dice.objective):
    return really(logp, rewards.flip(0), values, cfg)


def _over_at_the_end(logp, rewards, values, cfg, really=pola_dice.objective):
    return really(logp, rewards, 0 * values, cfg)


def _other_discount(logp, rewards, values, cfg, really=pola_dice.objective):
    return really(logp, rewards, values, replace(cfg, gamma=0.91))


def _reversed(old, new, reverse, really=pola_dice.divergence):
    return really(old, new, not reverse)


def _always_first(k, *rest, really=pola_dice.InnerStep):
    return really(0, *rest)


MUTANTS = {
    "look-ahead not differentiated": ("look_ahead_vjp", _no_derivative),
    "inner gradient forgets θ": ("inner_gradient", _forgetful),
    "players' rewards swapped": ("objective", _swapped),
    "games that end at T": ("objective", _over_at_the_end),
    "KL the other way round": ("divergence", _reversed),
    "discount": ("objective", _other_discount),
    "no first slope": ("InnerStep", _always_first),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutants_are_caught(name, monkeypatch):
    problem, own = problem_of(en.LOPSIDED, POLA)
    monkeypatch.setattr(pola_dice, *MUTANTS[name])
    assert errors(problem, own, en.LOPSIDED) > 1e-4


def test_critics_learn_by_the_formula():
    """φ's by plain descent inside; θ's is part of the outer gradient."""
    cfg = replace(POLA, lr_v=0.05, inner_steps=1)
    problem, own = problem_of(en.IPD, cfg)
    games = problem.play(own, problem.other, 0)
    after = look_ahead(own.clone().requires_grad_(), problem)[0]
    for theta, side, moved in (
        (problem.other, games.other, lambda descent: (problem.other - after.detach()) / cfg.lr_v),
        (own, None, lambda descent: -outer_gradient(own, problem).gradient),
    ):
        if side is None:
            games = problem.play(own, after, 1)
            side = games.own
        table = theta[:, 10:].detach()
        total = torch.zeros_like(table)
        values = table[torch.arange(4)[:, None, None], side.obs_ids.movedim(0, -1)]
        for t in range(STEPS):
            target = sum(GAMMA ** (k - t) * side.rewards[..., k] for k in range(t, STEPS))
            error = values[..., t] - target - GAMMA ** (STEPS - t) * values[..., STEPS]
            total.scatter_add_(1, side.obs_ids[t], 2 * error * games.share)
        assert (moved(total)[:, 10:] - total).abs().max() < EXACT


def test_lanes_do_not_mix():
    problem, own = problem_of(en.IPD, POLA)
    one = outer_gradient(own, problem).gradient
    shifted = torch.cat((own[:1] + 0.5, own[1:]))
    assert (outer_gradient(shifted, problem).gradient - one).abs().amax(1).gt(1e-9).tolist() == [
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize("layers", [1, 2])
def test_recurrent_look_ahead_is_autograd_s(layers, monkeypatch):
    """On the GRU, through two inner steps: the same numbers from autograd's own second derivatives
    of single steps."""
    nets = [Gru(torch.eye(5, dtype=torch.float64), outputs, 3, layers) for outputs in (2, 1)]
    net = ActorCritic(*nets)
    start = torch.Generator().manual_seed(0)
    theta = [net.initial(4, start).double() + 0.3 * normal(4, net.size, seed=s) for s in range(3)]
    cfg = replace(POLA, lr_v=0.1)
    tables = problem_of(en.IPD, cfg)[0]

    def play(own, other, k):
        return tables.play(normal(4, NET.size, seed=9), normal(4, NET.size, seed=10 + k), k)

    def loop(x, recurrent, bias):
        h, found = x.new_zeros(*x.shape[1:3], recurrent.shape[1]), []
        for each in x:
            h = gru_step(each, h, recurrent, bias)
            found.append(h)
        return torch.stack(found)

    problem = OuterProblem(net, cfg, theta[1], theta[2], play)
    ours = outer_gradient(theta[0], problem).gradient
    monkeypatch.setattr("agents.nn.networks.gru", loop)
    assert (outer_gradient(theta[0], problem).gradient - ours).abs().max() < 1e-9
    assert ours.abs().max() > 1e-3


def test_gru_second_derivatives():
    inputs = [normal(4, 2, 3, 12), normal(2, 4, 12, seed=1), normal(2, 1, 4, seed=2)]
    assert torch.autograd.gradgradcheck(gru, [x.requires_grad_() for x in inputs])
