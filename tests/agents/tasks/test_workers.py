"""Workers: they die with their parent, and one that is killed costs its own task only."""

import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest

from agents.tasks.workers import run_in_workers


def square(x):
    """Or what the number asks for."""
    if x == 13:
        os.kill(os.getpid(), signal.SIGKILL)
    if x == 17:
        raise ValueError("seventeen")
    return x * x


def test_results_come_with_their_tasks():
    assert sorted(run_in_workers(square, [1, 2, 3, 4, 5], 2)) == [(k, k * k) for k in range(1, 6)]


def test_a_killed_worker_costs_its_task_only():
    done = []
    with pytest.raises(ChildProcessError, match=r"lost with 13 \(signal 9\)") as error:
        done.extend(run_in_workers(square, [1, 13, 2, 3], 2))
    assert "\n" not in str(error.value)

    done = []
    with pytest.raises(ChildProcessError):
        for pair in run_in_workers(square, [1, 13, 2, 3], 2):
            done.append(pair)
    assert sorted(done) == [(1, 1), (2, 4), (3, 9)]


def test_an_error_is_raised_as_it_was():
    with pytest.raises(ValueError, match="seventeen"):
        list(run_in_workers(square, [17, 1], 2))


def killed_first(folder, x):
    """The square; the first worker at it is killed."""
    try:
        (folder / str(x)).touch(exist_ok=False)
    except FileExistsError:
        return x * x
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_task_whose_worker_was_killed_is_tried_again(tmp_path, capsys):
    done = run_in_workers(partial(killed_first, tmp_path), [1, 2, 3], 2, retries=1)
    assert sorted(done) == [(1, 1), (2, 4), (3, 9)]
    assert capsys.readouterr().err.count("(signal 9): retry 1 of 1") == 3


def threads(_):
    return os.environ["OMP_NUM_THREADS"]


def test_workers_have_one_thread_and_the_caller_keeps_its_own(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert list(run_in_workers(threads, ["x"], 1)) == [("x", "1")]
    assert os.environ["OMP_NUM_THREADS"] == "7"


def unsendable(_):
    return lambda: None


def test_an_answer_that_cannot_be_sent_is_an_error_with_the_task():
    with pytest.raises(RuntimeError, match="task 5"):
        list(run_in_workers(unsendable, ["task 5"], 1))


PARENT = """
import sys, time
from agents.tasks.workers import run_in_workers
from tests.agents.tasks.test_workers import tell_and_sleep
if __name__ == "__main__":
    list(run_in_workers(tell_and_sleep, [sys.argv[1] + "/a", sys.argv[1] + "/b"], 2))
"""


def tell_and_sleep(path):
    """Writes down who it is; runs until it is killed."""
    with open(path + ".part", "w") as file:
        file.write(str(os.getpid()))
    os.rename(path + ".part", path)
    while True:
        time.sleep(0.01)


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="needs /proc")
def test_workers_die_with_their_parent(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    parent = subprocess.Popen([sys.executable, str(script), str(tmp_path)], env=environment)
    while not all((tmp_path / name).exists() for name in "ab"):
        assert parent.poll() is None
        time.sleep(0.02)
    workers = [int((tmp_path / name).read_text()) for name in "ab"]
    assert all(map(is_alive, workers))

    # However long it takes; a hang is what the runner's limit is for.
    parent.kill()
    parent.wait()
    while any(map(is_alive, workers)):
        time.sleep(0.02)
