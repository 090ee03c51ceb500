"""Picture of a commons: the map, what grows and what lies on it, players and their beams."""

from functools import lru_cache
from typing import Any, NamedTuple

from social_dilemmas_env.games.commons.game import CommonsGame
from social_dilemmas_env.games.commons.harvest import RIPE
from social_dilemmas_env.games.commons.maps import AHEAD, WALL, beam_cells_table
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
WATER: Color = (190, 220, 242)
WASH: Color = (120, 205, 225)  # a cleaning beam
MUD: Color = (110, 78, 50)
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
    draw_things(canvas, game, layout, parts)
    draw_players(canvas, game, layout, parts)

    # Under it.
    canvas.text(MARGIN, layout.low + 16, what_is_left(game, parts), CAPTION._replace(size=15))
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
    for letters, color in ((WALL, WALLS), ("A", BARE), ("HFS", WATER)):
        for cell in lattice.cells(letters):
            canvas.box(Box(*corner(game, layout, cell), size, size), BoxStyle(color))


def draw_beams(canvas: Canvas, game: Any, layout: Layout, parts: dict[str, list[int]]) -> None:
    """The beams of those who have just cleaned or shot, as far as walls let them."""
    kinds: list[tuple[str, Any, Color]] = [("cooldown", game.beam, BEAM)] * game.zap
    if "cleaning" in parts:
        kinds.insert(0, ("cleaning", game.clean_beam, WASH))
    for name, beam, color in kinds:
        for cell, facing, pause in zip(parts["cell"], parts["facing"], parts[name], strict=True):
            if pause == beam.cooldown and cell < game.lattice.nowhere:
                draw_beam(canvas, game, layout, (cell, facing, beam.length, color))


def draw_beam(canvas: Canvas, game: Any, layout: Layout, beam: tuple[int, int, int, Color]) -> None:
    """One beam: the cell and facing of who sends it, its length and colour."""
    cell, facing, length, color = beam
    for reached in beam_cells_table(game.lattice, length)[cell * 4 + facing].tolist():
        if reached < game.lattice.nowhere:
            box = Box(*corner(game, layout, reached), layout.cell, layout.cell)
            canvas.box(box, BoxStyle(color))


def ripe_cells(game: Any, parts: dict[str, list[int]]) -> list[int]:
    """Cells with a ripe apple."""
    ripe = 1 if "dirt" in parts else RIPE
    pairs = zip(game.apple_cells, parts["apple"], strict=True)
    return [cell for cell, apple in pairs if apple == ripe]


def dirty_cells(game: Any, parts: dict[str, list[int]]) -> list[int]:
    """Cells with dirt, where the game has any."""
    pairs = zip(getattr(game, "dirt_cells", ()), parts.get("dirt", ()), strict=True)
    return [cell for cell, dirt in pairs if dirt]


def what_is_left(game: Any, parts: dict[str, list[int]]) -> str:
    """Ripe apples and dirt, in words."""
    text = f"{len(ripe_cells(game, parts))} of {len(parts['apple'])} apples"
    if "dirt" in parts:
        return f"{text} ripe, {sum(parts['dirt'])} of {len(parts['dirt'])} cells of the river dirty"
    return f"{text} left"


def draw_things(canvas: Canvas, game: Any, layout: Layout, parts: dict[str, list[int]]) -> None:
    """Ripe apples, and dirt."""
    size = round(layout.cell * 0.86)
    for name, color, cells in (
        ("apple", RED, ripe_cells(game, parts)),
        ("dirt", MUD, dirty_cells(game, parts)),
    ):
        for cell in cells:
            canvas.sprite(middle(game, layout, cell), name, color, size)


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
        canvas.text(right, box.y + 34, f"in {away}", style)


def commons_lines(scene: Scene) -> list[str]:
    """The map as text: numbers are players, a ripe apples, . bare cells, ~ river, % dirt."""
    game: Any = scene.game
    parts, text = parts_of(scene), list("".join(game.lattice.lines))
    signs = {WALL: "#", "A": ".", "H": "~", "F": "~", "S": "~"}
    text = [signs.get(letter, " ") for letter in text]

    # What is on it.
    for cell in ripe_cells(game, parts):
        text[cell] = "a"
    for cell in dirty_cells(game, parts):
        text[cell] = "%"
    for player, cell in enumerate(parts["cell"]):
        if cell < game.lattice.nowhere:
            text[cell] = str(player % 10)

    width = game.lattice.width
    lines = ["".join(text[k : k + width]) for k in range(0, len(text), width)]
    facings = ", ".join(
        f"{player} {'away' if away else DIRECTIONS[facing]}"
        for player, (facing, away) in enumerate(zip(parts["facing"], parts["away"], strict=True))
    )
    dirt = "; ~: river; %: dirt" if "dirt" in parts else ""
    legend = f"0: player 0; a: ripe apple{dirt}; {what_is_left(game, parts)}"
    return [*lines, legend, f"facing: {facings}"]
