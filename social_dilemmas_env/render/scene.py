"""What a picture of a game shows, without how it is drawn."""

from typing import NamedTuple

from social_dilemmas_env.games.game import Board, Game

HISTORY = 64  # moves remembered for the history strip


class Move(NamedTuple):
    """One joint move: the board before it, the actions, the rewards."""

    board: Board
    actions: tuple[int, ...]
    rewards: tuple[float, ...]


class Scene(NamedTuple):
    """A game at one moment.

    Attributes:
        env_id: for example "coin_game_v0".
        game: the rules.
        board: the board now.
        t: steps taken in this episode.
        history: the last moves (at most `HISTORY`), oldest first.
        scores: each player's sum of rewards in this episode.
        rewards: reward code -> reward in this episode.
        names: what to call the players.
    """

    env_id: str
    game: Game
    board: Board
    t: int
    history: tuple[Move, ...]
    scores: tuple[float, ...]
    rewards: tuple[float, ...]
    names: tuple[str, ...]
