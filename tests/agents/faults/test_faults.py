"""Promises 7, 8 and 9 on real processes: every learner is killed, interrupted, and runs out of disk
at random moments, and goes on to the bits of a training that nothing happened to."""

import os
import random
import resource
import signal
import time

import pytest

from agents.training.run_folder import checkpoints
from tests.agents.faults.children import (
    UPDATES,
    check_same,
    in_a_child,
    status_of,
    step_of,
    tell,
    whole,
)
from tests.agents.faults.tiny_learners import TINY, go

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes that share what is loaded"),
]
any_learner = pytest.mark.parametrize("name", TINY)
KILLS, INTERRUPTS = 30, 10


@any_learner
def test_thirty_kills_change_nothing(name, tmp_path):
    tensors, seconds = whole(name, tmp_path / "whole")
    draws, step = random.Random(name), 0
    for _ in range(KILLS):
        pid = in_a_child(lambda: go(name, tmp_path / "killed", UPDATES))
        time.sleep(draws.uniform(0, seconds))
        tell(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

        # What was saved is whole, and never less than before.
        assert step_of(tmp_path / "killed") >= step
        step = step_of(tmp_path / "killed")
    check_same(tensors, name, tmp_path / "killed")


@any_learner
@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_at_random_moments_change_nothing(name, number, twice, tmp_path):
    """Once: the update is finished and saved.  Twice in a row, during the save perhaps: whole."""
    tensors, seconds = whole(name, tmp_path / "whole")
    draws, folder = random.Random(f"{name} {number} {twice}"), tmp_path / "told"
    for _ in range(INTERRUPTS):
        # Handlers of this process: one that came before `train` has its own ends the fork.
        pid = in_a_child(lambda: go(name, folder, UPDATES))
        time.sleep(draws.uniform(0, seconds))
        for _ in range(1 + twice):
            tell(pid, number)
            time.sleep(draws.uniform(0, 0.01))
        assert status_of(pid) in (0, 128 + number, -number, 131)
        step_of(folder)
    check_same(tensors, name, folder)


@any_learner
def test_a_full_disk_is_an_error_and_loses_nothing(name, tmp_path):
    tensors, _ = whole(name, tmp_path / "whole")
    folder = tmp_path / "full"
    assert status_of(in_a_child(lambda: go(name, folder, 3))) == 0
    largest = max(path.stat().st_size for path in checkpoints(folder).glob("state-*"))

    def without_room():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest // 2, largest // 2))
        go(name, folder, UPDATES)

    assert status_of(in_a_child(without_room)) == 28
    assert step_of(folder) == 3
    assert not list(checkpoints(folder).glob(".*tmp"))
    check_same(tensors, name, folder)


@any_learner
def test_a_place_that_is_no_folder_is_an_error(name, tmp_path):
    """A file in its way, and a file system that takes no files."""
    (tmp_path / "file").write_text("kept")
    for out in (tmp_path / "file" / "run", tmp_path / "file"):
        assert status_of(in_a_child(lambda out=out: go(name, out, 1))) == 28
    assert (tmp_path / "file").read_text() == "kept"
    if os.path.isdir("/proc/self"):
        assert status_of(in_a_child(lambda: go(name, "/proc/run", 1))) == 28
