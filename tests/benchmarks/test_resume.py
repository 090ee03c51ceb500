"""Interrupted runs go on where they were.

Parts of other settings, or damaged ones, do not count.
"""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from agents.checkpoint import load
from agents.errors import TrainingError
from agents.learners.loqa import loqa
from agents.tasks.options import ExecutorOptions
from benchmarks import __main__ as command
from benchmarks import loqa_scalability as benchmark
from benchmarks.harness.catalogue import catalogue
from benchmarks.harness.json_files import write_json
from benchmarks.harness.part_store import PartStore, split
from benchmarks.harness.resumable_training import train_in_stages, training_folder
from benchmarks.harness.runner import Options, run_benchmark
from tests.benchmarks.toy import CALLS, TOY

ROOT = Path(__file__).parents[2]
SAME = ("rows", "samples", "curves", "settings")


def run(tmp_path, **options):
    """The parts computed, and the result."""
    CALLS.clear()
    result = run_benchmark("toy", Options(out=tmp_path, **options))
    return len(CALLS), {key: result[key] for key in SAME}


def test_finished_parts_are_picked_up(toy, tmp_path):
    first = run(tmp_path)
    assert first[0] == 4  # 15 + 15 + 10 runs, and the costly cell
    assert run(tmp_path) == (0, first[1])
    (tmp_path / "toy.json").unlink()
    (next((tmp_path / "toy.parts").glob("plain*.15.json"))).unlink()
    assert run(tmp_path) == (1, first[1])
    assert run(tmp_path, fresh=True) == first


@pytest.mark.parametrize("options", [{"seed": 1}, {"changes": {"faces": 8}}])
def test_other_settings_are_computed_again(toy, tmp_path, options):
    run(tmp_path)
    assert run(tmp_path, **options)[0] == 4
    assert run(tmp_path, **options)[0] == 0


def test_other_versions_are_computed_again(toy, tmp_path, monkeypatch):
    run(tmp_path)
    monkeypatch.setattr("benchmarks.harness.runner.versions", lambda: {"torch": "0.1"})
    assert run(tmp_path)[0] == 4


def test_more_runs_keep_the_chunks_that_are_alike(toy, tmp_path):
    run(tmp_path, runs=30)
    assert run(tmp_path, runs=45)[0] == 1


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"fingerprint": 1}', '{"fingerprint": 1, "result": 2}', "\x00"]
)
def test_damaged_parts_are_computed_again(toy, tmp_path, content):
    expected = run(tmp_path)[1]
    next((tmp_path / "toy.parts").glob("plain*.0.json")).write_text(content)
    assert run(tmp_path) == (1, expected)


def test_interrupt_loses_only_the_part_in_progress(toy, tmp_path, monkeypatch, capsys):
    def interrupted(settings, runs, seed):
        if len(CALLS) == 2:
            raise KeyboardInterrupt
        return TOY.score(settings, runs, seed)

    monkeypatch.setitem(catalogue(), "toy", TOY.__class__(**(vars(TOY) | {"score": interrupted})))
    assert command.main(["run", "toy", "--out", str(tmp_path)]) == 130
    assert "finished parts are kept" in capsys.readouterr().err
    monkeypatch.setitem(catalogue(), "toy", TOY)
    assert run(tmp_path)[0] == 2
    assert run(tmp_path)[1] == run(tmp_path / "other")[1]


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "x.json"
    write_json(path, {"a": 1})

    def full(descriptor):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_json(path, {"a": 2})
    assert json.loads(path.read_text()) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_infinite_is_written(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "x.json", {"a": float("nan")})
    assert not list(tmp_path.iterdir())


def test_seeds_differ_between_chunks_and_agree_between_cells(toy):
    plain, costly = toy.cells(toy.settings_for())
    seeds = [part.seed for part in split(plain, 0)]
    assert len(set(seeds)) == 3
    assert split(costly, 0)[0].seed == seeds[0]
    assert [part.seed for part in split(plain, 1)] != seeds


ORDERS = ["run", "lola_orders", "--runs", "20", "--set", "steps=12", "--jobs", "1"]


