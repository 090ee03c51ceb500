"""Picture of a commons: the map, what grows and what lies on it, players and their beams."""

from functools import lru_cache
from typing import Any, NamedTuple

from social_dilemmas_env.games.commons.game import CommonsGame
from social_dilemmas_env.games.commons.harvest import RIPE
from social_dilemmas_env.games.commons.maps import AHEAD, WALL, reach_table
from social_dilemmas_env.render.canvas import Box, Canvas, rounded_up
from social_dilemmas_env.render.describe import (
    format_number,
    last_rewards,
    with_minus_signs,
)
from social_dilemmas_env.render.lettering import TextStyle
from social_dilemmas_env.render.palette import INK, MUTED, QUIET, Color, mix, player_color
from social_dilemmas_env.render.scene import Scene
from social_dilemmas_env.render.sprites import BoxStyle
from social_dilemmas_env.render.widgets import (
    CAPTION,
    HEADER,
    MARGIN,
    WIDTH,
    draw_card,
    draw_header,
)

MAP_WIDTH, MAP_HEIGHT = WIDTH - 2 * MARGIN, 480  # at most
ACROSS, ROW = 7, 54  # players in a row under the map, and its height
SUMMARY = 30  # height of the line that says what is left
SMALLEST = 6  # pixels of a cell

WALLS: Color = (84, 90, 104)
RED: Color = (196, 49, 42)  # ripe apples; bare cells of apples are pale squares
BARE: Color = (226, 232, 214)
BEAM: Color = (255, 226, 120)
DIRECTIONS = ("up", "right", "down", "left")


class Layout(NamedTuple):
    """Where the map is, in pixels."""

    cell: int  # side of a cell
    x: int
    low: int  # lower edge of the map
    picture: int  # height of the picture


