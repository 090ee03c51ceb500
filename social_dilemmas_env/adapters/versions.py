"""Trainers that are missing, or installed in a version that does not work: which one does.

Trainers remove names from one release to the next, and pin each other; what an adapter imports may
then be gone, there or in a library that the trainer itself imports.
"""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from social_dilemmas_env.extras import EXTRAS, missing

# library, as it is imported -> package -> version with which the adapter was run by `make interop`
RAN = {
    "agilerl": {"agilerl": "2.58.0", "pettingzoo": "1.26.1"},
    "benchmarl": {"benchmarl": "1.5.2", "torchrl": "0.11.1", "tensordict": "0.11.0"},
    "stable_baselines3": {"stable-baselines3": "2.9.2"},
    "torchrl": {"torchrl": "0.14.1", "tensordict": "0.14.3"},
}


def unusable(library: str, error: ImportError, what: str) -> ImportError:
    """The error to raise where an adapter cannot import what it is for.

    Args:
        library: a key of `RAN`.
        error: Python's.
        what: the adapter's name.

    Returns:
        One that holds the pip line that helps: with the versions that ran, if the library is
        installed and its version is the cause.
    """
    module = error.name or library
    installed = present(library) and present(module.partition(".")[0])
    if not installed and library in EXTRAS:
        return missing(module, EXTRAS[library], what)

    pins = RAN[library]
    line = "pip install " + " ".join(f"{package}=={wanted}" for package, wanted in pins.items())
    if not installed:
        return ModuleNotFoundError(f"{what} needs {library}: {line}", name=module)
    return ImportError(
        f"{what} cannot use what is installed: {error}; {ran(pins)}{line}", name=module
    )


def ran(pins: Mapping[str, str]) -> str:
    """What differs here from versions that ran, as a clause; empty if nothing does.

    Args:
        pins: package -> version.
    """
    other = [
        f"{package} {wanted} (here: {here})"
        for package, wanted in pins.items()
        if (here := version_of(package)) != wanted
    ]
    return f"it ran with {', '.join(other)}: " if other else ""


def version_of(package: str) -> str:
    """The installed one, without the name of a build; "none" where there is none."""
    try:
        return version(package.partition("[")[0]).partition("+")[0]
    except PackageNotFoundError:
        return "none"


def present(library: str) -> bool:
    """Whether there is such a module, without importing it."""
    try:
        return find_spec(library) is not None
    except (ImportError, ValueError):  # hidden, or half imported
        return False
