"""What players can tell of a decision before they make it: nothing is drawn, nothing remembered.

Players are known by their shape, so that scripted ones need no torch.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np


class Teller:
    """Asks the players of one episode.

    Args:
        players: one a seat, with `reset` and `act`; only trained agents have something to tell.
        steps: of the episode.
    """

    def __init__(self, players: Sequence[Any], steps: int) -> None:
        self.players = [player if _is_agent(player) else None for player in players]
        critics = [getattr(getattr(p, "agent", None), "critic", None) for p in self.players]
        self._valued = [None if critic is None else critic.begin(steps) for critic in critics]

    def tell(self, seat: int, observation: np.ndarray) -> tuple[np.ndarray | None, float | None]:
        """Probabilities [A] and value; None for what the player cannot tell.

        Call it once a step, before the player acts.
        """
        player = self.players[seat]
        if player is None:
            return None, None
        chances, _ = player.agent.probabilities(observation[None], player.hidden)
        row: np.ndarray = chances[0].double().cpu().numpy()

        valued = self._valued[seat]
        return row, None if valued is None else valued(observation, row)


def _is_agent(player: Any) -> bool:
    return hasattr(player, "hidden") and hasattr(getattr(player, "agent", None), "probabilities")
