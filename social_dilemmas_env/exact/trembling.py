"""Exact games with switches: trembling hands, and ends at random.

    r'(s, a) = sum_b M(a, b) r(s, b)      P'(s, a) = sum_b M(a, b) P(s, b)      gamma' = gamma delta

M(a, b) is the probability that joint action b is played where a was chosen: each player's own is
kept with probability 1 - p, and else uniform.  An undiscounted game that goes on with probability
delta after each step is the game without end at discount delta.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from social_dilemmas_env.exact.chance import Floats, Ints
from social_dilemmas_env.exact.sparse import scipy_sparse


class Steps(NamedTuple):
    """What follows each state and joint action."""

    successors: Ints  # [S, J] the next state, or S + p where chance acts
    chance: Any  # csr [P, S]
    rewards: Floats  # [S, J, N]


def goes_on(game: Any) -> float:
    """The probability with which an episode goes on after a step."""
    continuation = getattr(game, "continuation", None)
    return 1.0 if continuation is None else float(continuation)


def trembling(steps: Steps, num_actions: Sequence[int], noise: float) -> Steps:
    """The same game where hands tremble: chance acts after every step.

    Args:
        steps: of the rules.
        num_actions: of each player.
        noise: p, with which an action is exchanged for a uniform one.
    """
    sparse = scipy_sparse()
    states, joint = steps.successors.shape
    played: Floats = np.ones((1, 1))
    for count in num_actions:
        hand: Floats = (1 - noise) * np.eye(count) + noise / count
        played = np.asarray(np.kron(played, hand), np.float64)

    # Where each (state, joint action) leads for certain actions, [S J, S].
    leads = sparse.vstack([sparse.eye(states, format="csr"), steps.chance], format="csr")
    certain = leads[steps.successors.reshape(-1)]

    # Mixed over what is played instead, for every state.
    mixed = sparse.kron(sparse.eye(states, format="csr"), sparse.csr_matrix(played)) @ certain
    rewards = np.einsum("ab,sbn->san", played, steps.rewards)
    successors = states + np.arange(states * joint).reshape(states, joint)
    return Steps(successors, mixed.tocsr(), rewards)
