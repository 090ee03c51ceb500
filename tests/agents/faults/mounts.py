"""File systems of a child's own: small ones that fill up, and ones that turn read-only.

A mount of a process in a namespace of its own goes with the process.
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.agents.faults.children import in_a_child, status_of

NEW_NAMESPACE, PRIVATE, READ_ONLY, REMOUNT = 0x20000, 0x44000, 1, 32  # of Linux
PAGE = 4096


def _call(name: str, *arguments: object) -> None:
    """A function of the C library; raises OSError where it fails."""
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def mount_small(folder: Path, size: str = "2m") -> None:
    """A file system in memory of this process's own.

    Raises:
        OSError: mounts are not permitted here.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _call("unshare", NEW_NAMESPACE)
    _call("mount", b"none", b"/", None, PRIVATE, None)
    _call("mount", b"none", str(folder).encode(), b"tmpfs", 0, f"size={size}".encode())


def set_read_only(folder: Path, on: bool) -> None:
    """Whether what is mounted takes writes."""
    _call("mount", b"none", str(folder).encode(), None, REMOUNT | on * READ_ONLY, None)


@contextmanager
def filled(folder: Path, free: int) -> Iterator[None]:
    """Within it, a file takes all room but so many pages."""
    path = folder / "filler"
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(PAGE))
        except OSError:
            file.truncate(max(0, (file.tell() // PAGE - free) * PAGE))
    try:
        yield
    finally:
        path.unlink()


def permitted(folder: Path) -> bool:
    """Whether a process may mount here."""
    if not hasattr(os, "fork") or not Path("/proc/self/mounts").exists():
        return False
    return status_of(in_a_child(lambda: mount_small(folder))) == 0
