"""Interrupted runs go on where they were; parts of other settings, or damaged ones, do not count."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from toy import CALLS, TOY

from benchmarks import __main__ as command
from benchmarks.catalogue import catalogue
from benchmarks.executors import executor
from benchmarks.parts import split, write_json
from benchmarks.run import Options, run_benchmark

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
    monkeypatch.setattr("benchmarks.run.versions", lambda: {"torch": "0.1"})
    assert run(tmp_path)[0] == 4


def test_more_runs_keep_the_chunks_that_are_alike(toy, tmp_path):
    run(tmp_path, runs=30)
    assert run(tmp_path, runs=45)[0] == 1


@pytest.mark.parametrize("content", ["", "{", "[]", '{"fingerprint": 1}', '{"fingerprint": 1, "result": 2}', "\x00"])
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
    assert json.loads(path.read_text()) == {"a": 1} and list(tmp_path.iterdir()) == [path]


def test_nothing_infinite_is_written(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "x.json", {"a": float("nan")})
    assert not list(tmp_path.iterdir())


def test_seeds_differ_between_chunks_and_agree_between_cells(toy):
    plain, costly = toy.cells(toy.settings_for())
    seeds = [part.seed for part in split(plain, 0)]
    assert len(set(seeds)) == 3 and split(costly, 0)[0].seed == seeds[0]
    assert [part.seed for part in split(plain, 1)] != seeds


def start(out):
    line = [sys.executable, "-m", "benchmarks", "run", "lola_orders", "--runs", "20", "--set", "steps=12", "--out", str(out)]
    return subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_killed_in_the_middle(tmp_path):
    """SIGKILL after the first part; the second try reads it, and ends as an undisturbed run in 2 processes."""
    process = start(tmp_path)
    parts = tmp_path / "lola_orders.parts"
    for _ in range(600):
        if len(list(parts.glob("*.json"))) >= 1 or process.poll() is not None:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    kept = {path: path.stat().st_mtime_ns for path in parts.glob("*.json")}
    assert kept
    again = start(tmp_path)
    whole = run_benchmark("lola_orders", Options(runs=20, changes={"steps": 12}, out=tmp_path / "whole", jobs=2))
    output, _ = again.communicate()
    assert again.returncode == 0, output
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())
    result = json.loads((tmp_path / "lola_orders.json").read_text())
    assert [result[key] for key in SAME] == [whole[key] for key in SAME]


def test_ray_that_is_missing_is_named_with_the_pip_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ImportError, match=r"pip install 'social-dilemmas-env\[distributed\]'"):
        executor("ray")
