"""`matrix_game_v0` in the form of a PettingZoo module.

Its page is the docstring of `games.matrix`.
"""

from social_dilemmas_env.modules import pettingzoo_module

env, parallel_env, raw_env = pettingzoo_module("matrix_game_v0")

__all__ = ["env", "parallel_env", "raw_env"]
