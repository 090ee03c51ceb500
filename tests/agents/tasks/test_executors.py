"""Executors: what they refuse before anything runs, and what they say of a lost worker."""

import argparse
import socket
import sys
from types import SimpleNamespace

import pytest

from agents.tasks import executors
from agents.tasks.attempts import Attempts, describe
from agents.tasks.cluster import check_address, check_nodes, connect, worker_variables
from agents.tasks.executors import choose_executor
from agents.tasks.options import ExecutorOptions, add_executor_options, read_executor_options
from tests.agents.tasks.test_workers import square


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--jobs", "0"], "--jobs must be at least 1, not 0"),
        (["--retries", "-1"], "--retries must not be negative, not -1"),
        (["--gpus", "0.5"], "--gpus is of --executor ray"),
        (["--address", "auto"], "--address is of --executor ray"),
        (["--memory", "2"], "--memory is of --executor ray"),
        (["--executor", "ray", "--gpus", "nan"], "--gpus must not be negative, not nan"),
    ],
)
def test_options_out_of_range_are_refused(words, message):
    parser = argparse.ArgumentParser()
    add_executor_options(parser)
    with pytest.raises(ValueError, match=message):
        read_executor_options(parser.parse_args(words))


def test_an_unknown_executor_is_refused():
    with pytest.raises(ValueError, match="no executor 'slurm'; there are local, ray"):
        ExecutorOptions("slurm")


def test_the_local_executor_uses_the_cores_there_are(monkeypatch):
    seen = []
    monkeypatch.setattr(executors, "count_cores", lambda: 5)
    monkeypatch.setattr(executors, "run_in_workers", lambda *words: seen.append(words[2:]) or [])
    list(choose_executor(ExecutorOptions())(square, range(9)))
    list(choose_executor(ExecutorOptions())(square, range(3)))
    list(choose_executor(ExecutorOptions(jobs=2, retries=7))(square, range(9)))
    assert seen == [(5, 3), (3, 3), (2, 7)]


def test_one_task_is_computed_in_this_process():
    assert list(choose_executor(ExecutorOptions(jobs=8))(square, [3])) == [(3, 9)]


def starved(task):
    raise MemoryError


def test_memory_that_runs_out_names_the_task_and_what_to_lower():
    with pytest.raises(MemoryError, match="out of memory in 3: lower --jobs"):
        list(choose_executor(ExecutorOptions(jobs=1))(starved, [3]))


def test_ray_that_is_missing_is_named_with_the_pip_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ImportError, match=r'pip install -e "\.\[distributed\]"'):
        choose_executor(ExecutorOptions("ray"))


def test_an_address_where_nobody_listens_is_said_at_once():
    with socket.socket() as free:  # bound, so that nobody else is there, and not listening
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        with pytest.raises(ConnectionError, match=f"no Ray cluster at 127.0.0.1:{port}"):
            check_address(f"127.0.0.1:{port}")


@pytest.mark.parametrize("address", [None, "auto", "local", "ray://host"])
def test_other_addresses_are_rays_matter(address):
    check_address(address)


def test_what_ray_says_of_a_cluster_that_is_not_there_is_one_sentence():
    def init(**_):
        raise RuntimeError("no cluster\nand a page of advice")

    ray = SimpleNamespace(is_initialized=lambda: False, init=init)
    with pytest.raises(ConnectionError, match=r"^no Ray cluster at auto: no cluster$"):
        connect(ray, "auto")


NODES = [
    {"Alive": True, "Resources": {"CPU": 4.0, "memory": 8e9}},
    {"Alive": True, "Resources": {"CPU": 2.0, "GPU": 1.0, "memory": 4e9}},
    {"Alive": False, "Resources": {"CPU": 64.0, "GPU": 8.0, "memory": 5e11}},
]


@pytest.mark.parametrize("needs", [{}, {"gpus": 0.25}, {"gpus": 1}, {"memory": 8}])
def test_a_node_that_has_what_a_task_needs(needs):
    check_nodes(NODES, ExecutorOptions("ray", **needs))


@pytest.mark.parametrize(
    ("needs", "message"),
    [
        ({"gpus": 2}, "has 1 core, 2 GPUs and 0 GB for a task: at most 4 cores, 1 GPUs, 8.0 GB"),
        ({"gpus": 0.5, "memory": 6}, "no node of the Ray cluster"),
        ({"gpus": 1.5}, "a share up to 1 or whole GPUs, not 1.5"),
    ],
)
def test_what_no_node_has_is_refused_and_not_waited_for(needs, message):
    with pytest.raises(ValueError, match=message):
        check_nodes(NODES, ExecutorOptions("ray", **needs))


def test_workers_import_this_checkout_on_one_thread():
    variables = worker_variables()
    assert variables["OMP_NUM_THREADS"] == "1"
    assert variables["PYTHONPATH"]


def test_losses_are_counted():
    assert describe(["signal 9"]) == "signal 9"
    endings = ["its node died", "out of memory", "out of memory"]
    assert describe(endings) == "its node died, then out of memory, 2 times"


def test_a_task_is_given_up_after_its_retries(capsys):
    attempts = Attempts(["a", "b"], retries=1)
    first, second = attempts.take(), attempts.take()
    attempts.lose(first, "signal 9")
    assert "a worker was lost with a (signal 9): retry 1 of 1" in capsys.readouterr().err
    assert attempts.take() is first
    attempts.lose(first, "signal 9")
    assert not attempts
    attempts.give_back(second)
    assert attempts.take() is second
    with pytest.raises(ChildProcessError, match=r"a worker was lost with a \(signal 9, 2 times\)"):
        attempts.check()
