"""The files of a checkpoint: a signed list of facts (the manifest), and tensors that it names.

A manifest is JSON with its own digest in it. Each file of tensors is safetensors; the manifest
holds its name, size and sha256, so that damage of any kind is noticed before it is believed.

Manifests are read without torch, which takes a second to import: cards of agents need no more.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.atomic_write import write_atomically
from agents.errors import CheckpointError
from social_dilemmas_env.regular_file import read_regular

if TYPE_CHECKING:
    from torch import Tensor

FORMAT = "social-dilemmas checkpoint 1"
MAX_MANIFEST = 1 << 24  # bytes; more is no manifest
MAX_STEP = 1 << 53  # the integers that every reader of JSON has exactly
Tensors = Mapping[str, "Tensor"]
Entry = dict[str, Any]  # of a file: its name, bytes and sha256; of a frozen one also names

# What reading a damaged or hostile file may raise.
PROBLEMS = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
    MemoryError,
    ArithmeticError,
)


def write_tensors(path: Path, tensors: Tensors) -> Entry:
    """Writes tensors; returns the file's entry in the manifest.

    Raises:
        OSError: it could not be written.
    """
    return write_packed(path, pack(tensors))


def pack(tensors: Tensors) -> bytes:
    """Tensors as safetensors."""
    from safetensors.torch import save as bytes_of

    # A clone of each: safetensors refuses tensors that share memory.
    return bytes_of(
        {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    )


def write_packed(path: Path, data: bytes) -> Entry:
    """Writes what `pack` gave; returns the file's entry in the manifest."""
    write_atomically(path, data)
    return {"file": path.name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def is_there(folder: Path, entry: Entry) -> bool:
    """Whether a file is in its place, with the size it should have."""
    try:
        return bool((folder / entry["file"]).stat().st_size == entry["bytes"])
    except OSError:
        return False


def sign(manifest: dict[str, Any]) -> bytes:
    """The bytes of a manifest with its own digest in it."""
    digest = hashlib.sha256(_canonical(manifest)).hexdigest()
    return json.dumps({**manifest, "sha256": digest}, indent=1, allow_nan=False).encode()


def _canonical(manifest: dict[str, Any]) -> bytes:
    """What the digest of a manifest is taken of."""
    return json.dumps(manifest, sort_keys=True).encode()


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest in a file, if it is whole and asks for nothing outside its folder.

    Raises:
        CheckpointError: it is not; the message names the file.
    """
    try:
        manifest: dict[str, Any] = json.loads(read_regular(path, MAX_MANIFEST))
        _check_manifest(manifest)
    except PROBLEMS as error:
        raise CheckpointError(f"{path}: not a readable checkpoint: {sentence(error)}") from error
    return manifest


def _check_manifest(manifest: dict[str, Any]) -> None:
    """Raises one of PROBLEMS unless a manifest is what `sign` makes."""
    if manifest["format"] != FORMAT:
        raise ValueError(f"its format is {manifest['format']!r:.60}, this version reads {FORMAT!r}")
    content = {name: value for name, value in manifest.items() if name != "sha256"}
    if hashlib.sha256(_canonical(content)).hexdigest() != manifest["sha256"]:
        raise ValueError("its content does not match its own digest")

    # Which files it names.
    _check_entry(manifest["state"])
    for entry in manifest["kept"]:
        _check_entry(entry)
        if not all(isinstance(name, str) for name in entry["names"]):
            raise ValueError("the names of frozen tensors must be words")

    # What it says.
    if type(manifest["step"]) is not int or not isinstance(manifest["facts"], dict):
        raise ValueError("step must be an integer and facts an object")
    if not 0 <= manifest["step"] < MAX_STEP:
        raise ValueError(f"step must lie in [0, 2^53), not {manifest['step']}")


def _check_entry(entry: Entry) -> None:
    name = entry["file"]
    if name != os.path.basename(name) or not name.endswith(".safetensors"):
        raise ValueError("it names files outside its folder")
    if type(entry["bytes"]) is not int or not isinstance(entry["sha256"], str):
        raise ValueError("a file's size must be an integer and its digest a word")


def read_tensors(path: Path, entry: Entry) -> dict[str, Tensor]:
    """The tensors of a file, if it is the one that its manifest's entry describes.

    Raises:
        CheckpointError: it is not; the message names the file.
    """
    from safetensors.torch import load as tensors_of

    try:
        size = path.stat().st_size
        if size != entry["bytes"]:
            raise ValueError(f"it has {size} bytes, its manifest says {entry['bytes']}")
        data = read_regular(path, size)
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            raise ValueError("its content does not match the digest in its manifest")
        tensors: dict[str, Tensor] = tensors_of(data)
    except PROBLEMS as error:
        raise CheckpointError(f"{path}: damaged: {sentence(error)}") from error
    except Exception as error:  # SafetensorError derives from Exception alone
        raise CheckpointError(f"{path}: not safetensors: {error}") from error
    return tensors


def sentence(error: BaseException) -> str:
    """What an error says, in words that can stand after a colon."""
    if isinstance(error, KeyError):
        return f"no {error} in it"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror  # without its number; whoever asks names the file
    return str(error) or type(error).__name__
