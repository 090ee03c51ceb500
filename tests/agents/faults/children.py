"""Forks of this process: they share what is loaded, and may be killed, interrupted and starved."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from agents import checkpoint
from agents.training.run_folder import checkpoints
from tests.agents.faults.tiny_learners import go

UPDATES = 8
WAIT = 120  # seconds, for a process that should end by itself


def in_a_child(work: Callable[[], Any]) -> int:
    """The pid of a fork that does something; its status is 0 or that of SystemExit, else 1."""
    torch.set_num_threads(1)  # a fork has the threads of its parent only in name
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        for number in (1, 2):
            os.dup2(null, number)
        work()
        status = 0
    except SystemExit as left:
        status = left.code if isinstance(left.code, int) else 1
    except KeyboardInterrupt:
        status = 131
    except OSError:
        status = 28
    finally:
        os._exit(status)


def status_of(pid: int) -> int:
    """Of a process that ends within WAIT seconds."""
    for _ in range(round(WAIT / 0.01)):
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise AssertionError("it did not end")


def tell(pid: int, number: int) -> None:
    """A signal to a process that may have ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def computed() -> float:
    """Core-seconds of all children so far."""
    times = os.times()
    return times.children_user + times.children_system


def whole(name: str, folder: Path) -> tuple[dict[str, torch.Tensor], float]:
    """The tensors of a training that nothing happens to, and the core-seconds that it takes."""
    began = computed()
    assert status_of(in_a_child(lambda: go(name, folder, UPDATES))) == 0
    seconds = computed() - began
    return tensors_of(folder), seconds


def tensors_of(folder: Path) -> dict[str, torch.Tensor]:
    """Of the last checkpoint."""
    return checkpoint.load(checkpoints(folder)).tensors


def step_of(folder: Path) -> int:
    """The last checkpoint's, read with all its tensors; 0 where there is none."""
    if not checkpoint.manifests(checkpoints(folder)):
        return 0
    return checkpoint.load(checkpoints(folder)).step


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Whether tensors are equal, bit for bit."""
    return one.keys() == other.keys() and all(torch.equal(x, other[key]) for key, x in one.items())


def check_same(tensors: dict[str, torch.Tensor], name: str, folder: Path) -> None:
    """The interrupted training goes on to these tensors."""
    assert status_of(in_a_child(lambda: go(name, folder, UPDATES))) == 0
    assert same(tensors, tensors_of(folder))
