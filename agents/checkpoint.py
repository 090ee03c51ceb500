"""Checkpoints that survive kills and full disks, and that cannot run code.

A run folder holds, for each of the last few checkpoints,

    state-00000300.safetensors    tensors
    state-00000300.json           the manifest: facts; name, size and sha256 of each file it needs

and, once, files that never change, `kept-*.safetensors` (past selves), which all later manifests
name. Their names end with a part of their digest: files of equal names hold equal things (those of
earlier versions had none, and are read). A manifest is written last, so a checkpoint exists when
its manifest does. Every file is written beside its place, flushed to the disk and renamed onto it;
older checkpoints go only when the new one has been read back. manifest.py has the format.

There is no pickle here, and no `torch.load`: JSON and safetensors hold data only.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from agents.atomic_write import write_atomically
from agents.errors import CheckpointError as CheckpointError  # its name here, too
from agents.manifest import (
    FORMAT,
    MAX_MANIFEST,
    Entry,
    Tensors,
    is_there,
    pack,
    read_manifest,
    read_tensors,
    sign,
    write_packed,
    write_tensors,
)

__all__ = [
    "FORMAT",
    "MAX_MANIFEST",
    "Checkpoint",
    "CheckpointError",
    "add_facts",
    "check_tensors",
    "export",
    "is_whole",
    "load",
    "manifests",
    "save",
]


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
        CheckpointError: what was written is not there; so are they.
    """
    folder.mkdir(parents=True, exist_ok=True)

    # What never changes: only what no earlier checkpoint has written, or what has since gone.
    files = _write_frozen(folder, step, frozen or {}, before.files if before else [])

    # What changes, then the manifest: a checkpoint exists when its manifest does.
    path = folder / f"state-{step:08d}.json"
    state = write_tensors(path.with_suffix(".safetensors"), tensors)
    manifest = {"format": FORMAT, "step": step, "facts": dict(facts), "state": state, "kept": files}
    write_atomically(path, sign(manifest))

    # It counts as saved, and older ones go, when it can be read back.
    _check_saved(path)
    for old in manifests(folder)[:-keep]:
        old.unlink(missing_ok=True)  # first, since without it the other file means nothing
        old.with_suffix(".safetensors").unlink(missing_ok=True)

    return Checkpoint(path, step, dict(facts), {}, files)


def _write_frozen(folder: Path, step: int, frozen: Tensors, before: list[Entry]) -> list[Entry]:
    """The entries of all frozen files, after writing those that are new or were lost."""
    # A file may have been deleted meanwhile: the learner still has what it will need of it.
    files: list[Entry] = []
    for entry in before:
        again = {name: frozen[name] for name in entry["names"] if name in frozen}
        if is_there(folder, entry):
            files.append(entry)
        elif again:
            files.append(_write_kept(folder, entry["file"], again))

    present = {name for entry in files for name in entry["names"]}
    new = {name: tensor for name, tensor in frozen.items() if name not in present}
    if new:
        files.append(_write_kept(folder, f"kept-{step:08d}", new))
    return files


def _write_kept(folder: Path, name: str, tensors: Tensors) -> Entry:
    """Writes frozen tensors under a name that begins like `name` and holds their digest."""
    data = pack(tensors)
    digest = hashlib.sha256(data).hexdigest()
    step = "-".join(name.removesuffix(".safetensors").split("-")[:2])
    path = folder / f"{step}-{digest[:16]}.safetensors"
    return {**write_packed(path, data), "names": sorted(tensors)}


def _check_saved(path: Path) -> None:
    """Raises CheckpointError unless a checkpoint that was just written can be loaded.

    Of files that earlier ones have written, presence and size are looked at: reading thousands of
    past selves every time would cost more than training.
    """
    manifest = read_manifest(path)
    read_tensors(path.parent / manifest["state"]["file"], manifest["state"])
    for entry in manifest["kept"]:
        if not is_there(path.parent, entry):
            raise CheckpointError(f"{path}: not saved: {entry['file']} was deleted meanwhile")


def is_whole(path: Path) -> bool:
    """Whether a checkpoint, by its manifest, could be loaded now, as far as `save` looks at it."""
    try:
        _check_saved(path)
    except CheckpointError:
        return False
    return True


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
    state = write_tensors(path.with_suffix(".safetensors"), checkpoint.tensors)
    manifest = {
        "format": FORMAT,
        "step": checkpoint.step,
        "facts": checkpoint.facts,
        "state": state,
        "kept": [],
    }
    write_atomically(path, sign(manifest))
    return path


def add_facts(path: Path, facts: Mapping[str, Any]) -> None:
    """Adds facts to the manifest of an exported checkpoint; its tensors stay as they are.

    Args:
        path: the manifest.
        facts: plain values (JSON); those of the same names are replaced.

    Raises:
        CheckpointError: no manifest, or a damaged one.
        OSError: it could not be written.
    """
    manifest = read_manifest(path)
    manifest["facts"] |= facts
    write_atomically(path, sign({k: v for k, v in manifest.items() if k != "sha256"}))


def manifests(folder: Path) -> list[Path]:
    """The checkpoints of a run folder, oldest first: by their numbers, not by their letters."""
    found = [(_number(path), path) for path in folder.glob("state-*.json")]
    return [path for number, path in sorted((n, path) for n, path in found if n is not None)]


def _number(path: Path) -> int | None:
    """The step in the name of a manifest; None for a file of another name."""
    match = re.fullmatch(r"state-([0-9]+)\.json", path.name)
    return int(match[1]) if match else None


def load(path: str | Path) -> Checkpoint:
    """Reads a checkpoint: a manifest, or the latest one of a folder.

    Raises:
        CheckpointError: missing, damaged or hostile; the message names the file, and the older
            checkpoints beside the latest one.
    """
    path = Path(path)
    if not path.is_dir():
        return _load_manifest(path)

    found = manifests(path)
    if not found:
        raise CheckpointError(f"{path}: there is no checkpoint (state-*.json) in this folder")
    try:
        return _load_manifest(found[-1])
    except CheckpointError as error:
        if len(found) == 1:
            raise
        names = " and ".join(each.name for each in reversed(found[:-1]))
        raise CheckpointError(
            f"{error}; before it were saved {names}: remove {found[-1].name} to go on from there"
        ) from error


def _load_manifest(path: Path) -> Checkpoint:
    manifest = read_manifest(path)
    number = _number(path)
    if number not in (None, manifest["step"]):
        raise CheckpointError(f"{path}: it holds step {manifest['step']}, not what its name says")

    tensors: dict[str, Tensor] = {}
    for entry in [manifest["state"], *manifest["kept"]]:
        tensors |= read_tensors(path.parent / entry["file"], entry)
    return Checkpoint(path, manifest["step"], manifest["facts"], tensors, manifest["kept"])


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
