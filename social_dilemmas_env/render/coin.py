"""Picture of the Coin Game.

The board with the last move, the players, who took what, the share of own coins.
"""

from social_dilemmas_env.games.coin_rules import CoinGame
from social_dilemmas_env.render.canvas import Canvas
from social_dilemmas_env.render.coin_board import draw_cells, draw_last_move, draw_pieces
from social_dilemmas_env.render.coin_layout import layout_of
from social_dilemmas_env.render.coin_panel import draw_events, draw_panel
from social_dilemmas_env.render.scene import Scene
from social_dilemmas_env.render.widgets import HEADER, WIDTH, draw_header


def coin_picture(scene: Scene, scale: int = 1) -> Canvas:
    """Draws the scene, `scale` times as large as it is laid out."""
    game: CoinGame = scene.game  # type: ignore[assignment]
    layout = layout_of(game)
    canvas = Canvas(WIDTH, layout.picture, scale)
    draw_header(canvas, scene)

    # The board, from the ground up.
    draw_cells(canvas, game, layout)
    if scene.history:
        draw_last_move(canvas, scene, layout)
    draw_pieces(canvas, scene, layout)

    # Beside and under it.
    draw_panel(canvas, scene, layout)
    draw_events(canvas, scene, HEADER + layout.side + 10)
    return canvas
