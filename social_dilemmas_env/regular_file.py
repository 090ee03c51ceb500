"""Reading a file that somebody else may have put there: never a pipe, a device, or too much."""

import os
import stat
from pathlib import Path


def read_regular(path: Path, limit: int) -> bytes:
    """The content of an ordinary file.

    Args:
        path: a file, or a link to one.
        limit: bytes; a larger file is refused before it is read.

    Raises:
        OSError: it is not there, or cannot be read.
        ValueError: it is a folder, a pipe or a device, which might block or never end; or too
            large.
    """
    # Without waiting: opening a pipe blocks until somebody writes into it.
    opened = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    found = os.fstat(opened)
    if not stat.S_ISREG(found.st_mode):
        os.close(opened)
        raise ValueError("not an ordinary file")
    with open(opened, "rb") as file:
        if found.st_size > limit:
            raise ValueError(f"too large: {found.st_size} bytes, of at most {limit}")
        return file.read(limit)
