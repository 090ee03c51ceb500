"""What the discounted and the T-step game have in common.

score_n          = per_step * mu . V_n(pi)                       mean reward a step
exploitability_n = score_n(best response, pi_-n) - score_n(pi)   gain of deviating alone
nash_gap         = max_n exploitability_n                        0 at a Nash equilibrium
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from social_dilemmas_env.exact.certificate import Certificate
from social_dilemmas_env.exact.chance import Floats
from social_dilemmas_env.exact.origin import Origin
from social_dilemmas_env.exact.policies import policy_of
from social_dilemmas_env.exact.tables import GameTables, Policy, check_policy
from social_dilemmas_env.strategies.base import seat


@dataclass(frozen=True, eq=False)
class MarkovGame(GameTables, ABC):
    """A game as tables, and what is said of it in terms of values.

    Policies are given as arrays [S, A] (rows sum to one), indexed by what a seat sees, or as
    anything that `policy` turns into one.
    """

    gamma: float
    origin: Origin  # the rules, the memory and what the states stand for

    @property
    @abstractmethod
    def horizon(self) -> int | None:
        """Steps of the game; None for no end."""

    @property
    @abstractmethod
    def per_step(self) -> float:
        """What turns a discounted sum of rewards into a mean reward a step."""

    @abstractmethod
    def values(self, policies: Sequence[Any], guess: Floats | None = None) -> Floats:
        """Discounted sums of rewards from each state on, [S, N].

        Args:
            policies: one a player.
            guess: where an iterative solver may begin, [S, N].
        """

    @abstractmethod
    def occupancy(self, policies: Sequence[Any]) -> Floats:
        """The part of time spent in each state, discounted; sums to one.  [S]."""

    @abstractmethod
    def best_response(self, policies: Sequence[Any], player: int = 0) -> tuple[Policy, Floats]:
        """The best that a player can do against the others, and what all earn then.

        Args:
            policies: one a player; that of `player` is ignored and may be None.
            player: who responds.

        Returns:
            The policy, indexed by what the player sees, and scores [N].

        Raises:
            ValueError: the player does not see enough of the state to play it.
        """

    def policy(self, source: Any, player: int | None = None, **kwargs: Any) -> Policy:
        """A policy [S, A] of a scripted strategy, a memoryless agent or an array.

        Args:
            source: the name of a strategy (see `list_strategies`), a strategy, an object with
                `probabilities(observations) -> [B, A]` or `logits(observations, hidden)`, or an
                array.
            player: from which seat it reads the observations; by default a strategy by name is read
                from all seats, which must agree, and anything else from seat 0.
            **kwargs: of a strategy by name, as for `make_strategy`.

        Raises:
            ValueError: its memory cannot be expressed by that of the game (the sentence says which
                memory would do), it is recurrent, it reads absolute cells, or a wrong shape.
        """
        return policy_of(source, self, self.origin, player, kwargs)

    def score(self, policies: Sequence[Any]) -> Floats:
        """Mean reward a step of each player, discounted like the values.  [N]."""
        result: Floats = self.per_step * (self.start @ self.values(policies))
        return result

    def exploitability(self, policies: Sequence[Any]) -> Floats:
        """What each player would gain by its best response, in units of the score.  [N]."""
        own = self.checked(policies)
        score = self.score(own)
        best = [self.best_response(own, player)[1][player] for player in range(self.num_agents)]
        return np.maximum(np.array(best) - score, 0.0)

    def regret(self, policies: Sequence[Any], player: int = 0) -> float:
        """One player's exploitability."""
        return float(self.exploitability(policies)[seat(self.origin.game, player)])

    def nash_gap(self, policies: Sequence[Any]) -> float:
        """The largest exploitability: the policies are an epsilon-Nash equilibrium for this."""
        return float(self.exploitability(policies).max())

    def certificate(self, policies: Sequence[Any]) -> Certificate:
        """How far the policies are from an equilibrium, and why that holds for all strategies."""
        own = self.checked(policies)
        gains = self.exploitability(own)
        return Certificate(float(gains.max()), gains, self.score(own), self.gamma, self.horizon)

    def checked(self, policies: Sequence[Any], without: int | None = None) -> list[Policy]:
        """One policy a player, as arrays.

        Args:
            policies: see `policy`.
            without: a player whose policy is not looked at.
        """
        if isinstance(policies, np.ndarray | str) or not isinstance(policies, Sequence):
            raise TypeError(f"policies must be a list, one a player, got {type(policies).__name__}")
        if len(policies) != self.num_agents:
            raise ValueError(f"there are {self.num_agents} players, got {len(policies)} policies")
        return [
            np.ones((self.num_states, self.num_actions[n])) / self.num_actions[n]
            if n == without
            else self.check(policy, n)
            for n, policy in enumerate(policies)
        ]

    def check(self, policy: Any, player: int) -> Policy:
        """One player's policy as an array."""
        if not isinstance(policy, np.ndarray):
            return self.policy(policy, player)
        shape = (self.num_states, self.num_actions[player])
        return check_policy(policy, shape, f"the policy of player_{player}")
