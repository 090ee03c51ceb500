"""`escape_room_v0` as a PettingZoo module; its page is the docstring of `games.escape_room`."""

from social_dilemmas_env.modules import pettingzoo_module

env, parallel_env, raw_env = pettingzoo_module("escape_room_v0")

__all__ = ["env", "parallel_env", "raw_env"]
