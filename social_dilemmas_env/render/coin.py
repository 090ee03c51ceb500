"""Picture of the Coin Game: the board with the last move, the players, who took what, the share of
own coins.
"""

from collections import defaultdict
from functools import lru_cache
from typing import NamedTuple

from social_dilemmas_env.games.coin import STEPS, CoinGame
from social_dilemmas_env.render.canvas import (
    Box,
    Canvas,
    Paint,
    Type,
    rounded_up,
    sprite,
    text_width,
    wedge,
)
from social_dilemmas_env.render.describe import (
    Pickup,
    call,
    coin_counts,
    forgotten,
    last_pickups,
    last_rewards,
    nothing,
    number,
    own_coins,
    typeset,
)
from social_dilemmas_env.render.palette import (
    CARD,
    INK,
    LINE,
    MUTED,
    QUIET,
    Color,
    mix,
    player_color,
    player_ink,
    player_shape,
)
from social_dilemmas_env.render.scene import Scene
from social_dilemmas_env.render.widgets import (
    CAPTION,
    GAP,
    HEAD,
    MARGIN,
    WIDTH,
    card,
    chip,
    head,
    name,
    reward_chip,
    score_line,
)

FRINGE = 16  # around the board, where the signs of the torus are
BOARD = 312  # longest side of the board
SIDE = BOARD + 2 * FRINGE
PANEL = WIDTH - 2 * MARGIN - SIDE - 16  # width of the column of cards
SHARE = 60  # height of the card with the share of own coins
EVENT = 26  # height of a line that says who took what
EVENTS = 2  # such lines, if several coins can be taken in a step
SIGN: Color = mix(LINE, MUTED, 0.35)  # of the arrowheads around the board
CHIPPED = 30  # least size of a player whose last reward is shown on the board
FULL_CARD = 76  # least height of a card
ROW, TALL_ROW = 36, 62  # heights of a row where cards do not fit


class Plan(NamedTuple):
    """Where things are."""

    cell: int  # side of a cell
    x: int  # of the board
    y: int
    card: int  # height of a player's card
    full: bool  # cards, or rows
    side: int  # height of the board's and the cards' area
    events: int

    @property
    def picture(self) -> int:
        """Height of the picture."""
        return rounded_up(HEAD + self.side + 10 + self.events * EVENT + MARGIN - 10)


class Spot(NamedTuple):
    """Something on the board: a player or a coin, its middle and its size."""

    kind: str
    player: int
    x: float
    y: float
    size: int


