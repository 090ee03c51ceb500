"""Opponents that change: one of several is drawn for each episode of each game.

    env = gymnasium.make("social_dilemmas/ipd-v0", opponent=OpponentPool(["tit_for_tat", "grim"]))

Shapes  B games, M members.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from social_dilemmas_env.policy import GameDraws, Policy, take_back
from social_dilemmas_env.single_agent.players import Place, as_policy, refuse_some
from social_dilemmas_env.validation import real_array

POOL_STREAM = 0x506F6F6C  # which member plays; apart from the members' own words


class OpponentPool:
    """Several opponents, one of which plays each episode.

    Which one follows from the game's seed and the move at which the episode begins.

    Args:
        opponents: what `opponent=` takes, each.
        weights: how likely each is, in any scale; None: alike.

    Raises:
        ValueError: no opponents; weights of another number, negative, not finite, or all 0.
        TypeError: weights that are no numbers.
    """

    def __init__(self, opponents: Sequence[Any], weights: Sequence[float] | None = None):
        if isinstance(opponents, str) or not isinstance(opponents, Sequence) or not opponents:
            raise ValueError(f"a pool is a list of at least one opponent, got {opponents!r}")
        chances = np.ones(len(opponents)) if weights is None else real_array("weights", weights)
        fine = chances.shape == (len(opponents),) and np.isfinite(chances).all()
        if not fine or (chances < 0).any() or not chances.sum():
            raise ValueError(
                f"weights must be {len(opponents)} numbers that are not negative, and not all 0; "
                f"got {weights!r}"
            )

        self.opponents = list(opponents)
        self.weights: np.ndarray = chances / chances.sum()  # [M]

    def seated(self, place: Place) -> "PoolPlayer":
        """The pool in one seat; raises what `as_policy` does."""
        members = [as_policy(opponent, place) for opponent in self.opponents]
        return PoolPlayer(members, self.weights, place.player)


class PoolPlayer:
    """A pool that plays.

    Attributes:
        members: M policies, each of which could play all games.
        chosen: int64 [B], which member plays each game.
    """

    def __init__(self, members: list[Policy], weights: np.ndarray, player: int):
        self.members = members
        self.chosen: np.ndarray = np.zeros(0, np.int64)
        self._limits = weights.cumsum()[:-1]  # without the last, which may round below 1
        self._draws = GameDraws(player, stream=POOL_STREAM)
        self._draws.reset(1)

    @property
    def together(self) -> bool:
        """Whether all games must begin together, for a member's sake."""
        return any(getattr(member, "together", False) for member in self.members)

    def reset(self, num_games: int, seed: Any = None) -> None:
        """See `Policy`."""
        self._draws.reset(num_games, seed)
        for member in self.members:
            member.reset(num_games, seed)
        self.chosen = np.full(num_games, -1)

    def act(self, observations: Any, first: Any = None) -> Any:
        """See `Policy`."""
        if len(self.chosen) != len(observations):
            self.reset(len(observations))
        started = self._choose(first)

        # Every member keeps count of the moves; those that need not look at the games do not.
        moves = np.zeros(len(self.chosen), np.int64)
        for i, member in enumerate(self.members):
            mine = self.chosen == i
            if not mine.any() and hasattr(member, "skip"):
                member.skip()
                continue
            answer = np.asarray(member.act(observations, started))
            moves = np.where(mine, answer, moves)
        return moves

    def take_back(self, games: np.ndarray) -> None:
        """See `GameDraws`."""
        self._draws.take_back(games)
        take_back(self.members, games)

    def _choose(self, first: Any) -> np.ndarray:
        """Draws members for the games that begin; returns which those are, [B]."""
        new = self.chosen < 0
        started: np.ndarray = new if first is None else new | np.asarray(first)
        refuse_some(started, self)

        # A game's word belongs to its move, so that it depends on no other game.
        uniforms = self._draws.uniforms()
        if started.any():
            drawn = (uniforms[:, None] >= self._limits).sum(-1)
            self.chosen = np.where(started, drawn, self.chosen)
        return started
