"""Copies a database as it is at one moment, while others go on writing.

SQLite's backup reads the whole of it in one read transaction: with the write-ahead log this keeps nobody from
writing, and later writes are not in the copy.  Were it begun anew for every write, as it is without a
transaction, it would never end beside a busy server.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing, suppress
from pathlib import Path
from tempfile import mkstemp
from typing import NamedTuple

from asl_engine.errors import Parameter, StoreError
from asl_engine.store.sqlite.opening import looking_connection
from asl_engine.store.sqlite.place import companion, explained, is_in_use

__all__ = ["BackedUp", "back_up"]

PAGES_AT_ONCE = 1000  # then an interrupt is looked for
FAULTS_SHOWN = 3


class BackedUp(NamedTuple):
    executions: int
    size: int  # bytes


def back_up(source: Path, target: Path, *, force: bool = False) -> BackedUp:
    """Copy the database to a new file; the target is there only when the copy is whole and has been checked.

    ``force`` replaces a file that is there.  Raises ``StoreError``.
    """
    db = looking_connection(source)
    with closing(db):
        _check_target(source, target, force=force)
        partial = _partial(target)
        try:
            _copy(db, source, partial, target)
            executions = _checked_copy(partial, source)
            _publish(partial, source, target, force=force)
        finally:
            partial.unlink(missing_ok=True)
    return BackedUp(executions, target.stat().st_size)


def _check_target(source: Path, target: Path, *, force: bool) -> None:
    own = [source.resolve(), *(companion(source, suffix) for suffix in ("-wal", "-shm", "-journal"))]
    if target.resolve() in own or (target.exists() and source.samefile(target)):
        raise StoreError(f"{target} is the database itself: name another file for its backup")
    if target.is_dir():
        raise StoreError(f"{target} is a folder: name a file in it")
    if not target.parent.is_dir():
        raise StoreError(f"There is no folder {target.parent} to put the backup into")
    if os.path.lexists(target) and not force:
        raise _is_there(target)
    if is_in_use(target):
        # Its write-ahead log would be taken for that of the backup, and spoil it.
        raise StoreError(f"{target} is a database in use, or what a crash has left of one: name another file")


def _is_there(target: Path) -> StoreError:
    return StoreError(f"There is a file {target} already: name another, or replace it with ", Parameter("force"))


def _partial(target: Path) -> Path:
    """A new file beside the target, for its owner alone."""
    try:
        file, name = mkstemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent)
    except OSError as error:
        raise _unwritable(target, error.strerror) from None
    os.close(file)
    return Path(name)


def _unwritable(target: Path, reason: object) -> StoreError:
    return StoreError(f"The backup {target} cannot be written: {reason}")


def _copy(db: sqlite3.Connection, source: Path, partial: Path, target: Path) -> None:
    try:
        db.execute("BEGIN")
        db.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # from here on it does not change for us
    except sqlite3.Error as error:
        raise explained(source, error) from None
    try:
        with closing(sqlite3.connect(partial)) as copy:
            copy.execute("PRAGMA synchronous = OFF")  # it is brought to the disk as a whole, below
            db.backup(copy, pages=PAGES_AT_ONCE, progress=_no_progress)
    except sqlite3.Error as error:
        if "malformed" in str(error):
            raise explained(source, error) from None
        raise _unwritable(target, error) from None
    finally:
        for suffix in ("-journal", "-wal", "-shm"):
            companion(partial, suffix).unlink(missing_ok=True)


def _no_progress(_status: int, _remaining: int, _total: int) -> None:
    """Python looks for signals where it is called."""


def _checked_copy(partial: Path, source: Path) -> int:
    """The number of executions in a copy that is sound."""
    # Nobody else knows of the file, and nothing is to be put beside it.
    with closing(sqlite3.connect(f"{partial.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as copy:
        try:
            faults = [str(row[0]) for row in copy.execute(f"PRAGMA integrity_check({FAULTS_SHOWN})")]
            executions = int(copy.execute("SELECT count(*) FROM executions").fetchone()[0])
        except sqlite3.Error as error:
            raise explained(source, error) from None
    if faults != ["ok"]:
        raise StoreError(
            f"The database {source} is damaged, and so would be its backup, which is not kept "
            f"({'; '.join(faults)}): `asl check` tells what can be saved"
        )
    return executions


def _publish(partial: Path, source: Path, target: Path, *, force: bool) -> None:
    """Give the copy its name, once it is on the disk."""
    try:
        partial.chmod(stat.S_IMODE(source.stat().st_mode))  # who may read the one may read the other
        _bring_to_disk(partial)
        if force:
            partial.replace(target)
        else:
            _rename_to_new(partial, target)
        with suppress(OSError):  # folders cannot be brought to the disk everywhere
            _bring_to_disk(target.parent)
    except FileExistsError:
        raise _is_there(target) from None
    except OSError as error:
        raise _unwritable(target, error.strerror) from None


def _rename_to_new(partial: Path, target: Path) -> None:
    """Raises ``FileExistsError`` where somebody else has been quicker."""
    try:
        target.hardlink_to(partial)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if os.path.lexists(target):
            raise FileExistsError from None
        partial.rename(target)


def _bring_to_disk(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
