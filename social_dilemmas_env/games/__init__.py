"""The rules of the games, one file each: pure functions of integers (see `game`)."""

from social_dilemmas_env.games.game import Game, State

__all__ = ["Game", "State"]
