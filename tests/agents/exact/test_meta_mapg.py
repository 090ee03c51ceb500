"""Meta-MAPG by enumeration: a game of two steps, one game a batch, one inner update, all 16 x 16
pairs of trajectories.

Every term of the theorem's estimator is compared with the same quantity written out by summation
over histories: the value by backward recursion (enumeration.py), the inner update from its
score-function formula, derivatives by torch.func."""

import itertools
from dataclasses import replace

import pytest
import torch
from torch.func import grad, jacrev

from agents.learners.lola.lola_exact import lola
from agents.learners.meta_mapg import meta_mapg as mm
from agents.learners.meta_mapg.config import MetaConfig
from agents.learners.meta_mapg.games import Games, World
from agents.learners.meta_mapg.meta_mapg_exact import (
    LearningRules,
    chain,
    current_policy,
    meta_gradient,
    meta_value,
    own_learning,
    peer_learning,
)
from agents.matrix_games.closed_form import MatrixGame
from agents.nn.networks import Tabular
from tests.agents.exact import enumeration as en

torch.set_num_threads(1)
GAMMA, T, EXACT = 0.9, 2, 1e-10
RATES = torch.tensor([0.7, 1.1], dtype=torch.float64)
SWAP = [0, 1, 3, 2, 4]
CFG = MetaConfig(
    chain=1,
    games=1,
    steps=T,
    gamma=GAMMA,
    entropy=0.0,
    pairing="theorem",
    inner="dice",
    baseline=False,
)
PLAYS = torch.tensor(list(itertools.product(range(4), repeat=T)))  # joint actions [16, T]


