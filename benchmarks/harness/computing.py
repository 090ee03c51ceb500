"""What a worker does with a part of a benchmark."""

from __future__ import annotations

import time

import torch

from benchmarks.harness.benchmark import Result
from benchmarks.harness.catalogue import find_benchmark
from benchmarks.harness.json_files import plain
from benchmarks.harness.part_store import Part


def compute(name: str, part: Part) -> Result:
    """The result of one part as plain JSON data, with the seconds it took."""
    torch.set_num_threads(1)  # small tensors: two threads are slower than one
    begin = time.perf_counter()
    result: Result = plain(find_benchmark(name).score(part.cell.settings, part.runs, part.seed))
    return result | {"seconds": time.perf_counter() - begin}
