"""The command `social-dilemmas`: a module for each of its commands, and main.py."""

import importlib
from typing import Any

from social_dilemmas_env.deprecation import deprecated

# Public names of the module `agents.cli`, before it was a package: where and what they are now.
# (`agents.cli.main` is the module main.py now; the function is `agents.cli.main.main`.)
_MOVED = {
    "COMMANDS": ("agents.cli.main", "COMMANDS"),
    "parser_of": ("agents.cli.main", "make_parser"),
    "settings": ("agents.cli.words", "parse_settings"),
    "progress": ("agents.cli.words", "progress"),
}


def __getattr__(name: str) -> Any:
    if name not in _MOVED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, new = _MOVED[name]
    deprecated(f"{__name__}.{name}", f"{module}.{new}")
    return getattr(importlib.import_module(module), new)
