"""The three functions of a PettingZoo-style module (`from social_dilemmas_env import
coin_game_v0`).
"""

from collections.abc import Callable
from typing import Any

from social_dilemmas_env.envs.parallel import DilemmaEnv, SequentialEnv
from social_dilemmas_env.make import make_env


def pettingzoo_module(
    env_id: str,
) -> tuple[Callable[..., Any], Callable[..., DilemmaEnv], Callable[..., SequentialEnv]]:
    """`env` (turn by turn, order enforced), `parallel_env` and `raw_env` (turn by turn, bare) of a
    game.
    """

    def env(**kwargs: Any) -> Any:
        """The game turn by turn, with PettingZoo's order-enforcing wrapper."""
        return make_env(env_id, api="aec", **kwargs)

    def parallel_env(**kwargs: Any) -> DilemmaEnv:
        """The game with all players moving at once."""
        return make_env(env_id, **kwargs)

    def raw_env(**kwargs: Any) -> SequentialEnv:
        """The game turn by turn, without wrappers."""
        return SequentialEnv(make_env(env_id, **kwargs))

    return env, parallel_env, raw_env
