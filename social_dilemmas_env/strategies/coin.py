"""Scripted players of the Coin Game.

They play on any board, with any number of players, variant, view and order of moves.

A player goes *towards* a coin or *away* from it, and two published definitions say how, where
several moves do:

* "loqa": by a move after which the wrapped L1 distance to the coin is least, or greatest; uniform
  among equals.  LOQA (arXiv:2405.01035), MiladInk/loqa, coin_game.py, `get_cooperative_action` and
  `get_defect_action`.
* "pola": by the shortest way, rows before columns (half-way round: down, right), or by the exact
  opposite of that move. POLA (arXiv:2210.10125), Silent-Zebra/POLA, jax_files/coin_game_jax.py,
  `get_coop_action`.

On a torus of width 3 they are not the same policy: from distance 1 the opposite move leads to
distance 1, round the back.

With one coin for each player (`coins=num_agents`) a cooperator goes towards its own coin always,
and a defector towards the nearest coin (its own, then the next player's, if equally near).
"""

from typing import Any

import numpy as np
from typing_extensions import override

from social_dilemmas_env import rng
from social_dilemmas_env.games.coin_boards import board_columns, board_of, owned, taken
from social_dilemmas_env.games.coin_rules import STEPS, CoinGame
from social_dilemmas_env.games.game import Board, Column, Game
from social_dilemmas_env.strategies.base import Array, Scripted, like
from social_dilemmas_env.validation import one_of

DEFINITIONS = ("loqa", "pola")  # see above
OPPOSITE = {"L": "R", "R": "L", "U": "D", "D": "U"}


def distance(game: CoinGame, rows: int, columns: int) -> int:
    """L1 distance of a displacement, around the torus or, with walls, on the board."""
    if game.walls:
        return abs(rows) + abs(columns)
    rows, columns = rows % game.height, columns % game.width
    return min(rows, game.height - rows) + min(columns, game.width - columns)


def loqa_moves(game: CoinGame, rows: int, columns: int, away: int) -> list[int]:
    """Actions after which a coin `rows` down and `columns` to the right is nearest, or farthest."""
    # Distance of the coin after each move of the player, as if no wall were in the way.
    steps = [STEPS[letter] for letter in game.letters]
    after = [distance(game, rows - down, columns - right) for down, right in steps]
    best = max(after) if away else min(after)
    return [action for action, d in enumerate(after) if d == best]


def pola_moves(game: CoinGame, rows: int, columns: int, away: int) -> list[int]:
    """The one action of the shortest way, rows first, or its opposite."""
    down = rows > 0 if game.walls else rows <= game.height - rows
    right = columns > 0 if game.walls else columns <= game.width - columns
    vertical, horizontal = "D" if down else "U", "R" if right else "L"
    move = vertical if rows else horizontal
    return [game.moves.index(OPPOSITE[move] if away else move)]


