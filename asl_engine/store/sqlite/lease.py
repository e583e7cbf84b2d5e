"""A lease marks the process that drives an execution: a file that it keeps locked while it lives.

The operating system drops the lock when the process ends, however it ends.  A crash therefore never
leaves a held lease behind, and a reused process number cannot be mistaken for the old process.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from asl_engine.errors import Parameter, StoreError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["NOBODY", "Lease", "is_held", "leases_in"]

NOBODY = ""  # the token of no lease: the owner has left in good order

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

    Raises ``StoreError`` if the file cannot be made or locked.
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
            raise StoreError(
                f"Cannot keep {folder}, which tells other processes what runs: {error.strerror}; "
                "check its permissions, or name another database with ",
                Parameter("db"),
            ) from None

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
