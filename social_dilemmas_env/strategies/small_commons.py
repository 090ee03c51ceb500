"""Players of the small commons: GovSim's pool and the escape room.

None of them has a memory: each reads the board that it sees.
"""

from typing import Any

import numpy as np
from typing_extensions import override

from social_dilemmas_env.games.escape_room import DOOR, LEVER, EscapeRoom
from social_dilemmas_env.games.game import Game
from social_dilemmas_env.games.govsim_commons import GovsimCommons, smaller
from social_dilemmas_env.strategies.base import Array, Scripted


class Certain(Scripted):
    """Reads its observation and does one thing."""

    @override
    def _choose(self, observations: Array, restart: Array) -> Array:
        return self._zeros + self.choice(observations.reshape(len(observations), -1))

    @override
    def action_probabilities(self, observations: Any, memory: int = 0) -> Any:
        flat = np.asarray(observations).reshape(len(observations), -1)
        chosen = np.zeros(len(flat), np.int64) + self.choice(flat)
        return np.eye(self.game.num_actions[self.player])[chosen]

    def choice(self, flat: Array) -> Any:
        """The action for each of B flat observations: a number or [B]."""
        raise NotImplementedError


class PoolPlayer(Certain):
    """Plays GovSim's commons."""

    game: GovsimCommons

    @classmethod
    @override
    def refusal(cls, game: Game) -> str:
        return "" if isinstance(game, GovsimCommons) else "needs GovSim's commons"


class GreedyFisher(PoolPlayer):
    """Takes as much as it can, always.

    The defector of G. Piatti et al. (arXiv:2404.16698).
    """

    name = "greedy"

    @override
    def choice(self, flat: Array) -> Any:
        return self.game.max_catch


class RestrainedFisher(PoolPlayer):
    """Takes the sustainability threshold: half of an equal share of the pool, rounded down.

    If all do, a pool that is full stays full.  G. Piatti et al. (arXiv:2404.16698), section 2.
    """

    name = "restrained"

    @override
    def choice(self, flat: Array) -> Any:
        pool = flat[:, : self.game.capacity + 1].argmax(-1)
        threshold = pool // 2 // self.game.num_agents
        return smaller(threshold, threshold * 0 + self.game.max_catch)


class RoomPlayer(Certain):
    """Plays the escape room."""

    game: EscapeRoom

    @classmethod
    @override
    def refusal(cls, game: Game) -> str:
        return "" if isinstance(game, EscapeRoom) else "needs the escape room"


class LeverPuller(RoomPlayer):
    """Goes to the lever, and stays there.

    The cooperator of the escape room (J. Yang et al., arXiv:2006.06051).
    """

    name = "always_cooperate"

    @override
    def choice(self, flat: Array) -> Any:
        return LEVER


class DoorWaiter(RoomPlayer):
    """Goes to the door, and waits there for others to pull.

    The defector of the escape room (J. Yang et al., arXiv:2006.06051).
    """

    name = "always_defect"

    @override
    def choice(self, flat: Array) -> Any:
        return DOOR
