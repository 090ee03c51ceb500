"""Checkpoints: what is saved comes back.

Damage of any kind is one CheckpointError naming the file; kills lose nothing.
"""

import ast
import hashlib
import os
import random
import resource
import signal
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import save as bytes_of

from agents import checkpoint
from agents import manifest as manifest_file
from agents.checkpoint import CheckpointError, check_tensors, load, save

FACTS = {"learner": "loqa", "π": [1, 2.5, None, {"deep": True}]}


def tensors(k=0):
    draws = torch.Generator().manual_seed(k)
    return {
        "theta": torch.randn(1, 40, generator=draws),
        "count": torch.arange(3) + k,
        "empty": torch.zeros(0, 2),
    }


def equal(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[n], b[n]) for n in a)


def test_round_trip(tmp_path):
    saved = save(tmp_path, 7, tensors(), FACTS, {"past0": torch.ones(2)})
    got = load(tmp_path)
    assert got.step == 7
    assert got.facts == FACTS
    assert got.path == saved.path
    assert equal(got.tensors, {**tensors(), "past0": torch.ones(2)})
    assert load(saved.path).step == 7


def test_keeps_the_last_and_writes_what_never_changes_once(tmp_path):
    before = None
    for k in range(1, 7):
        past = {f"past{i}": torch.full((2,), float(i)) for i in range(k)}
        before = save(tmp_path, k, tensors(k), {}, past, keep=2, before=before)
    assert [p.name for p in checkpoint.manifests(tmp_path)] == [
        "state-00000005.json",
        "state-00000006.json",
    ]
    assert len(list(tmp_path.glob("kept-*"))) == 6
    assert len(list(tmp_path.glob("state-*.safetensors"))) == 2
    got = load(tmp_path).tensors
    assert all(got[f"past{i}"].tolist() == [i, i] for i in range(6))
    assert torch.equal(got["theta"], tensors(6)["theta"])
    assert load(tmp_path / "state-00000005.json").tensors.keys() == got.keys() - {"past5"}


def test_no_checkpoint(tmp_path):
    for path in (tmp_path, tmp_path / "nothing.json"):
        with pytest.raises(CheckpointError, match=path.name):
            load(path)


def damage(folder, name, change):
    path = folder / name
    data = bytearray(path.read_bytes())
    path.write_bytes(bytes(change(data)))
    return path


