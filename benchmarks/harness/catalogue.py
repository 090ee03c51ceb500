"""Finds benchmarks by name: any module of this package that defines BENCHMARK."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from functools import cache
from pathlib import Path

from benchmarks.harness.benchmark import Benchmark


@cache
def catalogue() -> dict[str, Benchmark]:
    """All benchmarks by name."""
    found = {}
    for module in pkgutil.iter_modules([str(Path(__file__).parents[1])]):
        if not module.name.startswith("__"):
            benchmark = getattr(
                importlib.import_module(f"benchmarks.{module.name}"), "BENCHMARK", None
            )
            if benchmark is not None:
                found[benchmark.name] = benchmark
    return found


def find(name: str) -> Benchmark:
    """The benchmark called `name`.

    Raises:
        ValueError: there is none; the nearest names are named.
    """
    if name in catalogue():
        return catalogue()[name]
    near = difflib.get_close_matches(name, catalogue(), n=3, cutoff=0.4) or list(catalogue())
    raise ValueError(f"no benchmark {name!r}; did you mean {' or '.join(near)}?")
