"""Trained agents: restored, seated beside others, scored."""

import importlib
from typing import Any

from social_dilemmas_env.deprecation import deprecated

# Public names of the module `agents.evaluation`, before it was a package: what they are now.
_MOVED = {"play": "play_episodes", "scores": "score_agent", "OPPONENTS": "OPPONENTS"}


def __getattr__(name: str) -> Any:
    if name not in _MOVED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    deprecated(f"{__name__}.{name}", f"agents.evaluation.scoring.{_MOVED[name]}")
    return getattr(importlib.import_module("agents.evaluation.scoring"), _MOVED[name])
