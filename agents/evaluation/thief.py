"""A player that robs first, and then wants to be friends: do others forgive?"""

from typing import Any

import numpy as np


class Thief:
    """Takes every coin for some steps, and keeps to a policy from then on.

    Args:
        policy: the player that it is afterwards; it watches from the start.
        scripted: the player that it is before.
        steps: how long.
    """

    def __init__(self, policy: Any, scripted: Any, steps: int) -> None:
        self.policy, self.scripted, self.steps = policy, scripted, steps
        self._done = 0

    def reset(self, num_games: int, seed: int | None = None) -> None:
        """Begins episodes."""
        self._done = 0
        self.policy.reset(num_games, seed)
        self.scripted.reset(num_games, seed)

    def act(self, observations: np.ndarray) -> np.ndarray:
        """The moves in all games."""
        later, now = self.policy.act(observations), self.scripted.act(observations)
        self._done += 1
        actions: np.ndarray = now if self._done <= self.steps else later
        return actions
