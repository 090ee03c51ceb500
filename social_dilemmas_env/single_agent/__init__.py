"""One learner among fixed players, as Gymnasium environments.

    env = gymnasium.make("social_dilemmas/coin_game-v0", opponent="always_defect")
    envs = gymnasium.make_vec("social_dilemmas/coin_game-v0", num_envs=64, opponent="tit_for_tat")

`SingleEnv` is one game, `SingleVectorEnv` many on the numpy batch; game i of the second, made with
the seed of the first, is the same game against the same moves.  Who may be an opponent is the page
of players.py; `OpponentPool` draws one anew for each episode, `set_opponent` exchanges them.
"""

from social_dilemmas_env.single_agent.env import SingleEnv
from social_dilemmas_env.single_agent.opponents import Opponents, SingleState
from social_dilemmas_env.single_agent.pool import OpponentPool
from social_dilemmas_env.single_agent.vector_env import SingleVectorEnv

__all__ = ["OpponentPool", "Opponents", "SingleEnv", "SingleState", "SingleVectorEnv"]
