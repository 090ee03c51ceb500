"""The list of games; `make` makes environments of them.

list_envs, spec, payoffs                 what there is
register                                 add a game of your own
register_everywhere                      tells PettingZoo (where it has a registry) and Gymnasium; runs on import
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
import pettingzoo

from social_dilemmas_env.games.bach_stravinsky import bach_stravinsky
from social_dilemmas_env.games.chicken import chicken
from social_dilemmas_env.games.coin import coin_game
from social_dilemmas_env.games.game import Game
from social_dilemmas_env.games.imp import imp
from social_dilemmas_env.games.ipd import ipd
from social_dilemmas_env.games.matrix import MatrixGame, matrix_game
from social_dilemmas_env.games.public_goods import PublicGoods, public_goods
from social_dilemmas_env.games.rps import rps
from social_dilemmas_env.games.stag_hunt import stag_hunt
from social_dilemmas_env.validation import nearest

NAMESPACE = "social_dilemmas"


@dataclass(frozen=True)
class EnvSpec:
    """One registered game.

    Attributes:
        id: for example "coin_game_v0".
        rules: keyword arguments -> the rules, arguments checked.
    """

    id: str
    rules: Callable[..., Game]

    @property
    def title(self) -> str:
        """The game's name in words."""
        return self.page.splitlines()[0].lstrip("# ").split(" (`")[0]

    @property
    def page(self) -> str:
        """The game's page: description, spaces, rewards, arguments, version history (Markdown)."""
        return inspect.getdoc(inspect.getmodule(self.rules)) or self.id

    @property
    def keywords(self) -> dict[str, inspect.Parameter]:
        """Arguments of the game, by name."""
        return dict(inspect.signature(self.rules).parameters)

    def game(self, **kwargs: Any) -> Game:
        """The rules with these arguments.

        Raises:
            TypeError: an unknown keyword (the nearest are named) or a missing one.
            ValueError: an argument out of range.
        """
        unknown = [name for name in kwargs if name not in self.keywords]
        if unknown:
            raise TypeError(
                f"{self.id} has no argument {unknown[0]!r}; {nearest(unknown[0], self.keywords)}"
            )
        missing = [
            name for name, p in self.keywords.items() if p.default is p.empty and name not in kwargs
        ]
        if missing:
            raise TypeError(f"{self.id} needs the argument {missing[0]!r}")
        return self.rules(**kwargs)


_SPECS: dict[str, EnvSpec] = {}


def register(env_id: str, rules: Callable[..., Game]) -> None:
    """Adds a game.

    Args:
        env_id: ends in a version, for example "my_game_v0".
        rules: keyword arguments -> the rules (see `games.game.Game`).

    Raises:
        ValueError: an id without version, or one that is taken.
    """
    name, _, version = env_id.rpartition("_v")
    if not (name.isidentifier() and version.isdigit()):
        raise ValueError(f'an id looks like "my_game_v0": a name and a version, got {env_id!r}')
    if env_id in _SPECS:
        raise ValueError(f"{env_id} is already registered")
    _SPECS[env_id] = EnvSpec(env_id, rules)


for _rules in (
    bach_stravinsky,
    chicken,
    coin_game,
    imp,
    ipd,
    matrix_game,
    public_goods,
    rps,
    stag_hunt,
):
    register(f"{_rules.__name__}_v0", _rules)


def list_envs() -> list[str]:
    """The ids of all games, sorted."""
    return sorted(_SPECS)


def spec(env_id: str) -> EnvSpec:
    """The entry of a game.

    Raises:
        ValueError: an unknown id (the nearest ids are named).
    """
    try:
        return _SPECS[env_id]
    except (KeyError, TypeError):
        raise ValueError(
            f"there is no environment {env_id!r}; {nearest(str(env_id), list_envs())}"
        ) from None


def payoffs(env_id: str, **game_kwargs: Any) -> np.ndarray:
    """The payoff tensor of a matrix game, float64 [A_0, ..., A_{N-1}, N]; entry [a_0, ..., a_{N-1},
    n] is player n's.

    Raises:
        ValueError: the game is no matrix game.
    """
    game = spec(env_id).game(**game_kwargs)
    if isinstance(game, MatrixGame):
        return np.array(game.reward_values).reshape(*game.num_actions, -1)
    if isinstance(game, PublicGoods) and game.num_agents <= 16:
        joint = np.indices(game.num_actions).reshape(game.num_agents, -1)
        codes = game.act(game.start(lambda stream, n: 0), list(joint))[1]
        return np.array(game.reward_values)[np.stack(codes, -1)].reshape(*game.num_actions, -1)
    raise ValueError(f"{env_id} has no payoff table")


def register_everywhere() -> None:
    """Registers the games with PettingZoo (both APIs) and their single-learner views with
    Gymnasium.
    """
    for env_id in list_envs():
        name = f"{NAMESPACE}/{env_id.replace('_v', '-v')}"
        if name in gymnasium.registry:
            continue  # done before
        if hasattr(pettingzoo, "register"):  # PettingZoo >= 1.27
            module = f"social_dilemmas_env.{env_id}"
            pettingzoo.register("parallel", name, entry_point=f"{module}:parallel_env")
            pettingzoo.register("aec", name, entry_point=f"{module}:env")
        gymnasium.register(
            name,
            entry_point="social_dilemmas_env.single_agent:SingleEnv",
            vector_entry_point="social_dilemmas_env.single_agent:SingleVectorEnv",
            kwargs={"env_id": env_id},
        )
