"""Social dilemmas for reinforcement learning: iterated matrix games and the Coin Game.

    import social_dilemmas_env as sde

    env = sde.make_env("coin_game_v0")
    observations, infos = env.reset(seed=0)
    actions = {agent: env.action_space(agent).sample() for agent in env.agents}
    observations, rewards, terminations, truncations, infos = env.step(actions)

`make_vec_env` plays many games at once, `jax_env` gives a game as pure functions, `make_strategy`
makes scripted players, `check_env` tests environments, `exact_game` computes what others estimate
from samples.
"""

from typing import TYPE_CHECKING, Any

from social_dilemmas_env.deprecation import moved_modules
from social_dilemmas_env.games.game import Game, State
from social_dilemmas_env.make import jax_env, make_env, make_vec_env
from social_dilemmas_env.moved import MOVED_MODULES
from social_dilemmas_env.registry import EnvSpec, list_envs, payoffs, register, spec
from social_dilemmas_env.rng import draw
from social_dilemmas_env.strategies import Strategy, list_strategies, make_strategy
from social_dilemmas_env.testing import Finding, check_env
from social_dilemmas_env.version import __version__

__all__ = [
    "EnvSpec",
    "Finding",
    "Game",
    "State",
    "Strategy",
    "__version__",
    "check_env",
    "draw",
    "exact_game",
    "jax_env",
    "list_envs",
    "list_strategies",
    "make_env",
    "make_strategy",
    "make_vec_env",
    "payoffs",
    "register",
    "spec",
]

if TYPE_CHECKING:
    from social_dilemmas_env.exact import exact_game
else:

    def __getattr__(name: str) -> Any:
        """`exact_game` on first use, so that importing the environments stays light."""
        if name != "exact_game":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from social_dilemmas_env.exact import exact_game

        return exact_game


moved_modules(MOVED_MODULES)
