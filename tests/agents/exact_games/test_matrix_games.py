"""Matrix games as Markov games: everything that `MatrixGame` says, from the enumerated rules."""

import numpy as np
import pytest
import torch

import social_dilemmas_env as sde
from agents.exact.markov_game import MarkovGame
from agents.exact.parametrisations import Parametrisation
from agents.learners.exact_table import exact_learner
from agents.learners.meta_mapg.m_maml import MMamlConfig, objective
from agents.learners.meta_mapg.meta_mapg_exact import LearningRules, meta_gradient
from agents.matrix_games.closed_form import MatrixGame

torch.set_num_threads(1)
GAMES, GAMMA = ["ipd_v0", "chicken_v0", "rps_v0"], 0.9
LEARNERS = [
    ("naive", {}),
    ("lola", {}),
    ("lola", {"form": "taylor"}),
    ("lola", {"form": "lookahead", "lookaheads": 2}),
    ("lola", {"order": 2, "eta": 0.3}),
    ("look_ahead", {}),
    ("sos", {}),
    ("consensus", {}),
]


def pinned(game):
    """θ as in matrix games: one logit less than actions in every state, the last action's is 0."""
    shape = (game.num_states, game.num_actions[0] - 1)
    dim = shape[0] * shape[1]

    def logits(theta):
        return torch.nn.functional.pad(theta.unflatten(-1, shape), (0, 1))

    def draw(lead, generator):
        return torch.randn(*lead, dim, dtype=torch.float64, generator=generator)

    return Parametrisation("pinned", dim, logits, draw)


def pair(env_id):
    """The game as enumerated, in closed form, and θ for both [R, N, D]."""
    exact = sde.exact_game(env_id, gamma=GAMMA)
    last = next(iter(exact.columns.values()))
    assert last.tolist() == list(range(exact.num_states))  # the states in MatrixGame's order
    markov = MarkovGame(exact, pinned(exact))
    matrix = MatrixGame(sde.payoffs(env_id), GAMMA)
    return exact, markov, matrix, markov.parametrisation.initial(4, 2, seed=1)


@pytest.mark.parametrize("env_id", GAMES)
def test_values(env_id):
    exact, markov, matrix, theta = pair(env_id)
    torch.testing.assert_close(markov.values(theta), matrix.values(theta), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(markov.policies(theta), matrix.policies(theta))
    scores = [exact.score(list(run)) for run in markov.policies(theta).numpy()]
    np.testing.assert_allclose(markov.report(theta), scores, rtol=0, atol=1e-12)


@pytest.mark.parametrize("env_id", GAMES)
@pytest.mark.parametrize(("name", "settings"), LEARNERS)
def test_directions(env_id, name, settings):
    _, markov, matrix, theta = pair(env_id)
    learner = exact_learner(name, **settings)
    expected = learner(theta, matrix)
    torch.testing.assert_close(learner(theta, markov), expected, rtol=1e-12, atol=1e-12)
    assert expected.abs().max() > 0.01


@pytest.mark.parametrize("shaping", [False, True])  # Meta-PG, Meta-MAPG
def test_meta_gradients(shaping):
    _, markov, matrix, theta = pair("ipd_v0")
    how = LearningRules(me=1, shaping=shaping)
    rates = torch.full((2, 4, 2), 0.3, dtype=torch.float64)
    ours, expected = (meta_gradient(theta, rates, game, how) for game in (markov, matrix))
    for one, other in zip(ours, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


def test_m_maml():
    _, markov, matrix, theta = pair("chicken_v0")
    cfg = MMamlConfig(runs=4, batch=2, unroll=4)
    opponents = torch.randn(4, 2, 5, dtype=torch.float64)
    found = []
    for game in (markov, matrix):
        init = theta[:, 0].clone().requires_grad_()
        value = objective(init, torch.full((4,), 0.5, dtype=torch.float64), opponents, game, cfg)
        found.append((value.detach(), torch.autograd.grad(value.sum(), init)[0]))
    torch.testing.assert_close(found[0], found[1], rtol=1e-12, atol=1e-12)


def test_one_game_and_many_runs():
    _, markov, matrix, theta = pair("chicken_v0")
    torch.testing.assert_close(markov.values(theta[0]), matrix.values(theta[0]))
    views = theta.expand(3, *theta.shape)
    assert markov.values(views).shape == (3, 4, 2)


def test_parameters_of_another_shape_are_refused():
    _, markov, _, theta = pair("ipd_v0")
    with pytest.raises(ValueError, match=r"\(players, parameters\) = \(2, 5\)"):
        markov.values(theta[..., :4])
