"""Executions in one SQLite file.

Durability: WAL with synchronous=FULL, so a committed event survives the power cord.  Speed: appends
that wait at the same moment share one commit ("group commit"): while the disk is busy with one batch,
the next one gathers.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

import aiosqlite

from asl_engine.errors import Conflict, ExecutionAlreadyExists, ExecutionBusy, StoreError
from asl_engine.execution import Identity
from asl_engine.jsontypes import dumps, loads
from asl_engine.store import Record
from asl_engine.store.activities import ActivityTable
from asl_engine.store.aliases import AliasTable
from asl_engine.store.batches import Batch, group_connection
from asl_engine.store.codec import COLUMNS, Row, decode
from asl_engine.store.lease import Lease, is_held
from asl_engine.store.machines import MachineTable
from asl_engine.store.map_runs import Child, MapRunTable
from asl_engine.store.outcome import redriven
from asl_engine.store.schema import APPLICATION_ID, MIGRATIONS
from asl_engine.store.tags import TagTable
from asl_engine.store.versions import VersionTable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from asl_engine.events import Event
    from asl_engine.execution import Status
    from asl_engine.jsontypes import Json, Payload
    from asl_engine.store.machines import Statement

__all__ = ["Batch", "SqliteStore"]

RECORD_COLUMNS = (
    "arn, name, machine_arn, machine_name, role_arn, started_at, version_arn, alias_arn,"
    " definition, status, stopped_at, options, redrive_count, redriven_at"
)


class SqliteStore:
    """Open it with ``SqliteStore.open``; close it when done."""

    def __init__(self, path: Path, connection: aiosqlite.Connection, outbox: list[Batch]) -> None:
        self.path = path
        self._db = connection
        self._outbox = outbox
        self._keys: dict[str, int] = {}
        self._last_key = 0
        self._waiting: list[Batch] = []
        self._writer: asyncio.Task[None] | None = None
        # Absolute, as SQLite's own: a task may change the working directory.
        self._place = path.absolute()
        self._leases = self._place.with_name(path.name + "-leases")
        self._file = _file_at(self._place)
        self._lease: Lease | None = None
        self._data_version = -1
        self.machines = MachineTable(self._fetch, self._write_statements)
        self.versions = VersionTable(self._fetch, self._write_statements)
        self.aliases = AliasTable(self._fetch, self._write_statements)
        self.tags = TagTable(self._fetch, self._write_statements)
        self.activities = ActivityTable(self._fetch, self._write_statements)
        self.map_runs = MapRunTable(self._fetch, self._write_statements, self._records)

    @classmethod
    async def open(
        cls, path: Path, *, synchronous: Literal["FULL", "NORMAL", "OFF"] = "FULL", create: bool = True
    ) -> SqliteStore:
        """Open the database, make it or bring it up to date.

        Raises ``StoreError`` where it is missing and not to be made, is not a database of ours, comes
        from a newer version, is locked, or cannot be written.
        """
        _make_room(path, create=create)
        outbox: list[Batch] = []
        opening = asyncio.create_task(_connect(path, synchronous, outbox))
        try:
            connection = await asyncio.shield(opening)
        except asyncio.CancelledError:
            await _undo(opening)
            raise
        return cls(path, connection, outbox)

    # -- writing --------------------------------------------------------------------------------

    async def create(
        self, record: Record, definition: str, events: Sequence[Event], child: Child | None = None
    ) -> None:
        who = record.identity
        # Ordered by time, so that the rows of short executions lie together; unique across processes.
        self._last_key = key = max(self._last_key + 1, time.time_ns())
        batch = Batch(who.arn, key, events)
        batch.definition = (record.definition, definition)
        names = (key, who.arn, who.name, who.machine_arn, who.machine_name, who.role_arn, record.definition)
        state = (record.status, who.started_at, record.stopped_at, dumps(record.options), self._own_lease())
        batch.execution = (*names, *state, who.version_arn, who.alias_arn)
        if child is not None:
            batch.child = (child.map_run, child.number, key, child.items)
        await self._commit(batch)
        if not batch.end:
            self._keys[who.arn] = key

    async def append(self, arn: str, events: Sequence[Event]) -> None:
        key = self._keys[arn] if arn in self._keys else await self._key(arn)
        batch = Batch(arn, key, events)
        if again := redriven(events):
            batch.redrive = (self._own_lease(), again.redrive_count, again.at, key)
        await self._commit(batch)
        self._keys[arn] = key
        if batch.end:
            del self._keys[arn]

    async def _write_statements(self, *statements: Statement) -> None:
        batch = Batch("", 0, ())
        batch.statements = statements
        await self._commit(batch)

    async def _commit(self, batch: Batch) -> None:
        self._waiting.append(batch)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        await batch.done
        if batch.end:  # what went into a file that nobody can open again has not been kept
            self._check_in_place()

    async def _write(self) -> None:
        while self._waiting:
            batches, self._waiting = self._waiting, []
            try:
                await self._write_together(batches)
            except sqlite3.Error as error:
                await self._db.rollback()
                if len(batches) == 1:
                    batches[0].settle(self._refusal(batches[0], error))
                    continue
                # One of them is at fault: the others must not suffer.
                for batch in batches:
                    await self._write_alone(batch)
            else:
                for batch in batches:
                    batch.settle()

    async def _write_alone(self, batch: Batch) -> None:
        try:
            await self._write_together([batch])
        except sqlite3.Error as error:
            await self._db.rollback()
            batch.settle(self._refusal(batch, error))
        else:
            batch.settle()

    async def _write_together(self, batches: list[Batch]) -> None:
        """One transaction, in one call: nobody else commits on this connection."""
        self._outbox.extend(batches)
        await self._db.commit()

    def _refusal(self, batch: Batch, error: sqlite3.Error) -> Exception:
        if isinstance(error, sqlite3.IntegrityError):
            if batch.execution:
                return ExecutionAlreadyExists(f"The execution {batch.arn} exists already")
            return Conflict(f"The log of {batch.arn} has grown meanwhile")
        return self._error(error)

    def _error(self, error: sqlite3.Error) -> StoreError:
        try:
            self._check_in_place()
        except StoreError as removed:  # what SQLite says then is a consequence
            return removed
        return _store_error(self.path, error)

    def _check_in_place(self) -> None:
        """Raise ``StoreError`` unless the path still leads to the file that was opened."""
        if _file_at(self._place) != self._file:
            raise _removed(self.path)

    # -- reading --------------------------------------------------------------------------------

    async def events(self, arn: str, after: int = 0) -> list[Event]:
        """Reads from the first event on: a later row may refer to the text of an earlier one."""
        rows = await self._fetch(
            f"SELECT {', '.join(COLUMNS)} FROM events WHERE execution = ? ORDER BY seq",
            (await self._key(arn),),
        )
        payloads: dict[int, Payload] = {}
        events = decode((_as_row(row) for row in rows), payloads)
        return events[after:]

    async def record(self, arn: str) -> Record | None:
        rows = await self._records("WHERE arn = ?", (arn,))
        return rows[0] if rows else None

    async def definition(self, digest: str) -> str:
        rows = await self._fetch("SELECT text FROM definitions WHERE digest = ?", (digest,))
        return str(rows[0][0])

    async def find(self, text: str) -> list[Record]:
        exact = await self._records("WHERE arn = ? OR name = ? ORDER BY execution DESC", (text, text))
        if exact or not text:
            return exact
        # A range, not LIKE: names may contain % and _, and a range uses the index.
        return await self._records(
            "WHERE name >= ? AND name < ? ORDER BY execution DESC", (text, text + "\U0010ffff")
        )

    async def executions(
        self, machine: str | None = None, status: Status | None = None, limit: int = 1000
    ) -> list[Record]:
        return await self._records(
            "WHERE instr(machine_name, '/') = 0"
            " AND (?1 IS NULL OR machine_name = ?1) AND (?2 IS NULL OR status = ?2)"
            " ORDER BY execution DESC LIMIT ?3",
            (machine, status, limit),
        )

    async def page(
        self,
        machine_arn: str,
        status: Status | None = None,
        after: str = "",
        limit: int = 100,
        qualified: str | None = None,
    ) -> list[Record]:
        return await self._records(
            "WHERE machine_arn = ?1 AND (?2 IS NULL OR status = ?2)"
            " AND (?3 = '' OR execution < (SELECT execution FROM executions WHERE arn = ?3))"
            " AND (?5 IS NULL OR version_arn = ?5 OR alias_arn = ?5)"
            " ORDER BY execution DESC LIMIT ?4",
            (machine_arn, status, after, limit, qualified),
        )

    async def _records(self, where: str, values: tuple[Any, ...]) -> list[Record]:
        rows = await self._fetch(f"SELECT {RECORD_COLUMNS} FROM executions {where}", values)
        # The columns are an Identity's, then a Record's own.
        split = len(Identity._fields)
        return [
            Record(Identity._make(row[:split]), definition, status, stopped_at, _options(options), *redrives)
            for row in rows
            for definition, status, stopped_at, options, *redrives in (row[split:],)
        ]

    async def _key(self, arn: str) -> int:
        rows = await self._fetch("SELECT execution FROM executions WHERE arn = ?", (arn,))
        if not rows:
            raise StoreError(f"There is no execution {arn} in {self.path}")
        return int(rows[0][0])

    async def _fetch(self, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
        try:
            return list(await self._db.execute_fetchall(query, values))
        except sqlite3.Error as error:
            raise self._error(error) from None

    # -- sharing the file with other processes ----------------------------------------------------

    def _own_lease(self) -> str:
        if self._lease is None:
            self._lease = Lease(self._leases)
        return self._lease.token

    async def claim(self, arn: str) -> None:
        rows = await self._fetch("SELECT owner FROM executions WHERE arn = ?", (arn,))
        owner = str(rows[0][0])
        mine = self._own_lease()
        if owner == mine:
            return
        if is_held(self._leases, owner):
            raise ExecutionBusy(f"The execution {arn} is being run by another process")
        batch = Batch(arn, 0, ())
        batch.claim = (mine, arn, owner)
        await self._commit(batch)
        rows = await self._fetch("SELECT owner FROM executions WHERE arn = ?", (arn,))
        if str(rows[0][0]) != mine:
            raise ExecutionBusy(f"The execution {arn} has just been taken over by another process")

    async def changed(self) -> bool:
        self._check_in_place()
        rows = await self._fetch("PRAGMA data_version")
        before, self._data_version = self._data_version, int(rows[0][0])
        return before not in (-1, self._data_version)

    async def close(self) -> None:
        if self._writer is not None and not self._writer.done():
            await self._writer
        await self._db.close()
        if self._lease is not None:
            self._lease.release()
            self._lease = None


def _make_room(path: Path, *, create: bool) -> None:
    if not create and not path.exists():
        raise StoreError(f"There is no database at {path}; `asl run` makes one")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"Cannot make the folder {path.parent}: {error.strerror}") from None


def _as_row(row: Any) -> Row:
    seq, number, previous, at, frame, kind, data, payload = row
    return (seq, number, previous, at, frame, kind, data, payload)


def _options(text: str) -> dict[str, Json]:
    options = loads(text)
    return options if isinstance(options, dict) else {}


async def _connect(path: Path, synchronous: str, outbox: list[Batch]) -> aiosqlite.Connection:
    """A connection to a database that is ready for use; it is closed again where that fails."""
    connection: aiosqlite.Connection | None = None
    try:
        # Where this fails, aiosqlite would leave its thread to a closing event loop.
        sqlite3.connect(path).close()
        connection = await _begin(aiosqlite.connect(path, timeout=5.0, factory=group_connection(outbox)))
        await _prepare(connection, path, synchronous)
    except BaseException as error:
        if connection is not None:
            await connection.close()
        if isinstance(error, sqlite3.Error):
            raise _store_error(path, error) from None
        raise
    return connection


async def _begin(connection: aiosqlite.Connection) -> aiosqlite.Connection:
    # Before version 0.22 an aiosqlite connection is its thread; since then it has one.  Neither has begun.
    thread: Any = getattr(connection, "_thread", connection)
    # Python waits for every other kind of thread when it exits: whoever forgets to close would hang.
    thread.daemon = True
    try:
        return await connection
    except BaseException:
        thread.join(5.0)  # it has been told to end, and must not report to a loop that is closed by then
        raise


async def _undo(opening: asyncio.Task[aiosqlite.Connection]) -> None:
    """Wait for the connection and close it, however often the caller is cancelled meanwhile.

    Cut short, aiosqlite would lose the connection, and its thread would report to a closed event loop.
    """

    async def close() -> None:
        with suppress(sqlite3.Error, OSError, StoreError):  # then it has been closed
            await (await opening).close()

    closing = asyncio.create_task(close())
    while not closing.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([closing])


async def _prepare(db: aiosqlite.Connection, path: Path, synchronous: str) -> None:
    """Check that the file is ours, and only then set the journal and bring the layout up to date."""
    version = await _layout(db, path)
    await db.execute("PRAGMA journal_mode = WAL")
    await db.execute(f"PRAGMA synchronous = {synchronous}")
    if version == len(MIGRATIONS):
        return
    await db.execute("BEGIN IMMEDIATE")
    version = await _layout(db, path)  # another process may have been quicker
    for migration in MIGRATIONS[version:]:
        for statement in migration:
            await db.execute(statement)
    await db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    await db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    await db.commit()


async def _layout(db: aiosqlite.Connection, path: Path) -> int:
    """The version of the layout, 0 in an empty file.  Raises ``StoreError`` where it is none of ours."""
    # The application comes last: all three are written at once, maybe by another process between two reads.
    tables = await _number(db, "SELECT count(*) FROM sqlite_schema")
    version = await _number(db, "PRAGMA user_version")
    application = await _number(db, "PRAGMA application_id")
    if application != APPLICATION_ID and (application or version or tables):
        raise StoreError(f"{path} is a SQLite database of another program: name another file with --db")
    if version > len(MIGRATIONS):
        raise StoreError(
            f"The database {path} was written by a newer version of asl-engine (layout {version}, "
            f"this version knows {len(MIGRATIONS)}): upgrade asl-engine, or name another file with --db"
        )
    return version


async def _number(db: aiosqlite.Connection, query: str) -> int:
    return int(next(iter(await db.execute_fetchall(query)))[0])


def _file_at(path: Path) -> tuple[int, int] | None:
    """What tells the file at ``path`` from every other; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino)


def _removed(path: Path) -> StoreError:
    return StoreError(
        f"The database {path} was removed or replaced while it was in use; "
        "what was written to it since is lost: leave the file in place and run again"
    )


def _store_error(path: Path, error: sqlite3.Error) -> StoreError:
    """What SQLite says, in words that tell what to do."""
    text = str(error)
    if "locked" in text or "busy" in text:
        return StoreError(f"The database {path} is locked by another program; try again when it has finished")
    if "readonly" in text or "read-only" in text:
        return StoreError(
            f"The database {path} cannot be written: check its permissions, or name another with --db"
        )
    if "not a database" in text:
        return StoreError(f"{path} is not a SQLite database: name another file with --db")
    if "unable to open" in text:
        return StoreError(f"The database {path} cannot be opened: check the path and its permissions")
    return StoreError(f"The database {path} cannot be used: {text}")
