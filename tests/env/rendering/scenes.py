"""Scenes for the tests of pictures: played, and made by hand."""

from typing import Any

from social_dilemmas_env.games.coin import coin_game
from social_dilemmas_env.games.ipd import ipd
from social_dilemmas_env.render.canvas import Canvas
from social_dilemmas_env.render.scene import Move, Scene
from tests.helpers.games import Dice, make

LONG = "a_strategy_with_a_name_that_nobody_would_ever_type_twice"


def played(name: str, steps: int, dice_seed: int = 0) -> Any:
    """An environment of `helpers.GAMES` that remembers what a picture needs, after so many random
    steps."""
    env, dice = make(name, render_mode="ansi"), Dice(dice_seed)
    env.reset(seed=1)
    for _ in range(min(steps, env.max_cycles)):
        env.step(dice.actions(env))
    return env


def renamed(scene: Scene, name: str) -> Scene:
    """The scene with every player called `name`."""
    return scene._replace(names=(name,) * len(scene.names))


def ipd_scene(*actions: tuple[int, int], **changes: Any) -> Scene:
    """A prisoner's dilemma in which these joint actions were played."""
    game, history, board = ipd(), [], (0,)
    for pair in actions:
        after, codes = game.act(board, pair)
        history.append(Move(board, pair, tuple(game.reward_values[code] for code in codes)))
        board = after
    scores = tuple(float(sum(move.rewards[i] for move in history)) for i in range(2))
    scene = Scene(
        "ipd_v0",
        game,
        board,
        len(actions),
        tuple(history),
        scores,
        game.reward_values,
        ("tit_for_tat", "alternator"),
    )
    return scene._replace(**changes)


def theft_scene() -> Scene:
    """A Coin Game in which player 1 has just taken player 0's coin, through the edge of the board.

    . . .         . . 0     0 went down from the lower right cell, around the edge;
    1 . o   ->    . . 1     1 went left from the middle row, around the edge, onto 0's coin o;
    . . 0         O . .     a coin O of player 1 appeared.
    """
    game = coin_game()
    before = (8, 3, 5, 0)  # player 0 in cell 8, player 1 in cell 3, the coin of player 0 in cell 5
    moves = (game.moves.index("D"), game.moves.index("L"))
    history = (Move(before, moves, (-2.0, 1.0)),)
    return Scene(
        "coin_game_v0",
        game,
        (2, 5, 6, 1),
        1,
        history,
        (-2.0, 1.0),
        game.reward_values,
        ("red", "blue"),
    )


class Watched(Canvas):
    """A page that notes where text and boxes were drawn."""

    def __init__(self, width: int, height: int, scale: int = 1):
        super().__init__(width, height, scale)
        self.texts: list[
            tuple[str, float, float, float, float]
        ] = []  # text, left, top, right, bottom of the capitals
        self.boxes: list[Any] = []

    def text(self, x, y, text, style):
        """Notes the text as it was drawn, cut off or not."""
        width = super().text(x, y, text, style)
        left = x - {"left": 0.0, "center": width / 2, "right": width}[style.align]
        self.texts.append((text, left, y - 0.36 * style.size, left + width, y + 0.36 * style.size))
        return width

    def box(self, box, style):
        """Notes the box."""
        super().box(box, style)
        self.boxes.append(box)
