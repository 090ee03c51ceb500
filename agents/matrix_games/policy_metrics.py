"""What the papers' tables count: learned policies that are tit for tat, or the Nash equilibrium.

%TFT of the LOLA paper is decoded from its table (it gives no threshold): the share of (runs x
states) in which *both* agents' most likely action is tit for tat's, the state being the same for
both: agent 2 stands in DC when agent 1 stands in CD.  Pure defection scores 20 %, since both agree
with tit for tat in DD only.  "81 % TFT" therefore does not mean that 81 % of runs end in tit for
tat; the stricter rate asks for both agents and all states of a run.

Shapes  R runs, N = 2 players, S states (0 = start, 1 + own action * A + other's action), A actions.
        policies [R, N, S, A].
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from agents.matrix_games.closed_form import other_view
from agents.shapes import check_shapes

AFTER_CD, AFTER_DD = 2, 4  # states of a game of two actions, own action first


class Rate(NamedTuple):
    """A share between 0 and 1, counted in three ways."""

    per_state: float  # over runs x states, both agents match in the state; the papers' figure
    all_states: float  # over runs, both agents match in every state
    agents: float  # over runs x agents, the agent matches in every state


def rate(match: Tensor) -> Rate:
    """Counts matches of two agents, each in its own words.  [R, N, S] bool -> Rate."""
    check_shapes("match: R 2 S", match)
    first, second = match.unbind(1)
    swap = other_view(math.isqrt(match.shape[-1] - 1), match.device)
    return Rate(
        per_state=(first & second[:, swap]).double().mean().item(),
        all_states=match.all(-1).all(-1).double().mean().item(),
        agents=match.all(-1).double().mean().item(),
    )


def tit_for_tat(num_actions: int = 2, device: torch.device | str = "cpu") -> Tensor:
    """The other's last action; action 0 (cooperate) at the start.  [S]."""
    last = torch.arange(num_actions**2, device=device) % num_actions
    return torch.cat((last.new_zeros(1), last))


def tft_rate(policies: Tensor) -> Rate:
    """Share of policies whose most likely action is tit for tat's.  policies [R, N, S, A]."""
    check_shapes("policies: R 2 S A", policies)
    likeliest = policies.argmax(-1)
    return rate(likeliest == tit_for_tat(policies.shape[-1], policies.device))


def nash_rate(policies: Tensor, tolerance: float = 0.25) -> Rate:
    """Share of policies within `tolerance` of uniform.

    Uniform play is the equilibrium of matching pennies and rock-paper-scissors.  The LOLA paper
    gives no threshold; .25 reproduces its 98.8 % in matching pennies (our count 98.1 %).

    Args:
        policies: [R, N, S, A].
        tolerance: largest distance of any action's probability from 1/A.
    """
    check_shapes("policies: R 2 S A", policies)
    return rate(((policies - 1 / policies.shape[-1]).abs() <= tolerance).all(-1))


def finds_tft(rewards: Tensor, policies: Tensor, factor: float) -> Tensor:
    """POLA's criterion for "found tit for tat" in the contribution game with factor f.

        mean of both agents' payoff a step > 0.8 (f - 1),
        and both cooperate with P < 0.65 after DD and after CD

    The authors count a run that meets it at any epoch (LOLA_exact.py:2109-2117): take `.any(0)`
    over a history.

    Args:
        rewards: [..., R, N], payoff a step.
        policies: [..., R, N, 5, 2].
        factor: f; mutual cooperation pays f - 1.

    Returns:
        [..., R], bool.
    """
    check_shapes("rewards: ... N, policies: ... N 5 2", rewards, policies)
    provoked = policies[..., [AFTER_CD, AFTER_DD], 0]
    return (rewards.mean(-1) > 0.8 * (factor - 1)) & (provoked < 0.65).all(-1).all(-1)
