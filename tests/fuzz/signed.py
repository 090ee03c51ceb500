"""What is called with each file that the fuzzer makes.

A digest stops nearly every change of a signed file; where the reader is asked what it does with
valid digests of anything, the file is signed again before it is read.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agents.manifest import sign
from benchmarks.harness.resumable_training import digest
from tests.agents.robustness.stranger_files import KINDS, Kind
from tests.agents.robustness.test_files_from_strangers import outcome, prepared


def sign_manifest(found: dict[str, Any]) -> bytes:
    """As a checkpoint's."""
    return sign({name: value for name, value in found.items() if name != "sha256"})


def sign_evaluations(found: dict[str, Any]) -> bytes:
    """As those of a benchmark's training."""
    return json.dumps({**found, "sha256": digest(found.get("found"))}).encode()


# Name -> the kind of file, and what signs it.
SIGNED: dict[str, tuple[str, Callable[[dict[str, Any]], bytes]]] = {
    "manifest of a checkpoint, signed": ("manifest of a checkpoint", sign_manifest),
    "manifest of an agent, signed": ("manifest of an agent", sign_manifest),
    "evaluations, signed": ("evaluations of a benchmark's training", sign_evaluations),
}


def signed_again(content: bytes, sign_it: Callable[[dict[str, Any]], bytes]) -> bytes:
    """An object of JSON with a valid digest; anything else as it is."""
    try:
        found = json.loads(content)
        return sign_it(found) if isinstance(found, dict) else content
    except (ValueError, RecursionError):
        return content


def check(name: str, kind: Kind, path: Path, good: Any, content: bytes) -> None:
    """Raises RuntimeError unless a reader does what it documents with a file."""
    sign_it = SIGNED[name][1] if name in SIGNED else None
    path.write_bytes(content if sign_it is None else signed_again(content, sign_it))
    try:
        found = outcome(kind, path, good)
    except BaseException as error:
        raise RuntimeError(f"{name}: {error}") from error
    if found == "other" and kind.signed and sign_it is None:
        raise RuntimeError(f"{name}: it was read as something else")


def target(name: str, folder: Path) -> tuple[Callable[[bytes], None], bytes]:
    """What the fuzzer calls, and a good file."""
    kind, path, content, good = prepared(SIGNED[name][0] if name in SIGNED else name, folder)
    return lambda data: check(name, kind, path, good, data), content


ALL = [*KINDS, *SIGNED]