@pytest.mark.parametrize(
    "name", ["state-00000007.json", "state-00000007.safetensors", "kept-00000007-*.safetensors"]
)
def test_every_flipped_bit_is_noticed(tmp_path, name):
    good = tmp_path / "good"
    save(good, 7, tensors(), FACTS, {"past0": torch.ones(2)})
    (name,) = [path.name for path in good.glob(name)]
    original = (good / name).read_bytes()
    draws = random.Random(0)
    for bit in draws.sample(range(8 * len(original)), 200):
        flipped = bytearray(original)
        flipped[bit // 8] ^= 1 << bit % 8
        (good / name).write_bytes(bytes(flipped))
        try:
            again = load(good)
        except CheckpointError as error:
            assert str(good) in str(error)
            assert "state-" in str(error) or "kept-" in str(error)
        else:  # a bit that JSON does not care for, for instance white space to another white space
            assert name.endswith(".json")
            assert again.facts == FACTS
            assert equal(again.tensors, {**tensors(), "past0": torch.ones(2)})


@pytest.mark.parametrize("name", ["state-00000007.json", "state-00000007.safetensors"])
def test_every_truncation_is_noticed(tmp_path, name):
    save(tmp_path, 7, tensors(), FACTS)
    original = (tmp_path / name).read_bytes()
    for length in sorted(
        {*range(0, len(original), max(1, len(original) // 25)), len(original) - 1}
    ):
        (tmp_path / name).write_bytes(original[:length])
        with pytest.raises(CheckpointError, match=name):
            load(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(
        CheckpointError, match=name if name.endswith("tensors") else str(tmp_path.name)
    ):
        load(tmp_path)


def test_swapped_files_are_noticed(tmp_path):
    save(tmp_path, 1, tensors(1), {})
    save(tmp_path, 2, tensors(2), {})
    first, second = (tmp_path / f"state-0000000{k}.safetensors" for k in (1, 2))
    one, two = first.read_bytes(), second.read_bytes()
    first.write_bytes(two), second.write_bytes(one)
    with pytest.raises(CheckpointError, match=second.name):
        load(tmp_path)


def signed(folder, manifest, data=b""):
    """A manifest with valid digests, as an attacker would make it."""
    (folder / "state-00000001.safetensors").write_bytes(data)
    entry = {
        "file": "state-00000001.safetensors",
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    manifest = {
        "format": checkpoint.FORMAT,
        "step": 1,
        "facts": {},
        "state": entry,
        "kept": [],
        **manifest,
    }
    (folder / "state-00000001.json").write_bytes(manifest_file.sign(manifest))


def header(text, size=None):
    text = text.encode()
    return (len(text) if size is None else size).to_bytes(8, "little") + text


F32 = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
HOSTILE = {
    "pickle": b"\x80\x04cos\nsystem\n(S'touch pwned'\ntR.",
    "huge header": header("{}", 2**63 - 1),
    "huge shape": header(
        '{"a":{"dtype":"F32","shape":[9223372036854775807,4],"data_offsets":[0,4]}}'
    )
    + b"0000",
    "overlap": header('{"a":' + F32 + ',"b":' + F32 + "}") + b"0000",
    "not json": header("{" * 1000),
    "unknown type": header('{"a":{"dtype":"EVIL","shape":[1],"data_offsets":[0,4]}}') + b"0000",
    "nothing": b"",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_tensors(tmp_path, name):
    signed(tmp_path, {}, HOSTILE[name])
    with pytest.raises(CheckpointError, match=r"state-00000001\.safetensors"):
        load(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"state": {"file": "../secret.safetensors", "bytes": 0, "sha256": ""}},
        {"state": {"file": "/etc/passwd", "bytes": 0, "sha256": ""}},
        {"state": {"file": 3, "bytes": 0, "sha256": ""}},
        {"state": None},
        {"kept": [{"file": "a/../b.safetensors", "bytes": 0, "sha256": ""}]},
        {"kept": 5},
        {"step": "1"},
        {"facts": []},
        {"format": "social-dilemmas checkpoint 99"},
    ],
)
def test_hostile_manifests(tmp_path, change):
    signed(tmp_path, change, bytes_of({"a": torch.ones(1)}))
    with pytest.raises(CheckpointError, match=r"state-00000001\.json"):
        load(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "null",
        "[]",
        "{}",
        '{"format": 1}',
        "\xff\xfe",
        "NaN",
        "1e999999",
        '"' + "x" * 100,
    ],
)
def test_strange_manifests(tmp_path, text):
    (tmp_path / "state-00000001.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(CheckpointError, match=r"state-00000001\.json"):
        load(tmp_path)


def test_enormous_manifest(tmp_path):
    with open(tmp_path / "state-00000001.json", "wb") as file:
        file.truncate(checkpoint.MAX_MANIFEST + 1)
    with pytest.raises(CheckpointError, match="too large"):
        load(tmp_path)


def test_check_tensors(tmp_path):
    expected = tensors()
    check_tensors({**expected, "more": torch.ones(1)}, expected, tmp_path)
    nan = torch.full_like(expected["theta"], torch.nan)
    for wrong, match in (
        ({}, "theta"),
        ({"theta": torch.ones(2)}, "theta"),
        ({"count": torch.ones(3)}, "count"),
        ({"theta": nan}, "finite"),
    ):
        with pytest.raises(CheckpointError, match=match):
            check_tensors({**({} if not wrong else expected), **wrong}, expected, tmp_path)


def write_for_ever(folder, pipe):
    """Checkpoint after checkpoint.

    The number of each goes into the pipe once `save` has returned.
    """
    before = load(folder) if checkpoint.manifests(folder) else None
    for step in range(before.step + 1 if before else 1, 10**6):
        past = {f"past{i}": torch.full((1000,), float(i)) for i in range(step)}
        before = save(
            folder,
            step,
            {"theta": torch.full((20000,), float(step))},
            {"step": step},
            past,
            keep=2,
            before=before,
        )
        os.write(pipe, f"{step}\n".encode())


def in_a_child(function, *arguments):
    """Runs a function in a fork of this process (no second import of torch).

    Returns its pid and the end to read.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            function(*arguments, writer)
        finally:
            os._exit(0)
    os.close(writer)
    return pid, reader


def everything(reader):
    with os.fdopen(reader) as file:
        return file.read()


def test_a_kill_at_any_moment_loses_nothing(tmp_path):
    """25 kills: the last checkpoint that was reported is there, or a later one, and it is whole."""
    draws = random.Random(1)
    for k in range(25):
        pid, reader = in_a_child(write_for_ever, tmp_path)
        said = os.read(reader, 1) if k == 0 else b""  # however busy the machine is
        time.sleep(draws.uniform(0, 0.12))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        reported = [int(line) for line in (said.decode() + everything(reader)).split()]
        if not checkpoint.manifests(tmp_path):
            assert not reported
            continue
        got = load(tmp_path)
        assert got.step >= (reported or [0])[-1]
        assert got.facts == {"step": got.step}
        assert (got.tensors["theta"] == got.step).all()
        assert (got.tensors[f"past{got.step - 1}"] == got.step - 1).all()
    assert checkpoint.manifests(tmp_path)


def write_too_much(folder, pipe):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    try:
        save(folder, 2, {"theta": torch.ones(1_000_000)}, {})
    except OSError:
        os.write(pipe, b"refused")


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path):
    save(tmp_path, 1, tensors(), FACTS)
    pid, reader = in_a_child(write_too_much, tmp_path)
    os.waitpid(pid, 0)
    assert everything(reader) == "refused"
    assert load(tmp_path).step == 1
    assert not list(tmp_path.glob(".*tmp"))


def test_nothing_here_can_run_code():
    """No pickle, torch.load, eval or exec is called in agents/."""
    for path in Path(checkpoint.__file__).parent.glob("**/*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                assert name not in ("eval", "exec", "torch.load"), f"{path}: {name}"
                assert not name.startswith("pickle."), f"{path}: {name}"
