"""Mirror look-aheads and proximal steps, every game played once and weighted by its probability.

The mirror look-ahead's expectation is computed a second time by recursion over states and steps; a
proximal step begins with the outer gradient and ends where a table's closed form says.
"""

from dataclasses import replace

import pytest
import torch

from agents.learners.pola import mirror, proximal
from agents.learners.pola.mirror import mirror_gradient
from agents.learners.pola.pola_dice import Games, OuterProblem, Side, outer_gradient
from agents.learners.pola.proximal import Batches, Scored, fit_gradient, old_policies, score_games
from agents.nn.networks import ActorCritic, Tabular
from tests.agents.exact import enumeration as en
from tests.agents.exact import pola_games as small

torch.set_num_threads(1)
EXACT, BETA, DECAY = 1e-10, 0.7, 0.8
EYE = torch.eye(5, dtype=torch.float64)
WITH_Q = ActorCritic(Tabular(EYE, 2), Tabular(EYE, 3))
MIRROR = replace(small.LOLA, look_ahead="mirror", beta_in=BETA, gae_lambda=DECAY, runs=1)
MIRRORED = torch.tensor([0, 1, 3, 2, 4])  # my states in the other's words


def parts(theta):
    """Log-policy [5, 2], V [5], Q [5, 2] of one lane's parameters."""
    critic = theta[10:].view(5, 3)
    return small.policy(theta), critic[:, 0], critic[:, 1:]


def answered(other):
    """Log π̂ [5, 2] and V_j [5], in the other's own words."""
    log_policy, _, q = parts(other)
    answer = torch.log_softmax(log_policy + q / BETA, -1)
    return answer, (answer.exp() * q).sum(-1)


def mirror_problem(payoffs):
    """A problem of one lane a player, whose second games are against the answer; and θ."""
    states, acts, rewards = small.every_game(payoffs)
    own, other = (small.normal(2, WITH_Q.size, seed=s) for s in (1, 2))

    def play(own, other, k):
        sides, total = [], 0.0
        for theta, seat, answers in ((own, [0, 1], False), (other, [1, 0], k > 0)):
            tables = [answered(x)[0] if answers else small.policy(x) for x in theta.detach()]
            seen, moves = states[seat], acts[seat]
            logp = [table[s[:, :-1], a] for table, s, a in zip(tables, seen, moves, strict=True)]
            total = total + torch.stack(logp).sum(-1)
            sides.append(Side(seen.movedim(-1, 0), moves, rewards[seat]))
        return Games(*sides, total.exp())

    return OuterProblem(WITH_Q, MIRROR, own, other, play), own


def expected_gradient(own, other, mine, theirs):
    """∇ by my logits [5, 2]: step by step, from the end.

    Args:
        own: my parameters.
        other: the other's, φ₀.
        mine: my rewards, [2, 2] by my action and the other's.
        theirs: the other's.
    """
    log_policy, v, _ = parts(own)
    answer, v_other = answered(other)
    p, q, v_other = log_policy.exp(), answer.exp()[MIRRORED], v_other[MIRRORED]
    joint = p[:, :, None] * q[:, None, :]  # [5, 2, 2]
    following = torch.tensor([[1, 2], [3, 4]])
    delta = mine + small.GAMMA * v[following] - v[:, None, None]  # [5, 2, 2]
    score = torch.einsum("st,ac->satc", torch.eye(5).double(), torch.eye(2).double())
    score = score - torch.einsum("st,sc->stc", torch.eye(5).double(), p)[:, None]  # ∇log π(a | s)

    # After the last step nothing is left but what critics say.
    advantage, returned = torch.zeros(5).double(), v_other
    through = torch.zeros(5, 5, 2).double()
    later = []
    for _ in range(small.STEPS):
        praise = delta + small.GAMMA * DECAY * advantage[following]
        theirs_to_go = theirs + small.GAMMA * returned[following]
        gap = (theirs_to_go - v_other[:, None, None])[..., None, None]
        moved = gap * score[:, :, None] + small.GAMMA * DECAY * through[following][None]
        by_step = praise[..., None, None] * score[:, :, None]
        by_step = by_step + delta[..., None, None] * moved / BETA
        later.append((joint[..., None, None] * by_step).sum((1, 2)))
        advantage = (joint * praise).sum((1, 2))
        returned = (joint * theirs_to_go).sum((1, 2))
        through = (joint[..., None, None] * moved).sum((1, 2))

    # Forwards: where the games are at each step.
    total, there = torch.zeros(5, 2).double(), torch.eye(5)[0].double()
    for t, by_state in enumerate(reversed(later)):
        total = total + small.GAMMA**t * torch.einsum("s,sxy->xy", there, by_state)
        there = torch.einsum("s,sab,abx->x", there, joint, torch.eye(5).double()[following])
    return total