@lru_cache(maxsize=64)
def plan(game: CoinGame) -> Plan:
    """Cells as large as the room allows; cards for the players, or rows if there are many."""
    n, cell = game.num_agents, max(BOARD // max(game.height, game.width), 8)
    room = (SIDE - SHARE) // n - GAP
    full = room >= FULL_CARD
    side = SIDE if full else max(SIDE, n * (ROW + 4) + SHARE + 8)
    x = MARGIN + (SIDE - cell * game.width) // 2
    y = HEAD + (side - cell * game.height) // 2
    card = min(room, 130) if full else min(max((side - SHARE) // n - 4, ROW), TALL_ROW)
    return Plan(cell, x, y, card, full, side, min(game.coins, EVENTS))


def coin_picture(scene: Scene) -> Canvas:
    """Draws the scene."""
    game: CoinGame = scene.game  # type: ignore[assignment]
    where = plan(game)
    canvas = Canvas(WIDTH, where.picture)
    head(canvas, scene)
    board(canvas, game, where)
    if scene.history:
        footprints(canvas, scene, where)
    things(canvas, scene, where)
    panel(canvas, scene, where)
    event_lines(canvas, scene, HEAD + where.side + 10)
    return canvas


def board(canvas: Canvas, game: CoinGame, where: Plan) -> None:
    """The empty cells, and arrowheads around them: who leaves on one side comes back on the
    other.
    """
    cell, inset = where.cell, 2 if where.cell >= 40 else 1
    high, wide = game.height * cell, game.width * cell
    canvas.box(
        Box(where.x - 3, where.y - 3, wide + 6, high + 6), Paint(CARD, radius=9, border=LINE)
    )
    look, size = Paint(QUIET, radius=min(7, cell // 5)), 9
    for k in range(game.cells):
        x, y = middle(game, where, k)
        canvas.box(
            Box(
                round(x - cell / 2) + inset,
                round(y - cell / 2) + inset,
                cell - 2 * inset,
                cell - 2 * inset,
            ),
            look,
        )
    for row in range(game.height):
        y = middle(game, where, row * game.width)[1]
        canvas.center(wedge(size, "left", SIGN), where.x - 10, y)
        canvas.center(wedge(size, "right", SIGN), where.x + wide + 10, y)
    for column in range(game.width):
        x = middle(game, where, column)[0]
        canvas.center(wedge(size, "up", SIGN), x, where.y - 10)
        canvas.center(wedge(size, "down", SIGN), x, where.y + high + 10)


def footprints(canvas: Canvas, scene: Scene, where: Plan) -> None:
    """The last move: a pale emblem where a coin lay, and each player's path."""
    game: CoinGame = scene.game  # type: ignore[assignment]
    for pickup in last_pickups(scene):
        x, y = middle(game, where, pickup.cell)
        pale = mix(QUIET, player_color(pickup.owner), 0.35)
        canvas.center(
            sprite(f"badge_{player_shape(pickup.owner)}", pale, round(where.cell * 0.94)), x, y
        )
    move = scene.history[-1]
    for player, action in enumerate(move.actions):
        path(canvas, game, where, (player, move.board[player], action))


def path(canvas: Canvas, game: CoinGame, where: Plan, step: tuple[int, int, int]) -> None:
    """A bar from a player's last cell to the new one; around the torus it is cut in two."""
    player, cell, action = step
    rows, columns = STEPS[game.moves[action]]
    thick = min(max(round(where.cell * 0.07), 3), 8)
    lane = (player - (game.num_agents - 1) / 2) * thick * 1.4 if game.num_agents <= 4 else 0.0
    start, end = middle(game, where, cell), middle(game, where, game.move(cell, action))
    x, y = start[0] + columns * where.cell, start[1] + rows * where.cell
    far = (end[0] - columns * where.cell, end[1] - rows * where.cell)
    legs = [(start, (x, y))] if (x, y) == end else [(start, (x, y)), (far, end)]
    color = mix(QUIET, player_color(player), 0.55)
    for a, b in legs:
        left, right = sorted((a[0], b[0]))
        top, low = sorted((a[1], b[1]))
        bar = Box(round(left), round(top + lane - thick / 2), round(right - left), thick)
        if rows:
            bar = Box(round(left + lane - thick / 2), round(top), thick, round(low - top))
        canvas.box(clipped(bar, game, where), Paint(color, radius=thick // 2))


def clipped(bar: Box, game: CoinGame, where: Plan) -> Box:
    """The part of a bar on the board and a little beyond its edge."""
    beyond = 6
    left, top = max(bar.x, where.x - beyond), max(bar.y, where.y - beyond)
    right = min(bar.x + bar.width, where.x + game.width * where.cell + beyond)
    low = min(bar.y + bar.height, where.y + game.height * where.cell + beyond)
    return Box(left, top, right - left, low - top)


def middle(game: CoinGame, where: Plan, cell: int) -> tuple[float, float]:
    """The middle of a cell."""
    row, column = divmod(cell, game.width)
    return where.x + (column + 0.5) * where.cell, where.y + (row + 0.5) * where.cell


def spots(scene: Scene, where: Plan) -> list[Spot]:
    """Where the coins and the players are drawn.

    Those on one cell side by side, so that all are seen.
    """
    game: CoinGame = scene.game  # type: ignore[assignment]
    n, here = game.num_agents, defaultdict(list)
    for c, cell in enumerate(scene.board[n : n + game.coins]):
        here[cell].append(("coin", scene.board[n + 1] if game.coins == 1 else c))
    for player, cell in enumerate(scene.board[:n]):
        here[cell].append(("pawn", player))
    out = []
    for cell, kinds in here.items():
        x, y = middle(game, where, cell)
        for (kind, player), (dx, dy, share) in zip(kinds, arrangement(len(kinds)), strict=True):
            size = round(where.cell * share * (0.92 if kind == "coin" else 1.0))
            out.append(Spot(kind, player, x + dx * where.cell, y + dy * where.cell, size))
    return out


def arrangement(count: int) -> list[tuple[float, float, float]]:
    """Places for so many things in a cell of side 1: x and y from its middle, and a size."""
    if count == 1:
        return [(0.0, 0.0, 0.76)]
    across = 2
    while across * across < count:
        across += 1
    rows = -(-count // across)
    places = []
    for k in range(count):
        row = k // across
        in_row = min(across, count - row * across)
        places.append(
            (
                (k % across - (in_row - 1) / 2) * 0.92 / across,
                (row - (rows - 1) / 2) * 0.92 / across,
                0.9 / across,
            )
        )
    return places


def things(canvas: Canvas, scene: Scene, where: Plan) -> None:
    """Coins, players, and what the players got in the last step."""
    rewards = last_rewards(scene) or (0.0,) * len(scene.names)
    here = spots(scene, where)
    for spot in here:
        draw = canvas.coin if spot.kind == "coin" else canvas.pawn
        draw(spot.x, spot.y, spot.player, spot.size)
    for spot in here:
        if spot.kind == "pawn" and rewards[spot.player] and spot.size >= CHIPPED:
            mark = reward_chip(rewards[spot.player], max(round(spot.size * 0.19), 11))
            alone = spot.size > 0.6 * where.cell
            right, up = (0.34, 0.36) if alone else (0.0, 0.62)
            chip(canvas, spot.x + spot.size * right, spot.y - spot.size * up, mark)


def panel(canvas: Canvas, scene: Scene, where: Plan) -> None:
    """The column of players, and the share of own coins under it."""
    left, counts = WIDTH - MARGIN - PANEL, coin_counts(scene)
    for player in range(len(scene.names)):
        pitch = where.card + (GAP if where.full else 4)
        box = Box(left, HEAD + player * pitch, PANEL, where.card)
        card(canvas, box)
        (full_card if where.full else row_card)(canvas, scene, player, (box, counts[player]))
    share_card(canvas, scene, counts, Box(left, HEAD + where.side - SHARE, PANEL, SHARE))


def full_card(canvas: Canvas, scene: Scene, player: int, content: tuple[Box, list[int]]) -> None:
    """A player's name, last reward, score, and whose coins they took."""
    box, taken = content
    left, right = box.x + 14, box.x + box.width - 14
    step = box.height / 3.4
    name_line(
        canvas,
        scene,
        player,
        Box(left, round(box.y + 0.75 * step), right - left, 28 if box.height > 100 else 24),
    )
    score_line(canvas, scene, player, Box(left, round(box.y + 1.75 * step), right - left, 0))
    y = round(box.y + 2.65 * step)
    words = f"own coins {taken[player]} of {sum(taken)}" if sum(taken) else "no coins yet"
    width = canvas.text(left, y, words, CAPTION) + 10
    own_first = [player, *[i for i in range(len(taken)) if i != player]]
    shares_bar(
        canvas,
        Box(left + width, y - 4, right - left - width, 8),
        [(i, taken[i]) for i in own_first],
    )


def name_line(canvas: Canvas, scene: Scene, player: int, line: Box) -> None:
    """Badge, name and last reward of a player.

    The badge `line.height` large, the middle at `line.y`.
    """
    rewards, right = last_rewards(scene), line.x + line.width
    canvas.badge(line.x + line.height / 2, line.y, player, line.height)
    if rewards and rewards[player]:
        mark = reward_chip(rewards[player], 13)
        width = text_width(mark.text, 13) + round(1.1 * 13)
        chip(canvas, right - width / 2, line.y, mark)
        right -= width + 6
    x = line.x + line.height + 8
    name(canvas, scene, player, Box(x, line.y, right - x, 0))


def row_card(canvas: Canvas, scene: Scene, player: int, content: tuple[Box, list[int]]) -> None:
    """A player's name, last reward and score on one line, or on two where there is room."""
    box = content[0]
    if box.height >= 50:
        left, width = box.x + 14, box.width - 28
        name_line(canvas, scene, player, Box(left, box.y + round(0.34 * box.height), width, 22))
        score_line(canvas, scene, player, Box(left, box.y + round(0.74 * box.height), width, 0))
        return
    y, score = box.y + box.height // 2, 50
    name_line(canvas, scene, player, Box(box.x + 8, y, box.width - 16 - score, 22))
    words = typeset(number(scene.scores[player]))
    canvas.text(box.x + box.width - 10, y, words, Type(15, INK, "right", score))


def shares_bar(canvas: Canvas, box: Box, parts: list[tuple[int, int]]) -> None:
    """A bar cut in proportion to the parts, each in its player's colour."""
    canvas.box(box, Paint(QUIET, radius=box.height // 2))
    total, done = sum(count for _, count in parts), 0
    for player, count in parts:
        start, stop = (box.width * k // total if total else 0 for k in (done, done + count))
        canvas.box(
            Box(box.x + start, box.y, stop - start - (done + count < total), box.height),
            Paint(player_color(player), 2),
        )
        done += count


def share_card(canvas: Canvas, scene: Scene, counts: list[list[int]], box: Box) -> None:
    """The cooperation measure: how many of the coins were taken by their owners."""
    card(canvas, box)
    own, total = own_coins(counts)
    left, right, y = box.x + 14, box.x + box.width - 14, box.y + 20
    words = f"{own / total:.0%}" if total else "–"
    if total and not forgotten(scene):
        words = f"{own} of {total} · {words}"
    canvas.text(left, y, "Own coins" + forgotten(scene), CAPTION._replace(color=INK))
    canvas.text(right, y, words, Type(15, INK, "right"))
    bar = Box(left, box.y + 38, right - left, 8)
    canvas.box(bar, Paint(QUIET, radius=4))
    if own:
        canvas.box(bar._replace(width=max(bar.width * own // total, 8)), Paint(MUTED, radius=4))


def event_lines(canvas: Canvas, scene: Scene, top: int) -> None:
    """Who took what in the last step."""
    found, limit = last_pickups(scene), min(scene.game.coins, EVENTS)  # type: ignore[attr-defined]
    y = top + EVENT // 2
    if not found:
        words = (
            "No coin was taken in the last step" if scene.history else nothing(scene).capitalize()
        )
        canvas.text(MARGIN, y, words, Type(15, MUTED))
    for k, pickup in enumerate(found[:limit]):
        event_line(canvas, scene, pickup, y + k * EVENT)
    if len(found) > limit:
        words = f"and {len(found) - limit} more"
        canvas.text(WIDTH - MARGIN, y + (limit - 1) * EVENT, words, Type(15, MUTED, "right"))


def event_line(canvas: Canvas, scene: Scene, pickup: Pickup, y: int) -> None:
    """For example: "player_1 took player_0's coin", with badges and a coin."""
    x, room = MARGIN, 150
    for k, taker in enumerate(pickup.takers[:2]):
        x += canvas.text(x, y, "and" if k else "", Type(15, MUTED)) + 8 * (k > 0)
        canvas.badge(x + 10, y, taker, 20)
        x += (
            26
            + canvas.text(x + 26, y, call(scene, taker), Type(15, player_ink(taker), width=room))
            + 8
        )
    if len(pickup.takers) > 2:
        x += canvas.text(x, y, f"and {len(pickup.takers) - 2} more", Type(15, MUTED)) + 8
    x += canvas.text(x, y, "took", Type(15, MUTED)) + 8
    canvas.coin(x + 11, y, pickup.owner, 22)
    own = pickup.takers == (pickup.owner,)
    coin = "their own coin" if own else "'s coin"
    room = WIDTH - MARGIN - x - 28 - text_width(coin, 15)
    x += 28 + (
        0 if own else canvas.text(x + 28, y, call(scene, pickup.owner), Type(15, INK, width=room))
    )
    canvas.text(x, y, coin, Type(15))
