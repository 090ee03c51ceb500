"""Policies of exact games as files: an npz of probabilities, and of the states they are for.

    probabilities   [S, A]      rows sum to one, in the order of the game's states
    states          [S, C]      the game's columns, stacked; optional.  With it rows come in any
                                order, and a table of another game of the same size is noticed
    columns         [C] text    their names; optional

Nothing in a file is ever unpickled.
"""

import os
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from social_dilemmas_env.exact.chance import Ints
from social_dilemmas_env.exact.markov_game import MarkovGame
from social_dilemmas_env.exact.tables import Policy

PROBABILITIES, STATES, COLUMNS = "probabilities", "states", "columns"  # names of the arrays
# What numpy and zipfile raise over damaged files, and over arrays of objects.
MAX_ENTRY = 32  # bytes of a number
MARGIN = 1 << 20  # bytes of headers and names
DAMAGED = (
    ValueError,
    TypeError,
    EOFError,
    MemoryError,
    OverflowError,
    OSError,
    LookupError,
    RuntimeError,  # encrypted; NotImplementedError, another compression, is one
    AttributeError,
    RecursionError,
    SyntaxError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


def load_policy(path: str | os.PathLike[str], game: MarkovGame, player: int = 0) -> Policy:
    """A policy [S, A] from an npz of probabilities.

    Args:
        path: of the file; see the top of this file for what is in it.
        game: that the policy is for, from `exact_game` or its `finite`.
        player: who plays it; matters where players have different actions.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: no npz, no array of probabilities, an array of objects, a wrong shape, rows that
            are no probabilities or do not sum to one, states that are not the game's.
    """
    entries = game.num_states * (max(game.num_actions) + len(game.columns))
    arrays = _read(Path(path), MARGIN + MAX_ENTRY * entries)
    if PROBABILITIES not in arrays:
        held = ", ".join(sorted(arrays)) or "nothing"
        raise ValueError(f"{path} needs an array named {PROBABILITIES!r}, and holds {held}")
    table = arrays[PROBABILITIES]
    if table.dtype.kind not in "fiub":
        raise ValueError(f"{path}: {PROBABILITIES} must be numbers, got {table.dtype}")

    if STATES in arrays:
        _check_columns(path, arrays, game)
        table = _sorted(path, table, arrays[STATES], game)
    try:
        return game.check(table, player)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def save_policy(path: str | os.PathLike[str], policy: Any, game: MarkovGame) -> None:
    """Writes a policy, with the states that it is for, so that `load_policy` reads it.

    Args:
        path: of the file; it is written as it is named.
        policy: [S, A], or anything that `game.policy` turns into one.
        game: that the policy is for.

    Raises:
        ValueError: a wrong shape, rows that do not sum to one.
    """
    table = game.policy(policy)
    names = np.array(list(game.columns), dtype=np.str_)
    arrays: dict[str, Any] = {PROBABILITIES: table, STATES: _states(game), COLUMNS: names}
    with Path(path).open("wb") as file:
        np.savez_compressed(file, **arrays)


def _states(game: MarkovGame) -> Ints:
    """The game's columns, stacked: [S, C]."""
    if not game.columns:
        return np.zeros((game.num_states, 0), np.int64)
    return np.stack([np.asarray(c, np.int64) for c in game.columns.values()], 1)


def _read(path: Path, limit: int) -> dict[str, Any]:
    """The arrays of an npz that are of use here.

    Args:
        path: of the file.
        limit: bytes that they may have together.

    Raises:
        FileNotFoundError: there is no such file, or it is a pipe, a device or a folder.
        ValueError: it cannot be read, or only by unpickling.
    """
    if not path.is_file():  # before it is opened: a pipe would wait
        raise FileNotFoundError(f"there is no file {path}")
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{path} is no npz: write it with numpy.savez or save_policy")
    try:
        with np.load(path, allow_pickle=False) as file:
            wanted = (PROBABILITIES, STATES, COLUMNS)
            _check_sizes(file.zip.infolist(), {f"{name}.npy" for name in wanted}, limit)
            # Other arrays are named in a sentence, and not read.
            arrays = {name: file[name] if name in wanted else None for name in file.files}
    except DAMAGED as error:
        reason = f"{error}".splitlines()[0] if f"{error}" else type(error).__name__
        raise ValueError(f"{path} cannot be read as plain arrays of numbers: {reason}") from None

    for name in wanted:
        if name in arrays and not isinstance(arrays[name], np.ndarray):
            raise ValueError(f"{path} cannot be read as plain arrays of numbers: no array {name!r}")
    return arrays


def _check_sizes(members: list[zipfile.ZipInfo], wanted: set[str], limit: int) -> None:
    """Raises ValueError for names that stand twice, or for more bytes than the game's tables."""
    names = [member.filename for member in members]
    if len(set(names)) < len(names):
        raise ValueError("a name stands twice in it")
    size = sum(member.file_size for member in members if member.filename in wanted)
    if size > limit:
        raise ValueError(f"{size} bytes, more than a table of this game has")


def _check_columns(path: str | os.PathLike[str], arrays: dict[str, Any], game: MarkovGame) -> None:
    """Refuses a file whose columns are called otherwise than the game's."""
    names = list(game.columns)
    if COLUMNS in arrays and (own := [str(name) for name in arrays[COLUMNS].ravel()]) != names:
        raise ValueError(
            f"{path} is for states of {', '.join(own) or 'nothing'}, and this game's are of "
            f"{', '.join(names) or 'nothing'}: build the game with the same memory"
        )


def _sorted(path: str | os.PathLike[str], table: Any, states: Any, game: MarkovGame) -> Any:
    """The rows in the order of the game's states."""
    wanted = _states(game)
    if (
        states.shape != wanted.shape
        or table.shape[:1] != wanted.shape[:1]
        or states.dtype.kind not in "iub"
    ):
        raise ValueError(
            f"{path}: {STATES} must be integers of shape {list(wanted.shape)}, one row a "
            f"probability row, got {states.dtype} of shape {list(states.shape)}"
        )

    there, here = _order(states), _order(wanted)
    if (states[there] != wanted[here]).any():
        raise ValueError(f"{path} is for other states than this game has: another board or memory?")
    ordered = np.empty_like(table)
    ordered[here] = table[there]
    return ordered


def _order(rows: Ints) -> Ints:
    """Where each row comes when they are sorted; equal rows stay in order."""
    order: Ints = np.lexsort(rows.T[::-1]) if rows.size else np.arange(len(rows))
    return order
