"""Tasks on a Ray cluster.

Retries are ours and not Ray's, so that they are counted and said as those of local workers are,
and so that memory that ran out is told apart from a machine that went. Ray is imported when a
cluster is asked for, and not before.

Nodes import this checkout, so that it lies at the same path on each, as the folder of the results
does: on a disk that they share.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from agents.tasks.attempts import MODULES, Attempt, Attempts, answer, prepare_worker, unwrap
from agents.tasks.options import ExecutorOptions
from social_dilemmas_env.extras import need

SECONDS_TO_ANSWER = 5.0  # until an address counts as unreachable
SECONDS_TO_SAVE = 10.0  # for tasks that are told to stop
# How Ray says that a worker was lost, and how we do; the first that fits.
LOSSES = {
    "OutOfMemoryError": "out of memory",
    "NodeDiedError": "its node died",
    "WorkerCrashedError": "its process ended",
    "LocalRayletDiedError": "its node died",
    "ObjectLostError": "its result was lost with its node",
}


def run_task(function: Callable[[Any], Any], task: Any, modules: Sequence[str]) -> tuple[bool, Any]:
    """What a worker of the cluster does."""
    prepare_worker(modules)
    return answer(function, task)


class Cluster:
    """A Ray cluster as an executor.

    Args:
        options: where it is, and what a task needs.

    Raises:
        ImportError: Ray is not installed.
        ConnectionError: no cluster at the address.
        ValueError: no node has what a task needs.
    """

    def __init__(self, options: ExecutorOptions) -> None:
        self.options = options
        self.ray = need("ray", extra="distributed", what="--executor ray")
        connect(self.ray, options.address)
        self._needs = {"num_cpus": 1, "num_gpus": options.gpus, "memory": options.memory * 1e9}
        check_nodes(self.ray.nodes(), options)

    def __call__(
        self, function: Callable[[Any], Any], tasks: Sequence[Any]
    ) -> Iterator[tuple[Any, Any]]:
        """Computes tasks; see `run_in_workers`, which says the same of processes."""
        remote = self.ray.remote(
            max_retries=0, runtime_env={"env_vars": worker_variables()}, **self._needs
        )(run_task)

        attempts, limit = Attempts(tasks, self.options.retries), self.options.jobs or len(tasks)
        running: dict[Any, Attempt[Any]] = {}
        try:
            while attempts or running:
                while attempts and len(running) < limit:
                    attempt = attempts.take()
                    running[remote.remote(function, attempt.task, tuple(MODULES))] = attempt

                # The next that ends: its answer, or how its worker was lost.
                (done,), _ = self.ray.wait(list(running))
                attempt = running.pop(done)
                answered, ending = self._fetch(done)
                if ending:
                    attempts.lose(attempt, ending)
                else:
                    yield attempt.task, unwrap(answered)
        finally:
            self._cancel(list(running))

        attempts.check()

    def _fetch(self, reference: Any) -> tuple[Any, str]:
        """The answer of a task that is done; or None, and how its worker was lost.

        Raises:
            RuntimeError: Ray could not do what was asked.
        """
        errors = self.ray.exceptions
        try:
            return self.ray.get(reference), ""
        except errors.RayTaskError as error:  # an answer that could not be sent
            return (False, RuntimeError(str(error.cause))), ""
        except errors.RayError as error:
            for name, ending in LOSSES.items():
                if isinstance(error, getattr(errors, name, ())):
                    return None, ending
            raise RuntimeError(f"Ray: {first_line(error)}") from None

    def _cancel(self, references: list[Any]) -> None:
        """Tells running tasks to stop, as Ctrl-C does: trainings save what they have."""
        for reference in references:
            self.ray.cancel(reference)
        if references:
            self.ray.wait(references, num_returns=len(references), timeout=SECONDS_TO_SAVE)


def connect(ray: Any, address: str | None) -> None:
    """Connects this process with a cluster, unless it is connected.

    Raises:
        ConnectionError: no cluster answers at the address.
    """
    if ray.is_initialized():
        return
    check_address(address or os.environ.get("RAY_ADDRESS"))
    try:
        ray.init(address=address, log_to_driver=False, logging_level="error")
    except (OSError, RuntimeError, ValueError) as error:
        where = f"at {address}" if address else "here"
        raise ConnectionError(f"no Ray cluster {where}: {first_line(error)}") from error


def check_address(address: str | None) -> None:
    """Asks whether anybody listens, which takes Ray half a minute.

    Raises:
        ConnectionError: nobody.
    """
    host, colon, port = (address or "").removeprefix("ray://").rpartition(":")
    if not colon or not port.isdecimal():
        return  # "auto", "local": Ray knows where
    try:
        socket.create_connection((host.strip("[]"), int(port)), SECONDS_TO_ANSWER).close()
    except (OSError, OverflowError) as error:
        raise ConnectionError(
            f"no Ray cluster at {address} ({error}): start one with `ray start --head`"
        ) from error


def check_nodes(nodes: Sequence[dict[str, Any]], options: ExecutorOptions) -> None:
    """Looks for a node that can run a task: Ray would wait for one for ever.

    Args:
        nodes: as `ray.nodes()` gives them.
        options: what a task needs.

    Raises:
        ValueError: there is none.
    """
    if options.gpus > 1 and options.gpus % 1:
        raise ValueError(f"--gpus must be a share up to 1 or whole GPUs, not {options.gpus:g}")

    wanted = {"CPU": 1.0, "GPU": options.gpus, "memory": options.memory * 1e9}
    alive = [node["Resources"] for node in nodes if node["Alive"]]
    if not any(all(node.get(k, 0.0) >= x for k, x in wanted.items()) for node in alive):
        most = {name: max([node.get(name, 0.0) for node in alive] or [0.0]) for name in wanted}
        raise ValueError(
            f"no node of the Ray cluster has 1 core, {options.gpus:g} GPUs and "
            f"{options.memory:g} GB for a task: at most {most['CPU']:g} cores, {most['GPU']:g} "
            f"GPUs, {most['memory'] / 1e9:.1f} GB"
        )


def worker_variables() -> dict[str, str]:
    """The environment of workers: they import this checkout, and compute on one thread."""
    paths = [str(Path(__file__).resolve().parents[2])]
    if "" in sys.path:
        paths.append(os.getcwd())
    paths += filter(None, [os.environ.get("PYTHONPATH")])
    return {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}


def first_line(error: BaseException) -> str:
    """What an error says, without the rest of it."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
