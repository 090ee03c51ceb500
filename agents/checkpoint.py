"""Checkpoints that survive kills and full disks, and that cannot run code.

A run folder holds, for each of the last few checkpoints,

    state-00000300.safetensors    tensors
    state-00000300.json           the manifest: facts; name, size and sha256 of each file it needs

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

from agents.atomic_write import write_atomically
from agents.errors import CheckpointError as CheckpointError  # its name here, too

FORMAT = "social-dilemmas checkpoint 1"
MAX_MANIFEST = 1 << 24  # bytes; more is no manifest
Tensors = Mapping[str, Tensor]

# What reading a damaged or hostile file may raise.
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


@dataclass(frozen=True)
class Checkpoint:
    """What was saved."""

    path: Path  # its manifest
    step: int  # the number it was saved under
    facts: dict[str, Any]  # plain values
    tensors: dict[str, Tensor]  # by name, on the CPU
    # The never-changing files it needs, as in the manifest.
    files: list[dict[str, Any]] = field(default_factory=list)


def save(
    folder: Path,
    step: int,
    tensors: Tensors,
    facts: Mapping[str, Any],
    frozen: Tensors | None = None,
    *,
    keep: int = 3,
    before: Checkpoint | None = None,
) -> Checkpoint:
    """Saves a checkpoint, then deletes all but the latest `keep`.

    Args:
        folder: created if missing.
        step: orders the checkpoints.
        tensors: what changes from checkpoint to checkpoint.
        facts: plain values (JSON).
        frozen: tensors that will never change; those that `before` has are not written again.
        keep: how many checkpoints stay.
        before: the checkpoint saved (or loaded) last, or None.

    Returns:
        What is needed as `before` next time: without the tensors.

    Raises:
        OSError: it could not be written; earlier checkpoints are untouched.
    """
    folder.mkdir(parents=True, exist_ok=True)

    # What never changes: only what no earlier checkpoint has written.
    files = list(before.files) if before else []
    present = {name for entry in files for name in entry["names"]}
    new = {name: tensor for name, tensor in (frozen or {}).items() if name not in present}
    if new:
        files.append({**_write(folder / f"kept-{step:08d}.safetensors", new), "names": sorted(new)})

    # What changes, then the manifest: a checkpoint exists when its manifest does.
    path = folder / f"state-{step:08d}.json"
    state = _write(path.with_suffix(".safetensors"), tensors)
    manifest = {"format": FORMAT, "step": step, "facts": dict(facts), "state": state, "kept": files}
    write_atomically(path, _signed(manifest))

    # Older checkpoints go when this one can be read back.
    entry = _manifest(path)["state"]
    _read(folder / entry["file"], entry)
    for old in manifests(folder)[:-keep]:
        old.unlink(missing_ok=True)  # first, since without it the other file means nothing
        old.with_suffix(".safetensors").unlink(missing_ok=True)

    return Checkpoint(path, step, dict(facts), {}, files)


def export(path: Path, checkpoint: Checkpoint) -> Path:
    """Writes a checkpoint as one pair of files, `path` (.json) and its tensors (.safetensors).

    `social-dilemmas export` makes the bundled agents with it (evaluation/export.py).

    Args:
        path: the manifest; ends in .json.
        checkpoint: its facts and all of its tensors are written.

    Returns:
        `path`.

    Raises:
        OSError: it could not be written.
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


def _write(path: Path, tensors: Tensors) -> dict[str, Any]:
    """Writes tensors; returns the file's entry in the manifest."""
    # A clone of each: safetensors refuses tensors that share memory.
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    data = bytes_of(plain)
    write_atomically(path, data)
    return {"file": path.name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _signed(manifest: dict[str, Any]) -> bytes:
    """The bytes of a manifest with its own digest in it."""
    digest = hashlib.sha256(_canonical(manifest)).hexdigest()
    return json.dumps({**manifest, "sha256": digest}, indent=1, allow_nan=False).encode()


def _canonical(manifest: dict[str, Any]) -> bytes:
    """What the digest of a manifest is taken of."""
    return json.dumps(manifest, sort_keys=True).encode()


def _manifest(path: Path) -> dict[str, Any]:
    """The manifest in a file, if it is whole and asks for nothing outside its folder."""
    try:
        if path.stat().st_size > MAX_MANIFEST:
            raise ValueError("too large for a manifest")
        manifest: dict[str, Any] = json.loads(path.read_bytes())
        _check_manifest(manifest)
    except _PROBLEMS as error:
        raise CheckpointError(f"{path}: not a readable checkpoint: {_sentence(error)}") from error
    return manifest


def _check_manifest(manifest: dict[str, Any]) -> None:
    """Raises one of _PROBLEMS unless a manifest is what `_signed` makes."""
    if manifest["format"] != FORMAT:
        raise ValueError(f"its format is {manifest['format']!r}, this version reads {FORMAT!r}")
    content = {name: value for name, value in manifest.items() if name != "sha256"}
    if hashlib.sha256(_canonical(content)).hexdigest() != manifest["sha256"]:
        raise ValueError("its content does not match its own digest")

    for entry in [manifest["state"], *manifest["kept"]]:
        name = entry["file"]
        if name != os.path.basename(name) or not name.endswith(".safetensors"):
            raise ValueError("it names files outside its folder")
    if type(manifest["step"]) is not int or not isinstance(manifest["facts"], dict):
        raise ValueError("step must be an integer and facts an object")


def _read(path: Path, entry: dict[str, Any]) -> dict[str, Tensor]:
    """The tensors of a file, if it is the one that its manifest's entry describes."""
    try:
        size = path.stat().st_size
        if size != entry["bytes"]:
            raise ValueError(f"it has {size} bytes, its manifest says {entry['bytes']}")
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            raise ValueError("its content does not match the digest in its manifest")
        tensors: dict[str, Tensor] = tensors_of(data)
    except _PROBLEMS as error:
        raise CheckpointError(f"{path}: damaged: {_sentence(error)}") from error
    except Exception as error:  # SafetensorError derives from Exception alone
        raise CheckpointError(f"{path}: not safetensors: {error}") from error
    return tensors


def _sentence(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return f"no {error} in it"
    return str(error) or type(error).__name__


def check_tensors(tensors: Tensors, expected: Tensors, path: Path) -> None:
    """Checks that a checkpoint holds what a learner needs.

    Args:
        tensors: the checkpoint's tensors; more than expected is fine.
        expected: tensors of the right names, shapes and dtypes; their values do not matter.
        path: the checkpoint, for the message.

    Raises:
        CheckpointError: a tensor is missing, of another shape or dtype, or not finite.
    """
    for name, tensor in expected.items():
        # Another learner's, or another version's.
        if name not in tensors:
            raise CheckpointError(
                f"{path}: it has no {name!r}: saved by another learner or version"
            )

        # The same learner's, of another game or size.
        got = tensors[name]
        if got.shape != tensor.shape or got.dtype != tensor.dtype:
            raise CheckpointError(
                f"{path}: {name!r} is {got.dtype} {tuple(got.shape)}, this learner's "
                f"{tensor.dtype} {tuple(tensor.shape)}: "
                "saved for another game, grid or size of network"
            )

        # Nothing that is saved is infinite; whatever made it so, it cannot be played.
        if got.is_floating_point() and not torch.isfinite(got).all():
            raise CheckpointError(f"{path}: {name!r} is not finite")
