"""Training: what is asked for, the loop, the run folder, what happens meanwhile."""

import importlib
from typing import Any

from social_dilemmas_env.deprecation import deprecated

# Public names of the module `agents.training`, before it was a package.
_MOVED = {
    "train": "agents.training.loop",
    "Plan": "agents.training.settings",
    "LOG_EVERY": "agents.training.reporting",
    "TrainingError": "agents.errors",
    "device_name": "agents.execution.device",
    "nearest": "social_dilemmas_env.validation",
}


def __getattr__(name: str) -> Any:
    if name not in _MOVED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    deprecated(f"{__name__}.{name}", f"{_MOVED[name]}.{name}")
    return getattr(importlib.import_module(_MOVED[name]), name)
