"""Mistakes in LOLA's direction, each made by somebody once, must be told apart from it."""

import pytest
import torch
from torch.func import hessian

from agents.learners.lola.lola_exact import LolaConfig, lola
from agents.matrix_games.closed_form import MatrixGame
from tests.agents.exact import enumeration as en
from tests.agents.exact.brute_force import ETA, EXACT, GAMMA, Brute, parameters

torch.set_num_threads(1)


# Mistakes, as functions (brute, θ) -> direction. Each must differ from LOLA in the form it
# imitates.
def swap_states(theta):
    return torch.stack((theta[0], theta[1][torch.tensor([0, 1, 3, 2, 4])]))


def mirror_states(theta):
    """The released tournament's bug: p -> 1 - p on CD and DC instead of exchanging them."""
    sign = torch.tensor([1.0, 1, -1, -1, 1], dtype=torch.float64)
    return torch.stack((theta[0], swap_states(theta)[1] * sign))


MUTANTS = {
    "look-ahead detached": (
        "lookahead",
        lambda b, t: b.lookahead(
            t, lambda x: b.naive(x.detach()).detach() * 0 + b.naive(t).detach()
        ),
    ),
    "look-ahead of the wrong sign": (
        "lookahead",
        lambda b, t: b.lookahead(t, lambda x: -b.naive(x)),
    ),
    "no look-ahead": ("lookahead", lambda b, t: b.naive(t)),
    "opponent follows my gradient": (
        "lookahead",
        lambda b, t: b.lookahead(t, lambda x: b.naive(x).flip(0)),
    ),
    "players swapped in the value": (
        "shaping",
        lambda b, t: Brute(lambda x: b.value(x).flip(0)).shaping(t, b.naive),
    ),
    "own gradient in place of ∇_j V_i": ("shaping", lambda b, t: own_gradient_for_theirs(b, t)),
    "shaping term alone": ("shaping", lambda b, t: b.shaping(t, b.naive) - b.naive(t)),
    "shaping term forgotten": ("shaping", lambda b, t: b.naive(t)),
    "taylor taken for shaping": ("shaping", lambda b, t: b.taylor(t, b.naive)),
    "lookahead taken for taylor": ("taylor", lambda b, t: b.lookahead(t, b.naive)),
    "states of player 2 not its own": ("shaping", lambda b, t: moved_states(b, t, swap_states)),
    "states of player 2 mirrored": ("shaping", lambda b, t: moved_states(b, t, mirror_states)),
    "discount off by one": ("shaping", lambda b, t: scaled(b, GAMMA).shaping(t, b.naive)),
    "return normalised inside": (
        "shaping",
        lambda b, t: scaled(b, 1 - GAMMA).shaping(t, scaled(b, 1 - GAMMA).naive),
    ),
}


def scaled(brute, factor):
    return Brute(lambda t: factor * brute.value(t))


def moved_states(brute, theta, relabel):
    other = Brute(lambda t: brute.value(relabel(t)))
    return other.shaping(theta, other.naive)


def own_gradient_for_theirs(brute, theta):
    h = torch.stack(
        [hessian(lambda t, j=j: brute.value(t)[j])(theta)[j] for j in range(2)]
    )  # [j, d, i, e]
    xi = brute.naive(theta)
    return xi + ETA * torch.stack([h[1 - i, :, i].T @ xi[i] for i in range(2)])


@pytest.mark.parametrize("name", MUTANTS)
def test_every_mutant_is_told_apart(name):
    form, mutant = MUTANTS[name]
    game, value = MatrixGame(en.LOPSIDED, GAMMA), lambda t: en.value(t, en.LOPSIDED, GAMMA, 28)
    theta = parameters(game, runs=1)
    found = lola(theta, game, LolaConfig(form=form, eta=ETA))[0]
    assert (found - mutant(Brute(value), theta[0])).abs().max() > 1e-4
    assert (found - getattr(Brute(value), form)(theta[0], Brute(value).naive)).abs().max() < EXACT
