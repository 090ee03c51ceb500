"""Arguments of the commons, checked before anything is made of them."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from social_dilemmas_env.games.commons.maps import MAX_CELLS
from social_dilemmas_env.modes import Ending
from social_dilemmas_env.validation import horizon, nearest, one_of

FIXED, RANDOM = 1000, 5000  # steps of an episode, at most


def checked_map(
    name: Any, maps: Mapping[str, Any], letters: Mapping[str, str], needed: Mapping[str, str]
) -> str:
    """The name of a map, or the text of one.

    Args:
        name: a name, or lines of text.
        maps: the names that are known.
        letters: what each letter of a text stands for.
        needed: letters that a text must hold, and what they are called.

    Raises:
        TypeError: no text.
        ValueError: an unknown name; lines of different lengths, an unknown letter, too many cells,
            something missing.
    """
    if not isinstance(name, str):
        raise TypeError(f"map must be a name or a text, got {name!r}")
    if name in maps:
        return name
    lines = name.strip("\n").split("\n")
    if len(lines) == 1:
        raise ValueError(f"there is no map {name!r}; {nearest(name, list(maps))}")

    # The text.
    if len({len(line) for line in lines}) > 1:
        raise ValueError(
            f"the lines of a map must have the same length, got {[len(line) for line in lines]}"
        )
    unknown = sorted(set("".join(lines)) - set(letters))
    if unknown:
        known = ", ".join(f"{letter!r} {meaning}" for letter, meaning in letters.items())
        raise ValueError(f"a map knows {known}; it does not know {unknown[0]!r}")
    if len(lines) * len(lines[0]) > MAX_CELLS:
        raise ValueError(f"a map has at most {MAX_CELLS} cells, got {len(lines) * len(lines[0])}")

    for letter, what in needed.items():
        if letter not in "".join(lines):
            raise ValueError(f"the map has no {what} ({letter!r})")
    return "\n".join(lines)


def checked_players(num_agents: int, points: Sequence[int]) -> None:
    """Raises ValueError where there are more players than points to come back to."""
    if num_agents > len(points):
        raise ValueError(
            f"{num_agents} players are too many for the map's {len(points)} spawn points"
        )


def horizon_of(ending: Any, max_cycles: int | None) -> int:
    """The horizon as given, or the usual one of this ending.

    Raises:
        ValueError: an unknown ending, a horizon out of range.
        TypeError: a horizon of another type.
    """
    one_of("ending", ending, get_args(Ending))
    if max_cycles is None:
        return FIXED if ending == "fixed" else RANDOM
    return horizon(max_cycles)
