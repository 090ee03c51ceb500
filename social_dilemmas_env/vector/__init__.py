"""Many games at once: `numpy_env` and `torch_env`, what they share (`base`), and a CUDA graph."""

import importlib
from typing import Any

from social_dilemmas_env.deprecation import deprecated


def __getattr__(name: str) -> Any:
    """What stood in `social_dilemmas_env/vector.py` before."""
    if name in ("make_env", "make_vec_env"):
        deprecated(f"social_dilemmas_env.vector.{name}", f"social_dilemmas_env.{name}")
        return getattr(importlib.import_module("social_dilemmas_env.make"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
