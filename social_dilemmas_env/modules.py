"""The three functions of a PettingZoo-style module, such as `social_dilemmas_env.coin_game_v0`."""

from collections.abc import Callable
from typing import Any

from social_dilemmas_env.envs.parallel import DilemmaEnv
from social_dilemmas_env.envs.turn_based import OrderedEnv, SequentialEnv
from social_dilemmas_env.make import make_env


def pettingzoo_module(
    env_id: str,
) -> tuple[Callable[..., OrderedEnv], Callable[..., DilemmaEnv], Callable[..., SequentialEnv]]:
    """What makes a game in three forms.

    Args:
        env_id: see `list_envs`.

    Returns:
        `env` (turn by turn, order enforced), `parallel_env` (all players at once) and `raw_env`
        (turn by turn, bare); each takes the keyword arguments of `make_env`.
    """

    def env(**kwargs: Any) -> OrderedEnv:
        """The game turn by turn, with PettingZoo's order-enforcing wrapper."""
        return make_env(env_id, api="aec", **kwargs)

    def parallel_env(**kwargs: Any) -> DilemmaEnv:
        """The game with all players moving at once."""
        return make_env(env_id, api="parallel", **kwargs)

    def raw_env(**kwargs: Any) -> SequentialEnv:
        """The game turn by turn, without wrappers."""
        return SequentialEnv(make_env(env_id, **kwargs))

    return env, parallel_env, raw_env
