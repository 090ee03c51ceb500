"""Processes that compute one task after another, and die with whoever started them.

Each worker has a pipe of its own, so that it is known what a worker that dies was at: the others go
on, and the error at the end names the task. A worker watches the process that started it, and ends
when that does, however that ends.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


@dataclass(eq=False)
class Worker(Generic[T]):
    """A process and what it is at.  Compared by identity."""

    process: BaseProcess
    pipe: Connection
    task: T


def run_in_workers(
    function: Callable[[T], R], tasks: Sequence[T], jobs: int
) -> Iterator[tuple[T, R]]:
    """Computes tasks in processes.

    Args:
        function: what to compute; can be pickled, as tasks and results can.
        tasks: what it is called with.
        jobs: processes at a time.

    Yields:
        Pairs of task and result, as they are done.

    Raises:
        ChildProcessError: workers were killed; the others' tasks have all been done by then.
        Exception: what `function` raised, at once.
    """
    waiting, working, lost = list(tasks), list[Worker[T]](), list[str]()
    try:
        while waiting or working:
            while waiting and len(working) < jobs:
                working.append(_start(function, waiting.pop(0)))

            # A pipe is ready when there is a result, or when its worker is no more.
            ready = set(wait([worker.pipe for worker in working]))
            for worker in [worker for worker in working if worker.pipe in ready]:
                try:
                    done, result = worker.pipe.recv()
                except (EOFError, OSError):
                    working.remove(worker)
                    lost.append(f"{worker.task} ({_how_it_ended(worker.process)})")
                    continue
                if not done:
                    raise result
                yield worker.task, result
                _next(worker, waiting, working)
    finally:
        # Nobody waits for the rest: an interrupt must not last as long as the longest task.
        for worker in working:
            worker.process.terminate()
            worker.pipe.close()

    if lost:
        raise ChildProcessError(
            f"a worker was lost with {'; '.join(lost)}: all else is done and kept, and the same "
            "command computes what is missing (with fewer --jobs, if memory ran out)"
        )


def _start(function: Callable[[T], R], task: T) -> Worker[T]:
    """A new process, and its first task."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(function, theirs), daemon=True)
    process.start()
    theirs.close()  # or its end would not be noticed
    ours.send(task)
    return Worker(process, ours, task)


def _next(worker: Worker[T], waiting: list[T], working: list[Worker[T]]) -> None:
    """Gives a worker its next task, or lets it go."""
    if waiting:
        worker.task = waiting.pop(0)
        try:
            worker.pipe.send(worker.task)
        except OSError:  # killed between two tasks: nothing was begun
            waiting.insert(0, worker.task)
            working.remove(worker)
    else:
        working.remove(worker)
        worker.pipe.close()
        worker.process.join()


def _how_it_ended(process: BaseProcess) -> str:
    process.join()
    code = process.exitcode or 0
    return f"signal {-code}" if code < 0 else f"exit status {code}"


def _serve(function: Callable[[Any], Any], pipe: Connection) -> None:
    """A worker: tasks come, pairs of success and result go, until the pipe is closed."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        try:
            answer: tuple[bool, Any] = True, function(task)
        except SystemExit:  # this worker was told to end, nobody else was
            raise
        except BaseException as error:
            answer = False, error
        pipe.send(answer)


def _end_with_parent() -> None:
    """Ends this process when the one that started it has ended."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
