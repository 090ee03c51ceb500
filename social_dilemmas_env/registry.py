"""The list of games; `make` makes environments of them.

    list_envs, spec, payoffs     what there is
    register                     adds a game; PettingZoo and Gymnasium are told (`registries`)

This file imports rules only; what makes environments is imported when somebody makes one.
"""

import difflib
import functools
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from social_dilemmas_env.deprecation import moved_names
from social_dilemmas_env.games.bach_stravinsky import bach_stravinsky
from social_dilemmas_env.games.chicken import chicken
from social_dilemmas_env.games.clean_up import clean_up
from social_dilemmas_env.games.coin import coin_game
from social_dilemmas_env.games.commons_harvest import commons_harvest
from social_dilemmas_env.games.escape_room import escape_room
from social_dilemmas_env.games.game import Game
from social_dilemmas_env.games.govsim_commons import govsim_commons
from social_dilemmas_env.games.imp import imp
from social_dilemmas_env.games.ipd import ipd
from social_dilemmas_env.games.matrix import MatrixGame, matrix_game
from social_dilemmas_env.games.public_goods import PublicGoods, public_goods
from social_dilemmas_env.games.rps import rps
from social_dilemmas_env.games.stag_hunt import stag_hunt
from social_dilemmas_env.games.switches import SWITCHES, switched
from social_dilemmas_env.registries import announce
from social_dilemmas_env.validation import nearest

MAX_PAYOFF_AGENTS = 16  # a payoff tensor of public goods has 2^N joint actions
Rules = Callable[..., Game]  # keyword arguments -> the rules, arguments checked


@dataclass(frozen=True)
class EnvSpec:
    """One registered game.

    Attributes:
        id: for example "coin_game_v0".
        rules: keyword arguments -> the rules, arguments checked.
        page: the game's page: description, spaces, rewards, arguments, version history
            (Markdown).
    """

    id: str
    rules: Rules
    page: str

    @property
    def title(self) -> str:
        """The game's name in words."""
        return self.page.splitlines()[0].lstrip("# ").split(" (`")[0]

    @property
    def keywords(self) -> dict[str, inspect.Parameter]:
        """Arguments of the game, by name."""
        return dict(inspect.signature(self.rules).parameters)

    @property
    def arguments(self) -> list[str]:
        """All that `game` takes: the game's own, and the switches that every game has."""
        return [*self.keywords, *SWITCHES]

    @property
    def needs(self) -> list[str]:
        """Arguments that have no default."""
        return [name for name, p in self.keywords.items() if p.default is p.empty]

    def game(self, **kwargs: Any) -> Game:
        """The rules with these arguments.

        Args:
            **kwargs: the game's own (`keywords`), and those of `games.switches`: `observe_time`,
                `continuation`, `action_noise`.

        Raises:
            TypeError: an unknown keyword (the nearest are named) or a missing one.
            ValueError: an argument out of range.
        """
        keywords = self.keywords
        switches = {name: kwargs.pop(name) for name in SWITCHES if name in kwargs}
        unknown = [name for name in kwargs if name not in keywords]
        if unknown:
            raise TypeError(
                # Python's words: TorchRL's GymEnv looks for them, and leaves the argument out.
                f"{self.id} got an unexpected keyword argument {unknown[0]!r}; "
                f"{nearest(unknown[0], self.arguments)}"
            )

        missing = [name for name in self.needs if name not in kwargs]
        if missing:
            raise TypeError(f"{self.id} needs the argument {missing[0]!r}")

        return switched(self.rules(**kwargs), **switches)


_SPECS: dict[str, EnvSpec] = {}


