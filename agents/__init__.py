"""Reference learners of opponent shaping for social dilemmas.

    from agents import LEARNERS, load_agent, train
    train("loqa", "coin_game_v0", seed=0, out="runs/x")
    load_agent("bundled:loqa_coin_game_v0")
    solve("loqa", sde.exact_game("coin_game_v0", memory="last_pickup"))      # without sampling

Importing this imports no torch; using it does.
"""

import importlib
from typing import Any

_LAZY = {
    "LEARNERS": "agents.registry",
    "LearnerSpec": "agents.registry",
    "load_agent": "agents.evaluation.agent",
    "load_agents": "agents.evaluation.agent",
    "train": "agents.training.loop",
    "solve": "agents.exact.solve",
    "CheckpointError": "agents.checkpoint",
}
__all__ = [
    "LEARNERS",
    "CheckpointError",
    "LearnerSpec",
    "load_agent",
    "load_agents",
    "solve",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'agents' has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
