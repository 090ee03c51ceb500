"""Where parts are computed: in this process, in several, or on a Ray cluster."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import torch

from benchmarks.harness.benchmark import Result
from benchmarks.harness.catalogue import find_benchmark
from benchmarks.harness.json_files import plain
from benchmarks.harness.part_store import Part
from benchmarks.harness.workers import run_in_workers
from social_dilemmas_env.extras import need

Executor = Callable[[str, Sequence[Part]], Iterator[tuple[Part, Result]]]


def compute(name: str, part: Part) -> Result:
    """The result of one part as plain JSON data, with the seconds it took."""
    torch.set_num_threads(1)  # small tensors: two threads are slower than one
    begin = time.perf_counter()
    result: Result = plain(find_benchmark(name).score(part.cell.settings, part.runs, part.seed))
    return result | {"seconds": time.perf_counter() - begin}


def run_locally(jobs: int = 1) -> Executor:
    """In this process, or in `jobs` of them."""

    def in_this_process(name: str, parts: Sequence[Part]) -> Iterator[tuple[Part, Result]]:
        for part in parts:
            yield part, compute(name, part)

    def in_processes(name: str, parts: Sequence[Part]) -> Iterator[tuple[Part, Result]]:
        return run_in_workers(partial(compute, name), parts, jobs)

    return in_this_process if jobs == 1 else in_processes


def run_on_ray() -> Executor:
    """As tasks of a Ray cluster: the one that RAY_ADDRESS names, or a local one.

    Raises:
        ImportError: Ray is not installed.
    """
    ray = need("ray", extra="distributed", what="--executor ray")

    def on_cluster(name: str, parts: Sequence[Part]) -> Iterator[tuple[Part, Result]]:
        # Workers import this checkout, and compute on one thread.
        root = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        variables = {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
        ray.init(ignore_reinit_error=True, log_to_driver=False, runtime_env={"env_vars": variables})

        task = ray.remote(compute)
        waiting = {task.remote(name, part): part for part in parts}
        while waiting:
            (done,), _ = ray.wait(list(waiting))
            yield waiting.pop(done), ray.get(done)

    return on_cluster


def choose_executor(name: str, jobs: int = 1) -> Executor:
    """The executor called `name`: "local" or "ray"."""
    return run_on_ray() if name == "ray" else run_locally(jobs)
