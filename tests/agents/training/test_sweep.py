"""Sweeps: what they are made of, and that killing their workers changes nothing."""

import json

import numpy as np
import pytest

from agents.cli.main import main
from agents.cli.sweep import parse_grid, table
from agents.errors import TrainingError
from agents.evaluation.intervals import half_interval
from agents.evaluation.loading import load_agents
from agents.evaluation.scoring import score_agent
from agents.tasks.executors import choose_executor
from agents.tasks.options import ExecutorOptions
from agents.tasks.workers import run_in_workers
from agents.training import sweep as module
from agents.training.sweep import RESULTS, SweepRun, plan_sweep, run_sweep, when_free
from tests.agents.tasks.killing import facts, killing, small_sweep

HERE = choose_executor(ExecutorOptions(jobs=1))
WORDS = [
    "sweep",
    "lola_exact",
    "ipd_v0",
    "--iterations",
    "3",
    "--eval-episodes",
    "2",
    "--jobs",
    "1",
]
SIDE_BY_SIDE = {"runs": 3, "iterations": 3, "eval_episodes": 2}


@pytest.mark.parametrize(
    ("words", "grid"),
    [
        (["actor_lr=1e-3,3e-3"], {"actor_lr": [1e-3, 3e-3]}),
        (["actor-lr=1"], {"actor_lr": [1]}),
        (["variant=pola,loqa", "clip=None,.5"], {"variant": ["pola", "loqa"], "clip": [None, 0.5]}),
        (["x=[1,2],[3]"], {"x": [[1, 2], [3]]}),
    ],
)
def test_a_grid_as_words(words, grid):
    assert parse_grid(words) == grid


@pytest.mark.parametrize("words", [["lr"], ["lr="], ["=1"], ["lr=1", "lr=2"]])
def test_a_bad_grid_is_refused(words):
    with pytest.raises(ValueError, match="--grid"):
        parse_grid(words)


def test_every_point_at_every_seed():
    runs = small_sweep(seeds=2, actor_lr=[0.1, 0.2], gamma=[0.9])
    assert list(map(str, runs)) == [
        "actor_lr=0.1,gamma=0.9,seed=0",
        "actor_lr=0.1,gamma=0.9,seed=1",
        "actor_lr=0.2,gamma=0.9,seed=0",
        "actor_lr=0.2,gamma=0.9,seed=1",
    ]
    assert runs[2].request().config.actor_lr == 0.2


def test_names_are_those_of_folders():
    names = {
        str(SweepRun("x", "y", 0, {"path": path}, {})) for path in ("a/b", "a b", "..", "x" * 300)
    }
    assert len(names) == 4
    assert all(len(name) < 130 and "/" not in name for name in names)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"grid": {"actor_rl": [1]}}, "did you mean 'actor_lr'"),
        ({"grid": {"actor_lr": ["fast"]}}, "actor_lr must be float"),
        ({"grid": {"actor_lr": []}}, "at least one seed, and one value"),
        ({"seeds": []}, "at least one seed"),
        ({"seeds": [-1]}, "seed"),
        ({"seeds": [1, 1]}, "seed=1 is in the sweep twice"),
        ({"grid": {"gamma": [1.0]}, "common": {"gamma": 0.9}}, "both in the grid and"),
    ],
)
def test_a_bad_sweep_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        plan_sweep("loqa", "coin_game_v0", **{"seeds": [0], **change})


def test_a_learner_with_a_loop_of_its_own_is_not_swept():
    with pytest.raises(ValueError, match="has a loop of its own: python -m"):
        plan_sweep("sb3_ppo", "coin_game_v0", seeds=[0])


def test_a_killed_worker_changes_nothing(tmp_path):
    """The first worker is killed in its third update; the next goes on from the second."""
    runs = small_sweep(seeds=1)
    undisturbed = facts(run_sweep(runs, tmp_path / "here", HERE))
    folder = tmp_path / "workers"

    def workers(function, tasks):
        return run_in_workers(function, tasks, jobs=1, retries=1)

    assert facts(run_sweep(runs, folder, killing(workers, folder))) == undisturbed
    assert (folder / "seed=0.killed").exists()


def test_every_run_side_by_side_is_scored(tmp_path):
    (run,) = plan_sweep("lola_exact", "ipd_v0", seeds=[3], common=SIDE_BY_SIDE, device="cpu")
    ((_, result),) = run_sweep([run], tmp_path, HERE)
    found = [
        score_agent(load_agents(tmp_path / str(run), run=i), episodes=2, seed=3) for i in range(3)
    ]
    assert result["side_by_side"] == found
    assert len({scores["self"] for scores in found}) > 1
    assert result["scores"]["self"] == pytest.approx(sum(x["self"] for x in found) / 3)

    # What is read again is the same, and each run counts in the table.
    ((_, again),) = run_sweep([run], tmp_path, HERE)
    assert again == result
    first, own, *_ = table([run], {str(run): result})
    assert first == "all runs: 1 seeds, 3 runs side by side, mean reward a step"
    half = half_interval(np.array([x["self"] for x in found]))
    assert own.split() == ["self", f"{result['scores']['self']:+.4f}", "±", f"{half:.4f}"]


