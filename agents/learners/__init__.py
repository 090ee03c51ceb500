"""The learners: a folder for each family; the list of them all is agents/registry.py."""

import importlib
from typing import Any

from social_dilemmas_env.deprecation import deprecated

# Public names of the module `agents.learners`, before it was a package.
_MOVED = ("LEARNERS", "LearnerSpec", "Learners", "register")


def __getattr__(name: str) -> Any:
    if name not in _MOVED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    deprecated(f"{__name__}.{name}", f"agents.registry.{name}")
    return getattr(importlib.import_module("agents.registry"), name)
