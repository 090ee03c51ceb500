"""JSON as benchmarks store it: plain numbers, nothing infinite, never half a file."""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from agents.atomic_write import write_atomically
from social_dilemmas_env.regular_file import read_regular

MAX_BYTES = 1 << 30  # of a file that is read


def plain(data: Any) -> Any:
    """Arrays and tensors as lists of numbers of 10 digits; what is not finite becomes None."""
    if isinstance(data, dict):
        return {str(key): plain(value) for key, value in data.items()}
    if hasattr(data, "tolist"):  # numpy or torch
        return plain(data.tolist())
    if isinstance(data, (list, tuple)):
        return [plain(value) for value in data]
    if isinstance(data, float):
        return float(f"{data:.10g}") if np.isfinite(data) else None
    return data


def check_folder(folder: Path) -> None:
    """Makes a folder, and a file in it, before hours are spent on what is to be written there.

    Raises:
        OSError: it cannot be made, or nothing can be written in it; the sentence names it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OSError(f"cannot write in {folder}: {error.strerror or error}") from None


def canonical(data: Any) -> Any:
    """`data` as JSON reads it back: tuples are lists, keys are strings."""
    return json.loads(json.dumps(data))


def read_json(path: Path) -> Any:
    """What an ordinary file of JSON holds.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no ordinary file, too large, or not JSON that `write_json` writes.
    """
    try:
        text = read_regular(path, MAX_BYTES)
        return json.loads(text, parse_float=_finite, parse_constant=_finite)
    except (RecursionError, MemoryError) as error:
        raise ValueError(f"not readable: {type(error).__name__}") from error


def _finite(word: str) -> float:
    """A number as JSON has it; its readers also take NaN, Infinity and 1e999."""
    number = float(word)
    if not math.isfinite(number):
        raise ValueError(f"{word:.20} is not finite")
    return number


def read_object(path: Path, *keys: str) -> dict[str, Any]:
    """An object with at least these keys, from a file of JSON.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no such file; the sentence names it.
    """
    try:
        found: Any = read_json(path)
    except ValueError as error:
        raise ValueError(f"{path}: not readable: {error}") from error
    if not (isinstance(found, dict) and found.keys() >= set(keys)):
        raise ValueError(f"{path}: not an object with {' and '.join(keys)}")
    return found


def write_json(path: Path, data: Any, indent: int | None = None) -> None:
    """Writes `data` so that a reader, or a kill, never sees half a file.

    Raises:
        ValueError: a number that is not finite.
        OSError: the file cannot be written; what was there before stays.
    """
    text = json.dumps(data, allow_nan=False, indent=indent)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, (text + "\n" * bool(indent)).encode())
