"""The same rules with flat observations, [numbers] instead of planes: `flat=True` everywhere.

Libraries take an observation with three axes for an image.  Flat rules differ from the others in
their `observation_shape` and in nothing else; states move freely between the two.
"""

import copy
import functools
import math
from typing import Any

from social_dilemmas_env.games.game import Game
from social_dilemmas_env.validation import flag


def shaped(game: Game, flat: Any) -> Game:
    """The rules as they are, or with flat observations.

    Raises:
        TypeError: `flat` is neither True nor False.
    """
    if not flag("flat", flat) or len(game.observation_shape) == 1:
        return game
    return flat_rules(game)


def flat_rules(game: Game) -> Game:
    """A copy of the rules whose observations have one axis."""
    twin = copy.copy(game)
    object.__setattr__(twin, "__class__", _flat_class(type(game)))
    return twin


@functools.cache
def _flat_class(rules: type) -> Any:
    """A subclass that goes by the same name, so that its states are those of the class."""

    def observation_shape(self: Any) -> tuple[int, ...]:
        return (math.prod(super(flat, self).observation_shape),)

    def reduce(self: Any) -> tuple[Any, ...]:
        plain: Any = object.__new__(rules)
        plain.__dict__.update(self.__dict__)
        return flat_rules, (plain,)

    members = {
        "observation_shape": property(observation_shape),
        "__reduce__": reduce,
        "__copy__": lambda self: self,
        "__deepcopy__": lambda self, memo: self,
        "__qualname__": rules.__qualname__,
        "__module__": rules.__module__,
        "__doc__": rules.__doc__,
        "__hash__": rules.__hash__,
    }
    flat: Any = type(rules.__name__, (rules,), members)
    return flat