def die_after_a_part(out):
    """Runs the command in this process, which is killed as soon as its first part is stored."""
    save = PartStore.save

    def last_words(*arguments):
        save(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)

    PartStore.save = last_words
    command.main([*ORDERS, "--out", str(out)])


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_killed_in_the_middle(tmp_path, jobs):
    """SIGKILL after the first part.

    The second try reads it, and ends as an undisturbed run, in one process or in two.
    """
    process = multiprocessing.get_context("fork").Process(target=die_after_a_part, args=[tmp_path])
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    (kept,) = (tmp_path / "lola_orders.parts").glob("*.json")
    when = kept.stat().st_mtime_ns

    assert command.main([*ORDERS, "--out", str(tmp_path)]) == 0
    own = {"runs": 20, "changes": {"steps": 12}, "executor": ExecutorOptions(jobs=jobs)}
    whole = run_benchmark("lola_orders", Options(out=tmp_path / "whole", **own))
    assert kept.stat().st_mtime_ns == when
    result = json.loads((tmp_path / "lola_orders.json").read_text())
    assert [result[key] for key in SAME] == [whole[key] for key in SAME]


ARGUMENTS = {"batch": 4, "horizon": 3, "device": "cpu"}


def test_a_training_goes_on_at_the_stage_where_it_was_killed(tmp_path):
    evaluated = []

    def evaluate(run_folder):
        evaluated.append(run_folder)
        return len(evaluated)

    def learn(word, stages):
        return train_in_stages(tmp_path / word, stages, evaluate, "loqa", "ipd_v0", **ARGUMENTS)

    killed = learn("a", [2, 4, 6])
    assert [next(killed), next(killed)] == [(2, 1), (4, 2)]
    killed.close()
    assert list(learn("a", [2, 4, 6])) == [(2, 1), (4, 2), (6, 3)]
    assert list(learn("b", [6])) == [(6, 4)]
    ends = [load(next((tmp_path / word).glob("*/run")) / "checkpoints").tensors for word in "ab"]
    assert all(torch.equal(x, ends[1][key]) for key, x in ends[0].items())


def test_evaluations_that_are_lost_or_damaged_are_not_made_up(tmp_path):
    """A run that is past a stage was evaluated there or never."""

    def learn(stages):
        steps = iter(stages)
        return train_in_stages(
            tmp_path, stages, lambda run: next(steps), "loqa", "ipd_v0", **ARGUMENTS
        )

    assert list(learn([1, 2])) == [(1, 1), (2, 2)]
    (found,) = tmp_path.glob("*/found.json")
    good = found.read_bytes()
    found.write_bytes(good.replace(b"1", b"7", 1))
    with pytest.raises(ValueError, match=r"found\.json: .* its own digest; remove .* again"):
        next(learn([1, 2]))

    found.unlink()
    with pytest.raises(ValueError, match=r"no evaluation of iteration 1, .* at 2; remove"):
        next(learn([1, 2]))
    found.write_text("[1, 2]")  # of earlier versions
    assert list(learn([1, 2])) == [(1, 1), (2, 2)]


def test_a_training_has_a_folder_for_its_part(monkeypatch):
    alike, other = ({"a": 1, "b": (2,)}, {"b": [2], "a": 1}), {"a": 1, "b": (3,)}
    assert len({training_folder("x", settings, 1, 0) for settings in (*alike, other)}) == 2
    assert len({training_folder("x", {}, runs, seed) for runs in (1, 2) for seed in (0, 1)}) == 4

    before = training_folder("x", {}, 1, 0)
    monkeypatch.setattr("benchmarks.harness.resumable_training.versions", lambda: {"torch": "0.1"})
    assert training_folder("x", {}, 1, 0) != before
    assert training_folder("y", {}, 1, 0).parent != before.parent


def test_other_defaults_of_the_learner_begin_again(tmp_path, monkeypatch):
    def count(run_folder):
        return load(run_folder / "checkpoints").step

    def iterations(stages):
        return list(train_in_stages(tmp_path, stages, count, "loqa", "ipd_v0", **ARGUMENTS))

    assert iterations([2]) == [(2, 2)]
    monkeypatch.setattr("agents.learners.loqa.loqa.IPD", replace(loqa.IPD, gamma=0.5))
    assert iterations([2, 3]) == [(2, 2), (3, 3)]
    assert len(list(tmp_path.iterdir())) == 2


def test_two_processes_do_not_train_in_one_folder(tmp_path):
    def learn():
        return train_in_stages(tmp_path, [1, 2], lambda run: 0, "loqa", "ipd_v0", **ARGUMENTS)

    first = learn()
    next(first)
    with pytest.raises(OSError, match="another process is training in"):
        next(learn())
    first.close()
    assert len(list(learn())) == 2


