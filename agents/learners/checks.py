"""Range checks of settings: each raises ValueError with a sentence that names the setting."""

from collections.abc import Sequence
from typing import Any


def at_least(config: Any, least: float, *names: str) -> None:
    """Settings with a lower bound.

    Raises:
        ValueError: one of them is below `least`, or NaN.
    """
    for name in names:
        value = getattr(config, name)
        if not value >= least:
            raise ValueError(f"{name} must be at least {least}, not {value!r}")


def within(config: Any, least: float, most: float, *names: str) -> None:
    """Settings with a lower and an upper bound.

    Raises:
        ValueError: one of them is outside [least, most], or NaN.
    """
    for name in names:
        value = getattr(config, name)
        if not least <= value <= most:
            raise ValueError(f"{name} must lie in [{least}, {most}], not {value!r}")


def one_of(name: str, value: Any, known: Sequence[str]) -> None:
    """A setting that is a word.

    Raises:
        ValueError: not one of the known ones.
    """
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}, not {value!r}")
