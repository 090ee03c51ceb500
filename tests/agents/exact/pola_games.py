"""Every game of a short dilemma, as POLA-DiCE plays it: once each, by its probability."""

import itertools
from dataclasses import replace

import torch

from agents.learners.pola.config import PolaDiceConfig
from agents.learners.pola.pola_dice import Games, OuterProblem, Side
from agents.nn.networks import ActorCritic, Tabular

torch.set_num_threads(1)
GAMMA, STEPS = 0.9, 3
RUNS = 2
NET = ActorCritic(
    Tabular(torch.eye(5, dtype=torch.float64), 2), Tabular(torch.eye(5, dtype=torch.float64), 1)
)
LOLA = PolaDiceConfig(
    gamma=GAMMA,
    horizon=STEPS,
    batch=4**STEPS,
    inner_steps=1,
    outer_steps=1,
    lr_in=0.7,
    lr_v=0.0,
    beta_in=0,
    beta_out=0,
    actor="tabular",
    runs=RUNS,
)
POLA = replace(LOLA, inner_steps=2, beta_in=0.8, beta_out=1.5, outer_steps=3)


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def policy(theta):
    """Log-probabilities by own state.  [..., P] -> [..., 5, 2]."""
    return torch.log_softmax(theta[..., :10].unflatten(-1, (5, 2)), -1)


def every_game(payoffs):
    """States [2, M, T + 1] in each player's words, actions [2, M, T], rewards [2, M, T] of all
    games."""
    histories = torch.tensor(list(itertools.product(range(4), repeat=STEPS)))
    acts = torch.stack((histories // 2, histories % 2))
    states = torch.stack((1 + histories, 1 + 2 * acts[1] + acts[0]))
    states = torch.cat((torch.zeros_like(states[..., :1]), states), -1)
    return states, acts, payoffs.flatten(0, 1)[histories].movedim(-1, 0)


def enumerated(payoffs):
    """`play` of an OuterProblem: lanes of learner 0, then of learner 1; each in its own seat."""
    states, acts, rewards = every_game(payoffs)

    def play(own, other, k):
        learner = torch.arange(2).repeat_interleave(len(own) // 2)
        sides, total = [], 0.0
        for theta, seat in ((own, learner), (other, 1 - learner)):
            logp = policy(theta.detach())[
                torch.arange(len(own))[:, None, None], states[seat][..., :-1], acts[seat]
            ]
            total = total + logp.sum(-1)
            sides.append(Side(states[seat].movedim(-1, 0), acts[seat], rewards[seat]))
        return Games(*sides, total.exp())

    return play


def problem_of(payoffs, cfg, seed=1, distance=0.3):
    """An OuterProblem in the middle of an update, and θ."""
    old = normal(2 * RUNS, NET.size, seed=seed)
    own = old + distance * normal(2 * RUNS, NET.size, seed=seed + 1)
    other = normal(2 * RUNS, NET.size, seed=seed + 2)
    return OuterProblem(NET, cfg, old, other, enumerated(payoffs)), own
