"""The rules of the Coin Game; their numbers are those of its page, in `games.coin`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from fractions import Fraction
from functools import cached_property

from social_dilemmas_env.games.columns import distinct, free_cell, ordered, wrapped
from social_dilemmas_env.games.game import Board, Column, Draw, Symmetry
from social_dilemmas_env.games.torus import board_symmetries
from social_dilemmas_env.modes import CoinColor, Moves, Ties, View

GAIN = 1  # to whoever picks up a coin
LOSS = -2  # to the owner when another picks it up
assert GAIN + LOSS < 0 < GAIN  # a theft pays the thief and costs the group: the dilemma
STEPS = {"L": (0, -1), "R": (0, 1), "U": (-1, 0), "D": (1, 0), "S": (0, 0)}  # (rows, columns)
NAMES = {"L": "left", "R": "right", "U": "up", "D": "down", "S": "stay"}


LATER = {"later": True}  # of a switch: the first version had none of the kind
FINEST = 1_000  # denominators of payoffs


def exactly(payoff: float) -> Fraction:
    """A payoff as the fraction that it stands for: 1.5, or 4 / 3 as nearly as a float can say."""
    return Fraction(payoff).limit_denominator(FINEST)


@dataclass(frozen=True)
class CoinGame:
    """Rules of the Coin Game; the fields are the switches of the module's docstring."""

    height: int = 3  # rows of the torus
    width: int = 3  # its columns
    num_agents: int = 2
    coins: int = 1  # one in all, or one of each colour
    ties: Ties = "both"  # rule 2: who gets a coin that several reach
    coin_color: CoinColor = "alternate"  # rule 4: the colour it comes back in
    coin_avoids_players: bool = True  # rule 5: where it comes back
    distinct_starts: bool = False  # no two players on one cell at the start
    moves: Moves = "LRUD"  # the order of the actions
    view: View = "ego"  # players counted from oneself, or from player 0
    max_cycles: int = 50  # rule 6
    # Switches that came later; their defaults are left out of the name that states carry.
    payoffs: tuple[float, float] = field(default=(GAIN, LOSS), metadata=LATER)  # rule 3
    stay: bool = field(default=False, metadata=LATER)  # a fifth action
    walls: bool = field(default=False, metadata=LATER)  # the board does not wrap around
    reward_noise = 0.0

    def __repr__(self) -> str:
        """The switches; a later one only where it is not at its default."""
        values = [(f, getattr(self, f.name)) for f in fields(self)]
        shown = [(f.name, value) for f, value in values if not f.metadata or value != f.default]
        return f"{type(self).__qualname__}({', '.join(f'{name}={v!r}' for name, v in shown)})"

    @cached_property
    def cells(self) -> int:
        """Number of cells; cell = row * width + column."""
        return self.height * self.width

    @property
    def num_actions(self) -> tuple[int, ...]:
        """Four moves each, or five with `stay`."""
        return (len(self.letters),) * self.num_agents

    @property
    def letters(self) -> str:
        """The actions, by the letters L, R, U, D, S."""
        return self.moves + "S" * self.stay

    @property
    def action_names(self) -> tuple[tuple[str, ...], ...]:
        """Left, right, up, down, in the order of `moves`; then stay."""
        return (tuple(NAMES[m] for m in self.letters),) * self.num_agents

    @property
    def columns(self) -> tuple[str, ...]:
        """Cells of the players, cells of the coins and, if there is one coin only, its owner."""
        players = [f"player_{i}" for i in range(self.num_agents)]
        if self.coins == 1:
            return (*players, "coin", "owner")
        return (*players, *[f"coin_{i}" for i in range(self.coins)])

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """A cell each, and the owner."""
        owner = (self.num_agents,) if self.coins == 1 else ()
        return (self.cells,) * (self.num_agents + self.coins) + owner

    @property
    def view_sizes(self) -> tuple[int, ...]:
        """As `sizes`."""
        return self.sizes

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """A plane for each player and for each colour of coin."""
        return (2 * self.num_agents, self.height, self.width)

    @property
    def walkers(self) -> int:
        """The players' cells; see `game.num_walkers`."""
        return self.num_agents

    @cached_property
    def share(self) -> int:
        """Parts a coin can be cut into so that any number of takers get equal shares.

        1 unless ties split it.
        """
        return math.lcm(*range(1, self.num_agents + 1)) if self.ties == "split" else 1

    @cached_property
    def unit(self) -> int:
        """The least integer that makes integers of both payoffs."""
        return math.lcm(*(exactly(payoff).denominator for payoff in self.payoffs))

    @cached_property
    def gain(self) -> int:
        """To whoever picks up a coin, in units of 1 / unit."""
        return int(exactly(self.payoffs[0]) * self.unit)

    @cached_property
    def loss(self) -> int:
        """To its owner when another does, in units of 1 / unit."""
        return int(exactly(self.payoffs[1]) * self.unit)

    @cached_property
    def least(self) -> int:
        """Of all rewards, in units of 1 / (share * unit): one's coin lost to every other."""
        return self.loss * self.share * (self.num_agents - 1 if self.ties == "each" else 1)

    @cached_property
    def reward_values(self) -> tuple[float, ...]:
        """Code = reward * share * unit - least.

        From losing one's coin to taking every coin, in steps of 1 / (share * unit).
        """
        parts = self.share * self.unit
        return tuple(r / parts for r in range(self.least, self.least + self.most_parts + 1))

    @property
    def most_parts(self) -> int:
        """Steps of 1 / (share * unit) from the least reward to the most."""
        return self.gain * self.coins * self.share - self.least

    def is_possible(self, board: Board) -> Column:
        """Whether a board can occur: a coin that avoids players never lies under one."""
        players, coins = board[: self.num_agents], board[self.num_agents :][: self.coins]
        clashes = [(coin == player) * 1 for coin in coins for player in players]
        return sum(clashes) * self.coin_avoids_players == 0

    @property
    def streams(self) -> int:
        """Coins, colour, and the players at the start."""
        return self.coins + 1 + self.num_agents

    def start(self, draw: Draw) -> Board:
        """Players on uniform cells; coin and colour are left to chance."""
        placed: list[Column] = []
        for i in range(self.num_agents):
            taken = placed if self.distinct_starts else []
            index = draw(self.coins + 1 + i, self.cells - len(taken))
            placed.append(free_cell(index, ordered(taken)))

        # Marked, for chance to fill in.
        unset = placed[0] * 0
        owner = (unset + self.num_agents,) if self.coins == 1 else ()
        return (*placed, *[unset + self.cells] * self.coins, *owner)

    def act(self, board: Board, actions: Sequence[Column]) -> tuple[Board, list[Column]]:
        """Rules 1 to 4."""
        n, pairs = self.num_agents, zip(board[: self.num_agents], actions, strict=True)
        cells = [self.move(cell, action) for cell, action in pairs]  # rule 1

        # The reward codes, from 0 for the least reward on.
        coins, owner = list(board[n : n + self.coins]), board[n + self.coins :]
        rewards = [cell * 0 - self.least for cell in cells]

        # Each coin: who gets it, what that pays, and whose it is next.
        for c, coin in enumerate(coins):
            found = self.takers([(cell == coin) * 1 for cell in cells])  # rule 2
            total = sum(found)
            for i in range(n):  # rule 3
                mine = (owner[0] == i) * 1 if owner else int(c == i)
                rewards[i] = rewards[i] + self.payment(found[i], total, mine)
            taken = (total > 0) * 1
            coins[c] = coin + taken * (self.cells - coin)  # rule 5: marked, for chance to place
            if owner:
                owner = (self.next_owner(owner[0], taken),)  # rule 4
        return (*cells, *coins, *owner), rewards

    def move(self, cell: Column, action: Column) -> Column:
        """The cell one step away, around the torus or, with walls, on the board."""
        row = cell // self.width
        column = cell - row * self.width

        for a, name in enumerate(self.letters):
            rows, columns = STEPS[name]
            if rows:
                row = row + self.ahead(row, rows, self.height) * (action == a)
            if columns:
                column = column + self.ahead(column, columns, self.width) * (action == a)

        if self.walls:
            return row * self.width + column
        return wrapped(row, self.height) * self.width + wrapped(column, self.width)

    def ahead(self, place: Column, step: int, side: int) -> Column:
        """One step along a side: around it, or not at all where a wall is in the way."""
        if not self.walls:
            return step % side
        return step * (place != (side - 1 if step > 0 else 0))

    def takers(self, standing: list[Column]) -> list[Column]:
        """Of the players standing on a coin, those who get it (0 or 1 each)."""
        if self.ties != "red":
            return standing

        # The first of them only.
        got, free = [], 1
        for stands in standing:
            got.append(stands * free)
            free = free * (1 - stands)
        return got

    def payment(self, got: Column, total: Column, mine: Column) -> Column:
        """Rule 3: reward of one player for one coin, in units of 1 / (share * unit).

        `got` and `mine` are 1 if I got it and if I own it, else 0; `total` players got it.
        """
        others = total - got
        if self.ties == "each":
            return self.gain * got + self.loss * mine * others
        if self.ties != "split":
            return self.gain * got + self.loss * mine * ((others > 0) * 1)

        part = self.share // (total + (total == 0) * 1)
        return self.gain * got * part + self.loss * mine * others * part

    def next_owner(self, owner: Column, taken: Column) -> Column:
        """Rule 4: the next player's colour, or marked for chance to choose."""
        if self.coin_color == "alternate":
            return wrapped(owner + taken, self.num_agents)
        return owner + taken * (self.num_agents - owner)

    def chances(self, board: Board) -> tuple[Column, ...]:
        """Streams 0 ..: the cell of each coin; then the colour."""
        n = self.num_agents
        free = self.cells - (distinct(ordered(board[:n])) if self.coin_avoids_players else 0)
        counts = [1 + (coin == self.cells) * (free - 1) for coin in board[n : n + self.coins]]
        return (*counts, *[1 + (owner == n) * (n - 1) for owner in board[n + self.coins :]])

    def chance(self, board: Board, draw: Draw) -> Board:
        """Rule 5, and the colour if it is random."""
        n, filled = self.num_agents, list(board)

        # Rule 5: cells where no coin may be placed.
        blocked = ordered(board[:n]) if self.coin_avoids_players else []
        for stream, count in enumerate(self.chances(board)):
            column, marked = board[n + stream], self.sizes[n + stream]
            value = draw(stream, count)
            if stream < self.coins:
                value = free_cell(value, blocked)
            filled[n + stream] = column + (column == marked) * (value - column)
        return tuple(filled)

    def view_of(self, board: Board, player: int) -> Board:
        """The board with the players, and the colours, counted from `player` on."""
        if self.view == "joint" or player == 0:
            return board

        n = self.num_agents
        cells, coins, owner = board[:n], board[n : n + self.coins], board[n + self.coins :]
        cells = cells[player:] + cells[:player]
        if owner:
            return (*cells, *coins, wrapped(owner[0] + (n - player), n))
        return (*cells, *coins[player:], *coins[:player])

    def features(self, view: Board) -> list[Column]:
        """One position for each player and each coin."""
        n = self.num_agents
        players = [plane * self.cells + cell for plane, cell in enumerate(view[:n])]
        if self.coins == 1:
            return [*players, (n + view[n + 1]) * self.cells + view[n]]
        coins = [(n + c) * self.cells + coin for c, coin in enumerate(view[n:])]
        return [*players, *coins]

    def symmetries(self) -> tuple[Symmetry, ...]:
        """Of the torus: translations, reflections, and on square boards the transposition.

        Of a board with walls the same but for the translations.
        """
        places = self.num_agents + self.coins
        owner = (tuple(range(self.num_agents)),) if self.coins == 1 else ()
        return tuple(
            Symmetry((cells,) * places + owner, (moves,) * self.num_agents)
            for cells, moves in board_symmetries(
                self.height, self.width, self.letters, wraps=not self.walls
            )
        )
