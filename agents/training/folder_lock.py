"""One process at a time in a folder.

With `fcntl` a lock goes with the process that holds it, however that ends. Where there is none, as
on Windows and some network drives, a file with the process's number stands for it; what a killed
process leaves is taken over where one can ask whether it still runs.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Self

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

NAME, NAME_OF_PID = "lock", "lock.pid"


class FolderLock:
    """A lock on a folder, as a context.

    Args:
        folder: created if missing, when the context is entered; gone again where an error leaves
            the context before anything was written in it.

    Raises:
        BlockingIOError: another process is at work in it; in a sentence.
        OSError: the lock cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file: IO[Any] | None = None
        self._pid_file = False
        self._made: list[Path] = []  # folders that were missing, the innermost first

    def __enter__(self) -> Self:
        self._acquire()
        return self

    def __exit__(self, *error: object) -> None:
        if any(error):
            self._remove_what_was_made()
        self._release()

    def _release(self) -> None:
        # The file stays, for others wait for it.
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._pid_file:
            (self.folder / NAME_OF_PID).unlink(missing_ok=True)
            self._pid_file = False

    def _remove_what_was_made(self) -> None:
        """A refused request leaves no folder."""
        there = [path.name for path in self.folder.glob("*")]
        if self._made and there == [NAME]:
            (self.folder / NAME).unlink()
            with suppress(OSError):  # somebody else has come in between
                for folder in self._made:
                    folder.rmdir()

    def renew(self) -> None:
        """Locks again if the folder was deleted since.

        Raises:
            BlockingIOError: another process has begun in its place.
        """
        if not self._is_held():
            self._release()
            self._acquire()

    def _is_held(self) -> bool:
        """Whether the file that is locked is the one that others would find."""
        if self._file is None:
            return self._pid_file and (self.folder / NAME_OF_PID).exists()
        try:
            return os.path.samestat(os.fstat(self._file.fileno()), os.stat(self.folder / NAME))
        except OSError:
            return False

    def _acquire(self) -> None:
        missing = [path for path in (self.folder, *self.folder.parents) if not path.exists()]
        self.folder.mkdir(parents=True, exist_ok=True)
        self._made = missing
        if fcntl is None:
            self._write_pid()
            return

        self._file = open(self.folder / NAME, "a")  # noqa: SIM115  closed by __exit__
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._release()
            raise self._busy() from None
        except OSError:  # this file system has no locks
            self._release()
            self._write_pid()
            return

        # Whoever held it may have removed the folder as it left.
        if not self._is_held():
            self._release()
            self._acquire()

    def _write_pid(self) -> None:
        """The lock of a system without locks: a file that only one process can create."""
        path = self.folder / NAME_OF_PID
        try:
            with open(path, "x") as file:
                file.write(str(os.getpid()))
        except FileExistsError:
            if not _has_ended(path):
                hint = f" (if none is, remove {path})"
                raise self._busy(hint) from None
            path.write_text(str(os.getpid()))
        self._pid_file = True

    def _busy(self, hint: str = "") -> BlockingIOError:
        return BlockingIOError(
            f"another process is training in {self.folder}: wait for it, stop it, or choose "
            f"another folder{hint}"
        )


def _has_ended(path: Path) -> bool:
    """Whether the process whose number a file holds runs no more; False where nobody can say."""
    if os.name != "posix":  # elsewhere signal 0 is not a question
        return False
    try:
        os.kill(int(path.read_text()), 0)
    except ProcessLookupError:
        return True
    except (OSError, ValueError, OverflowError):
        return False
    return False