def test_one_run_has_the_result_it_had(tmp_path):
    ((_, result),) = run_sweep(small_sweep(seeds=1, iterations=1), tmp_path, HERE)
    assert sorted(result) == ["iterations", "run", "scores", "seconds", "state"]


def test_a_larger_sweep_has_what_the_smaller_one_has(tmp_path, monkeypatch):
    first = dict(run_sweep(small_sweep(seeds=1), tmp_path, HERE))
    trained = []
    monkeypatch.setattr(
        module, "train_run", lambda folder, run: trained.append(run) or {"error": ""}
    )
    results = dict(run_sweep(small_sweep(seeds=2), tmp_path, HERE))
    assert list(map(str, trained)) == ["seed=1"]
    assert [result for run, result in results.items() if run.seed == 0] == list(first.values())


def test_what_stops_half_way_goes_on(tmp_path, monkeypatch):
    whole = facts(run_sweep(small_sweep(seeds=1), tmp_path / "whole", HERE))
    monkeypatch.setattr(module, "score_agent", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        list(run_sweep(small_sweep(seeds=1), tmp_path / "part", HERE))
    assert not (tmp_path / "part" / RESULTS).exists()
    monkeypatch.undo()
    assert facts(run_sweep(small_sweep(seeds=1), tmp_path / "part", HERE)) == whole


def test_a_training_that_cannot_go_on_is_said_and_the_others_go_on(tmp_path, monkeypatch, capsys):
    def train(*words, seed, **rest):
        if seed == 0:
            raise TrainingError("out of memory: lower batch (now 512)")
        return real(*words, seed=seed, **rest)

    real = module.train
    monkeypatch.setattr(module, "train", train)
    words = [*WORDS, "--seeds", "2", "--out", str(tmp_path / "x")]
    assert main(words) == 1
    said = capsys.readouterr()
    assert "seed=0: out of memory: lower batch (now 512)" in said.err
    assert "1 of 2 runs failed" in said.err
    assert "1 seeds, mean reward a step" in said.out
    monkeypatch.undo()
    assert main(words) == 0


def test_the_command(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = [*WORDS, "--seeds", "2", "--grid", "gamma=0.9,0.96"]
    assert main(words) == 0
    said = capsys.readouterr()
    folder = tmp_path / "runs" / "sweep-lola_exact-ipd_v0"
    assert said.out.splitlines()[0] == "gamma=0.9: 2 seeds, mean reward a step"
    assert "done: gamma=0.96,seed=1" in said.err
    rows = json.loads((folder / "summary.json").read_text())["runs"]
    assert [(row["gamma"], row["seed"]) for row in rows] == [
        (0.9, 0),
        (0.9, 1),
        (0.96, 0),
        (0.96, 1),
    ]
    assert not any("seconds" in row for row in rows)

    # Once more: nothing is trained.
    before = (folder / "summary.json").read_bytes()
    (folder / "summary.json").unlink()
    assert main(words) == 0
    assert (folder / "summary.json").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--seeds", "0"], "--seeds must be at least 1"),
        (["--grid", "gamma"], "--grid looks like name=value,value"),
        (["--gpus", "1"], "--gpus is of --executor ray"),
        (["--executor", "ray", "--address", "127.0.0.1:1"], "127.0.0.1:1|needs ray"),
        (["--jobs", "1", "--set", "runs=-1"], "runs"),
    ],
)
def test_mistakes_end_in_one_sentence_and_write_nothing(tmp_path, capsys, words, message):
    assert main([*WORDS, "--out", str(tmp_path / "x"), *words]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert any(part in error for part in message.split("|"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_held_is_waited_for(monkeypatch):
    answers = [BlockingIOError("held"), BlockingIOError("held"), None]
    monkeypatch.setattr(module.time, "sleep", lambda _: None)

    def work():
        if (found := answers.pop(0)) is not None:
            raise found

    when_free(work)
    assert answers == []


def test_a_folder_that_is_not_shared_is_said(tmp_path):
    def lost(function, tasks):
        return [(task, {"seconds": 0}) for task in tasks]

    with pytest.raises(FileNotFoundError, match="must share the disk"):
        list(run_sweep(small_sweep(seeds=1), tmp_path, lost))