@pytest.mark.parametrize(
    ("stop", "status"),
    [(SystemExit(143), 143), (KeyboardInterrupt(), 130), (TrainingError("x"), 2)],
)
def test_a_training_that_ends_early_is_no_traceback(
    toy, tmp_path, monkeypatch, capsys, stop, status
):
    def ended(settings, runs, seed):
        raise stop

    monkeypatch.setitem(catalogue(), "toy", TOY.__class__(**(vars(TOY) | {"score": ended})))
    assert command.main(["run", "toy", "--out", str(tmp_path)]) == status
    assert ("finished parts are kept" in capsys.readouterr().err) == (status != 2)


def test_a_training_lasts_until_its_part_is_stored(toy, tmp_path, monkeypatch):
    """And `--fresh` forgets those of the wanted cells only."""
    monkeypatch.chdir(tmp_path)
    plain, costly = toy.cells(toy.settings_for())
    folders = [
        training_folder("toy", part.cell.settings, part.runs, part.seed)
        for cell in (plain, costly)
        for part in split(cell, 0)
    ]

    def leave_something():
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)

    leave_something()
    with monkeypatch.context() as patch, pytest.raises(OSError, match="disk"):
        patch.setattr(PartStore, "save", lambda *_: (_ for _ in ()).throw(OSError("disk")))
        run(tmp_path)
    assert all(folder.exists() for folder in folders)
    run(tmp_path)
    assert not any(folder.exists() for folder in folders)
    leave_something()
    assert run(tmp_path, fresh=True, only=("costly",))[0] == 1
    assert [folder.exists() for folder in folders] == [True, True, True, False]


@pytest.mark.slow
def test_terminating_ends_the_workers_too_and_loses_nothing(tmp_path):
    words = ["loqa_ipd", "--only", "detached", "--only", "shifted", "--jobs", "2", "--runs", "1"]
    words += ["--set", "steps=100000", "batch=8", "--out", str(tmp_path / "out")]
    line = [sys.executable, "-m", "benchmarks", "run", *words]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(line, cwd=tmp_path, env=env, text=True, **pipes)
    while len(list(tmp_path.glob("runs/benchmarks/loqa_ipd/*/*/run/run.json"))) < 2:
        assert process.poll() is None
        time.sleep(0.1)
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate(timeout=600)  # the pipe is open as long as a worker is
    assert process.returncode == 143
    assert "the same command goes on" in error
    assert "Traceback" not in error
    saved = tmp_path.glob("runs/benchmarks/loqa_ipd/*/*/run/checkpoints/state-*.json")
    assert len(list(saved)) == 2


def test_seconds_and_games_end_with_the_last_threshold(tmp_path, monkeypatch):
    """By given scores: 3x3 rewards count twice."""
    given = [(0.0, 0.0), (0.03, -0.5), (0.2, -0.15), (0.2, -0.05), (0.5, 0.0)]
    evaluations = [
        (k + 1, {"seconds": 2.0 * (k + 1), "core-s": 1.5, "self": a, "vs always_defect": b})
        for k, (a, b) in enumerate(given)
    ]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(benchmark, "train_in_stages", lambda *a, **k: iter(evaluations))
    cell = benchmark.cells({**benchmark.SETTINGS, "device": "cpu"})[0]
    result = benchmark.score(cell.settings, 1, 0)
    samples, batch = result["samples"], benchmark.SETTINGS["batch"]
    games = [samples[f"{name} games"][0] / batch for name in ("weak", "medium", "strong")]
    assert games == [2, 3, 4]
    assert samples["strong seconds"] == [8.0]
    assert samples["strong core-s"] == [6.0]
    monkeypatch.setattr(benchmark, "train_in_stages", lambda *a, **k: iter(evaluations[:3]))
    assert benchmark.score(cell.settings, 1, 0)["passed"] == ["medium", "weak"]


def test_the_last_iteration_is_evaluated_too(tmp_path, monkeypatch):
    calls = []

    def record(folder, stages, *arguments, **more):
        calls.append(list(stages))
        return iter([])

    monkeypatch.setattr(benchmark, "train_in_stages", record)
    for iterations in (50, 200, 250):
        cell = benchmark.cells({**benchmark.SETTINGS, "device": "cpu", "iterations": iterations})[0]
        benchmark.score(cell.settings, 1, 0)
    assert calls == [[50], [100, 200], [100, 200, 250]]
