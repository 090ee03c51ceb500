"""The caller's global random state: random, numpy and, where it was imported, torch."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

GLOBAL_SEED = 987_654_321  # of the global generators before each game


def rng_states() -> dict[str, Any]:
    """The global generators' states; torch's only where the caller has imported torch already."""
    states = {"random": random.getstate(), "numpy.random": np.random.get_state(legacy=False)}
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_rng_state"):
        states["torch"] = torch.get_rng_state()
    return states


def restore_rng(states: dict[str, Any]) -> None:
    """Puts the global generators back."""
    random.setstate(states["random"])
    np.random.set_state(states["numpy.random"])
    if "torch" in states:
        sys.modules["torch"].set_rng_state(states["torch"])


def seed_global_rng(seed: int = GLOBAL_SEED) -> None:
    """Puts the global generators in a known place."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "default_generator"):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would reseed the GPUs too


@contextmanager
def preserved_rng() -> Iterator[None]:
    """The global random state after the block is the one before it."""
    states = rng_states()
    try:
        yield
    finally:
        restore_rng(states)
