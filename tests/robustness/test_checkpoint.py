"""Checkpoints: what is saved comes back; damage of any kind is one CheckpointError that names the file; kills lose nothing."""

import hashlib
import json
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import save as bytes_of

from agents import checkpoint
from agents.checkpoint import CheckpointError, check_tensors, load, save

FACTS = {"learner": "loqa", "π": [1, 2.5, None, {"deep": True}]}


def tensors(k=0):
    draws = torch.Generator().manual_seed(k)
    return {"theta": torch.randn(1, 40, generator=draws), "count": torch.arange(3) + k, "empty": torch.zeros(0, 2)}


def equal(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[n], b[n]) for n in a)


def test_round_trip(tmp_path):
    saved = save(tmp_path, 7, tensors(), FACTS, {"past0": torch.ones(2)})
    got = load(tmp_path)
    assert got.step == 7 and got.facts == FACTS and got.path == saved.path
    assert equal(got.tensors, {**tensors(), "past0": torch.ones(2)})
    assert load(saved.path).step == 7


def test_keeps_the_last_and_writes_what_never_changes_once(tmp_path):
    before = None
    for k in range(1, 7):
        past = {f"past{i}": torch.full((2,), float(i)) for i in range(k)}
        before = save(tmp_path, k, tensors(k), {}, past, keep=2, before=before)
    assert [p.name for p in checkpoint.manifests(tmp_path)] == ["state-00000005.json", "state-00000006.json"]
    assert len(list(tmp_path.glob("kept-*"))) == 6 and len(list(tmp_path.glob("state-*.safetensors"))) == 2
    got = load(tmp_path).tensors
    assert all(got[f"past{i}"].tolist() == [i, i] for i in range(6)) and torch.equal(got["theta"], tensors(6)["theta"])
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


@pytest.mark.parametrize("name", ["state-00000007.json", "state-00000007.safetensors", "kept-00000007.safetensors"])
def test_every_flipped_bit_is_noticed(tmp_path, name):
    good = tmp_path / "good"
    save(good, 7, tensors(), FACTS, {"past0": torch.ones(2)})
    original = (good / name).read_bytes()
    draws = random.Random(0)
    for bit in draws.sample(range(8 * len(original)), 200):
        flipped = bytearray(original)
        flipped[bit // 8] ^= 1 << bit % 8
        (good / name).write_bytes(bytes(flipped))
        try:
            again = load(good)
        except CheckpointError as error:
            assert str(good) in str(error) and "state-" in str(error) or "kept-" in str(error)
        else:  # a bit that JSON does not care for, for instance white space to another white space
            assert name.endswith(".json") and again.facts == FACTS and equal(
                again.tensors, {**tensors(), "past0": torch.ones(2)})  # fmt: skip


@pytest.mark.parametrize("name", ["state-00000007.json", "state-00000007.safetensors"])
def test_every_truncation_is_noticed(tmp_path, name):
    save(tmp_path, 7, tensors(), FACTS)
    original = (tmp_path / name).read_bytes()
    for length in sorted({*range(0, len(original), max(1, len(original) // 25)), len(original) - 1}):
        (tmp_path / name).write_bytes(original[:length])
        with pytest.raises(CheckpointError, match=name):
            load(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(CheckpointError, match=name if name.endswith("tensors") else str(tmp_path.name)):
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
    entry = {"file": "state-00000001.safetensors", "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    manifest = {"format": checkpoint.FORMAT, "step": 1, "facts": {}, "state": entry, "kept": [], **manifest}
    (folder / "state-00000001.json").write_bytes(checkpoint._signed(manifest))


def header(text, size=None):
    text = text.encode()
    return (len(text) if size is None else size).to_bytes(8, "little") + text


HOSTILE = {
    "pickle": b"\x80\x04cos\nsystem\n(S'touch pwned'\ntR.",
    "huge header": header("{}", 2**63 - 1),
    "huge shape": header('{"theta":{"dtype":"F32","shape":[9223372036854775807,4],"data_offsets":[0,4]}}') + b"0000",
    "overlap": header('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}')
    + b"0000",
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


@pytest.mark.parametrize("text", ["[" * 100_000, "null", "[]", "{}", '{"format": 1}', "\xff\xfe", "NaN", "1e999999", '"' + "x" * 100])
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
    for wrong, match in (({}, "theta"), ({"theta": torch.ones(2)}, "theta"), ({"count": torch.ones(3)}, "count"), ({"theta": nan}, "finite")):
        with pytest.raises(CheckpointError, match=match):
            check_tensors({**({} if not wrong else expected), **wrong}, expected, tmp_path)


WRITER = """
import sys, torch
from pathlib import Path
from agents.checkpoint import save, load, manifests
folder, before = Path(sys.argv[1]), None
step = load(folder).step if manifests(folder) else 0
if step: before = load(folder)
print("ready", flush=True)
while True:
    step += 1
    past = {f"past{i}": torch.full((1000,), float(i)) for i in range(step)}
    before = save(folder, step, {"theta": torch.full((20000,), float(step))}, {"step": step}, past, keep=2, before=before)
    print(step, flush=True)
"""


def test_a_kill_at_any_moment_loses_nothing(tmp_path):
    """20 kills: a checkpoint that was reported is there, and whole."""
    draws = random.Random(1)
    for _ in range(6):
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        process.stdout.readline()
        time.sleep(draws.uniform(0, 0.25))
        process.send_signal(signal.SIGKILL)
        reported = [int(line) for line in process.stdout.read().split("\n")[:-1] if line]
        process.wait()
        if not checkpoint.manifests(tmp_path):
            assert not reported
            continue
        got = load(tmp_path)
        assert got.step >= (reported or [0])[-1] and got.facts == {"step": got.step}
        assert (got.tensors["theta"] == got.step).all() and (got.tensors[f"past{got.step - 1}"] == got.step - 1).all()


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path):
    save(tmp_path, 1, tensors(), FACTS)
    code = """
import sys, resource, signal, torch
from pathlib import Path
from agents.checkpoint import save
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    save(Path(sys.argv[1]), 2, {"theta": torch.ones(1_000_000)}, {})
except OSError as error:
    print("refused", error.errno)
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert done.stdout.startswith("refused"), done.stderr
    assert load(tmp_path).step == 1 and not list(tmp_path.glob(".*tmp"))
    assert resource.RLIMIT_FSIZE is not None


def test_no_unsafe_loading_in_the_packages():
    """No pickle, torch.load, eval or exec is called anywhere in agents/ or social_dilemmas_env/."""
    import ast

    root = Path(checkpoint.__file__).parents[1]
    for path in [*root.glob("agents/**/*.py"), *root.glob("social_dilemmas_env/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                assert name not in ("eval", "exec", "torch.load", "pickle.load", "pickle.loads"), f"{path}: {name}"
    assert json and shutil
