"""CUDA graphs on the CPU: operations are recorded once and replayed in the same memory, without
running any Python.

What a CUDA graph could not hold is refused: looking at values on the host, shapes that depend on
values, random numbers, and tensors made from host data."""

from functools import cache

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from agents.execution.cuda_graphs import Graphs
from social_dilemmas_env.vector.cuda_graph import capture

EMPTY = ("aten::empty", "aten::new_empty")
REFUSED = {
    torch.Tag.data_dependent_output,
    torch.Tag.dynamic_output_shape,
    torch.Tag.nondeterministic_seeded,
}


class NotForAGraph(RuntimeError):
    """An operation that a CUDA graph cannot hold."""


@cache
def kind(func):
    """What an operation does to memory."""
    name, aliases = func._schema.name, any(x.alias_info is not None for x in func._schema.returns)
    if name.startswith("aten::lift_fresh") or REFUSED & set(func.tags):
        return "refused"
    if name.startswith(EMPTY):
        return "empty"
    return "writes" if func._schema.is_mutable else "view" if aliases else "fresh"


class Tape(TorchDispatchMode):
    """What `body` does to tensors."""

    def __init__(self, body):
        super().__init__()
        self.operations = []
        with self:
            body()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        looks = kind(func) == "refused" and not (
            func is torch.ops.aten.index.Tensor and all(map(no_mask, args[1]))
        )
        if looks or ("device" in kwargs and kwargs["device"] not in (None, torch.device("cpu"))):
            raise NotForAGraph(str(func))
        out = func(*args, **kwargs)
        if kind(func) != "view":
            self.operations.append((func, args, kwargs, out))
        return out

    @torch.no_grad()
    def replay(self):
        """All of it again, from what now is in the memory of its inputs."""
        for func, args, kwargs, out in self.operations:
            if kind(func) == "empty":
                poison(out)
            elif kind(func) == "writes":
                func(*args, **kwargs)
            else:
                for x, y in zip(tree_leaves(out), tree_leaves(func(*args, **kwargs)), strict=True):
                    if isinstance(x, Tensor):
                        x.copy_(y)


def no_mask(index):
    """Whether the shape of x[index] is known beforehand."""
    return index is None or index.dtype != torch.bool


def poison(x):
    """Nobody may read what was never written."""
    if x.is_floating_point():
        x.fill_(float("nan"))


class Tapes(Graphs):
    """`Graphs` on the CPU."""

    def __init__(self, device="cpu"):
        self.known = {}

    def record(self, body):
        """See Graphs."""
        return Tape(body).replay

    @staticmethod
    def capture(venv, policy, num_steps, begin):
        """See social_dilemmas_env.vector.cuda_graph."""
        run = capture(venv, policy, num_steps, begin=begin)
        with torch.no_grad():
            run._graph = Tape(run._run)
        return run
