"""`bach_stravinsky_v0` as a PettingZoo module; `games.bach_stravinsky` holds its page."""

from social_dilemmas_env.modules import pettingzoo_module

env, parallel_env, raw_env = pettingzoo_module("bach_stravinsky_v0")

__all__ = ["env", "parallel_env", "raw_env"]
