"""Checkpoints that survive kills and full disks, and that cannot run code.

A run folder holds, for each of the last few checkpoints,

    state-00000300.safetensors    tensors
    state-00000300.json           the manifest: facts, and name, size and sha256 of every file it needs

and, once, files that never change, `kept-*.safetensors` (past selves), which all later manifests
name. A manifest is written last, so a checkpoint exists when its manifest does. Every file is
written beside its place, flushed to the disk and renamed onto it; older checkpoints go only when
the new one has been read back. The manifest carries its own digest.

There is no pickle here, and no `torch.load`: JSON and safetensors hold data only.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as tensors_of
from safetensors.torch import save as bytes_of
from torch import Tensor

FORMAT = "social-dilemmas checkpoint 1"
MAX_MANIFEST = 1 << 24
Tensors = Mapping[str, Tensor]
_PROBLEMS = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RecursionError,
    MemoryError,
    OverflowError,
)


class CheckpointError(ValueError):
    """A checkpoint that is missing, damaged, or not what was asked for.  Names the file."""


@dataclass(frozen=True)
class Checkpoint:
    """What was saved.

    Attributes:
        path: its manifest.
        step: the number it was saved under.
        facts: plain values.
        tensors: by name, on the CPU.
        files: the never-changing files it needs, as in the manifest.
    """

    path: Path
    step: int
    facts: dict[str, Any]
    tensors: dict[str, Tensor]
    files: list[dict[str, Any]] = field(default_factory=list)


def write_atomically(path: Path, data: bytes) -> None:
    """Writes a file such that at any moment, also after a power cut, `path` holds the old content
    or the new.

    Raises:
        OSError: for example a full disk; the old content is still there.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(beside, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def save(
    folder: Path, step: int, tensors: Tensors, facts: Mapping[str, Any], kept: Tensors | None = None,
    *, keep: int = 3, before: Checkpoint | None = None,
) -> Checkpoint:  # fmt: skip
    """Saves a checkpoint, then deletes all but the latest `keep`.

    Args:
        folder: created if missing.
        step: orders the checkpoints.
        tensors: what changes from checkpoint to checkpoint.
        facts: plain values (JSON).
        kept: tensors that will never change; those that `before` has are not written again.
        keep: how many checkpoints stay.
        before: the checkpoint saved (or loaded) last, or None.

    Returns:
        What is needed as `before` next time: without the tensors.

    Raises:
        OSError: it could not be written; earlier checkpoints are untouched.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = list(before.files) if before else []
    present = {name for entry in files for name in entry["names"]}
    new = {name: tensor for name, tensor in (kept or {}).items() if name not in present}
    if new:
        files.append({**_write(folder / f"kept-{step:08d}.safetensors", new), "names": sorted(new)})
    state = _write(folder / f"state-{step:08d}.safetensors", tensors)
    manifest = {"format": FORMAT, "step": step, "facts": dict(facts), "state": state, "kept": files}
    path = folder / f"state-{step:08d}.json"
    write_atomically(path, _signed(manifest))
    entry = _manifest(path)["state"]
    _read(folder / entry["file"], entry)
    for old in manifests(folder)[:-keep]:
        old.unlink(missing_ok=True)  # first, since without it the other file means nothing
        old.with_suffix(".safetensors").unlink(missing_ok=True)
    return Checkpoint(path, step, dict(facts), {}, files)


def export(path: Path, checkpoint: Checkpoint) -> Path:
    """Writes a checkpoint as `path` (.json) and the tensors beside it (.safetensors).

    How bundled agents are stored.
    """
    state = _write(path.with_suffix(".safetensors"), checkpoint.tensors)
    manifest = {
        "format": FORMAT,
        "step": checkpoint.step,
        "facts": checkpoint.facts,
        "state": state,
        "kept": [],
    }
    write_atomically(path, _signed(manifest))
    return path


def manifests(folder: Path) -> list[Path]:
    """The checkpoints of a run folder, oldest first."""
    return sorted(folder.glob("state-*.json"))


def load(path: str | Path) -> Checkpoint:
    """Reads a checkpoint: a manifest, or the latest one of a folder.

    Raises:
        CheckpointError: missing, damaged or hostile; the message names the file.
    """
    path = Path(path)
    if path.is_dir():
        found = manifests(path)
        if not found:
            raise CheckpointError(f"{path}: there is no checkpoint (state-*.json) in this folder")
        path = found[-1]
    manifest = _manifest(path)
    entries = [manifest["state"], *manifest["kept"]]
    tensors: dict[str, Tensor] = {}
    for entry in entries:
        tensors |= _read(path.parent / entry["file"], entry)
    return Checkpoint(path, manifest["step"], manifest["facts"], tensors, manifest["kept"])


def _write(path: Path, tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    data = bytes_of(
        {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    )
    write_atomically(path, data)
    return {"file": path.name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _signed(manifest: dict[str, Any]) -> bytes:
    digest = hashlib.sha256(_canonical(manifest)).hexdigest()
    return json.dumps({**manifest, "sha256": digest}, indent=1, allow_nan=False).encode()


def _canonical(manifest: dict[str, Any]) -> bytes:
    return json.dumps(manifest, sort_keys=True).encode()


def _manifest(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_MANIFEST:
            raise ValueError("too large for a manifest")
        manifest = json.loads(path.read_bytes())
        if manifest["format"] != FORMAT:
            raise ValueError(f"its format is {manifest['format']!r}, this version reads {FORMAT!r}")
        if (
            hashlib.sha256(_canonical(_without(manifest, "sha256"))).hexdigest()
            != manifest["sha256"]
        ):
            raise ValueError("its content does not match its own digest")
        entries = [manifest["state"], *manifest["kept"]]
        if not all(
            e["file"] == os.path.basename(e["file"]) and e["file"].endswith(".safetensors")
            for e in entries
        ):
            raise ValueError("it names files outside its folder")
        if type(manifest["step"]) is not int or not isinstance(manifest["facts"], dict):
            raise ValueError("step must be an integer and facts an object")
    except _PROBLEMS as error:
        raise CheckpointError(f"{path}: not a readable checkpoint: {_sentence(error)}") from error
    return manifest


def _read(path: Path, entry: dict[str, Any]) -> dict[str, Tensor]:
    try:
        if path.stat().st_size != entry["bytes"]:
            raise ValueError(
                f"it has {path.stat().st_size} bytes, its manifest says {entry['bytes']}"
            )
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            raise ValueError("its content does not match the digest in its manifest")
        return tensors_of(data)
    except _PROBLEMS as error:
        raise CheckpointError(f"{path}: damaged: {_sentence(error)}") from error
    except Exception as error:  # SafetensorError derives from Exception alone
        raise CheckpointError(f"{path}: not safetensors: {error}") from error


def _without(mapping: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key != name}


def _sentence(error: BaseException) -> str:
    return (
        f"no {error} in it" if isinstance(error, KeyError) else str(error) or type(error).__name__
    )


def check_tensors(found: Mapping[str, Tensor], expected: Mapping[str, Tensor], path: Path) -> None:
    """Raises CheckpointError unless `found` has the names, shapes and dtypes of `expected` (and
    perhaps more).
    """
    for name, tensor in expected.items():
        if name not in found:
            raise CheckpointError(
                f"{path}: it has no {name!r}: saved by another learner or version"
            )
        got = found[name]
        if got.shape != tensor.shape or got.dtype != tensor.dtype:
            raise CheckpointError(
                f"{path}: {name!r} is {got.dtype} {tuple(got.shape)}, this learner's {tensor.dtype} {tuple(tensor.shape)}: "
                "saved for another game, grid or size of network"
            )
        if got.is_floating_point() and not torch.isfinite(got).all():
            raise CheckpointError(f"{path}: {name!r} is not finite")
