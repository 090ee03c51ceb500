"""The scripted players by name: which there are, and how to make one."""

import inspect
from typing import Any

from social_dilemmas_env.games.game import Game
from social_dilemmas_env.registry import spec
from social_dilemmas_env.strategies.base import Constant, Random, Scripted, seat
from social_dilemmas_env.strategies.coin import CoinCooperator, CoinDefector, CoinTitForTat
from social_dilemmas_env.strategies.commons import (
    Alternating,
    Cleaner,
    FreeRider,
    Greedy,
    Restrained,
)
from social_dilemmas_env.strategies.matrix import (
    AlwaysCooperate,
    AlwaysDefect,
    Extort2,
    GenerousTitForTat,
    Grim,
    MemoryOne,
    Pavlov,
    TitForTat,
)
from social_dilemmas_env.strategies.small_commons import (
    DoorWaiter,
    GreedyFisher,
    LeverPuller,
    RestrainedFisher,
)
from social_dilemmas_env.validation import nearest

_CLASSES: tuple[type[Scripted], ...] = (
    Alternating,
    AlwaysCooperate,
    AlwaysDefect,
    Cleaner,
    CoinCooperator,
    CoinDefector,
    CoinTitForTat,
    Constant,
    DoorWaiter,
    Extort2,
    FreeRider,
    GenerousTitForTat,
    GreedyFisher,
    Greedy,
    Grim,
    LeverPuller,
    MemoryOne,
    Pavlov,
    Random,
    RestrainedFisher,
    Restrained,
    TitForTat,
)
# One name may have a class for each kind of game; no two of them play the same game.
STRATEGIES: dict[str, tuple[type[Scripted], ...]] = {
    name: tuple(cls for cls in _CLASSES if cls.name == name)
    for name in sorted({cls.name for cls in _CLASSES})
}


def list_strategies(env_id: str | None = None, **game_kwargs: Any) -> list[str]:
    """Names that `make_strategy` knows, sorted.

    Args:
        env_id: only those defined for this game; None for all.
        **game_kwargs: the game's arguments.  Without the payoffs of `matrix_game_v0`, the names for
            any payoffs.

    Raises:
        ValueError, TypeError: as from `spec(env_id).game(**game_kwargs)`.
    """
    if env_id is None:
        return list(STRATEGIES)

    # Without payoffs nobody knows what cooperation would be.
    if "payoffs" in spec(env_id).needs and "payoffs" not in game_kwargs:
        return [cls.name for cls in (Constant, Random)]

    game = spec(env_id).game(**game_kwargs)
    return [
        name
        for name, classes in STRATEGIES.items()
        if any(not cls.refusal(game) for cls in classes)
    ]


def make_strategy(
    name: str, env_id: str, *, player: int = 0, seed: int = 0, **kwargs: Any
) -> Scripted:
    """A scripted player.

    Args:
        name: see `list_strategies`.
        env_id: the game; see `list_envs`.
        player: which player it is.
        seed: of its random moves, until `reset` is given another.
        **kwargs: the game's own arguments, as given to `make_env` (`grid_size`, `variant`, `view`,
            ...), and the player's: `action` (constant), `probabilities` (memory_one), `generosity`
            (generous_tit_for_tat), `share` (tit_for_tat in a public goods game), `definition`
            ("loqa" or "pola", in the Coin Game).

    Returns:
        The player; `reset(num_games, seed)`, then `act(observations)`.

    Raises:
        ValueError: an unknown name or game (the nearest are named), a player that is not defined
            for this game, a value out of range.
        TypeError: an unknown or missing argument, or one of the wrong type.
    """
    if name not in list(STRATEGIES):
        raise ValueError(f"there is no strategy {name!r}; {nearest(str(name), STRATEGIES)}")

    # The game takes the arguments that it knows, the player the rest.
    entry = spec(env_id)
    known = entry.arguments
    game = entry.game(**{key: value for key, value in kwargs.items() if key in known})
    own = {key: value for key, value in kwargs.items() if key not in known}

    cls = _class_for(name, env_id, game)
    _check_arguments(cls, own, known)
    return cls(game, seat(game, player), seed, **own)


def _class_for(name: str, env_id: str, game: Game) -> type[Scripted]:
    """The class of that name that can play the game."""
    refusals = [cls.refusal(game) for cls in STRATEGIES[name]]
    for cls, refusal in zip(STRATEGIES[name], refusals, strict=True):
        if not refusal:
            return cls
    raise ValueError(f"{name} is not defined for this {env_id}: it {' or '.join(refusals)}")


def _check_arguments(cls: type[Scripted], given: dict[str, Any], of_game: list[str]) -> None:
    """Raises a TypeError unless the player's own arguments are known and complete."""
    parameters = inspect.signature(cls).parameters.values()
    own = {p.name: p for p in parameters if p.kind is p.KEYWORD_ONLY}

    for key in given:
        if key not in own:
            raise TypeError(f"{cls.name} has no argument {key!r}; {nearest(key, [*own, *of_game])}")
    for name, parameter in own.items():
        if parameter.default is parameter.empty and name not in given:
            raise TypeError(f"{cls.name} needs the argument {name!r}")
