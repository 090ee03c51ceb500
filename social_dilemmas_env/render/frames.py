"""The picture of a scene, in the layout that suits the game."""

import numpy as np

from social_dilemmas_env.games.coin_rules import CoinGame
from social_dilemmas_env.games.commons.game import CommonsGame
from social_dilemmas_env.render.canvas import Canvas
from social_dilemmas_env.render.coin import coin_picture
from social_dilemmas_env.render.commons import commons_picture
from social_dilemmas_env.render.describe import has_payoff_table
from social_dilemmas_env.render.matrix import matrix_picture
from social_dilemmas_env.render.scene import Scene
from social_dilemmas_env.render.tiles import tiles_picture


def picture(scene: Scene, scale: int = 1) -> Canvas:
    """The scene, drawn `scale` times as large as it is laid out."""
    if isinstance(scene.game, CoinGame):
        return coin_picture(scene, scale)
    if isinstance(scene.game, CommonsGame):
        return commons_picture(scene, scale)
    if has_payoff_table(scene.game):
        return matrix_picture(scene, scale)
    return tiles_picture(scene, scale)


def frame(scene: Scene, scale: int = 1) -> np.ndarray:
    """The scene as pixels.

    Args:
        scene: what to draw.
        scale: how many times as large as usual, an integer of at least 1.

    Returns:
        A fresh uint8 array [height, width, 3]; height and width depend on the game and the scale
        alone and are multiples of 16.

    Raises:
        gymnasium.error.DependencyNotInstalled: pygame is missing.
    """
    return picture(scene, scale).pixels()
