"""Opens a database: finds or makes the file, checks that it is ours, and brings it up to date."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import aiosqlite

from asl_engine.errors import Parameter, StoreError
from asl_engine.folders import make_folder, sync_folder
from asl_engine.store.sqlite.place import explained, is_in_use, leases_of
from asl_engine.store.sqlite.schema import APPLICATION_ID, MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from pathlib import Path

__all__ = [
    "connection_to",
    "looking_connection",
    "make_room",
    "may_be_written",
    "read_only_connection",
    "reading_connection",
]

OWN_FOLDER = ".asl"
BUSY_SECONDS = 5.0  # how long a lock of another process is waited for
MAX_IDLE_LOG_BYTES = 16 * 1024 * 1024  # four times what SQLite lets it grow to where nobody reads
EMPTY_SECONDS = 0.5  # how long a file may have no content while somebody makes a database of it
# What tells whose a file is.  The application comes last: another process may write all three at once,
# between two of our reads.
LAYOUT = ("SELECT count(*) FROM sqlite_schema", "PRAGMA user_version", "PRAGMA application_id")


def make_room(path: Path, *, create: bool) -> None:
    """Make the folder of a database.  Raises ``StoreError`` if that fails, or if nothing is to be made.

    An empty file is no database yet: whoever may not make one does not make one of it.
    """
    if not create and not path.exists():
        raise StoreError(f"There is no database at {path}; `asl run` makes one")
    check_not_emptied(path)
    if not create and _is_empty(path):
        raise StoreError(
            f"The file {path} is empty: `asl run` makes a database of it; or name another with ", Parameter("db")
        )
    folder = path.parent
    try:
        if folder.name == OWN_FOLDER:
            _make_own(folder)
        else:
            make_folder(folder)
    except OSError as error:
        raise StoreError(
            f"Cannot make the folder {folder} for the database: {error.strerror}; name another file with ",
            Parameter("db"),
        ) from None


def check_not_emptied(path: Path) -> None:
    """Raise ``StoreError`` for a file without content that has been a database.

    A process that drives executions makes the folder of leases after it has written the database.  Where only the
    file was removed, another process may be making a new one at this very moment: that is waited for.
    """
    end = time.monotonic() + EMPTY_SECONDS
    while _is_emptied(path):
        if time.monotonic() >= end:
            raise StoreError(
                f"The database {path} has been emptied (0 bytes), and what was in it is lost: put a backup in its "
                "place, or remove it to begin anew"
            )
        time.sleep(0.01)


def _is_emptied(path: Path) -> bool:
    try:
        return path.is_file() and path.stat().st_size == 0 and leases_of(path).exists()
    except OSError:  # it is not there, or cannot be looked at
        return False


def _make_own(folder: Path) -> None:
    """Make a folder that is ours alone: inputs and outputs are nobody else's affair, and do not belong into Git.

    A folder that exists stays as it is: its mode and its content are its owner's choice.
    """
    make_folder(folder.parent)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        folder.mkdir(exist_ok=True)  # fails where it is a file
        return
    with suppress(OSError):  # folders cannot be synced everywhere
        sync_folder(folder.parent)
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")


def _is_empty(path: Path) -> bool:
    """Whether a file has nothing in it, and nothing is in its write-ahead log."""
    log = path.with_name(f"{path.name}-wal")
    return path.is_file() and path.stat().st_size == 0 and not (log.is_file() and log.stat().st_size)


def may_be_written(path: Path) -> bool:
    """Whether this process may write the file and its folder, as SQLite does; other paths fail elsewhere."""
    itself = path.resolve()
    return not itself.is_file() or (os.access(itself, os.W_OK) and os.access(itself.parent, os.W_OK))


def connection_to(path: Path, synchronous: str) -> sqlite3.Connection:
    """A connection to read and write, ready for use, for the thread that asks.  Raises ``StoreError``."""

    def prepare(db: sqlite3.Connection) -> None:
        _prepare(db, path, synchronous)

    return _ready(path, str(path), prepare, uri=False)


def looking_connection(path: Path) -> sqlite3.Connection:
    """A connection that only reads, to a database as it is, for the thread that asks.

    Its layout may be an older one.  Raises ``StoreError``.
    """
    if not path.exists():
        raise StoreError(f"There is no database at {path}")
    check_not_emptied(path)
    target = path.absolute().as_uri()
    if may_be_written(path):
        target += "?mode=rw"  # SQLite may have to put the write-ahead log of a crashed process in order
    else:
        target += "?mode=ro" + ("" if is_in_use(path) else "&immutable=1")

    def prepare(db: sqlite3.Connection) -> None:
        db.execute("PRAGMA query_only = ON")
        if not _checked(path, *(_number(db.execute(query)) for query in LAYOUT)):
            raise StoreError(f"The database {path} is empty: there is nothing in it yet")

    return _ready(path, target, prepare, uri=True)


def _ready(
    path: Path, target: str, prepare: Callable[[sqlite3.Connection], None], *, uri: bool
) -> sqlite3.Connection:
    """A connection to ``target``, a path or a URI, after ``prepare``; it is closed again on failure."""
    db: sqlite3.Connection | None = None
    try:
        db = sqlite3.connect(target, timeout=BUSY_SECONDS, uri=uri)
        prepare(db)
    except BaseException as error:
        if db is not None:
            db.close()
        if isinstance(error, sqlite3.Error):
            raise explained(path, error) from None
        raise
    return db


async def reading_connection(path: Path) -> aiosqlite.Connection:
    """A connection that reads a database which this process has open to write as well."""

    async def prepare(db: aiosqlite.Connection) -> None:
        await db.execute("PRAGMA query_only = ON")

    return await _completed(_connect(path, str(path), prepare))


async def read_only_connection(path: Path, *, unchanging: bool) -> aiosqlite.Connection:
    """A connection to a database that this process cannot write, at an absolute path.  Raises ``StoreError``.

    While the database is in use, SQLite needs its write-ahead log and the index beside it
    (https://www.sqlite.org/wal.html, "Read-Only Databases").  Otherwise there are none and SQLite would
    try to make them, unless it knows that the file is ``unchanging``.
    """

    async def prepare(db: aiosqlite.Connection) -> None:
        try:
            version = _checked(path, *[_number(await db.execute_fetchall(query)) for query in LAYOUT])
        except sqlite3.OperationalError as error:
            if unchanging or ("unable to open" not in str(error) and "readonly" not in str(error)):
                raise
            raise StoreError(
                f"The database {path} cannot be written, and cannot be read without that because of "
                f"{path.name}-wal beside it: let who may write it run `asl list` there, or copy both files "
                "to a folder of your own"
            ) from None
        if not version:
            raise StoreError(
                f"The database {path} is empty, and cannot be written: name another file with ", Parameter("db")
            )
        if version < len(MIGRATIONS):
            raise StoreError(
                f"The database {path} was written by an older version of asl-engine (layout {version}, this "
                f"version needs {len(MIGRATIONS)}), and cannot be written to bring it up to date: "
                "let who may write it run "
                "`asl list` there, or copy it to a folder of your own"
            )

    target = f"{path.as_uri()}?mode=ro" + ("&immutable=1" if unchanging else "")
    return await _completed(_connect(path, target, prepare))


async def _completed(opening: Awaitable[aiosqlite.Connection]) -> aiosqlite.Connection:
    task = asyncio.ensure_future(opening)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await _undo(task)
        raise


async def _connect(
    path: Path, target: str, prepare: Callable[[aiosqlite.Connection], Awaitable[None]]
) -> aiosqlite.Connection:
    """A connection to ``target``, a path or a URI, ready for use; it is closed again on failure."""
    connection: aiosqlite.Connection | None = None
    uri = target.startswith("file:")
    try:
        # On failure, aiosqlite would leave its thread to a closing event loop.
        sqlite3.connect(target, uri=uri).close()
        connection = await _begin(aiosqlite.connect(target, timeout=BUSY_SECONDS, uri=uri))
        await prepare(connection)
    except BaseException as error:
        if connection is not None:
            await connection.close()
        if isinstance(error, sqlite3.Error):
            raise explained(path, error) from None
        raise
    return connection


async def _begin(connection: aiosqlite.Connection) -> aiosqlite.Connection:
    # Before version 0.22 an aiosqlite connection is a thread; since then it has one.  Neither has started.
    thread: Any = getattr(connection, "_thread", connection)
    # Python waits for non-daemon threads when it exits: a caller that forgets to close would hang.
    thread.daemon = True
    try:
        return await connection
    except BaseException:
        thread.join(5.0)  # it is stopping, and must not report to a loop that is closed by then
        raise


async def _undo(opening: asyncio.Future[aiosqlite.Connection]) -> None:
    """Wait for the connection and close it, no matter how often the caller is cancelled meanwhile.

    If cut short, aiosqlite would lose the connection, and its thread would report to a closed event loop.
    """

    async def close() -> None:
        with suppress(sqlite3.Error, OSError, StoreError):  # then it has been closed
            await (await opening).close()

    closing = asyncio.create_task(close())
    while not closing.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([closing])


def _prepare(db: sqlite3.Connection, path: Path, synchronous: str) -> None:
    """Check that the file is ours, and only then set the journal and bring the layout up to date."""
    version = _checked(path, *(_number(db.execute(query)) for query in LAYOUT))
    if not version:
        # So that the file can shrink, a few pages at a time.  It is chosen before the first page is written, and
        # only VACUUM changes it later: that writes the whole file anew while everybody waits, so an existing
        # database keeps what it has until `asl prune --vacuum` is asked for.
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute(f"PRAGMA synchronous = {synchronous}")
    # Else the write-ahead log keeps the size that it had beside the longest reader, a backup for one.
    db.execute(f"PRAGMA journal_size_limit = {MAX_IDLE_LOG_BYTES}")
    if version == len(MIGRATIONS):
        return
    db.execute("BEGIN IMMEDIATE")
    # Another process may have been quicker.
    version = _checked(path, *(_number(db.execute(query)) for query in LAYOUT))
    for migration in MIGRATIONS[version:]:
        for statement in migration:
            db.execute(statement)
    db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.commit()


def _checked(path: Path, tables: int, version: int, application: int) -> int:
    """The version of the layout, 0 for an empty file.  Raises ``StoreError`` if the file is not ours."""
    if application != APPLICATION_ID and (application or version or tables):
        raise StoreError(
            f"{path} is a SQLite database of another program: name another file with ", Parameter("db")
        )
    if version > len(MIGRATIONS):
        raise StoreError(
            f"The database {path} was written by a newer version of asl-engine (layout {version}, "
            f"this version knows {len(MIGRATIONS)}): upgrade asl-engine, or name another file with ",
            Parameter("db"),
        )
    return version


def _number(rows: Iterable[Any]) -> int:
    return int(next(iter(rows))[0])