class Enumerated(World):
    """Lane 16 a + b plays trajectory a first and trajectory b after the update."""

    def play_games(self, phi):
        self.turn = getattr(self, "turn", -1) + 1
        lane = torch.arange(256)
        joint = PLAYS[lane // 16 if self.turn == 0 else lane % 16].T[..., None]  # [T, M, 1]
        before = torch.cat((torch.zeros_like(joint[:1]), 1 + joint[:-1]))
        obs_ids = torch.stack((before, torch.tensor(SWAP)[before]))
        actions = torch.stack((joint // 2, joint % 2))
        return Games(obs_ids, actions, self.rewards(actions))


def setting(payoffs, **changes):
    cfg = replace(CFG, **changes)
    net = Tabular(torch.eye(5, dtype=torch.float64), 2)
    world = Enumerated((net, net), payoffs.expand(256, 2, 2, 2), cfg, torch.Generator())
    generator = torch.Generator().manual_seed(4)
    return world, torch.randn(2, 10, dtype=torch.float64, generator=generator)


def sampled_terms(payoffs, i, **changes):
    """Expectations of the three estimators' gradients by φ_0^i."""
    world, start = setting(payoffs, **changes)
    phi = tuple(p.expand(256, 10).clone().requires_grad_() for p in start)
    found = mm.unroll(phi, RATES[None, :, None].expand(1, 2, 256), world)
    chance = sum(lp.detach().sum((-1, -2)) for step in found.logp for lp in step).exp()
    assert chance.sum().item() == pytest.approx(1)
    terms = []
    for term in (mm.current_policy, mm.own_learning, mm.peer_learning):
        expected = (term(found, 1, i, world.cfg) * chance).sum()
        (slope,) = torch.autograd.grad(expected, phi[i], retain_graph=True, materialize_grads=True)
        terms.append(slope.sum(0))
    return torch.stack(terms)


def log_tables(phi):
    """Log π_n(a | s in player 0's words).  [2, 10] -> two [5, 2]."""
    first, second = (torch.log_softmax(p.view(5, 2), 1) for p in phi)
    return first, second[SWAP]


def scores(phi, joint):
    """Σ_{s<=t} log π_n(a_s): [2, T]."""
    states = [0, *(1 + j for j in joint[:-1])]
    tables = log_tables(phi)
    steps = [
        [table[s, (j // 2, j % 2)[n]] for s, j in zip(states, joint, strict=True)]
        for n, table in enumerate(tables)
    ]
    return torch.stack([torch.stack(row).cumsum(0) for row in steps])


def value(phi, payoffs, i):
    """V_i by recursion; logits of C against D."""
    theta = phi.view(2, 5, 2)[..., 0] - phi.view(2, 5, 2)[..., 1]
    return en.value(theta, payoffs, GAMMA, T)[i]


def inner(phi, fixed, joint, payoffs, joint_scores):
    """φ_1 from one trajectory; `fixed` is where the gradient is taken, φ what its derivative is
    followed to.

    The update Σ_t γ^t r_t ∇_n score_n, and DiCE's derivative of it: ∇∇ score + (∇ score)(∇ Σ_S
    score)."""
    rewards = [payoffs[j // 2, j % 2] for j in joint]
    moved = []
    for n in range(2):
        slopes = jacrev(lambda p, n=n: scores(p, joint)[n])(phi)[:, n]  # [T, 10]
        constant = jacrev(lambda p, n=n: scores(p, joint)[n])(fixed)[:, n]
        total = scores(phi, joint).sum(0) if joint_scores else scores(phi, joint)[n]
        boxes = torch.exp(total - total.detach())  # derivatives of the probability of the past
        step = sum(
            GAMMA**t * r[n] * (slopes[t] + (boxes[t] - 1) * constant[t])
            for t, r in enumerate(rewards)
        )
        moved.append(phi[n] + RATES[n] * step)
    return torch.stack(moved)


def exact_terms(payoffs, i, joint_scores=True):
    _, start = setting(payoffs)
    total = torch.zeros(3, 10, dtype=torch.float64)
    for joint in PLAYS.tolist():

        def chance(phi, joint=joint):
            return scores(phi, joint)[:, -1].sum().exp()

        def after(phi, joint=joint):
            full = torch.stack([phi, start[1]]) if i == 0 else torch.stack([start[0], phi])
            return inner(full, start, joint, payoffs, joint_scores)

        p, there = chance(start), after(start[i])
        slope = grad(lambda x: value(x, payoffs, i))(there)  # [2, 10]
        back = jacrev(after)(start[i])  # [2, 10, 10]
        total[0] += grad(chance)(start)[i] * value(there, payoffs, i)
        total[1] += p * slope[i] @ back[i]
        total[2] += p * slope[1 - i] @ back[1 - i]
    return total


@pytest.mark.parametrize("i", [0, 1])
@pytest.mark.parametrize("name", ["ipd", "lopsided"])
@pytest.mark.parametrize("shaping", [True, False])
def test_each_term_has_the_right_expectation(name, i, shaping):
    found = sampled_terms(en.GAMES[name], i, shaping=shaping)
    torch.testing.assert_close(
        found, exact_terms(en.GAMES[name], i, shaping), rtol=EXACT, atol=EXACT
    )
    assert (found[2].abs().max() > 1e-3) == shaping
    assert found[:2].abs().amax(1).min() > 1e-3


def mutants():
    """Mistakes that the comparison must notice."""
    honest = mm.inner_step

    def detached(*args):
        return [step.detach() for step in honest(*args)]

    def own_only(phi, logp, games, base, cfg):
        return honest(phi, logp, games, base, replace(cfg, shaping=False))

    def swapped(phi, logp, games, base, cfg):
        return honest(phi, logp, games._replace(rewards=games.rewards.flip(0)), base, cfg)

    def undiscounted(phi, logp, games, base, cfg):
        return honest(phi, logp, games, base, replace(cfg, gamma=1 - 1e-9))

    return {
        "detached chain": detached,
        "others' log-probabilities dropped": own_only,
        "players swapped": swapped,
        "no discount": undiscounted,
    }


@pytest.mark.parametrize("name", list(mutants()))
def test_mutants_of_the_update_are_caught(name, monkeypatch):
    monkeypatch.setattr(mm, "inner_step", mutants()[name])
    found, true = sampled_terms(en.LOPSIDED, 0), exact_terms(en.LOPSIDED, 0)
    assert (found - true).abs().max() > 1e-3


def test_a_dropped_or_swapped_term_is_caught():
    found, true = sampled_terms(en.LOPSIDED, 0), exact_terms(en.LOPSIDED, 0)
    for k in range(3):
        assert (found.sum(0) - found[k] - true.sum(0)).abs().max() > 1e-3
    assert (sampled_terms(en.LOPSIDED, 1)[2] - true[2]).abs().max() > 1e-3


def test_meta_pg_without_dice_would_be_unbiased(monkeypatch):
    """Al-Shedivat's theorem: with a plain score-function update, current policy + own learning is
    the whole gradient."""

    def plain(phi, logp, games, base, cfg):
        discount = GAMMA ** torch.arange(T, dtype=torch.float64)
        return [
            torch.autograd.grad((lp.cumsum(-1) * discount * r).sum(), p, create_graph=True)[0]
            for p, lp, r in zip(phi, logp, games.rewards, strict=True)
        ]

    monkeypatch.setattr(mm, "inner_step", plain)
    found = sampled_terms(en.LOPSIDED, 0, shaping=False)
    _, start = setting(en.LOPSIDED)

    def objective(x):
        full, total = torch.stack((x, start[1])), 0.0
        for joint in PLAYS.tolist():
            slopes = [jacrev(lambda p, n=n, j=joint: scores(p, j)[n])(full)[:, n] for n in range(2)]
            rewards = [en.LOPSIDED[j // 2, j % 2] for j in joint]
            steps = [
                sum(GAMMA**t * r[n] * slopes[n][t] for t, r in enumerate(rewards)) for n in range(2)
            ]
            there = torch.stack([full[n] + RATES[n] * steps[n] for n in range(2)])
            total = total + scores(full, joint)[:, -1].sum().exp() * value(there, en.LOPSIDED, 0)
        return total

    torch.testing.assert_close(found.sum(0), grad(objective)(start[0]), rtol=EXACT, atol=EXACT)
    assert found[2].abs().max() == 0


def test_steps_keep_only_what_causes_and_divide_the_cross_products():
    """With one game and λ = γ-discounted advantages the pairing of l with itself is REINFORCE
    without γ^t."""
    cfg = replace(CFG, games=3, pairing="steps", gae_lambda=1.0)
    net = Tabular(torch.eye(5, dtype=torch.float64), 2)
    world = World((net, net), en.IPD.expand(4, 2, 2, 2), cfg, torch.Generator().manual_seed(1))
    phi = tuple(torch.randn(4, 10, dtype=torch.float64).requires_grad_() for _ in range(2))
    found = mm.unroll(phi, RATES[None, :, None].expand(1, 2, 4), world)
    r = found.games[1].rewards[0]
    advantage = torch.stack((r[..., 0] + GAMMA * r[..., 1], r[..., 1]), -1) / 3
    for term, logp in ((mm.current_policy, found.logp[0][0]), (mm.own_learning, found.logp[1][0]),
                       (mm.peer_learning, found.logp[1][1])):  # fmt: skip
        torch.testing.assert_close(term(found, 1, 0, cfg), (logp * advantage).sum((-1, -2)))


def brute_chain(start, me, rates, game, peer):
    """θ^L, one player's update at a time, by torch.func."""
    theta = start
    for rate in rates:
        slopes = jacrev(game.values)(theta)
        naive = torch.stack((slopes[0, 0], slopes[1, 1]))
        if peer == "lola":
            other = 1 - me
            step = grad(
                lambda t, j=other: (slopes_of(t, game)[j, me] * slopes_of(t, game)[me, me]).sum()
            )(theta)
            shaped = slopes[other, other] + step[other]
            naive = torch.stack((naive[0], shaped) if other == 1 else (shaped, naive[1]))
        theta = theta + rate[:, None] * naive
    return theta


def slopes_of(theta, game):
    return jacrev(game.values)(theta)


@pytest.mark.parametrize("me", [0, 1])
@pytest.mark.parametrize("peer", ["naive", "lola"])
def test_exact_terms_are_the_chain_rule(peer, me):
    from agents.learners.lola.lola_exact import LolaConfig

    game = MatrixGame(en.LOPSIDED, GAMMA)
    start = 0.5 * en.random_theta(en.LOPSIDED, seed=2, runs=2).detach()
    rates = torch.tensor([[0.3, 0.8], [0.5, 0.2]], dtype=torch.float64)
    rule = (lambda t, g: lola(t, g, LolaConfig(form="taylor"))) if peer == "lola" else None
    how = LearningRules(me=me, peer=rule)
    for r in range(2):
        leaf = start[r : r + 1].clone().requires_grad_()
        passed = chain(leaf, [rate[:, None] for rate in rates], game, how)
        found = [torch.autograd.grad(f(passed, game, me).sum(), leaf, retain_graph=True)[0][0, me]
                 for f in (current_policy, own_learning, peer_learning)]  # fmt: skip

        def place(x, r=r):
            return torch.stack((x, start[r, 1]) if me == 0 else (start[r, 0], x))

        own, others = torch.zeros(5).double(), torch.zeros(5).double()
        for steps in (1, 2):
            end = brute_chain(start[r], me, rates[:steps], game, peer)
            back = jacrev(lambda x, k=steps: brute_chain(place(x), me, rates[:k], game, peer))(
                start[r, me]
            )
            slope = jacrev(game.values)(end)[me]
            own, others = own + slope[me] @ back[me] / 2, others + slope[1 - me] @ back[1 - me] / 2
        true = [jacrev(game.values)(start[r])[me, me], own, others]
        torch.testing.assert_close(torch.stack(found), torch.stack(true), rtol=1e-9, atol=EXACT)
        whole = torch.autograd.grad(meta_value(passed, game, me).sum(), leaf)[0][0, me]
        torch.testing.assert_close(whole, own + others, rtol=1e-9, atol=EXACT)
        by_start, *_ = meta_gradient(start[r : r + 1], rates[:, None], game, how)
        torch.testing.assert_close(by_start[0], whole, rtol=EXACT, atol=EXACT)


def test_exact_meta_pg_takes_the_peer_as_given():
    """With the peer's path fixed in advance, the gradient of the own chain."""
    game = MatrixGame(en.IPD, GAMMA)
    start, rates = (
        en.random_theta(en.IPD, seed=3, runs=1).detach(),
        torch.full((3, 1, 2), 0.6, dtype=torch.float64),
    )
    path = chain(start, rates[..., None].unbind(0), game, LearningRules())

    def objective(x):
        total, mine = 0.0, x
        for k in range(3):
            mine = mine + 0.6 * grad(
                lambda y, k=k: game.values(torch.stack((y, path[k][0, 1])))[0]
            )(mine)
            total = total + game.values(torch.stack((mine, path[k + 1][0, 1])))[0] / 3
        return total

    found, by_rate, rewards, finite = meta_gradient(
        start, rates, game, LearningRules(shaping=False)
    )
    torch.testing.assert_close(found[0], grad(objective)(start[0, 0]), rtol=1e-9, atol=EXACT)
    shaped = meta_gradient(start, rates, game, LearningRules())[0]
    assert (found - shaped).abs().max() > 1e-3
    assert finite.all()
    assert rewards.shape == (4, 1, 2)
    assert by_rate.shape == (3, 1)


def test_a_chain_that_diverges_counts_nothing_and_the_others_go_on():
    game = MatrixGame(en.IPD, GAMMA)
    start = en.random_theta(en.IPD, seed=3, runs=2).detach()
    start[1, 0] = float("nan")
    found, _, _, finite = meta_gradient(start, torch.ones(2, 2, 2).double(), game, LearningRules())
    alone, *_ = meta_gradient(start[:1], torch.ones(2, 1, 2).double(), game, LearningRules())
    assert finite.tolist() == [True, False]
    assert found[1].abs().max() == 0
    torch.testing.assert_close(found[:1], alone, rtol=EXACT, atol=EXACT)
