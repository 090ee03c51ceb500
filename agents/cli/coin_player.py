"""A policy of an exact Coin Game as a player of the real one.

It reads the board from its observations, follows the memory that the policy was learned with, and
draws its action.  For one coin and players who see the board from their own seat, as in
`coin_game_v0`; policies are tables [S, A] of `game.policy` or `solve`.
"""

from typing import Any

import numpy as np

import social_dilemmas_env as sde
from social_dilemmas_env.exact.product import memory_codes
from social_dilemmas_env.games.game import Board, encode


class CoinPlayer:
    """One player of B games; observations [B, 2 N, height, width] -> actions [B].

    Args:
        game: of `exact_game("coin_game_v0", ...)`, with its default symmetry.
        policy: [S, A].
        seed: of its draws.
    """

    def __init__(self, game: Any, policy: np.ndarray, seed: int = 0) -> None:
        self.origin, self.policy, self.seed = game.origin, policy, seed
        quotient, boards = self.origin.quotient, self.origin.boards
        self._codes = encode(boards.board, quotient.sizes)  # ascending
        memory = self.origin.memory
        self._first = int(memory_codes(memory, memory.start, np.zeros((), np.int64)))
        self.reset(1, seed)

    def reset(self, num_games: int, seed: int | None = None) -> None:
        """Begins episodes."""
        self.seed = self.seed if seed is None else seed
        self._before: Board | None = None
        self._memory = np.full(num_games, self._first)
        self._steps = 0

    def act(self, observations: np.ndarray) -> np.ndarray:
        """The moves in all games."""
        board = self._read(np.asarray(observations))
        if self._before is not None:
            self._memory = self._remember(self._before, board)
        self._before = board

        # What the table says of board and memory.
        state = self.origin.product.index[self._memory, self._index(board)]
        chances = self.policy[state].cumsum(1)
        games = np.arange(len(state))
        uniform = sde.draw(self.seed, self._steps, games) / 2.0**32
        self._steps += 1
        actions: np.ndarray = (uniform[:, None] >= chances[:, :-1]).sum(1)
        return actions

    def _read(self, observations: np.ndarray) -> Board:
        """Cells of the players, cell of the coin, its owner; all counted from this player."""
        batch, planes = observations.shape[:2]
        flat = observations.reshape(batch, planes, -1)
        players, coins = flat[:, : planes // 2], flat[:, planes // 2 :]
        owner, cell = coins.max(2).argmax(1), coins.max(1).argmax(1)
        return (*players.argmax(2).T, cell, owner)

    def _remember(self, before: Board, now: Board) -> np.ndarray:
        """The memory after the step between two boards: who moved how follows from the cells."""
        rules = self.origin.game
        actions = []
        for old, new in zip(before[: rules.num_agents], now, strict=False):
            ends = [rules.move(old, np.full_like(old, a)) for a in range(4)]
            actions.append((np.stack(ends) == new).argmax(0))

        joint = encode(tuple(actions), rules.num_actions)
        count = self.origin.boards.successors.shape[1]
        memory: np.ndarray = self.origin.updates[self._memory, self._index(before) * count + joint]
        return memory

    def _index(self, board: Board) -> np.ndarray:
        """Which of the game's boards each one is, up to translation."""
        quotient = self.origin.quotient
        codes = np.asarray(encode(quotient.canonical(board), quotient.sizes))
        return np.asarray(np.searchsorted(self._codes, codes))


class Thief:
    """Takes every coin for some steps, and keeps to a policy from then on.

    Args:
        policy: the player that it is afterwards; it watches from the start.
        scripted: the player that it is before.
        steps: how long.
    """

    def __init__(self, policy: CoinPlayer, scripted: Any, steps: int) -> None:
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
        return now if self._done <= self.steps else later
