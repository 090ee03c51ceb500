"""POLA's outer objective with loops, its gradient by finite differences, and the proximal point."""

import numpy as np
import pytest
import torch

from agents.exact.markov_game import MarkovGame, Play
from agents.exact.pola import PolaConfig, answers, outer_gradient
from tests.agents.exact_games.small import Dense, random_policies, small_game

torch.set_num_threads(1)


def normalised(logits):
    e = np.exp(logits - logits.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def outer_value(game, policies, seat, cfg):
    """(1 - γ) μ · V_i once the others have taken their steps, by dense matrices."""
    dense = Dense(game, policies)
    first = [np.log(policy) for policy in dense.played]
    logits = list(first)
    for _ in range(cfg.inner_steps):
        steps = {}
        for j in set(dense.players) - {seat}:
            q = dense.q_of(j, j)
            if cfg.inner == "proximal":
                gap = (dense.played[j] * (np.log(dense.played[j]) - first[j])).sum(1)
                after = game.gamma * dense.law @ (dense.inverse @ (-cfg.beta_in * gap))
                dense.q[j] = dense.q[j] + after
                q = dense.q_of(j, j)
            if cfg.inner == "gradient":
                advantage = q - (dense.played[j] * q).sum(1, keepdims=True)
                steps[j] = cfg.eta * dense.visits[:, None] * dense.played[j] * advantage
            else:
                steps[j] = q / cfg.beta_in
        for j, step in steps.items():
            logits[j] = (first if cfg.inner == "proximal" else logits)[j] + step
            dense.played[j] = normalised(logits[j])
        dense.set_joint()
    return dense.visits @ (dense.joint * game.rewards[..., seat]).sum(1)


@pytest.mark.parametrize("inner", ["mirror", "proximal", "gradient"])
@pytest.mark.parametrize("inner_steps", [1, 3])
@pytest.mark.parametrize("players", [2, 3])
def test_outer_gradient_by_finite_differences(players, inner_steps, inner):
    game = small_game(players)
    cfg = PolaConfig(inner, inner_steps, beta_in=2.0, eta=5.0)
    policies = random_policies(1, game).numpy()
    for seat in range(players):
        found, _ = outer_gradient(Play(MarkovGame(game), torch.tensor(policies)), seat, cfg)
        expected = np.zeros(policies.shape[2:])
        for s, a in np.ndindex(expected.shape):
            ahead, behind = policies[0].copy(), policies[0].copy()
            ahead[seat, s, a] += 1e-6
            behind[seat, s, a] -= 1e-6
            difference = outer_value(game, ahead, seat, cfg) - outer_value(game, behind, seat, cfg)
            expected[s, a] = difference / 2e-6
        np.testing.assert_allclose(found[0], expected, atol=1e-8)


@pytest.mark.parametrize("beta", [0.3, 2.0])
def test_proximal_steps_end_at_the_proximal_point(beta):
    """It maximises V_j - β Σ_t γ^t E KL(q || q^0) from every state, visits its own."""
    game, seat, other = small_game(2, 3), 0, 1
    policies = random_policies(1, game)
    play = Play(MarkovGame(game), policies)
    played = answers(policies[:, seat], play, seat, PolaConfig("proximal", 100, beta_in=beta))
    best, before = played[other][0].numpy(), play.played[other][0].numpy()
    dense = Dense(game, policies[0].numpy())

    def objective(q):
        dense.played[other] = q
        dense.set_joint()
        return dense.values[other] - beta * dense.inverse @ (q * np.log(q / before)).sum(1)

    top, rng = objective(best), np.random.default_rng(0)
    for scale in (1e-3, 0.1, 1.0):
        for _ in range(50):
            near = normalised(np.log(best) + scale * rng.normal(size=best.shape))
            gap = top - objective(near)
            assert (gap > -1e-12).all()
            assert gap.max() > 1e-9 * scale**2
    assert (top - objective(before)).max() > 0.01  # it did move


def test_visits_are_those_with_the_others_answer():
    game = small_game()
    policies = random_policies(1, game)
    play, cfg = Play(MarkovGame(game), policies), PolaConfig()
    _, visits = outer_gradient(play, 0, cfg)
    dense = Dense(game, policies[0].numpy())
    dense.played = [p[0].numpy() for p in answers(policies[:, 0], play, 0, cfg)]
    dense.set_joint()
    seen = np.zeros(game.num_states)
    np.add.at(seen, game.seen[0], dense.visits)
    np.testing.assert_allclose(visits[0], seen)


@pytest.mark.parametrize("bad", [{"inner_steps": 0}, {"beta_in": 0.0}, {"eta": float("nan")}])
def test_settings_out_of_range_are_refused(bad):
    with pytest.raises(ValueError, match="inner_steps must be at least 1"):
        PolaConfig(**bad)
