"""Checks of arguments: each returns the value, or raises an error that says what was expected.

For one argument:

    integer, finite, flag, one_of      a type and a range, or one of some words
    horizon, noise                     the arguments that many games share
    reset_options                      what `reset(options=...)` may hold
    nearest                            "did you mean ...?", the end of an error about a name

For the fields of a config, one line a kind in its `__post_init__`; None passes, for "not set":

    at_least(self, 1, "runs", "num_steps")        runs >= 1 and num_steps >= 1
    above(self, 0, "learning_rate")               learning_rate > 0
    between(self, 0, 1, "gamma")                  0 <= gamma <= 1
"""

import difflib
import math
import operator
from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

RESET_OPTIONS = ("reset_mask",)  # that some view has
MAX_CYCLES = 1 << 24  # steps of an episode: step counters then stay far below 2^32

# One argument
# ----------------------------------------------------------------------------------------------


def integer(name: str, value: Any, least: int) -> int:
    """An integer of at least `least`.

    Raises:
        TypeError: not an integer.
        ValueError: too small.
    """
    if isinstance(value, bool | np.bool_):  # numpy 1.26 would take its own for an index
        raise TypeError(f"{name} must be an integer, got {value!r}")
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None

    if number < least:
        raise ValueError(f"{name} must be at least {least}, got {value!r}")
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


def real_array(name: str, values: Any) -> npt.NDArray[np.float64]:
    """Numbers of any shape as float64.

    Raises:
        TypeError: anything else; complex numbers too, whose imaginary part would be lost.
    """
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "biuf" and not all(isinstance(x, Real) for x in array.flat):
            raise TypeError(array.dtype)
        return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        shown = " ".join(f"{values!r:.200}".split())
        raise TypeError(f"{name} must be real numbers, got {shown}") from None


def flag(name: str, value: Any) -> bool:
    """True or False.

    Raises:
        TypeError: anything else.
    """
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return value


def one_of(name: str, value: object, known: Sequence[str]) -> str:
    """One of the known words.

    Raises:
        ValueError: anything else; the known words are listed, and the nearest is named.
    """
    if isinstance(value, str) and value in known:
        return value

    near = _near(value, known) if isinstance(value, str) else []
    hint = f"; {_did_you_mean(near)}" if near else ""
    words = ", ".join(map(repr, known))
    raise ValueError(f"{name} must be one of {words}; got {value!r}{hint}")


def horizon(max_cycles: Any) -> int:
    """Steps of an episode: an integer from 1 to `MAX_CYCLES`.

    Raises:
        TypeError: not an integer.
        ValueError: out of range.
    """
    number = integer("max_cycles", max_cycles, 1)
    if number > MAX_CYCLES:
        raise ValueError(f"max_cycles must be at most 2^24, got {number}")
    return number


def noise(value: Any) -> float:
    """Half-width of the payoff noise: finite and not negative.

    Raises:
        TypeError: not a number.
        ValueError: negative or not finite.
    """
    if finite("payoff_noise", value) < 0:
        raise ValueError(f"payoff_noise must not be negative, got {value!r}")
    return float(value)


def reset_options(options: Any, known: Sequence[str] = ()) -> dict[str, Any]:
    """The options of a `reset`, as a dict.

    Libraries pass options of their own to all environments, so unknown words are ignored; but
    one that is near to an option of some view would restart every running game unnoticed.

    Args:
        options: None, or words and values.
        known: the options that this view has.

    Raises:
        TypeError: neither None nor a dict.
        ValueError: a word that is nearly a known one, or an option of other views only.
    """
    if options is None:
        return {}
    if not isinstance(options, dict):
        raise TypeError(f"options must be a dict or None, got {options!r:.60}")

    for word in options:
        if word in known or not isinstance(word, str):
            continue
        near = difflib.get_close_matches(word.lower(), RESET_OPTIONS, n=1, cutoff=0.5)
        if near and known:
            raise ValueError(f"there is no option {word!r}; {_did_you_mean(near)}")
        if near:
            raise ValueError(f"{word!r} is no option here: reset() restarts everything that runs")
    return options


# Fields of a config
# ----------------------------------------------------------------------------------------------


def at_least(config: object, least: float, *names: str) -> None:
    """Checks that the fields `names` of `config` are `least` or more; None passes.

    Raises:
        TypeError: a field is not a number.
        ValueError: a field is too small, or NaN; the first such field is named.
    """
    for name, value in _numbers(config, names):
        if not value >= least:
            raise ValueError(f"{name} must be at least {least:g}, got {value!r}")


def above(config: object, bound: float, *names: str) -> None:
    """Checks that the fields `names` of `config` are greater than `bound`; None passes.

    Raises:
        TypeError: a field is not a number.
        ValueError: a field is not greater, or NaN; the first such field is named.
    """
    for name, value in _numbers(config, names):
        if not value > bound:
            raise ValueError(f"{name} must be greater than {bound:g}, got {value!r}")


def between(config: object, low: float, high: float, *names: str) -> None:
    """Checks that the fields `names` of `config` lie in [low, high]; None passes.

    Raises:
        TypeError: a field is not a number.
        ValueError: a field is out of range, or NaN; the first such field is named.
    """
    for name, value in _numbers(config, names):
        if not low <= value <= high:
            raise ValueError(f"{name} must lie in [{low:g}, {high:g}], got {value!r}")


def _numbers(config: object, names: Iterable[str]) -> Iterable[tuple[str, Any]]:
    """The fields that are set, by name."""
    for name in names:
        value = getattr(config, name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, Real):
            raise TypeError(f"{name} must be a number, got {value!r}")
        yield name, value


# Names
# ----------------------------------------------------------------------------------------------


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of an error about an unknown name: the nearest known names, or else all of them."""
    names = list(known)
    near = _near(name, names)
    return _did_you_mean(near) if near else f"there are {', '.join(names)}"


def _near(name: str, known: Iterable[str]) -> list[str]:
    return difflib.get_close_matches(name.lower(), list(known), n=3, cutoff=0.4)


def _did_you_mean(near: Iterable[str]) -> str:
    return f"did you mean {' or '.join(map(repr, near))}?"
