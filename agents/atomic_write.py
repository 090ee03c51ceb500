"""Writing a file so that a kill, a full disk or a power cut never leaves half of it."""

import os
from pathlib import Path


def write_atomically(path: Path, data: bytes) -> None:
    """Writes a file; at any moment `path` holds the old content or the new, also after a power cut.

    Args:
        path: where; its folder must be there.
        data: the new content.

    Raises:
        OSError: for example a full disk; the old content is still there.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")

    # The new content is on the disk before it takes the old one's name.
    try:
        with open(beside, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise

    # The name is an entry of the folder, which has a disk block of its own.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
