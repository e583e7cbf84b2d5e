"""Which process drives an execution: a file that it keeps locked for as long as it lives.

The operating system drops the lock when the process ends, however it ends, so that a lease can never
be left behind by a crash, and a process number that was given out again cannot be mistaken.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Lease", "is_held"]

if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Lease:
    """Taken when made, given back by ``release`` or by the end of the process."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.token = uuid4().hex
        self._path = folder / self.token
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        _lock(self._file)
        _taken.add(self)

    def release(self) -> None:
        _taken.discard(self)
        os.close(self._file)
        self._path.unlink(missing_ok=True)


_taken: set[Lease] = set()


def _leave_to_the_parent() -> None:
    """A forked child shares the lock and would hold it for as long as it lives."""
    for lease in _taken:
        os.close(lease._file)  # noqa: SLF001  the module's own
    _taken.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_the_parent)


def is_held(folder: Path, token: str) -> bool:
    """Whether the process that took this lease is alive; what a dead one left behind is removed."""
    path = folder / token
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    except OSError:  # another user's
        return True
    try:
        _lock(file)
    except OSError:
        return True
    finally:
        os.close(file)
    path.unlink(missing_ok=True)
    return False
