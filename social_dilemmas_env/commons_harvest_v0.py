"""`commons_harvest_v0` as a PettingZoo module; its page is in `games.commons_harvest`."""

from social_dilemmas_env.modules import pettingzoo_module

env, parallel_env, raw_env = pettingzoo_module("commons_harvest_v0")

__all__ = ["env", "parallel_env", "raw_env"]
