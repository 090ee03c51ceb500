"""Social dilemmas for reinforcement learning: iterated matrix games and the Coin Game.

import social_dilemmas_env as sde

env = sde.make_env("coin_game_v0")
observations, infos = env.reset(seed=0)
actions = {agent: env.action_space(agent).sample() for agent in env.agents}
observations, rewards, terminations, truncations, infos = env.step(actions)
"""

from social_dilemmas_env.games.game import State
from social_dilemmas_env.registry import EnvSpec, list_envs, make_env, payoffs, register, register_everywhere, spec
from social_dilemmas_env.version import __version__

__all__ = [
    "EnvSpec",
    "State",
    "__version__",
    "list_envs",
    "make_env",
    "payoffs",
    "register",
    "spec",
]

register_everywhere()
