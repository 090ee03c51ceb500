"""Ray, on a cluster of two nodes in this machine: what is killed is tried again, nothing is lost.

`make test-ray` runs this in an environment of its own; without Ray it is skipped.
"""

import json
import threading
from pathlib import Path

import pytest

from agents.cli.main import main
from agents.tasks.executors import choose_executor
from agents.tasks.options import ExecutorOptions
from agents.training.sweep import run_sweep
from benchmarks.__main__ import main as benchmarks
from tests.agents.tasks.killing import facts, killing, small_sweep
from tests.agents.tasks.test_workers import square

ray = pytest.importorskip("ray", reason="ray is not installed: make test-ray")
cluster_utils = pytest.importorskip("ray.cluster_utils", reason="ray is not installed")
pytestmark = pytest.mark.slow
HERE = choose_executor(ExecutorOptions(jobs=1))
NODE = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False}


@pytest.fixture
def cluster():
    """A head and another node, of one core each; the other can be killed."""
    ray.shutdown()
    found = cluster_utils.Cluster(initialize_head=True, head_node_args=NODE)
    found.other = found.add_node(**{k: NODE[k] for k in ("num_cpus", "object_store_memory")})
    found.wait_for_nodes()
    yield found
    ray.shutdown()
    found.shutdown()


def on(cluster, **options):
    return choose_executor(ExecutorOptions("ray", address=cluster.address, **options))


def unpicklable(task):
    return threading.Lock()


def test_results_errors_and_refusals(cluster):
    executor = on(cluster)
    assert sorted(executor(square, [1, 2, 3, 4])) == [(k, k * k) for k in range(1, 5)]
    with pytest.raises(ValueError, match="seventeen"):
        list(executor(square, [17]))
    with pytest.raises(RuntimeError, match="lock"):
        list(executor(unpicklable, [1]))
    with pytest.raises(ValueError, match="no node of the Ray cluster has 1 core"):
        on(cluster, gpus=0.25)


def test_a_task_that_always_loses_its_worker_is_given_up(cluster, capsys):
    done = []
    with pytest.raises(ChildProcessError, match=r"lost with 13 \(its process ended, 2 times\)"):
        for pair in on(cluster, retries=1)(square, [1, 13, 2]):
            done.append(pair)
    assert sorted(done) == [(1, 1), (2, 4)]
    assert "a worker was lost with 13 (its process ended): retry 1 of 1" in capsys.readouterr().err


def test_killed_workers_change_nothing(cluster, tmp_path):
    runs = small_sweep(seeds=3)
    undisturbed = facts(run_sweep(runs, tmp_path / "here", HERE))
    folder = tmp_path / "ray"
    assert facts(run_sweep(runs, folder, killing(on(cluster), folder))) == undisturbed
    assert len(list(folder.glob("*.killed"))) == 3


def test_a_killed_node_changes_nothing(cluster, tmp_path, capsys):
    """It goes when both nodes are in the middle of a run."""
    runs = small_sweep(seeds=4, iterations=80)
    folder, over = tmp_path / "ray", threading.Event()

    def kill_when_busy():
        while not over.wait(0.05):
            begun = {path.parent for path in folder.glob("*/checkpoints/state-*.json")}
            if len(begun) >= 2 and not ray.available_resources().get("CPU"):
                cluster.remove_node(cluster.other, allow_graceful=False)
                return

    killer = threading.Thread(target=kill_when_busy)
    killer.start()
    try:
        found = facts(run_sweep(runs, folder, on(cluster)))
    finally:
        over.set()
        killer.join()
    assert "a worker was lost with" in capsys.readouterr().err
    assert found == facts(run_sweep(runs, tmp_path / "here", HERE))


def test_the_command_goes_on_and_equals_the_local_one(cluster, tmp_path, capsys):
    words = ["sweep", "lola_exact", "ipd_v0", "--iterations", "3", "--eval-episodes", "2"]
    words += ["--seeds", "2", "--grid", "gamma=0.9,0.96"]
    there = ["--executor", "ray", "--address", cluster.address, "--out", str(tmp_path / "ray")]
    assert main([*words, *there, "--seeds", "1"]) == 0
    assert main([*words, *there]) == 0
    assert main([*words, "--jobs", "1", "--out", str(tmp_path / "here")]) == 0
    summaries = [json.loads((tmp_path / k / "summary.json").read_text()) for k in ("ray", "here")]
    assert summaries[0] == summaries[1]
    assert len(summaries[0]["runs"]) == 4


def test_leagues_and_benchmarks_equal_the_local_ones(cluster, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    there = ["--executor", "ray", "--address", cluster.address]
    league = ["league", "ipd_v0", "bundled:loqa_ipd", "random", "grim", "--episodes", "3"]
    dice = ["run", "zero_sum_paths", "--scale", "small"]
    for name, where in (("ray", there), ("here", ["--jobs", "1"])):
        assert main([*league, *where, "--save", f"{name}.json"]) == 0
        assert benchmarks([*dice, *where, "--out", name]) == 0

    assert json.loads(Path("ray.json").read_text()) == json.loads(Path("here.json").read_text())
    found = [json.loads(Path(name, "zero_sum_paths.json").read_text()) for name in ("ray", "here")]
    assert found[0]["rows"] == found[1]["rows"]
