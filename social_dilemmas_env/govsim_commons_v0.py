"""`govsim_commons_v0` as a PettingZoo module; its page is the docstring of the rules."""

from social_dilemmas_env.modules import pettingzoo_module

env, parallel_env, raw_env = pettingzoo_module("govsim_commons_v0")

__all__ = ["env", "parallel_env", "raw_env"]
