"""One game of rules that are bound to a library of arrays: numpy's, with a single game in them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from social_dilemmas_env.engine.bound_engine import BoundEngine
from social_dilemmas_env.engine.numpy_engine import NumpyArrays
from social_dilemmas_env.games.game import Board, Game

Encoded = tuple[np.ndarray, ...]  # arrays [K, 1]


class BoundDriver:
    """A `python_engine.Driver`; encoded boards are arrays that are never written again."""

    def __init__(self, game: Game):
        self.game = game
        self.engine = BoundEngine(game, NumpyArrays())
        self.names = [f"player_{i}" for i in range(len(game.num_actions))]
        self.shape = (len(self.names), *game.observation_shape)

    def __reduce__(self) -> tuple[Any, ...]:
        return BoundDriver, (self.game,)

    def start(self, key: tuple[int, int]) -> Encoded:
        """The board at the start of an episode."""
        return self.engine.start(_column(key))

    def step(
        self, encoded: Encoded, actions: Sequence[int], key: tuple[int, int], t: int
    ) -> tuple[Encoded, Sequence[int]]:
        """The `t`-th joint move (from 1)."""
        given = np.array(actions, np.int64)[:, None]
        board, codes = self.engine.rules.play(encoded, given, self.engine.draw(_column(key), t))
        return board, codes[:, 0].tolist()

    def observe(self, encoded: Encoded) -> dict[str, np.ndarray]:
        """What each player observes, as fresh float32 arrays."""
        out = np.empty((1, self.shape[0] * self.engine.numbers), np.float32)
        rows = self.engine.observe(encoded, out).reshape(self.shape)
        return dict(zip(self.names, rows, strict=True))

    def board(self, encoded: Encoded) -> Board:
        """The rows of a board, as ints."""
        return tuple(int(value) for array in encoded for value in array[:, 0].tolist())

    def encoded(self, board: Board) -> Encoded:
        """The board with these rows."""
        return self.engine.encoded(tuple(np.array([value], np.int64) for value in board))


def _column(key: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The key of one episode as that of a batch of one."""
    return np.array([key[0]], np.uint32), np.array([key[1]], np.uint32)
