"""Finds benchmarks by name: any module of this package that defines BENCHMARK."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import Path

from benchmarks.harness.benchmark import Benchmark
from social_dilemmas_env.validation import nearest


@cache
def catalogue() -> dict[str, Benchmark]:
    """All benchmarks by name."""
    # Modules without BENCHMARK hold what several share, or an old name of a command.
    names = [module.name for module in pkgutil.iter_modules([str(Path(__file__).parents[1])])]
    modules = [
        importlib.import_module(f"benchmarks.{name}") for name in names if not name.startswith("__")
    ]
    return {
        module.BENCHMARK.name: module.BENCHMARK
        for module in modules
        if hasattr(module, "BENCHMARK")
    }


def find_benchmark(name: str) -> Benchmark:
    """The benchmark called `name`.

    Raises:
        ValueError: there is none; the nearest names are named.
    """
    if name in catalogue():
        return catalogue()[name]

    raise ValueError(f"no benchmark {name!r}; {nearest(name, catalogue())}")
