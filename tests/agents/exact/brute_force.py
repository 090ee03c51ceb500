"""Directions of learners by brute force: each formula written out, differentiated by torch.func.

This shares nothing with agents/ but the games under test: no replicas, no batching of runs, one
player at a time, and (for the matrix games) a finite-horizon value by recursion over states.
"""

from functools import partial

import torch
from torch.func import grad, jacrev

from agents.matrix_games.closed_form import MatrixGame
from agents.matrix_games.differentiable import StatelessGame, tandem, zero_sum
from tests.agents.exact import enumeration as en

GAMMA, ETA = 0.3, 0.8
EXACT = 1e-12


class Brute:
    """Learners of one run, straight from their formulas.  value: θ [N, D] -> [N]."""

    def __init__(self, value):
        self.value = value

    def own(self, theta, i):
        """V_i as a function of player i's parameters alone, the others' held at theta."""
        return lambda x: self.value(torch.cat((theta[:i], x[None], theta[i + 1 :])))[i]

    def naive(self, theta):
        return torch.stack([grad(self.own(theta, i))(theta[i]) for i in range(len(theta))])

    def moved(self, theta, i, opponent):
        """θ after the others' step, as player i expects it."""
        step = opponent(theta)
        return torch.cat(
            (theta[:i] + ETA * step[:i], theta[i : i + 1], theta[i + 1 :] + ETA * step[i + 1 :])
        )

    def lookahead(self, theta, opponent, steps=1):
        def objective(i, full):
            there = full
            for _ in range(steps):
                there = self.moved(there, i, opponent)
            return self.value(there)[i]

        return torch.stack([grad(partial(objective, i))(theta)[i] for i in range(len(theta))])

    def taylor(self, theta, opponent):
        def objective(i, full):
            gradient = grad(lambda t: self.value(t)[i])(full)
            step = opponent(full)
            return self.value(full)[i] + ETA * sum(
                gradient[j] @ step[j] for j in range(len(full)) if j != i
            )

        return torch.stack([grad(partial(objective, i))(theta)[i] for i in range(len(theta))])

    def shaping(self, theta, opponent):
        jacobian = jacrev(opponent)(theta)  # [j, d, i, e] = ∂f_j,d / ∂θ_i,e
        gradient = jacrev(self.value)(theta)  # [i, j, d] = ∂V_i / ∂θ_j,d
        n = len(theta)
        return self.naive(theta) + ETA * torch.stack(
            [
                sum(
                    torch.einsum("de,d->e", jacobian[j, :, i], gradient[i, j])
                    for j in range(n)
                    if j != i
                )
                for i in range(n)
            ]
        )


GAMES = {
    "ipd": (MatrixGame(en.IPD, GAMMA), lambda t: en.value(t, en.IPD, GAMMA, 28)),
    "lopsided": (MatrixGame(en.LOPSIDED, GAMMA), lambda t: en.value(t, en.LOPSIDED, GAMMA, 28)),
    "tandem": (tandem(), lambda t: 2 * t[:, 0] - t.sum() ** 2),
    "zero_sum": (
        zero_sum(),
        lambda t: t[0, 0] * t[1, 0] * torch.tensor([1.0, -1.0], dtype=torch.float64),
    ),
}


def three_players(theta):
    """A smooth 3-player, 2-parameter game with no symmetry.  [..., 3, 2] -> [..., 3]."""
    x, y, z = theta.unbind(-2)
    a, b, c = (
        (x * torch.sin(y)).sum(-1),
        (y[..., 0] * z[..., 1]) ** 2 + x[..., 1] * z[..., 0],
        torch.tanh(x * y * z).sum(-1),
    )
    return torch.stack(
        (a * b + c, b - a * c + (z**2 * y).sum(-1), c * a - (x[..., 0] * y[..., 1] * z[..., 1])), -1
    )


GAMES["three_players"] = (StatelessGame(three_players, num_players=3, dim=2), three_players)


def parameters(game, runs=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(runs, game.num_players, game.dim, dtype=torch.float64, generator=generator)
