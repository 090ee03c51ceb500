"""How tasks are to be computed: the options that every command with tasks has."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

RETRIES = 3


@dataclass(frozen=True)
class ExecutorOptions:
    """Where tasks are computed.

    Raises:
        ValueError: a number out of range, or an option of the other executor.
    """

    name: str = "local"  # "local" or "ray"
    jobs: int | None = None  # tasks at a time; None: as many as there are cores
    retries: int = RETRIES  # of a task whose worker was lost
    address: str | None = None  # of a Ray cluster; None: RAY_ADDRESS, the one here, or a new one
    gpus: float = 0.0  # a Ray task's share of a GPU
    memory: float = 0.0  # gigabytes that a Ray task reserves

    def __post_init__(self) -> None:
        if self.name not in ("local", "ray"):
            raise ValueError(f"there is no executor {self.name!r}; there are local, ray")
        if self.jobs is not None and self.jobs < 1:
            raise ValueError(f"--jobs must be at least 1, not {self.jobs}")
        for name in ("retries", "gpus", "memory"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"--{name} must not be negative, not {getattr(self, name)}")

        # Nobody should wait for a share of a device that nothing divides.
        for name in ("address", "gpus", "memory"):
            if self.name == "local" and getattr(self, name):
                raise ValueError(f"--{name} is of --executor ray, not of the local one")


def add_executor_options(parser: argparse.ArgumentParser) -> None:
    """Adds `--executor` and what belongs to it."""
    group = parser.add_argument_group("where it is computed")
    about = "local: processes of one thread (the default);  ray: a Ray cluster"
    group.add_argument("--executor", choices=("local", "ray"), default="local", help=about)
    about = "tasks at a time (default: as many as there are cores)"
    group.add_argument("--jobs", type=int, metavar="N", help=about)
    about = f"how often a task is tried again whose worker was lost (default {RETRIES})"
    group.add_argument("--retries", type=int, default=RETRIES, metavar="N", help=about)

    # Ray's own.
    about = "of the Ray cluster: HOST:PORT or auto (default RAY_ADDRESS, else one is started here)"
    group.add_argument("--address", help=about)
    about = "a Ray task's share of a GPU, such as 0.25 (default 0)"
    group.add_argument("--gpus", type=float, default=0.0, metavar="SHARE", help=about)
    about = "memory that a Ray task reserves (default 0: nothing)"
    group.add_argument("--memory", type=float, default=0.0, metavar="GB", help=about)


def read_executor_options(arguments: argparse.Namespace) -> ExecutorOptions:
    """The options of `add_executor_options`.

    Raises:
        ValueError: see ExecutorOptions.
    """
    names = ("jobs", "retries", "address", "gpus", "memory")
    return ExecutorOptions(arguments.executor, **{name: getattr(arguments, name) for name in names})
