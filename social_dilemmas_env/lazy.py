"""Names of a package that are imported when they are asked for (PEP 562).

Importing a package is then quick, and who uses one name waits for what that name needs.
"""

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def lazy_names(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a package.

    Modules of the package are found too, as they are where a package imports them itself.

    Args:
        package: its `__name__`.
        homes: public name -> the module that it is in.

    Returns:
        A function that gives a name's object, and one that lists the names.
    """

    def get(name: str) -> Any:
        if name in homes:
            value = getattr(importlib.import_module(homes[name]), name)
        else:
            value = _module(package, name)

        vars(sys.modules[package])[name] = value  # the next time nobody asks
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return get, names


def _module(package: str, name: str) -> Any:
    """The module of this name in the package; it is an AttributeError that there is none."""
    full, missing = f"{package}.{name}", f"module {package!r} has no attribute {name!r}"
    if name.startswith("_"):
        raise AttributeError(missing)

    try:
        return importlib.import_module(full)
    except ModuleNotFoundError as error:
        if error.name != full:  # it is there, and something that it imports is not
            raise
        raise AttributeError(missing) from None
