"""The discounted game without end: values, occupancies and best responses by linear algebra.

    P(s, s')  = sum_a pi(a | s) P(s' | s, a)           chain of a joint policy      [S, S]
    V_n       = (I - gamma P)^-1 r_n                    values of the states         [S]
    d         = (1 - gamma) (I - gamma P)^-T mu         discounted occupancy         [S]
    score_n   = (1 - gamma) mu . V_n  =  d . r_n        mean reward a step, discounted
    Q_n(s, a) = sum_b pi_-n(b | s) (r_n(s, a, b) + gamma E[V_n(s') | s, a, b])

A best response to stationary policies of (board, memory) solves a Markov decision process on the
same states, so it is at least as good as any strategy whatever, with any memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from typing_extensions import override

from social_dilemmas_env.exact.chance import Floats
from social_dilemmas_env.exact.finite import FiniteGame, finite_game
from social_dilemmas_env.exact.markov_game import MarkovGame
from social_dilemmas_env.exact.solvers import Chain
from social_dilemmas_env.exact.tables import STRICT, Policy, best_actions
from social_dilemmas_env.strategies.base import seat

MAX_ITERATIONS = 1000  # of policy iteration; a few are enough


@dataclass(frozen=True, eq=False)
class ExactGame(MarkovGame):
    """The discounted game without end; made by `exact_game`."""

    @property
    @override
    def horizon(self) -> int | None:
        return None

    @property
    @override
    def per_step(self) -> float:
        return 1 - self.gamma

    def finite(self, horizon: int, gamma: float = 1.0) -> FiniteGame:
        """The same game, cut off after some steps.

        Args:
            horizon: steps.
            gamma: discount factor in (0, 1].
        """
        return finite_game(self, horizon, gamma)

    def chain(self, policies: Sequence[Policy]) -> Chain:
        """The Markov chain of a joint policy."""
        return Chain(self.joint_policy(policies), self.successors, self.chance, self.gamma)

    @override
    def values(self, policies: Sequence[Any], guess: Floats | None = None) -> Floats:
        own = self.checked(policies)
        joint = self.joint_policy(own)
        rewards = np.einsum("sj,sjn->sn", joint, self.rewards)
        return Chain(joint, self.successors, self.chance, self.gamma).values(rewards, guess)

    @override
    def occupancy(self, policies: Sequence[Any]) -> Floats:
        return (1 - self.gamma) * self.chain(self.checked(policies)).visits(self.start)

    @override
    def best_response(self, policies: Sequence[Any], player: int = 0) -> tuple[Policy, Floats]:
        player = seat(self.origin.game, player)
        own = self.checked(policies, without=player)
        q, values = self._optimal(own, player)
        tolerance = 2 * self._strict()
        own[player] = self.on_seat(best_actions(q, self, player, tolerance), player)

        guess = np.zeros((self.num_states, self.num_agents))
        guess[:, player] = values
        return own[player], self.per_step * (self.start @ self.values(own, guess))

    def _strict(self) -> float:
        """By how much an action has to be better to be preferred."""
        return STRICT * max(float(np.abs(self.rewards).max()), 1e-300) / (1 - self.gamma)

    def _optimal(self, policies: list[Policy], player: int) -> tuple[Floats, Floats]:
        """Policy iteration: Q of the player's actions [S, A] and V [S] at the optimum.

        An action is changed only for one that is better by more than rounding, so that every round
        raises the values and the iteration ends.
        """
        others = self.joint_policy(policies, without=player)
        shape = (self.num_states, *self.num_actions)
        states = np.arange(self.num_states)
        values = np.zeros(self.num_states)
        actions = self.own_values(self.rewards[..., player], others, player).argmax(1)
        for _ in range(MAX_ITERATIONS):
            # Evaluate.
            own = np.eye(self.num_actions[player])[actions]
            factors = [1] * self.num_agents
            factors[player] = self.num_actions[player]
            joint = (others.reshape(shape) * own.reshape(-1, *factors)).reshape(others.shape)
            rewards = (joint * self.rewards[..., player]).sum(1)
            chain = Chain(joint, self.successors, self.chance, self.gamma)
            values = chain.values(rewards, values)

            # Improve.
            q = self.own_values(self.action_values(values, player, self.gamma), others, player)
            better = q.max(1) > q[states, actions] + self._strict()
            if not better.any():
                return q, values
            actions = np.where(better, q.argmax(1), actions)
        raise RuntimeError(f"policy iteration did not end after {MAX_ITERATIONS} rounds")
