"""Which key is which move, in a window and in a terminal alike.

Keys go by the names that pygame gives them: "up", "space", "c", "1".
"""

from collections.abc import Sequence

# Words for moves on a board -> their keys.
DIRECTIONS = {
    "up": ("up", "w"),
    "down": ("down", "s"),
    "left": ("left", "a"),
    "right": ("right", "d"),
    "stay": ("space",),
}
ROW = "1234567890abcdefghijklmnoprstuvwxyz"  # for moves without a letter; q stops the game
STOP = ("q", "escape")


def keys_of(names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """The keys of each action, at least one, all different.

    Args:
        names: of the actions.

    Raises:
        ValueError: more actions than keys.
    """
    if len(names) > len(ROW):
        raise ValueError(
            f"a person has a key for each of at most {len(ROW)} actions, this game has {len(names)}"
        )
    words = [name.strip().lower() for name in names]
    if all(word in DIRECTIONS for word in words):
        return tuple(DIRECTIONS[word] for word in words)

    # Names that are numbers are their own keys; others their first letters, where these differ.
    letters = [word[:1] for word in words]
    differ = len(set(letters)) == len(words)
    if differ and all(len(word) == 1 and word.isdigit() for word in words):
        return tuple((letter,) for letter in letters)
    if differ and all(letter in ROW and letter.isalpha() for letter in letters):
        return tuple(_distinct(letter, ROW[k]) for k, letter in enumerate(letters))
    return tuple((key,) for key in ROW[: len(words)])


def _distinct(letter: str, other: str) -> tuple[str, ...]:
    """A letter, and a digit beside it."""
    return (letter, other) if other.isdigit() else (letter,)


def hints(names: Sequence[str]) -> list[tuple[str, str]]:
    """What to show beside the game: (keys, action), for each action."""
    return [(" or ".join(keys), name) for keys, name in zip(keys_of(names), names, strict=True)]


def action_by_key(names: Sequence[str]) -> dict[str, int]:
    """Key -> action."""
    return {key: action for action, keys in enumerate(keys_of(names)) for key in keys}
