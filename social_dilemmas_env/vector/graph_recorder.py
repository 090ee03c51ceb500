"""Recording what a function does on a CUDA device, as one graph."""

from collections.abc import Callable
from typing import Any

import torch


def record_graph(
    body: Callable[[], None], device: torch.device, pool: Any = None
) -> torch.cuda.CUDAGraph:
    """A graph of what `body` does; `replay` does it again, without running any Python.

    Args:
        body: reads and writes tensors that stay where they are, and looks at none of their values.
            It runs three times: twice on a stream of its own, as torch.cuda.graph asks for, and
            once to be recorded.
        device: a CUDA device.
        pool: memory that graphs share (`CUDAGraph.pool()` of another one); their results must be
            copied out before the next replay.  None: memory of its own.
    """
    with torch.cuda.device(device):
        # Lazy initialisation (libraries, autograd, allocator) must not end up in the graph.
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(2):
                body()
        torch.cuda.current_stream().wait_stream(stream)

        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=pool):
            body()
    return graph
