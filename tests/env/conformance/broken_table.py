"""The table of broken environments, and what they share."""

import itertools

BROKEN: dict[type, set[str]] = {}
ENTROPY = itertools.count(
    1
)  # like drawing from the operating system, but it never repeats a value by chance


def breaks(*checks):
    """Enters a class into the table."""

    def enter(cls):
        BROKEN[cls] = set(checks)
        return cls

    return enter
