"""One of each: the atomic write, the progress bar, the names of devices."""

import os
import subprocess
import sys

import pytest
import torch

from agents.atomic_write import write_atomically
from agents.execution.device import device_name, processor_name, resolve_device
from agents.progress import ProgressBar


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "x"
    write_atomically(path, b"old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


LIGHT = [
    "agents",
    "agents.errors",
    "agents.registry",
    "agents.progress",
    "agents.atomic_write",
    "agents.execution.device",
    "agents.cli.main",
    "agents.cli.train",
    "agents.cli.export",
    "agents.evaluation.league",
    "agents.training.settings",
]


def test_what_the_commands_import_needs_no_torch():
    """A list of games or learners must not wait for it."""
    code = f"import sys, {', '.join(LIGHT)}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-W", "error::DeprecationWarning", "-c", code], check=True)


def test_devices_by_word():
    assert resolve_device("cpu") == "cpu"
    assert resolve_device("cuda:1") == "cuda:1"
    assert resolve_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")


def test_the_name_of_the_processor_and_its_threads():
    assert processor_name("cpu")
    assert device_name("cpu") == f"{processor_name('cpu')}, {torch.get_num_threads()} thread"


def test_a_bar_without_a_terminal_says_lines_only(capsys):
    with ProgressBar("working", 3) as bar:
        bar.advance()
        bar.move_to(2, "half")
        bar.say("a line")
    assert not bar.shown
    assert capsys.readouterr().err == "a line\n"


def test_a_bar_counts_and_says_lines_above(capsys):
    pytest.importorskip("rich")
    with ProgressBar("working", 3, start=1, shown=True) as bar:
        bar.advance(1, "two")
        bar.say("a line")
        bar.move_to(3, "three")
    shown = capsys.readouterr().err
    assert bar.shown
    assert "a line" in shown
    assert "3/3" in shown
    assert "three" in shown


def test_without_rich_there_is_no_bar(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    with ProgressBar("working", 3, shown=True) as bar:
        bar.advance()
    assert not bar.shown
    assert capsys.readouterr().err == ""
