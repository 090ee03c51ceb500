"""The picture of a scene, in the layout that suits the game."""

import numpy as np

from social_dilemmas_env.games.coin import CoinGame
from social_dilemmas_env.render.canvas import Canvas
from social_dilemmas_env.render.coin import coin_picture
from social_dilemmas_env.render.describe import has_payoff_table
from social_dilemmas_env.render.matrix import matrix_picture
from social_dilemmas_env.render.scene import Scene
from social_dilemmas_env.render.tiles import tiles_picture


def picture(scene: Scene) -> Canvas:
    """The scene, drawn."""
    if isinstance(scene.game, CoinGame):
        return coin_picture(scene)
    if has_payoff_table(scene.game):
        return matrix_picture(scene)
    return tiles_picture(scene)


def frame(scene: Scene) -> np.ndarray:
    """The scene as pixels.

    Returns:
        A fresh uint8 array [height, width, 3]; height and width depend on the game alone and are
        multiples of 16.

    Raises:
        gymnasium.error.DependencyNotInstalled: pygame is missing.
    """
    return picture(scene).pixels()
