"""Promises 7 to 9 at chosen moments: signals while a checkpoint is written, once or twice in a row,
and clocks that go backwards."""

import itertools
import os
import signal
import sys
import time

import pytest

from agents import checkpoint
from agents.training.run_folder import checkpoints
from tests.agents.faults.children import same, step_of, tensors_of
from tests.agents.faults.tiny_learners import go

NAME, UPDATES = "naive_exact", 2
# What comes during a flush, and how the trainings end.
SIGNALS = {
    "Ctrl-C twice": ((signal.SIGINT, signal.SIGINT), {"at once"}),
    "told twice": ((signal.SIGTERM, signal.SIGTERM), {143}),
    "told, then Ctrl-C": ((signal.SIGTERM, signal.SIGINT), {143, "at once"}),
}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return tensors_of(go(NAME, tmp_path_factory.mktemp("whole") / "run", UPDATES))


@pytest.mark.parametrize(("numbers", "how"), SIGNALS.values(), ids=SIGNALS)
def test_signals_during_any_flush_of_a_save(numbers, how, tmp_path, monkeypatch, undisturbed):
    """The n-th flush of a file or folder, until a training has fewer."""
    fsync, ended = os.fsync, set()
    monkeypatch.setattr("sys.unraisablehook", lambda _: None)
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # while nothing is trained yet
    for n in itertools.count():
        flushes = itertools.count()

        def flush(file, flushes=flushes, n=n):
            if next(flushes) == n:
                for number in numbers:
                    os.kill(os.getpid(), number)
            fsync(file)

        folder = tmp_path / str(n)
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", flush)
            try:
                go(NAME, folder, UPDATES)
            except (KeyboardInterrupt, SystemExit) as left:
                ended.add(left.code if isinstance(left, SystemExit) else "at once")
        if next(flushes) <= n:
            break

        # Whole, and goes on to the same bits.
        assert step_of(folder) <= UPDATES
        assert not list(folder.rglob("*.tmp"))
        assert same(tensors_of(go(NAME, folder, UPDATES)), undisturbed)

    signal.signal(signal.SIGTERM, before)
    assert n > 5
    assert ended == how


@pytest.mark.parametrize("clock", ["monotonic", "time", "perf_counter"])
def test_a_clock_that_goes_backwards(clock, tmp_path, monkeypatch, undisturbed):
    """A day at each look: the same bits, no negative seconds, and it can be gone on with."""
    moments = itertools.count(10**6, -86_400)
    monkeypatch.setattr(time, clock, lambda: float(next(moments)))
    for iterations in (1, UPDATES):
        saved = checkpoint.load(checkpoints(go(NAME, tmp_path / "run", iterations)))
        assert saved.facts["seconds"] == 0.0 or clock != "monotonic"
        assert saved.facts["seconds"] >= 0.0
    assert same(saved.tensors, undisturbed)
