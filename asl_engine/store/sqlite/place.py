"""The place of a database: whether its file is still the one that was opened, and what SQLite's errors mean."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from asl_engine.errors import Parameter, StoreError, StoreUnavailable

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["DamagedDatabase", "DatabaseFile", "companion", "explained", "is_in_use", "leases_of", "log_path"]


ROOM_NEEDED = 65_536  # bytes: twice the index of a write-ahead log


class DamagedDatabase(StoreError):
    """What is in the file is not what was written.  ``reason`` is in SQLite's words."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"The database {path} is damaged ({reason}): `asl check` tells what can be saved; put a backup in its "
            "place if there is one"
        )
        self.reason = reason


class DatabaseFile:
    """The file at ``path`` as it was when this object was made.

    An ``unchanging`` database is read without locks, since no process has it open: a process that opens
    it to write puts a write-ahead log beside it.
    """

    def __init__(self, path: Path, *, unchanging: bool = False) -> None:
        self._given = path
        # Absolute, as SQLite keeps it: a task may change the working directory.
        self.path = path.absolute()
        self.unchanging = unchanging
        self._file, size = _file_at(self.path)
        self._has_content = size > 0
        self._content = _content_at(self.path)

    def check(self) -> None:
        """Raise ``StoreError`` unless the path still leads to the file that was opened."""
        file, size = _file_at(self.path)
        if file != self._file:
            raise StoreError(
                f"The database {self._given} was removed or replaced while it was in use; "
                "what was written to it since is lost: leave the file in place and run again"
            )
        if self._has_content and not size:
            raise StoreError(
                f"The database {self._given} was emptied (0 bytes) while it was in use: stop what uses it, and "
                "put a backup in its place"
            )
        if self.unchanging and (is_in_use(self.path) or _content_at(self.path) != self._content):
            raise StoreError(
                f"The database {self._given} is being written by another process: run the command again"
            )

    def explained(self, error: sqlite3.Error) -> StoreError:
        try:
            self.check()
        except StoreError as removed:  # SQLite's own error is a consequence of this
            return removed
        return explained(self._given, error)


def is_in_use(path: Path) -> bool:
    """Whether the write-ahead log may hold data: a process has the database open, or one has crashed."""
    log = companion(path, "-wal")
    try:
        return log.stat().st_size > 0 or companion(path, "-shm").exists()
    except FileNotFoundError:
        return False


def companion(path: Path, suffix: str) -> Path:
    """A file that SQLite keeps beside the database itself, not beside a link to it."""
    itself = path.resolve()
    return itself.with_name(itself.name + suffix)


def leases_of(db: Path) -> Path:
    """Where the processes that drive executions of a database keep their leases."""
    return db.with_name(f"{db.name}-leases")


def log_path(db: Path, machine: str, name: str) -> Path:
    """Where the tasks of a detached run print to."""
    return db.with_name(f"{db.name}-logs") / f"{machine}.{name}.log"


def _file_at(path: Path) -> tuple[tuple[int, int] | None, int]:
    """What tells the file at ``path`` from every other, None if there is no file; and its size in bytes."""
    try:
        found = path.stat()
    except OSError:
        return None, 0
    return (found.st_dev, found.st_ino), found.st_size


def _content_at(path: Path) -> tuple[int, int] | None:
    """What changes when the file is written; None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_size, found.st_mtime_ns)


def _is_full(folder: Path) -> bool:
    """Whether there is no room for what SQLite keeps beside a database: it calls that an error of the disk."""
    import shutil

    try:
        return shutil.disk_usage(folder).free < ROOM_NEEDED
    except OSError:
        return False


def explained(path: Path, error: sqlite3.Error) -> StoreError:
    """SQLite's error as a message that says what to do; ``StoreUnavailable`` for one that may pass."""
    text = str(error)
    if "locked" in text or "busy" in text:
        return StoreUnavailable(
            f"The database {path} is locked by another program", "; try again when it has finished"
        )
    if "readonly" in text or "read-only" in text:
        return StoreUnavailable(
            f"The database {path} cannot be written: check its permissions",
            ", or name another with ",
            Parameter("db"),
        )
    if "disk is full" in text or ("disk I/O" in text and _is_full(path.parent)):
        return StoreUnavailable(f"The disk with the database {path} is full: make room there")
    if "not a database" in text:
        return StoreError(
            f"{path} is not a SQLite database: name another file with ",
            Parameter("db"),
            "; if it was one, it is damaged: put a backup in its place",
        )
    if "malformed" in text or "no such table" in text or "no such column" in text:
        return DamagedDatabase(path, text)
    if "unable to open" in text and path.is_dir():
        return StoreError(f"{path} is a folder, not a database: name a file with ", Parameter("db"))
    if "unable to open" in text:
        return StoreUnavailable(f"The database {path} cannot be opened: check the path and its permissions")
    # Operational errors are those of the surroundings: a disk that does not answer, no memory, an interruption.
    kind = StoreUnavailable if isinstance(error, sqlite3.OperationalError) else StoreError
    return kind(f"The database {path} cannot be used: {text}")
