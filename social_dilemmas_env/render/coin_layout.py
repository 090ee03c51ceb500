"""Where the parts of a Coin Game's picture are."""

from functools import lru_cache
from typing import NamedTuple

from social_dilemmas_env.games.coin_rules import CoinGame
from social_dilemmas_env.render.canvas import rounded_up
from social_dilemmas_env.render.widgets import GAP, HEADER, MARGIN, WIDTH

FRINGE = 16  # around the board, where the signs of the torus are
BOARD = 312  # longest side of the board
SIDE = BOARD + 2 * FRINGE
PANEL = WIDTH - 2 * MARGIN - SIDE - 16  # width of the column of cards
SHARE = 60  # height of the card with the share of own coins
EVENT = 26  # height of a line that says who took what
EVENTS = 2  # such lines, if several coins can be taken in a step
FULL_CARD = 76  # least height of a card
ROW, TALL_ROW = 36, 62  # heights of a row where cards do not fit


class Layout(NamedTuple):
    """The sizes that depend on the game, in pixels."""

    cell: int  # side of a cell
    x: int  # of the board
    y: int
    card: int  # height of a player's card
    full: bool  # cards, or rows
    side: int  # height of the board's and the cards' area
    events: int  # lines that say who took what

    @property
    def picture(self) -> int:
        """Height of the picture."""
        return rounded_up(HEADER + self.side + 10 + self.events * EVENT + MARGIN - 10)


@lru_cache(maxsize=64)
def layout_of(game: CoinGame) -> Layout:
    """Cells as large as the room allows; cards for the players, or rows if there are many."""
    n, cell = game.num_agents, max(BOARD // max(game.height, game.width), 8)

    # The players' cards beside the board.
    room = (SIDE - SHARE) // n - GAP
    full = room >= FULL_CARD
    side = SIDE if full else max(SIDE, n * (ROW + 4) + SHARE + 8)
    card = min(room, 130) if full else min(max((side - SHARE) // n - 4, ROW), TALL_ROW)

    # The board in the middle of its area.
    x = MARGIN + (SIDE - cell * game.width) // 2
    y = HEADER + (side - cell * game.height) // 2
    return Layout(cell, x, y, card, full, side, min(game.coins, EVENTS))


def middle_of(game: CoinGame, layout: Layout, cell: int) -> tuple[float, float]:
    """The middle of a cell."""
    row, column = divmod(cell, game.width)
    return layout.x + (column + 0.5) * layout.cell, layout.y + (row + 0.5) * layout.cell
