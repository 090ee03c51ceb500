"""Processes that compute one task after another, and die with whoever started them.

Each worker has a pipe of its own, so that it is known what a worker that dies was at: the others go
on, and its task is tried again. A worker watches the process that started it, and ends when that
does, however that ends.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

from agents.tasks.attempts import MODULES, Attempt, Attempts, answer, prepare_worker, unwrap

T = TypeVar("T")
R = TypeVar("R")


@dataclass(eq=False)
class Worker(Generic[T]):
    """A process and what it is at.  Compared by identity."""

    process: BaseProcess
    pipe: Connection
    attempt: Attempt[T]


def run_in_workers(
    function: Callable[[T], R], tasks: Sequence[T], jobs: int, retries: int = 0
) -> Iterator[tuple[T, R]]:
    """Computes tasks in processes, on one thread each.

    Args:
        function: what to compute; can be pickled, as tasks and results can.
        tasks: what it is called with.
        jobs: processes at a time.
        retries: how often a task is tried again when its worker was killed.

    Yields:
        Pairs of task and result, as they are done.

    Raises:
        ChildProcessError: workers were killed; the others' tasks have all been done by then.
        Exception: what `function` raised, at once.
    """
    attempts, working = Attempts(tasks, retries), list[Worker[T]]()
    try:
        while attempts or working:
            while attempts and len(working) < jobs:
                working.append(_start(function, attempts.take()))

            # A pipe is ready when there is a result, or when its worker is no more.
            ready = set(wait([worker.pipe for worker in working]))
            for worker in [worker for worker in working if worker.pipe in ready]:
                try:
                    answered = worker.pipe.recv()
                except (EOFError, OSError):
                    working.remove(worker)
                    attempts.lose(worker.attempt, _how_it_ended(worker.process))
                    continue
                yield worker.attempt.task, unwrap(answered)
                _next(worker, attempts, working)
    finally:
        # Nobody waits for the rest: an interrupt must not last as long as the longest task.
        for worker in working:
            worker.process.terminate()
            worker.pipe.close()

    attempts.check()


def _start(function: Callable[[T], R], attempt: Attempt[T]) -> Worker[T]:
    """A new process, and its first task."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    arguments = (function, theirs, tuple(MODULES))
    process = context.Process(target=_serve, args=arguments, daemon=True)
    with _one_thread():
        process.start()
    theirs.close()  # or its end would not be noticed
    ours.send(attempt.task)
    return Worker(process, ours, attempt)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Processes that are started within have one thread: libraries read this when they load."""
    name, before = "OMP_NUM_THREADS", os.environ.get("OMP_NUM_THREADS")
    os.environ[name] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _next(worker: Worker[T], attempts: Attempts[T], working: list[Worker[T]]) -> None:
    """Gives a worker its next task, or lets it go."""
    if attempts:
        worker.attempt = attempts.take()
        try:
            worker.pipe.send(worker.attempt.task)
        except OSError:  # killed between two tasks: nothing was begun
            attempts.give_back(worker.attempt)
            working.remove(worker)
    else:
        working.remove(worker)
        worker.pipe.close()
        worker.process.join()


def _how_it_ended(process: BaseProcess) -> str:
    process.join()
    code = process.exitcode or 0
    return f"signal {-code}" if code < 0 else f"exit status {code}"


def _serve(function: Callable[[Any], Any], pipe: Connection, modules: Sequence[str]) -> None:
    """A worker: tasks come, answers go, until the pipe is closed."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    prepare_worker(modules)
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        answered = answer(function, task)
        try:
            pipe.send(answered)
        except (TypeError, AttributeError) as error:  # an answer that cannot be sent
            pipe.send((False, RuntimeError(f"{task}: {answered[1]!r:.300} ({error})")))


def _end_with_parent() -> None:
    """Ends this process when the one that started it has ended."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
