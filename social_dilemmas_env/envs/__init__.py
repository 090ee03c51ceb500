"""One game as a PettingZoo environment: all players at once, or one after the other."""

from social_dilemmas_env.envs.parallel import DilemmaEnv
from social_dilemmas_env.envs.turn_based import OrderedEnv, SequentialEnv, SequentialState

__all__ = ["DilemmaEnv", "OrderedEnv", "SequentialEnv", "SequentialState"]