@lru_cache(maxsize=64)
def layout_of(game: CommonsGame) -> Layout:
    """Cells as large as the room allows."""
    height, width = game.lattice.height, game.lattice.width
    cell = max(min(MAP_WIDTH // width, MAP_HEIGHT // height), SMALLEST)
    low = HEADER + cell * height
    rows = -(-game.num_agents // ACROSS)
    picture = rounded_up(low + SUMMARY + rows * ROW + MARGIN)
    return Layout(cell, (WIDTH - cell * width) // 2, low, picture)


def commons_picture(scene: Scene, scale: int = 1) -> Canvas:
    """Draws the scene, `scale` times as large as it is laid out."""
    game: Any = scene.game
    layout, parts = layout_of(game), parts_of(scene)
    canvas = Canvas(WIDTH, layout.picture, scale)
    draw_header(canvas, scene)

    # The map, from the ground up.
    draw_ground(canvas, game, layout)
    draw_beams(canvas, game, layout, parts)
    draw_apples(canvas, game, layout, parts["apple"])
    draw_players(canvas, game, layout, parts)

    # Under it.
    left = f"{parts['apple'].count(RIPE)} of {len(parts['apple'])} apples left"
    canvas.text(MARGIN, layout.low + 16, left, CAPTION._replace(size=15))
    for player in range(game.num_agents):
        draw_score_card(canvas, scene, player, parts["away"][player])
    return canvas


def parts_of(scene: Scene) -> dict[str, list[int]]:
    """The arrays of the board by name."""
    found, first = {}, 0
    for name, width, _ in scene.game.parts:  # type: ignore[attr-defined]
        found[name] = list(scene.board[first : first + width])
        first += width
    return found


def corner(game: Any, layout: Layout, cell: int) -> tuple[int, int]:
    """The upper left corner of a cell."""
    row, column = divmod(cell, game.lattice.width)
    return layout.x + column * layout.cell, HEADER + row * layout.cell


def middle(game: Any, layout: Layout, cell: int) -> tuple[float, float]:
    """The middle of a cell."""
    x, y = corner(game, layout, cell)
    return x + layout.cell / 2, y + layout.cell / 2


def draw_ground(canvas: Canvas, game: Any, layout: Layout) -> None:
    """Floor, walls, and the cells where apples grow."""
    size, lattice = layout.cell, game.lattice
    floor = Box(layout.x, HEADER, size * lattice.width, size * lattice.height)
    canvas.box(floor, BoxStyle(QUIET))
    for letters, color in ((WALL, WALLS), ("A", BARE)):
        for cell in lattice.cells(letters):
            canvas.box(Box(*corner(game, layout, cell), size, size), BoxStyle(color))


def draw_beams(canvas: Canvas, game: Any, layout: Layout, parts: dict[str, list[int]]) -> None:
    """The beams of those who have just shot, as far as walls let them."""
    if not game.zap:
        return
    reach, length = reach_table(game.lattice, game.beam.length), game.beam.length
    for cell, facing, cooldown in zip(
        parts["cell"], parts["facing"], parts["cooldown"], strict=True
    ):
        if cooldown < game.beam.cooldown or cell == game.lattice.nowhere:
            continue
        for bit in range(3 * length):
            if reach[cell * 4 + facing] >> bit & 1:
                box = Box(
                    *corner(game, layout, beam_cell(game, cell, facing, bit)), *[layout.cell] * 2
                )
                canvas.box(box, BoxStyle(BEAM))


def beam_cell(game: Any, cell: int, facing: int, bit: int) -> int:
    """The cell of a beam that a bit of `maps.reach_table` stands for."""
    line, place = divmod(bit, game.beam.length)
    rows, columns = AHEAD[facing]
    aside, along = line - 1, place + (line == 1)
    step = along * rows + aside * columns, along * columns - aside * rows
    return int(cell + step[0] * game.lattice.width + step[1])


def draw_apples(canvas: Canvas, game: Any, layout: Layout, apples: list[int]) -> None:
    """The ripe ones."""
    for cell, apple in zip(game.apple_cells, apples, strict=True):
        if apple == RIPE:
            canvas.sprite(middle(game, layout, cell), "apple", RED, round(layout.cell * 0.86))


def draw_players(canvas: Canvas, game: Any, layout: Layout, parts: dict[str, list[int]]) -> None:
    """Shape, number and facing of those who are there."""
    size = layout.cell
    for player, (cell, facing) in enumerate(zip(parts["cell"], parts["facing"], strict=True)):
        if cell == game.lattice.nowhere:
            continue
        x, y = middle(game, layout, cell)
        rows, columns = AHEAD[facing]
        canvas.badge(x, y, player, round(size * 0.92))
        nose = (x + columns * size * 0.56, y + rows * size * 0.56)
        canvas.arrowhead(nose, max(round(size * 0.5), 4), DIRECTIONS[facing], INK)


def draw_score_card(canvas: Canvas, scene: Scene, player: int, away: int) -> None:
    """Badge, score, last reward, and for how long a player is away."""
    game: Any = scene.game
    layout, width = layout_of(game), (WIDTH - 2 * MARGIN + 8) // ACROSS
    row, column = divmod(player, ACROSS)
    box = Box(MARGIN + column * width, layout.low + SUMMARY + row * ROW, width - 8, ROW - 8)
    draw_card(canvas, box)
    canvas.badge(box.x + 16, box.y + 15, player, 20)

    rewards, right = last_rewards(scene), box.x + box.width - 8
    if rewards and rewards[player]:
        text = with_minus_signs(format_number(rewards[player], True))
        canvas.text(right, box.y + 15, text, TextStyle(13, INK, "right"))
    score = with_minus_signs(format_number(scene.scores[player]))
    canvas.text(box.x + 10, box.y + 34, score, TextStyle(15))
    if away:
        style = TextStyle(11, mix(MUTED, player_color(player), 0.2), "right")
        canvas.text(right, box.y + 34, f"back in {away}", style)


def commons_lines(scene: Scene) -> list[str]:
    """The map as text: numbers are players, a ripe apples, . cells where apples grow."""
    game: Any = scene.game
    parts, text = parts_of(scene), list("".join(game.lattice.lines))
    for place, letter in enumerate(text):
        text[place] = "#" if letter == WALL else "." if letter == "A" else " "
    for cell, apple in zip(game.apple_cells, parts["apple"], strict=True):
        text[cell] = "a" if apple == RIPE else "."
    for player, cell in enumerate(parts["cell"]):
        if cell < game.lattice.nowhere:
            text[cell] = str(player % 10)

    width = game.lattice.width
    lines = ["".join(text[k : k + width]) for k in range(0, len(text), width)]
    facings = ", ".join(
        f"{player} {'away' if away else DIRECTIONS[facing]}"
        for player, (facing, away) in enumerate(zip(parts["facing"], parts["away"], strict=True))
    )
    legend = f"0: player 0; a: ripe apple; {parts['apple'].count(RIPE)} left; facing: {facings}"
    return [*lines, legend]
