"""A lease marks the process that drives an execution: a file that it keeps locked while it lives.

The operating system drops the lock when the process ends, however it ends.  A crash therefore never
leaves a held lease behind, and a reused process number cannot be mistaken for the old process.

The file says which process that is, and what keeps it from going on.  Its length never changes: where the disk is
full, a file can still be written over.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from asl_engine.errors import Parameter, StoreUnavailable
from asl_engine.json_text import JsonSyntaxError, dumps, loads
from asl_engine.store.records import Driver

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["NOBODY", "Lease", "driver_of", "is_held", "leases_in"]

NOBODY = ""  # the token of no lease: the owner has left in good order
NOTE_AT = 1  # where the note begins: on Windows nobody else can read the byte that is locked
NOTE_BYTES = 1024
MAX_REASON = 240  # characters: they fit, whatever they are

if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

    _try = _lock
else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _try(file: int) -> None:
        """A lock that all who only look can have: none takes another for the owner."""
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)


_taken: set[Lease] = set()


def _leave_to_the_parent() -> None:
    """Close the leases in a forked child: it shares the parent's locks, and would outlive the parent with them."""
    for lease in list(_taken):
        lease.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_the_parent)


class Lease:
    """A lease that is taken on creation and released by ``release`` or at the end of the process.

    Raises ``StoreUnavailable`` if the file cannot be made or locked.
    """

    def __init__(self, folder: Path) -> None:
        self.token = uuid4().hex
        self._path = folder / self.token
        self._file = -1  # none
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            _taken.add(self)
            _lock(self._file)
        except OSError as error:
            self.release()
            raise StoreUnavailable(
                f"Cannot keep {folder}, which tells other processes what runs: {error.strerror}",
                "; check its permissions, or name another database with ",
                Parameter("db"),
            ) from None
        self.note(None)

    def note(self, waits_for: str | None) -> None:
        """Say in the file what keeps this process from going on, None where nothing does."""
        told = dumps({"pid": os.getpid(), "waitsFor": waits_for and waits_for[:MAX_REASON]})
        with suppress(OSError):  # whoever looks is told less
            os.lseek(self._file, NOTE_AT, os.SEEK_SET)
            os.write(self._file, told.encode()[:NOTE_BYTES].ljust(NOTE_BYTES))

    def release(self) -> None:
        if self._file < 0:  # it belongs to the parent, or was never taken
            return
        self.abandon()
        with suppress(OSError):  # the next process finds it unlocked and removes it
            self._path.unlink()

    def abandon(self) -> None:
        """Close the file and leave it where it is."""
        _taken.discard(self)
        os.close(self._file)
        self._file = -1


def leases_in(folder: Path) -> list[str]:
    """The leases in the folder, some of which may be those of dead processes."""
    try:
        return sorted(lease.name for lease in folder.iterdir())
    except OSError:
        return []


def driver_of(folder: Path, token: str) -> Driver | None:
    """The living process that took this lease, None where it is unknown."""
    if not is_held(folder, token):
        return None
    try:
        with (folder / token).open("rb") as file:
            file.seek(NOTE_AT)
            told = loads(file.read(NOTE_BYTES).decode())
    except (OSError, UnicodeDecodeError, JsonSyntaxError):  # another user's, or nothing could be written
        return None
    process, waits_for = (told.get("pid"), told.get("waitsFor")) if isinstance(told, dict) else (None, None)
    if not isinstance(process, int):
        return None
    return Driver(process, waits_for if isinstance(waits_for, str) else None)


def is_held(folder: Path, token: str) -> bool:
    """Whether the process that took this lease is alive; the file of a dead process is removed.

    A file that cannot be opened or locked, such as another user's, counts as held.
    """
    if token == NOBODY:
        return False
    path = folder / token
    try:
        file = os.open(path, os.O_RDWR)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    try:
        _try(file)
    except OSError:
        return True
    finally:
        os.close(file)
    with suppress(OSError):  # the folder may be another user's
        path.unlink()
    return False
