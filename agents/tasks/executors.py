"""Where tasks are computed: in this process, in several, or on a Ray cluster.

    executor = choose_executor(ExecutorOptions("local"))
    for task, result in executor(function, tasks):      # as they are done
        ...

A task is a plain object whose `str` names it for the person at the terminal; `function` is one of
a module, or a `partial` of one. A result depends on its task alone, so that it is the same wherever
it was computed. Who is interrupted stores what has come, and asks for the rest again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from agents.tasks.attempts import answer, unwrap
from agents.tasks.cluster import Cluster
from agents.tasks.options import ExecutorOptions
from agents.tasks.workers import run_in_workers

# (function, tasks) -> pairs of task and result, in any order
Executor = Callable[[Callable[[Any], Any], Sequence[Any]], Iterator[tuple[Any, Any]]]


def count_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def choose_executor(options: ExecutorOptions) -> Executor:
    """The executor that is asked for; whatever it needs is there when this returns.

    Raises:
        ImportError: Ray is not installed.
        ConnectionError: no cluster at the address.
        ValueError: no node of the cluster has what a task needs.
    """
    if options.name == "ray":
        return Cluster(options)

    def locally(function: Any, tasks: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
        jobs = min(options.jobs or count_cores(), len(tasks))
        if jobs > 1:
            return run_in_workers(function, tasks, jobs, options.retries)
        return ((task, unwrap(answer(function, task))) for task in tasks)

    return locally
