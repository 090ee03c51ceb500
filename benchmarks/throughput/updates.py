"""Core-seconds of a learner's update, beside the same with one thing changed.

    python -m benchmarks.throughput.updates loqa coin_game_v0 --beside step_by_step products
    python -m benchmarks.throughput.updates meta_mapg ipd_v0 --beside one_by_one --set runs=8

Each variant has learners of its own. They take turns in one process, on one thread, and the first
turn does not count; time is that of the processor. docs/learners/costs.md has the numbers.

    onednn        torch's other library multiplies matrices
    torch_tanh    torch's own tanh in GRUs
    step_by_step  GRUs under autograd, without the derivatives that nn/gru.py writes out
    products      GRUs of matrix products alone, which no fused cell can undercut: learns nothing,
                  and is for learners that differentiate once
    one_by_one    `runs` learners of one run each, in place of one that has them side by side
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from agents.cli.words import add_set, parse_settings
from agents.execution.memory import keep_memory
from agents.execution.multiplication import multiplication
from agents.nn import gru as cells
from agents.nn import networks
from agents.registry import current_name
from agents.training.settings import Request, make_request, split_settings
from benchmarks.harness.clock import Clock
from benchmarks.harness.provenance import commit, describe_device, versions

AS_IT_IS = "as_it_is"


def step_by_step(x: Tensor, recurrent: Tensor, bias: Tensor) -> Tensor:
    """`gru` of its own steps, which autograd differentiates."""
    h, every = x.new_zeros(*x.shape[1:3], x.shape[3] // 3), []
    for each in x:
        h = cells.gru_step(each, h, recurrent, bias)
        every.append(h)
    return torch.stack(every)


class Products(torch.autograd.Function):
    """The matrix products of `gru` and of its gradient, of zeros."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, recurrent: Tensor, bias: Tensor) -> Tensor:
        """[T, K, n, 3H], [K, H, 3H], [K, 1, H] -> [T, K, n, H]."""
        h = x.new_zeros(*x.shape[:-1], x.shape[-1] // 3)
        # Their results are dropped: only the time counts.
        for each in h:
            torch.bmm(each, recurrent)
        ctx.save_for_backward(h, recurrent)
        return h

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As many products as `gru` has on the way back."""
        # Back through the steps.
        h, recurrent = ctx.saved_tensors
        by_x = h.new_zeros(*h.shape[:-1], recurrent.shape[-1])
        after, transposed = torch.zeros_like(h[0]), recurrent.transpose(1, 2).contiguous()
        for each in by_x:
            torch.baddbmm(after, each, transposed)

        # By the weights, of all steps at once.
        by_sums = cells.by_set(by_x)
        by_w = torch.bmm(cells.by_set(h).transpose(1, 2), by_sums)
        return by_x, by_w, by_sums[..., 2 * h.shape[-1] :].sum(1, keepdim=True)


def product_step(x: Tensor, h: Tensor, recurrent: Tensor, bias: Tensor) -> Tensor:
    """The product of one step."""
    return torch.bmm(h, recurrent)[..., : h.shape[-1]]


VARIANTS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    AS_IT_IS: nullcontext,
    "onednn": partial(multiplication, "onednn"),
    "torch_tanh": partial(patch.multiple, cells, tanh=torch.tanh, tanh_=Tensor.tanh_),
    "step_by_step": partial(patch.multiple, networks, gru=step_by_step),
    "products": partial(patch.multiple, networks, gru=Products.apply, gru_step=product_step),
    "one_by_one": nullcontext,
}


def make_learners(variant: str, request: Request) -> list[Any]:
    """The learners that a variant updates in a turn.

    Raises:
        ValueError: "one_by_one" of a learner without several runs.
    """
    several, config = 1, request.config
    # Seeds differ, as those of trainings do.
    if variant == "one_by_one":
        several, config = getattr(config, "runs", 1), replace(config, runs=1)
    return [
        request.spec.make(config, request.env_id, request.game, request.seed + i, "cpu")
        for i in range(several)
    ]


def measure(request: Request, beside: Sequence[str], updates: int) -> dict[str, list[float]]:
    """Core-seconds of each turn, by variant; the code as it is comes first.

    Args:
        request: what is learned.
        beside: names in VARIANTS.
        updates: turns that count.
    """
    # As `train` computes.
    keep_memory()
    torch.set_num_threads(1)
    learners = {name: make_learners(name, request) for name in (AS_IT_IS, *beside)}
    seconds: dict[str, list[float]] = {name: [] for name in learners}

    # In turn, so that what else the machine does meets all alike.
    for _ in range(1 + updates):
        for name, several in learners.items():
            with VARIANTS[name]():
                clock = Clock()
                for learner in several:
                    learner.update()
                seconds[name].append(clock.part())

    # Without the first turn, which fetches memory and warms caches.
    return {name: turns[1:] for name, turns in seconds.items()}


def table(seconds: dict[str, list[float]]) -> list[str]:
    """A line a variant: median (range; turns), and how many times as long as the first."""
    first = statistics.median(seconds[AS_IT_IS])
    return [
        f"{name:14}{statistics.median(turns):8.4f} ({min(turns):.4f} to {max(turns):.4f}; "
        f"{len(turns)})  x {statistics.median(turns) / first:.2f}"
        for name, turns in seconds.items()
    ]


def build_parser() -> argparse.ArgumentParser:
    """The options of the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.throughput.updates",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("learner")
    parser.add_argument("env", help="a game")
    names = [name for name in VARIANTS if name != AS_IT_IS]
    parser.add_argument("--beside", nargs="+", default=[], choices=names, help="variants")
    parser.add_argument("--updates", type=int, default=5, help="turns that count (default 5)")
    add_set(parser, "settings of the learner and of the game")
    return parser


def read_request(options: argparse.Namespace) -> Request:
    """What is to be learned, checked.

    Raises:
        ValueError: a sentence about what was asked for.
    """
    # As `train` sorts and checks them.
    learner = current_name(options.learner)
    config, plan, game = split_settings(learner, options.env, parse_settings(options.set))
    request = make_request(learner, options.env, config=config, plan=plan, game=game)

    # What this command asks for beyond.
    if options.updates < 1:
        raise ValueError(f"--updates must be at least 1, not {options.updates}")
    if request.spec.instead:
        raise ValueError(f"{learner} {request.spec.instead}")
    if "one_by_one" in options.beside and getattr(config, "runs", 1) < 2:
        raise ValueError("one_by_one is beside several runs: --set runs=8")
    return request


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; a mistake ends in one sentence and status 2."""
    options = build_parser().parse_args(argv)
    try:
        seconds = measure(read_request(options), options.beside, options.updates)
    except (ValueError, RuntimeError) as error:
        print(f"python -m benchmarks.throughput.updates: {error}", file=sys.stderr)
        return 2

    # With what it was measured, and what it came to.
    where = f"{describe_device('cpu')}, torch {versions()['torch']}"
    made = " ".join(["commit", *commit().values(), time.strftime("%Y-%m-%d")])
    words = " ".join([options.learner, options.env, *options.set])
    print(f"{words}: core-seconds, {where}, {made}")
    print("\n".join(table(seconds)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
