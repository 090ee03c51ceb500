"""Writing a file so that a kill, a full disk or a power cut never leaves half of it."""

import os
from contextlib import suppress
from pathlib import Path


def write_atomically(path: Path, data: bytes) -> None:
    """Writes a file; at any moment `path` holds the old content or the new, also after a power cut.

    (After a power cut only where folders can be flushed: not on Windows, nor on some network
    drives.)

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
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    """Puts a folder's names on the disk, which has a block of its own for them.

    As far as the file system can: Windows opens no folders, some mounts answer EINVAL.  The file
    is in its place by then, so none of it is an error.
    """
    with suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
