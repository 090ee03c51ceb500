"""LOQA's and Advantage Alignment's gradients, written a second time with loops."""

import numpy as np
import pytest
import torch

from agents.exact.markov_game import MarkovGame, Play
from agents.exact.rules import ShapingConfig, policy_gradient
from tests.agents.exact_games.small import Dense, random_policies, small_game

torch.set_num_threads(1)


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def credit(dense, seat, other, cfg):
    """w_j [S]: where praised joint actions lead, one state and one joint action at a time."""
    game, weights = dense.game, np.zeros(dense.game.num_states)
    for s in range(game.num_states):
        for j, move in enumerate(dense.moves):
            if cfg.kind == "loqa":
                b = move[other]
                advantage = dense.q_of(seat, other)[s, b] - dense.values[seat][s]
                model = softmax(dense.q_of(other, other)[s] / cfg.temperature)[b]
                praise = advantage * (1 - model) / cfg.temperature
            else:
                praise = dense.q[seat][s, j] - dense.values[seat][s]
            probability = dense.visits[s] * dense.joint[s, j]
            weights += cfg.weight * game.gamma * probability * praise * dense.law[s, j]
    return weights


def by_hand(game, policies, seat, cfg):
    """Σ over time: one's own return, and for each other its later return, (γλ)^k after credit."""
    dense = Dense(game, policies)
    gradient = dense.visits[:, None] * dense.q_of(seat, seat)
    if cfg.kind != "none":
        for other in set(dense.players) - {seat}:
            now, total = credit(dense, seat, other, cfg), np.zeros(game.num_states)
            for _ in range(400):
                total, now = total + now, game.gamma * cfg.decay * now @ dense.chain
            gradient += total[:, None] * dense.q_of(other, seat)
    return dense.out_of_play(gradient, seat)


CASES = [
    ShapingConfig("none"),
    ShapingConfig("loqa"),
    ShapingConfig("loqa", weight=0.7, temperature=0.5, decay=0.6),
    ShapingConfig("advantage_alignment"),
    ShapingConfig("advantage_alignment", weight=2.0, decay=0.0),
]


@pytest.mark.parametrize("cfg", CASES, ids=str)
@pytest.mark.parametrize(("players", "actions"), [(2, 3), (3, 2)])
def test_gradients_by_loops(players, actions, cfg):
    game = small_game(players, actions)
    policies = random_policies(2, game)
    for seat in range(players):
        found, _ = policy_gradient(Play(MarkovGame(game), policies), seat, cfg)
        for run in range(2):
            expected = by_hand(game, policies[run].numpy(), seat, cfg)
            np.testing.assert_allclose(found[run], expected, atol=1e-11)


def test_naive_is_the_derivative_of_the_value():
    game = small_game(3)
    markov, policies = MarkovGame(game), random_policies(2, game).requires_grad_()
    value = (1 - game.gamma) * markov.values_of(policies)[:, 1].sum()
    (expected,) = torch.autograd.grad(value, policies)
    play = Play(markov, policies.detach())
    found, _ = policy_gradient(play, 1, ShapingConfig("none"))
    torch.testing.assert_close(found, expected[:, 1])


def test_visits_are_counted_where_the_seat_sees_them():
    game = small_game(2)
    policies = random_policies(1, game)
    _, visits = policy_gradient(Play(MarkovGame(game), policies), 1, ShapingConfig("none"))
    dense = Dense(game, policies[0].numpy())
    expected = np.zeros(game.num_states)
    for s in range(game.num_states):
        expected[game.seen[1, s]] += dense.visits[s]
    np.testing.assert_allclose(visits[0], expected)


@pytest.mark.parametrize("bad", [{"temperature": 0}, {"weight": -1}, {"decay": 1.1}])
@pytest.mark.parametrize("value", [None, float("nan")])
def test_settings_out_of_range_are_refused(bad, value):
    settings = bad if value is None else dict.fromkeys(bad, value)
    with pytest.raises(ValueError, match="temperature must be positive, weight at least 0"):
        ShapingConfig(**settings)
