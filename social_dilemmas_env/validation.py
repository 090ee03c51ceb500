"""Checks of the arguments of games: each returns the value or raises an error that says what was
expected.
"""

import difflib
import math
import operator
from collections.abc import Iterable
from numbers import Real
from typing import Any


def integer(name: str, value: Any, least: int) -> int:
    """An integer of at least `least`.

    Raises:
        TypeError: not an integer.
        ValueError: too small.
    """
    if isinstance(value, bool):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None
    if number < least:
        raise ValueError(f"{name} must be at least {least}, got {value!r}")
    return number


def horizon(max_cycles: Any) -> int:
    """Steps of an episode: an integer from 1 to 2^24, so that step counters stay far below 2^32."""
    number = integer("max_cycles", max_cycles, 1)
    if number > 1 << 24:
        raise ValueError(f"max_cycles must be at most 2^24, got {number}")
    return number


def finite(name: str, value: Any) -> float:
    """A finite number.

    Raises:
        TypeError: not a number.
        ValueError: not finite.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a finite number, got {value!r}")
    if not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number, got {value!r}")
    return float(value)


def noise(value: Any) -> float:
    """Half-width of the payoff noise: finite and not negative."""
    if finite("payoff_noise", value) < 0:
        raise ValueError(f"payoff_noise must not be negative, got {value!r}")
    return float(value)


def choice(name: str, value: Any, known: tuple[str, ...]) -> str:
    """One of the known words."""
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, known))}; got {value!r}")
    return value


def flag(name: str, value: Any) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return value


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of an error message about an unknown name: the known names nearest to it, or else all
    of them.
    """
    names = list(known)
    near = difflib.get_close_matches(name.lower(), names, n=3, cutoff=0.4)
    return (
        f"did you mean {' or '.join(map(repr, near))}?" if near else f"there are {', '.join(names)}"
    )