class CoinPlayer(Scripted):
    """Goes towards a coin or away from it.

    Attributes:
        definition: "loqa" or "pola"; see the module.
        greed: 1 for one who takes every coin, always.
    """

    game: CoinGame
    greed = 0

    def __init__(self, game: Game, player: int = 0, seed: int = 0, *, definition: str = "loqa"):
        super().__init__(game, player, seed)
        self.definition = one_of("definition", definition, DEFINITIONS)

    @classmethod
    @override
    def refusal(cls, game: Game) -> str:
        return "" if isinstance(game, CoinGame) else "needs the Coin Game"

    def _displacements(self) -> list[tuple[int, int]]:
        """Rows down and columns to the right that a coin may be away, in the order of tables."""
        (up, left), (rows, columns) = self._span()
        return [(row - up, column - left) for row in range(rows) for column in range(columns)]

    def _span(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """What is farthest up and to the left, and how many rows and columns there are from it."""
        height, width = self.game.height, self.game.width
        if self.game.walls:
            return (height - 1, width - 1), (2 * height - 1, 2 * width - 1)
        return (0, 0), (height, width)

    def _moves_by_entry(self) -> list[list[int]]:
        """The moves it chooses among, towards a coin at each displacement, then away from it."""
        rule = loqa_moves if self.definition == "loqa" else pola_moves
        return [rule(self.game, *d, away) for away in (0, 1) for d in self._displacements()]

    def _distances(self) -> list[int]:
        # A coin under the player is two moves away: it has to step off and on again, or to stay.
        under = 1 if self.game.stay else 2
        return [distance(self.game, *d) or under for d in self._displacements()]

    @override
    def _start(self, zeros: Array) -> None:
        # An entry for each action, which hold the equally good ones in turn, and how many they are.
        moves, n = self._moves_by_entry(), len(self.game.letters)
        self._counts = like(zeros, [len(actions) for actions in moves])
        self._moves = like(zeros, [action for actions in moves for action in (actions * n)[:n]])
        self._distance = like(zeros, self._distances())

    @override
    def _choose(self, observations: Array, restart: Array) -> Array:
        board = board_of(self.game, observations, self.player)
        entry = self._entry(board, self._greedy(board, restart), self._distance)
        first = entry * len(self.game.letters)
        if self.definition == "pola":
            return self._moves[first]
        return self._moves[first + rng.bounded(self._words(), self._counts[entry])]

    def _entry(self, board: Board, greedy: Any, distances: Array) -> Column:
        """Where the moves are in the table: displacement of a coin, `cells` later if away."""
        if self.game.coins > 1:
            return self._nearest(board, greedy, distances)
        away = (1 - owned(self.game, board, self.player)[0]) * (1 - greedy)
        _, (rows, columns) = self._span()
        return self._displacement(board, board[self.game.num_agents]) + away * rows * columns

    @override
    def action_probabilities(self, observations: Any, memory: int = 0) -> Any:
        moves = self._moves_by_entry()
        table = np.zeros((len(moves), len(self.game.letters)))
        for row, actions in enumerate(moves):
            table[row, actions] = 1 / len(actions)

        board = board_of(self.game, observations, self.player)
        distances = np.array(self._distances())
        return table[np.asarray(self._entry(board, self._greedy_with(memory), distances))]

    def _greedy_with(self, memory: int) -> int:
        """What `_greedy` says in a state of the memory."""
        return self.greed

    def _greedy(self, board: Board, restart: Array) -> Any:
        """1 to take every coin, 0 to take only one's own; a number or [B]."""
        return self.greed

    def _displacement(self, board: Board, coin: Column) -> Column:
        """From the player to a coin, as an index of `_displacements`, int64 [B]."""
        width, cell = self.game.width, board[self.player]
        (up, left), (rows, columns) = self._span()
        down = (coin // width - cell // width + up) % rows
        return down * columns + (coin % width - cell % width + left) % columns

    def _nearest(self, board: Board, greedy: Any, distances: Array) -> Column:
        """Displacement of the own coin or, if greedy, of the nearest of all coins."""
        n = self.game.num_agents
        target = self._displacement(board, board[n + self.player])

        for k in range(1, n):
            other = self._displacement(board, board[n + (self.player + k) % n])
            # Its own if equally near, so only what is nearer.
            nearer = (distances[other] < distances[target]) * greedy
            target = target + nearer * (other - target)

        return target


class CoinCooperator(CoinPlayer):
    """Takes coins of its own colour and goes away from all others.

    `definition="loqa"` is AC of LOQA (arXiv:2405.01035), `"pola"` ALLC of POLA (arXiv:2210.10125);
    see the module.
    """

    name = "always_cooperate"


class CoinDefector(CoinPlayer):
    """Takes every coin, by a shortest way.

    `definition="loqa"` is AD of LOQA (arXiv:2405.01035), `"pola"` ALLD of POLA (arXiv:2210.10125);
    see the module.
    """

    name = "always_defect"
    greed = 1


class CoinTitForTat(CoinPlayer):
    """Takes only its own coins until another player takes one of them, then all for a while.

    It goes on taking every coin until it gains by one itself.  Precisely: it defects after a
    negative reward of its own and cooperates again after a positive one, rewards being inferred
    from consecutive boards.

    POLA (arXiv:2210.10125), Silent-Zebra/POLA, jax_files/POLA_dice_jax.py, evaluation against TFT;
    the idea is Lerer and Peysakhovich's approximate Markov tit for tat (arXiv:1707.01068).
    """

    name = "tit_for_tat"
    num_memories = 2
    memory = "last_pickup"

    @override
    def _start(self, zeros: Array) -> None:
        super()._start(zeros)
        self._last = [zeros + 0 for _ in range(board_columns(self.game))]
        self._known = zeros + 0  # 0 until the first board of an episode has been seen
        self._defecting = zeros + 0

    @override
    def _greedy(self, board: Board, restart: Array) -> Array:
        # A loss: defect.  A gain, or a new episode: cooperate.  Else as before.
        reward = self._reward(tuple(self._last), board) * self._known * (1 - restart)
        defecting = (self._defecting * (reward <= 0) * (1 - restart) + (reward < 0) > 0) * 1

        # Remember for the next move.
        self._defecting[:] = defecting
        self._known[:] = 1
        for column, now in zip(self._last, board, strict=True):
            column[:] = now

        return defecting

    @override
    def _greedy_with(self, memory: int) -> int:
        return memory

    @override
    def next_memory(self, memory: int, before: Any, observations: Any) -> Any:
        last, board = (board_of(self.game, o, self.player) for o in (before, observations))
        reward = np.asarray(self._reward(last, board))
        return ((memory * (reward <= 0) + (reward < 0)) > 0).astype(np.int64)

    def _reward(self, last: Board, board: Board) -> Column:
        """What the step from one board to the next paid, in units of 1 / game.share."""
        # Whether each player has stepped on each coin of the last board, and whose it was.
        game, n = self.game, self.game.num_agents
        takers = taken(game, last[n : n + game.coins], board[:n])
        mine = owned(game, last, self.player)
        return sum(
            game.payment(took[self.player], sum(took), own)
            for took, own in zip(takers, mine, strict=True)
        )