def mirror_errors(payoffs):
    """The largest difference of both players' actors."""
    problem, own = mirror_problem(payoffs)
    found = mirror_gradient(own, problem).gradient[:, :10].view(2, 5, 2)
    rewards = [(payoffs[..., 0], payoffs[..., 1]), (payoffs[..., 1].T, payoffs[..., 0].T)]
    true = [expected_gradient(own[n], problem.other[n], *rewards[n]) for n in range(2)]
    assert min(x.abs().max() for x in true) > 1e-2
    return (found - torch.stack(true)).abs().max()


@pytest.mark.parametrize("game", ["ipd", "lopsided"])
def test_a_mirror_look_ahead_is_its_expectation(game):
    assert mirror_errors(en.GAMES[game]) < EXACT


MUTANTS = {
    "the other's return without my moves": (
        "shaped_returns",
        lambda logp, returns, values, decay: returns + 0 * logp,
    ),
    "praise by long advantages": (
        "td_advantages",
        lambda r, v, g: mirror.gae(r, v[..., :-1], g, DECAY, v[..., -1]),
    ),
    "the answer's value is the old policy's": (
        "answer_values",
        lambda other, side, problem: torch.zeros(2, 4**small.STEPS, small.STEPS + 1).double(),
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mirror_mutants_are_caught(name, monkeypatch):
    monkeypatch.setattr(mirror, *MUTANTS[name])
    assert mirror_errors(en.LOPSIDED) > 1e-4


def test_both_critics_of_a_mirror_look_ahead_learn_by_the_formula():
    """V where the other answers, Q where it plays as it does."""
    problem, own = mirror_problem(en.LOPSIDED)
    found = mirror_gradient(own, problem).gradient[:, 10:].view(2, 5, 3)
    expected = torch.zeros_like(found)
    for k, games in enumerate(mirror.play_both(own, problem)):
        for lane in range(2):
            log_policy, v, q = parts(own[lane])
            last = v if k else (log_policy.exp() * q).sum(-1)
            seen, moves = games.own.obs_ids[:, lane], games.own.actions[lane]
            target = last[seen[small.STEPS]]
            for t in reversed(range(small.STEPS)):
                target = games.own.rewards[lane, :, t] + small.GAMMA * target
                value = v[seen[t]] if k else q[seen[t], moves[:, t]]
                slope = 2 * (target - value) * games.share[lane]
                column = torch.zeros_like(moves[:, t]) if k else 1 + moves[:, t]
                expected[lane].index_put_((seen[t], column), slope, accumulate=True)
    assert (found - expected).abs().max() < EXACT


STARTS = {
    "naive": replace(small.LOLA, inner_steps=0),
    "lola": small.LOLA,
    "pola": replace(small.POLA, beta_out=0.0),
    "ratios": replace(small.LOLA, inner_steps=2, reuse_inner=True),
}


def first_fit(problem, own):
    """The first step of the fit."""
    batches = score_games(own, problem)
    return fit_gradient(own.clone(), old_policies(own, batches, problem), batches, problem)


@pytest.mark.parametrize("name", STARTS)
def test_a_proximal_step_begins_with_the_outer_gradient(name):
    problem, own = small.problem_of(en.LOPSIDED, STARTS[name])
    error = first_fit(problem, own).gradient - outer_gradient(own, problem).gradient
    assert error.abs().max() < EXACT


def test_a_proximal_step_begins_with_the_mirror_look_ahead_s_gradient():
    problem, own = mirror_problem(en.IPD)
    error = first_fit(problem, own).gradient - mirror_gradient(own, problem).gradient
    assert error.abs().max() < EXACT


def one_move(beta):
    """A game of one move, by its two outcomes: a problem, θ, what the moves are worth."""
    net = ActorCritic(Tabular(EYE[:1], 2), Tabular(EYE[:1], 1))
    old, worth = small.normal(1, net.size, seed=4), torch.tensor([[0.4, -0.3]]).double()
    share = torch.softmax(old[:, :2], -1)
    moves = torch.tensor([[[0], [1]]])
    side = Side(torch.zeros(2, 1, 2, dtype=torch.long), moves, torch.zeros(1, 2, 1).double())
    games = Games(side, side, share)
    batches = Batches(Scored(games, (share * worth)[..., None]), (), games, share[:, 0])
    problem = OuterProblem(net, replace(small.LOLA, beta_step=beta), old, old, lambda *_: games)
    return problem, old, batches, worth


def fitted(beta):
    """A table after many small steps, and the closed form."""
    problem, old, batches, worth = one_move(beta)
    before, theta = old_policies(old, batches, problem), old.clone()
    for _ in range(400):
        theta = theta.detach() + 0.5 / beta * fit_gradient(theta, before, batches, problem).gradient
    closed = torch.log_softmax(old[:, :2] + worth / beta, -1)
    return (torch.log_softmax(theta[:, :2], -1) - closed).abs().max()


def test_the_penalty_weighs_every_game_by_its_share():
    """Two games of one move, in two states, .8 and .2 of a mean: -β Σ share KL(π || π_old)."""
    net = ActorCritic(Tabular(EYE[:2], 2), Tabular(EYE[:2], 1))
    old, theta = (small.normal(1, net.size, seed=seed) for seed in (4, 5))
    share, nothing = torch.tensor([[0.8, 0.2]]).double(), torch.zeros(1, 2, 1).double()
    side = Side(torch.tensor([[[0, 1]], [[0, 1]]]), torch.tensor([[[0], [1]]]), nothing)
    games = Games(side, side, share)
    batches = Batches(Scored(games, nothing), (), games, share[:, 0])

    def gradient(beta):
        cfg = replace(small.LOLA, beta_step=beta)
        problem = OuterProblem(net, cfg, old, old, lambda *_: games)
        before = old_policies(old, batches, problem)
        return fit_gradient(theta.clone(), before, batches, problem).gradient

    logits = theta[:, : net.actor_size].clone().requires_grad_()
    at, before = (
        x.unflatten(1, (2, 2)).log_softmax(-1) for x in (logits, old[:, : net.actor_size])
    )
    divergences = (at.exp() * (at - before)).sum(-1)  # [1, 2], by state
    (expected,) = torch.autograd.grad(-(share * divergences).sum(), logits)
    found = (gradient(3.0) - gradient(1.0)) / 2
    assert (found[:, : net.actor_size] - expected).abs().max() < EXACT
    assert found[:, net.actor_size :].abs().max() < EXACT


@pytest.mark.parametrize("beta", [0.3, 1.0])
def test_a_proximal_step_ends_at_the_closed_form(beta):
    """π_old exp(W / β), normalised."""
    assert fitted(beta) < 1e-6


def test_without_the_penalty_it_would_end_elsewhere(monkeypatch):
    really = proximal.discounted_sum
    monkeypatch.setattr(proximal, "discounted_sum", lambda *x: 2 * really(*x))
    assert fitted(1.0) > 1e-3
