"""Social dilemmas for reinforcement learning: matrix games, the Coin Game, the commons.

    import social_dilemmas_env as sde

    env = sde.make_env("coin_game_v0")
    observations, infos = env.reset(seed=0)
    actions = {agent: env.action_space(agent).sample() for agent in env.agents}
    observations, rewards, terminations, truncations, infos = env.step(actions)

`make_vec_env` plays many games at once, `jax_env` gives a game as pure functions, `make_strategy`
makes scripted players, `check_env` tests environments, `exact_game` computes what others estimate
from samples.

Each name is imported when it is first used: importing this needs neither numpy, nor Gymnasium, nor
PettingZoo; their registries know the games all the same (`registries`).
"""

from typing import TYPE_CHECKING

from social_dilemmas_env import registries as registries  # it tells Gymnasium and PettingZoo
from social_dilemmas_env.deprecation import moved_modules
from social_dilemmas_env.lazy import lazy_names
from social_dilemmas_env.moved import MOVED_MODULES
from social_dilemmas_env.version import __version__

if TYPE_CHECKING:
    from social_dilemmas_env.exact import exact_game
    from social_dilemmas_env.games.game import Game, State
    from social_dilemmas_env.make import jax_env, make_env, make_vec_env
    from social_dilemmas_env.registry import EnvSpec, list_envs, payoffs, register, spec
    from social_dilemmas_env.rng import draw
    from social_dilemmas_env.strategies import Strategy, list_strategies, make_strategy
    from social_dilemmas_env.testing import Finding, check_env

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

_HOMES = {
    "exact": ("exact_game",),
    "games.game": ("Game", "State"),
    "make": ("jax_env", "make_env", "make_vec_env"),
    "registry": ("EnvSpec", "list_envs", "payoffs", "register", "spec"),
    "rng": ("draw",),
    "strategies": ("Strategy", "list_strategies", "make_strategy"),
    "testing": ("Finding", "check_env"),
}  # the imports above, as they are made

__getattr__, __dir__ = lazy_names(
    __name__, {name: f"{__name__}.{home}" for home, names in _HOMES.items() for name in names}
)
moved_modules(MOVED_MODULES)
