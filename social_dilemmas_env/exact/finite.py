"""The game of T steps, by backward induction.

    V_T = 0,   V_t = sum_a pi_t(a | s) (r(s, a) + gamma E[V_{t+1}(s')])          values
    score      = mu . V_0 / sum_t gamma^t                                        mean reward a step

Policies are stationary [S, A] or have one table a step [T, S, A]; a best response has.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from typing_extensions import override

from social_dilemmas_env.exact.chance import Floats
from social_dilemmas_env.exact.markov_game import MarkovGame
from social_dilemmas_env.exact.solvers import Chain
from social_dilemmas_env.exact.tables import (
    Policy,
    best_actions,
    check_gamma,
    check_policy,
    check_symmetric,
)
from social_dilemmas_env.exact.trembling import goes_on
from social_dilemmas_env.strategies.base import seat
from social_dilemmas_env.validation import integer

ROUNDING = 1e-12  # actions that differ by less, as a part of the largest reward, are equally good


@dataclass(frozen=True, eq=False)
class FiniteGame(MarkovGame):
    """A game of `steps` steps; made by `ExactGame.finite`."""

    steps: int

    @property
    @override
    def horizon(self) -> int | None:
        return self.steps

    @property
    @override
    def per_step(self) -> float:
        return float(1 / (self.gamma ** np.arange(self.steps)).sum())

    @override
    def check(self, policy: Any, player: int) -> Policy:
        if not isinstance(policy, np.ndarray) or policy.ndim != 3:
            return super().check(policy, player)
        shape = (self.steps, self.num_states, self.num_actions[player])
        name = f"the policy of player_{player}"
        return check_symmetric(check_policy(policy, shape, name), self, name)

    def at(self, policies: Sequence[Policy], t: int) -> list[Policy]:
        """The policies of step t, [S, A] each."""
        return [policy[t] if policy.ndim == 3 else policy for policy in policies]

    @override
    def values(self, policies: Sequence[Any], guess: Floats | None = None) -> Floats:
        """Sums of rewards from each state on, if it is the first of the episode.  [S, N]."""
        own = self.checked(policies)
        values = np.zeros((self.num_states, self.num_agents))
        for t in reversed(range(self.steps)):
            joint = self.joint_policy(self.at(own, t))
            values = self._back(joint, values)
        return values

    def _back(self, joint: Floats, values: Floats) -> Floats:
        """One step of backward induction for all players, [S, N] -> [S, N]."""
        players = range(self.num_agents)
        return np.stack(
            [(joint * self.action_values(values[:, n], n, self.gamma)).sum(1) for n in players], -1
        )

    @override
    def occupancy(self, policies: Sequence[Any]) -> Floats:
        own = self.checked(policies)
        here, total = self.start.copy(), np.zeros(self.num_states)

        for t in range(self.steps):
            total += self.gamma**t * here
            joint = self.joint_policy(self.at(own, t))
            here = Chain(joint, self.successors, self.chance, self.gamma).spread(here)
        return self.per_step * total

    @override
    def best_response(self, policies: Sequence[Any], player: int = 0) -> tuple[Policy, Floats]:
        """See `MarkovGame`; the policy has a table for each step, [T, S, A]."""
        player = seat(self.origin.game, player)
        own = self.checked(policies, without=player)
        response = np.empty((self.steps, self.num_states, self.num_actions[player]))

        values = np.zeros((self.num_states, self.num_agents))
        tolerance = ROUNDING * max(float(np.abs(self.rewards).max()), 1e-300)
        for t in reversed(range(self.steps)):
            # The best last action, given what follows.
            now = self.at(own, t)
            others = self.joint_policy(now, without=player)
            q = self.action_values(values[:, player], player, self.gamma)
            actions = best_actions(self.own_values(q, others, player), self, player, tolerance)

            response[t] = now[player] = self.on_seat(actions, player)
            values = self._back(self.joint_policy(now), values)
        return response, self.per_step * (self.start @ values)


def finite_game(game: MarkovGame, horizon: int, gamma: float = 1.0) -> FiniteGame:
    """The same tables with another clock.

    Args:
        game: from `exact_game`.
        horizon: steps.
        gamma: discount factor in (0, 1]; the game's `continuation` multiplies it.
    """
    tables = {field.name: getattr(game, field.name) for field in fields(MarkovGame)}
    tables["gamma"] = check_gamma(gamma, below_one=False) * goes_on(game.origin.game)
    return FiniteGame(**tables, steps=integer("horizon", horizon, 1))