def register(env_id: str, rules: Rules, page: str | None = None) -> None:
    """Adds a game, here and in the registries of PettingZoo (1.27 or newer) and Gymnasium.

    Afterwards `make_env(env_id)`, `make_vec_env(env_id, B)`,
    `pettingzoo.make("parallel", "social_dilemmas/my_game-v0")` (or "aec") and
    `gymnasium.make("social_dilemmas/my_game-v0")` make it.

    Args:
        env_id: ends in a version, for example "my_game_v0".
        rules: keyword arguments -> the rules (see `games.game.Game`): a class, a function or a
            `functools.partial` of one.
        page: what the game is, in Markdown; its first line is the title.  None: the docstring of
            the class, or else of the module that defines the rules, or else of the function.

    Raises:
        ValueError: an id without version, or one that is taken.
        TypeError: rules that cannot be called, or a page that is no text.
    """
    # The id.
    name, _, version = env_id.rpartition("_v") if isinstance(env_id, str) else ("", "", "")
    if not (name.isidentifier() and version.isdigit()):
        raise ValueError(f'an id looks like "my_game_v0": a name and a version, got {env_id!r}')
    if env_id in _SPECS:
        raise ValueError(f"{env_id} is already registered")

    # The rules and their page.
    if not callable(rules):
        raise TypeError(f"rules must be a class or a function that makes a game, got {rules!r}")
    if page is not None and not isinstance(page, str):
        raise TypeError(f"page must be a text, got {page!r}")

    _SPECS[env_id] = EnvSpec(env_id, rules, (page or "").strip() or _page_of(rules) or env_id)
    announce(env_id)


def _page_of(rules: Any) -> str:
    """The docstring of the class, or of the module that defines the rules, or of the function."""
    while isinstance(rules, functools.partial):  # its own docstring is that of functools
        rules = rules.func

    defined_in = sys.modules.get(getattr(rules, "__module__", None) or type(rules).__module__)
    own, module = inspect.getdoc(rules) or "", inspect.getdoc(defined_in) or ""
    if not isinstance(rules, type):
        return module or own

    # A dataclass without a docstring is given its signature for one, and any class its base's.
    text = rules.__dict__.get("__doc__") or ""
    generated = is_dataclass(rules) and text.startswith(f"{rules.__name__}(")
    return own if text and not generated else module


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
            f"there is no environment {env_id!r}; {_nearest_game(str(env_id))}"
        ) from None


def _nearest_game(name: str) -> str:
    """The end of an error: the ids of the games whose title or id is near."""
    titles: dict[str, str] = {}
    for env_id, entry in _SPECS.items():
        title = entry.title.lower().replace("'", "").replace(",", "")
        titles[title] = titles[title.removeprefix("iterated ")] = env_id

    # Words with dashes or underscores, and apostrophes, are as good as the title.
    words = name.lower().replace("'", "").replace("_", " ").replace("-", " ").strip()
    near = difflib.get_close_matches(words, titles, n=1, cutoff=0.75)
    if near:
        return f"did you mean {titles[near[0]]!r}?"
    return nearest(name, list_envs())


def payoffs(env_id: str, **game_kwargs: Any) -> npt.NDArray[np.float64]:
    """The payoff tensor of a matrix game.

    Args:
        env_id: see `list_envs`.
        **game_kwargs: the game's arguments.

    Returns:
        float64 [A_0, ..., A_{N-1}, N]; entry [a_0, ..., a_{N-1}, n] is player n's.

    Raises:
        ValueError: the game is no matrix game.
    """
    game = spec(env_id).game(**game_kwargs)
    if isinstance(game, MatrixGame):
        tensor: npt.NDArray[np.float64] = np.array(game.reward_values)
        return tensor.reshape(*game.num_actions, -1)

    if isinstance(game, PublicGoods) and game.num_agents <= MAX_PAYOFF_AGENTS:
        joint_actions = np.indices(game.num_actions).reshape(game.num_agents, -1)
        codes = game.act(game.start(lambda stream, n: 0), list(joint_actions))[1]
        tensor = np.array(game.reward_values)[np.stack(codes, -1)]
        return tensor.reshape(*game.num_actions, -1)

    raise ValueError(f"{env_id} has no payoff table")


__getattr__ = moved_names(__name__, {"make_env": "social_dilemmas_env.make_env"})

for _rules in (
    bach_stravinsky,
    chicken,
    clean_up,
    coin_game,
    escape_room,
    govsim_commons,
    commons_harvest,
    imp,
    ipd,
    matrix_game,
    public_goods,
    rps,
    stag_hunt,
):
    register(f"{_rules.__name__}_v0", _rules)
