"""Nothing lost: two trainings in one folder, deleted files, file systems without locks."""

import errno
import json
import os
import shutil
import stat
from pathlib import Path

import pytest
import torch

from agents import checkpoint
from agents.atomic_write import write_atomically
from agents.checkpoint import CheckpointError, load, save
from agents.training import folder_lock
from agents.training.folder_lock import NAME_OF_PID, FolderLock
from tests.agents.training.tiny import run, tensors


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setenv("SOCIAL_DILEMMAS_TENSORBOARD", "0")


# ------------------------------------------------------------------- folders that cannot be flushed


def test_a_folder_that_cannot_be_fsynced(tmp_path, monkeypatch):
    """EINVAL, as some network drives answer."""
    fsync, refused = os.fsync, []

    def picky(number):
        if stat.S_ISDIR(os.fstat(number).st_mode):
            refused.append(number)
            raise OSError(errno.EINVAL, "Invalid argument")
        return fsync(number)

    monkeypatch.setattr(os, "fsync", picky)
    assert load(run("loqa", tmp_path / "x", 1) / "checkpoints").step == 1
    assert refused


def test_a_folder_that_cannot_be_opened(tmp_path, monkeypatch):
    """As on Windows."""
    opened = os.open

    def picky(path, *arguments, **more):
        if Path(path).is_dir():
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, *arguments, **more)

    monkeypatch.setattr(os, "open", picky)
    write_atomically(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"


# ---------------------------------------------------------------------- two trainings in one folder


class Intrude:
    """Trains in the same folder while another training is at it."""

    said = ""

    def on_update(self, training, metrics):
        with pytest.raises(BlockingIOError) as refused:
            run("loqa", training.folder, 9)
        self.said = str(refused.value)


def test_the_second_training_in_a_folder_is_refused(tmp_path):
    intruder = Intrude()
    folder = run("loqa", tmp_path / "x", 3, callbacks=[intruder])
    assert f"another process is training in {folder}" in intruder.said
    assert "\n" not in intruder.said

    # It has changed nothing, and the folder is free again.
    alone = run("loqa", tmp_path / "alone", 3)
    assert all(torch.equal(x, tensors(folder)[name]) for name, x in tensors(alone).items())
    run("loqa", folder, 4)


@pytest.mark.parametrize("without", ["fcntl", "flock"])
def test_without_locks_a_file_with_the_process_stands_for_one(tmp_path, monkeypatch, without):
    if without == "fcntl":
        monkeypatch.setattr(folder_lock, "fcntl", None)
    else:

        def refuse(*_):
            raise OSError(errno.ENOLCK, "No locks available")

        monkeypatch.setattr(folder_lock.fcntl, "flock", refuse)

    with FolderLock(tmp_path):
        assert (tmp_path / NAME_OF_PID).read_text() == str(os.getpid())
        with pytest.raises(BlockingIOError, match=NAME_OF_PID), FolderLock(tmp_path):
            pass
        assert (tmp_path / NAME_OF_PID).exists()
    assert not (tmp_path / NAME_OF_PID).exists()

    # What a killed process has left.
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    (tmp_path / NAME_OF_PID).write_text(str(child))
    with FolderLock(tmp_path):
        assert (tmp_path / NAME_OF_PID).read_text() == str(os.getpid())


def test_a_lock_whose_folder_was_deleted(tmp_path):
    folder = tmp_path / "x"
    with FolderLock(folder) as mine:
        shutil.rmtree(folder)
        mine.renew()
        shutil.rmtree(folder)
        with FolderLock(folder), pytest.raises(BlockingIOError):
            mine.renew()


def test_a_folder_that_was_made_for_nothing_is_gone_again(tmp_path):
    """What a refused request leaves; not where something was there or has come."""
    folder = tmp_path / "runs" / "x"
    with pytest.raises(ValueError, match="refused"), FolderLock(folder):
        raise ValueError("refused")
    assert list(tmp_path.iterdir()) == []

    for earlier in (True, False):
        if earlier:
            folder.mkdir(parents=True)
        with pytest.raises(ValueError, match="refused"), FolderLock(folder):
            if not earlier:
                (folder / "kept").touch()
            raise ValueError("refused")
        assert folder.exists()
        shutil.rmtree(tmp_path / "runs")


def test_who_waited_for_a_lock_that_went_with_its_folder_gets_the_new_one(tmp_path, monkeypatch):
    """The file that it has locked is not the one that others would find."""
    folder, lock = tmp_path / "x", folder_lock.fcntl.flock
    came = []

    def late(file, how):
        if not came:
            came.append(shutil.rmtree(folder))
        lock(file, how)

    monkeypatch.setattr(folder_lock.fcntl, "flock", late)
    with FolderLock(folder), pytest.raises(BlockingIOError), FolderLock(folder):
        pass


def test_frozen_files_of_equal_names_hold_equal_things(tmp_path):
    for k in (1, 2):
        save(tmp_path, 7, {}, {}, {"past0": torch.full((2,), float(k))})
    names = sorted(path.name for path in tmp_path.glob("kept-*"))
    assert len(names) == 2
    assert load(tmp_path).tensors["past0"].tolist() == [2, 2]


def test_frozen_files_without_a_digest_in_their_names_are_read(tmp_path):
    """Of earlier versions."""
    saved = save(tmp_path, 7, {}, {}, {"past0": torch.ones(2)})
    (entry,) = saved.files
    (tmp_path / entry["file"]).rename(tmp_path / "kept-00000007.safetensors")
    text = json.loads(saved.path.read_text())
    text.pop("sha256")
    text["kept"][0]["file"] = "kept-00000007.safetensors"
    saved.path.write_bytes(checkpoint.sign(text))

    before = load(tmp_path)
    assert before.tensors["past0"].tolist() == [1, 1]
    more = {"past0": torch.ones(2), "past1": torch.zeros(2)}
    assert len(save(tmp_path, 8, {}, {}, more, before=before).files) == 2
    assert load(tmp_path).tensors["past0"].tolist() == [1, 1]


# -------------------------------------------------------------------------------- deleted meanwhile


class Delete:
    """Deletes files of the run, once, when its fifth update has been saved."""

    def __init__(self, what):
        self.what, self.done = what, False

    def on_save(self, training, saved):
        if training.iteration == 5 and not self.done:
            self.done = True
            for path in training.folder.glob(self.what):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


LOST = ["../*", "*", "checkpoints", "checkpoints/kept-*", "checkpoints/kept-00000001*", "run.json"]
LOST += ["checkpoints/state-*", "checkpoints/state-*.json", "checkpoints/state-00000005.safe*"]


@pytest.mark.parametrize("what", LOST)
@pytest.mark.parametrize("last", [5, 6])
def test_what_was_deleted_while_training_is_there_at_the_end(tmp_path, what, last):
    folder = tmp_path / "runs" / "x"
    run("loqa", folder, last, save_minutes=0.0, callbacks=[Delete(what)])
    whole = run("loqa", tmp_path / "whole", last)
    assert load(folder / "checkpoints").step == last
    assert all(torch.equal(x, tensors(folder)[name]) for name, x in tensors(whole).items())
    run("loqa", folder, last + 1)


def test_a_checkpoint_whose_file_goes_while_it_is_written_is_not_saved(tmp_path, monkeypatch):
    before = save(tmp_path, 1, {}, {}, {"past0": torch.ones(2)})
    write = checkpoint.write_tensors

    def write_late(path, tensors):
        for kept in tmp_path.glob("kept-*"):
            kept.unlink()
        return write(path, tensors)

    monkeypatch.setattr(checkpoint, "write_tensors", write_late)
    with pytest.raises(CheckpointError, match=r"not saved: kept-\S+ was deleted meanwhile"):
        save(tmp_path, 2, {}, {}, {"past0": torch.ones(2)}, before=before)


# ------------------------------------------------------------------------------ which one to go on


def test_a_damaged_checkpoint_names_the_older_ones(tmp_path):
    for step in (1, 2, 3):
        save(tmp_path, step, {"x": torch.ones(1)}, {})
    (tmp_path / "state-00000003.safetensors").write_bytes(b"")
    words = r"state-00000003\.safetensors.*state-00000002\.json and state-00000001\.json"
    with pytest.raises(CheckpointError, match=words):
        load(tmp_path)

    (tmp_path / "state-00000003.json").unlink()
    assert load(tmp_path).step == 2


def test_checkpoints_are_ordered_by_number(tmp_path):
    """The numbers in names have eight digits; later ones have nine."""
    for step in (99_999_998, 99_999_999, 100_000_000, 100_000_001):
        save(tmp_path, step, {"x": torch.ones(1)}, {}, keep=2)
        assert load(tmp_path).step == step
    assert [load(path).step for path in checkpoint.manifests(tmp_path)] == [10**8, 10**8 + 1]
    (tmp_path / "state-of-mind.json").write_text("{}")
    assert load(tmp_path).step == 10**8 + 1


def test_a_renamed_checkpoint_is_noticed(tmp_path):
    path = save(tmp_path, 1, {"x": torch.ones(1)}, {}).path
    path.rename(tmp_path / "state-00000009.json")
    with pytest.raises(CheckpointError, match="it holds step 1"):
        load(tmp_path)
