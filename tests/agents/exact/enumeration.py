"""All joint trajectories of a short iterated matrix game, and its value by summation over them.

A DiCE objective has value 1 in every box, so finite differences of it see a constant.  The
expectation over *all* trajectories with detached probabilities is an exact identity instead, in
every order.  Nothing here uses agents/.

Shapes  M trajectories, T steps, 2 players, S states, A actions, D parameters a player.
"""

import itertools
from typing import NamedTuple

import torch
from torch import Tensor

IPD = torch.tensor([[[-1, -1], [-3, 0]], [[0, -3], [-2, -2]]], dtype=torch.float64)
IMP = torch.tensor([[[1, -1], [-1, 1]], [[-1, 1], [1, -1]]], dtype=torch.float64)
LOPSIDED = torch.tensor(
    [[[0.3, -1.2], [2.0, 0.4]], [[-0.7, 1.1], [0.9, -2.3]]], dtype=torch.float64
)
THREE_ACTIONS = torch.randn(
    3, 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(3)
)
GAMES = {"ipd": IPD, "imp": IMP, "lopsided": LOPSIDED, "three_actions": THREE_ACTIONS}


class Play(NamedTuple):
    """Trajectories, all of one length."""

    logp: Tensor  # [M, T, 2], log-probability of each player's action
    rewards: Tensor  # [M, T, 2]
    states: Tensor  # [M, T, 2], own action first
    weight: Tensor  # [M], probability of each trajectory, detached


def log_policy(theta: Tensor, actions: int) -> Tensor:
    """log π(a | s) of one player from its flat parameters: softmax with the last logit 0.

    [D] -> [S, A].
    """
    logits = theta.view(-1, actions - 1)
    return torch.log_softmax(torch.cat((logits, torch.zeros_like(logits[:, :1])), 1), 1)


def own_state(last: tuple[int, int] | None, player: int, actions: int) -> int:
    """0 at the start, else 1 + own action * A + other's action."""
    return 0 if last is None else 1 + last[player] * actions + last[1 - player]


def all_play(theta: Tensor, payoffs: Tensor, steps: int) -> Play:
    """Every sequence of joint actions.  theta [2, D], payoffs [A, A, 2]."""
    actions = payoffs.shape[0]
    pairs = itertools.product(range(actions), repeat=2)
    played = torch.tensor(list(itertools.product(pairs, repeat=steps)))  # [M, T, 2]

    # What each player saw before each of its actions.
    seen = [
        [[own_state(last, n, actions) for n in range(2)] for last in (None, *history[:-1])]
        for history in played.tolist()
    ]
    states = torch.tensor(seen)  # [M, T, 2]
    logp = torch.stack(
        [log_policy(theta[n], actions)[states[..., n], played[..., n]] for n in range(2)], -1
    )
    rewards = payoffs[played[..., 0], played[..., 1]]
    return Play(logp, rewards, states, logp.sum((1, 2)).exp().detach())


def value(theta: Tensor, payoffs: Tensor, gamma: float, steps: int) -> Tensor:
    """Finite-horizon discounted value of both players, by backward recursion over joint actions.

    Theta [2, D] -> [2].
    """
    return state_values(theta, payoffs, gamma, steps)[0][0]


def state_values(
    theta: Tensor, payoffs: Tensor, gamma: float, steps: int, last: Tensor | None = None
) -> list[Tensor]:
    """v_t(s) for t = 0..steps, s in player 0's words, from v_steps = `last` (0 if None).

    Each [S, 2].
    """
    actions = payoffs.shape[0]
    pasts = [None, *itertools.product(range(actions), repeat=2)]
    first, second = (
        log_policy(theta[n], actions).exp()[[own_state(last, n, actions) for last in pasts]]
        for n in range(2)
    )
    result = [torch.zeros(len(pasts), 2, dtype=theta.dtype) if last is None else last]
    for _ in range(steps):
        action_values = payoffs + gamma * result[-1][1:].view(actions, actions, 2)
        result.append(torch.einsum("sa,sb,abn->sn", first, second, action_values))
    return result[::-1]


class Derivatives(NamedTuple):
    """Of a scalar function of both players' parameters."""

    value: Tensor  # []
    first: Tensor  # [2, D], the gradient
    second: Tensor  # [2, D, 2, D], the Hessian


def derivatives(output: Tensor, theta: Tensor) -> Derivatives:
    """Up to second order by reverse mode, one row of the Hessian at a time."""
    settings = {"create_graph": True, "materialize_grads": True}
    first = (
        torch.autograd.grad(output, theta, **settings)[0]
        if output.requires_grad
        else torch.zeros_like(theta)
    )
    rows = [
        torch.autograd.grad(g, theta, **settings)[0] if g.requires_grad else torch.zeros_like(theta)
        for g in first.flatten()
    ]
    return Derivatives(
        output.detach(), first.detach(), torch.stack(rows).detach().view(*theta.shape, *theta.shape)
    )


def errors(found: Derivatives, true: Derivatives) -> dict[str, float]:
    """Largest absolute error of the value and of the derivatives, by kind."""
    second = (found.second - true.second).abs()
    players = range(second.shape[0])
    return {
        "value": (found.value - true.value).abs().item(),
        "first": (found.first - true.first).abs().max().item(),
        "own second": max(second[n, :, n].max().item() for n in players),
        "cross second": max(second[n, :, 1 - n].max().item() for n in players),
    }


def random_theta(payoffs: Tensor, seed: int = 0, runs: int | None = None) -> Tensor:
    """[2, D], or [R, 2, D], attached."""
    actions = payoffs.shape[0]
    shape = (() if runs is None else (runs,)) + (2, (actions**2 + 1) * (actions - 1))
    return torch.randn(
        shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)
    ).requires_grad_()
