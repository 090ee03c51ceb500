"""A person as a player: shown the game as it stands, asked for a move, waited for."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from agents.match.keys import action_by_key
from social_dilemmas_env.render.scene import Scene


class GameStopped(Exception):
    """The person does not go on; the message says why, after "stopped: "."""


class Screen(Protocol):
    """What shows the game to a person and reads the keys."""

    def ask(self, scene: Scene, seat: int) -> int:
        """Shows the game and waits for the move of a seat.

        Raises:
            GameStopped: no move will come.
        """

    def finish(self, scene: Scene, text: str) -> None:
        """Shows how it ended."""

    def close(self) -> None:
        """Ends the showing; may be called again."""


class HumanPlayer:
    """A person in one seat of one game.

    Args:
        env: the environment, of whose scenes pictures are made; only read.
        seat: which player it is.
        screen: where the person looks.

    Raises:
        ValueError: more actions than keys.
    """

    def __init__(self, env: Any, seat: int, screen: Screen) -> None:
        action_by_key(env.game.action_names[seat])  # refused before the game begins
        self.env, self.seat, self.screen = env, seat, screen

    def reset(self, num_games: int, seed: Any = None) -> None:
        """People remember what they like."""

    def act(self, observations: Any, first: Any = None) -> np.ndarray:
        """The move, [1]."""
        return np.array([self.screen.ask(self.env.scene(), self.seat)])


def question(scene: Scene, seat: int) -> str:
    """What a person is asked."""
    return f"{scene.names[seat]} (player {seat}): your move"


def final_text(scores: Sequence[float], names: Sequence[str]) -> str:
    """Who earned what."""
    parts = (f"{name} {score:g}" for name, score in zip(names, scores, strict=True))
    return "the end: " + ", ".join(parts)
