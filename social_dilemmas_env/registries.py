"""Tells Gymnasium's and PettingZoo's registries which games there are, and imports neither.

A library that is imported is told at once; one that is not, as soon as somebody imports it. So
`import social_dilemmas_env` takes milliseconds, and `gymnasium.make` knows our games whichever of
the two was imported first.

Both registries are given the *name* of what makes the environment, and the game's id as its
argument. So a game of one's own needs no module of its own, and what makes environments is
imported when somebody makes one.
"""

import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from social_dilemmas_env.modes import APIS

NAMESPACE = "social_dilemmas"
GAMES = (
    "bach_stravinsky_v0",
    "chicken_v0",
    "clean_up_v0",
    "coin_game_v0",
    "commons_harvest_v0",
    "escape_room_v0",
    "govsim_commons_v0",
    "imp_v0",
    "ipd_v0",
    "matrix_game_v0",
    "public_goods_v0",
    "rps_v0",
    "stag_hunt_v0",
)  # those that come with the package, known without their rules

_announced: list[str] = []


def announce(env_id: str) -> None:
    """Tells PettingZoo (both APIs) and Gymnasium (one learner among fixed players) of a game.

    Args:
        env_id: such as "my_game_v0", "social_dilemmas/my_game-v0" there.
    """
    _announced.append(env_id)
    for library, tell in _TELL.items():
        if library in sys.modules:
            tell(env_id)


def _tell_gymnasium(env_id: str) -> None:
    gymnasium = importlib.import_module("gymnasium")
    name = _name(env_id)
    if name in gymnasium.registry:
        return  # the package was imported anew

    gymnasium.register(
        name,
        entry_point="social_dilemmas_env.single_agent:SingleEnv",
        vector_entry_point="social_dilemmas_env.single_agent:SingleVectorEnv",
        kwargs={"env_id": env_id},
    )


def _tell_pettingzoo(env_id: str) -> None:
    pettingzoo = importlib.import_module("pettingzoo")
    name = _name(env_id)
    if not hasattr(pettingzoo, "register") or name in pettingzoo.parallel_registry:
        return  # PettingZoo < 1.27, or the package was imported anew

    for api in APIS:
        make = "social_dilemmas_env.make:make_env"
        pettingzoo.register(api, name, make, kwargs={"env_id": env_id, "api": api})


_TELL: dict[str, Callable[[str], None]] = {
    "gymnasium": _tell_gymnasium,
    "pettingzoo": _tell_pettingzoo,
}


def _name(env_id: str) -> str:
    """As both registries write it: with the namespace, and a dash before the version."""
    name, _, version = env_id.rpartition("_v")
    return f"{NAMESPACE}/{name}-v{version}"


class _Messenger:
    """Finds nothing of its own: it sees to it that a library is told once it has been run."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """As the others find it, but told once it has been run."""
        if fullname not in _TELL:
            return None

        others = (finder for finder in sys.meta_path if finder is not self)
        found = (finder.find_spec(fullname, path, target) for finder in others)
        spec = next(filter(None, found), None)
        if spec is not None and spec.loader is not None:
            telling: Any = _TellingLoader(spec.loader)
            spec.loader = telling
        return spec


class _TellingLoader:
    """Another's loader, whose module is told of all games once it has been run."""

    def __init__(self, own: Any):
        self.own = own

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Its own."""
        module: ModuleType | None = self.own.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Runs it, and tells it.  From then on all is as if nobody had come between."""
        module.__loader__ = self.own
        if module.__spec__ is not None:
            module.__spec__.loader = self.own
        self.own.exec_module(module)

        for env_id in _announced:
            _TELL[module.__name__](env_id)

    def __getattr__(self, name: str) -> Any:
        """For those who only look: its source, its data."""
        return getattr(self.own, name)


sys.meta_path.insert(0, _Messenger())
for _env_id in GAMES:
    announce(_env_id)
