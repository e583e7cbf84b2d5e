"""Executions in one SQLite file.

Durability: WAL with synchronous=FULL, so a committed event survives a power cut.  Speed: appends
that wait at the same moment share one commit (``writer``).  Reads have connections of their own, opened by
the first of them: they wait for no write, and see all that was on disk when they began.  A single row is looked up
at once (``lookup``), all else is read in a thread.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from asl_engine.core.apply import shared
from asl_engine.errors import AslError, Conflict, ExecutionAlreadyExists, ExecutionBusy, StoreError
from asl_engine.json_text import dumps
from asl_engine.store.outcome import redriven
from asl_engine.store.records import Child, NewExecution, Orphan, Record
from asl_engine.store.run_options import NO_OPTIONS, SERVED, RunOptions
from asl_engine.store.sqlite import listing, searching
from asl_engine.store.sqlite.activities import ActivityTable
from asl_engine.store.sqlite.aliases import AliasTable
from asl_engine.store.sqlite.appends import CLAIM_EXECUTIONS, LEAVE_EXECUTIONS, Append
from asl_engine.store.sqlite.bus import BusTable
from asl_engine.store.sqlite.codec import COLUMNS, decode, payload_of, referred_to, unstored
from asl_engine.store.sqlite.lease import NOBODY, Lease, driver_of, is_held, leases_in
from asl_engine.store.sqlite.lookup import Lookup
from asl_engine.store.sqlite.machines import MachineTable
from asl_engine.store.sqlite.map_runs import MapRunTable
from asl_engine.store.sqlite.mappings import MappingTable
from asl_engine.store.sqlite.opening import make_room, may_be_written, read_only_connection, reading_connection
from asl_engine.store.sqlite.place import DamagedDatabase, DatabaseFile, is_in_use, leases_of
from asl_engine.store.sqlite.rows import RECORD_COLUMNS, SHORT_LOGS, as_row, record_of, short_logs
from asl_engine.store.sqlite.tags import TagTable
from asl_engine.store.sqlite.versions import VersionTable
from asl_engine.store.sqlite.watching import WatchTable
from asl_engine.store.sqlite.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    import aiosqlite

    from asl_engine.core.events import Event
    from asl_engine.core.execution import Status
    from asl_engine.payload import Payload
    from asl_engine.store.records import (
        Driver,
        ExecutionSearch,
        Place,
        SearchPage,
        SearchPosition,
        Tally,
    )
    from asl_engine.store.sqlite.codec import Row
    from asl_engine.store.sqlite.connection import Fetch, Statement

__all__ = ["Append", "SqliteStore"]

Result = TypeVar("Result")
MAX_SEQ = 2**63 - 1
ORPHANS = f"""
    SELECT arn, owner, json_extract(options, '$.{SERVED}') FROM executions
    WHERE status = 'RUNNING' AND instr(machine_name, '/') = 0 AND (owner = '' OR owner <> ?) ORDER BY execution
"""
# A JSON array may be longer than a list of parameters.
AMONG = "seq IN (SELECT value FROM json_each(?2))"


class SqliteStore:
    """The store of one database.  Open it with ``SqliteStore.open``; close it when done."""

    def __init__(
        self, path: Path, place: DatabaseFile, *, writer: Writer | None, reader: aiosqlite.Connection | None
    ) -> None:
        self.path = path
        self.driven: set[str] = set()
        self._place = place
        self._writer = writer  # None where this process cannot write the database
        self._reader = reader
        self._lookup = None if writer is None else Lookup(place.path)
        self._opening = asyncio.Lock()
        self._keys: dict[str, int] = {}
        self._last_key = 0
        self._options = (NO_OPTIONS, dumps(NO_OPTIONS.to_stored()))
        self._leases = leases_of(place.path)
        self._lease: Lease | None = None
        self._claimed: dict[str, str] = {}  # from which owner, until something is done with the execution
        self._data_version = -1
        self.machines = MachineTable(self.fetch, self._write_statements, self.look)
        self.versions = VersionTable(self.fetch, self._write_statements)
        self.aliases = AliasTable(self.fetch, self._write_statements)
        self.tags = TagTable(self.fetch, self._write_statements)
        self.activities = ActivityTable(self.fetch, self._write_statements)
        self.map_runs = MapRunTable(self.fetch, self._write_statements, self._records)
        sharing = (self.fetch, self._write_statements, self._own_lease, partial(is_held, self._leases))
        self.bus = BusTable(*sharing)
        self.mappings = MappingTable(*sharing)
        self.watch = WatchTable(self.fetch)

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        synchronous: Literal["FULL", "NORMAL", "OFF"] = "FULL",
        create: bool = True,
        reading: bool = False,
    ) -> SqliteStore:
        """Open the database; make it or bring it up to date if necessary.

        A caller that only reads may say so: a database that this process cannot write is then opened as it is.
        Raises ``StoreError`` if the database is missing and not to be made, is not a database of ours, comes
        from a newer version, is locked, or cannot be written.
        """
        make_room(path, create=create)
        if reading and not may_be_written(path):
            place = DatabaseFile(path, unchanging=not is_in_use(path))
            reader = await read_only_connection(place.path, unchanging=place.unchanging)
            return cls(path, place, writer=None, reader=reader)
        writer = await Writer.open(path, synchronous)
        return cls(path, writer.place, writer=writer, reader=None)

    # -- writing --------------------------------------------------------------------------------

    async def create(
        self, record: Record, definition: str, events: Sequence[Event], child: Child | None = None
    ) -> None:
        batch = self._creation(NewExecution(record, events, child), definition)
        await self._commit(batch, events)
        self._remember(batch)

    async def create_many(self, new: Sequence[NewExecution], definition: str) -> list[AslError | None]:
        batches = [self._creation(one, definition) for one in new]
        for batch in batches:
            self._write(batch)
        failures: list[AslError | None] = []
        for one, batch in zip(new, batches, strict=True):
            try:
                await self._written(batch, one.events)
            except AslError as error:
                failures.append(error)
            else:
                self._remember(batch)
                failures.append(None)
        return failures

    def _creation(self, new: NewExecution, definition: str) -> Append:
        record, events, child = new
        who = record.identity
        # Ordered by time, so that the rows of short executions lie together; unique across processes.
        self._last_key = key = max(self._last_key + 1, time.time_ns())
        batch = Append(who.arn, key, events, shared(events))
        batch.definition = (record.definition, definition)
        names = (key, who.arn, who.name, who.machine_arn, who.machine_name, who.role_arn, record.definition)
        status, stopped_at = batch.ended or (record.status, record.stopped_at)
        options = self._text_of(record.options)
        state = (status, who.started_at, stopped_at, options, self._own_lease())
        batch.execution = (*names, *state, who.version_arn, who.alias_arn)
        batch.statements = (*batch.statements, *self.bus.alongside(who.arn, events, who))
        if child is not None:
            batch.child = (child.map_run, child.number, key, child.items)
        return batch

    def _text_of(self, options: RunOptions) -> str:
        """The children of a Map Run share their options."""
        if options is not self._options[0]:
            self._options = (options, dumps(options.to_stored()))
        return self._options[1]

    def _remember(self, batch: Append) -> None:
        if batch.execution and not batch.ended:
            self._keys[batch.arn] = batch.execution[0]

    async def append(self, arn: str, events: Sequence[Event]) -> None:
        key = self._keys[arn] if arn in self._keys else await self._key(arn)
        batch = Append(arn, key, events)
        batch.statements = (*batch.statements, *self.bus.alongside(arn, events))
        if again := redriven(events):
            batch.redrive = (self._own_lease(), again.redrive_count, again.at, key)
        await self._commit(batch, events)
        self._claimed.pop(arn, None)
        self._keys[arn] = key
        if batch.ended:
            del self._keys[arn]

    async def _write_statements(self, *statements: Statement) -> None:
        batch = Append("", 0, ())
        batch.statements = statements
        await self._commit(batch)

    async def _commit(self, batch: Append, events: Sequence[Event] = ()) -> None:
        self._write(batch)
        await self._written(batch, events)

    def _write(self, batch: Append) -> None:
        if self._writer is None:
            raise self._place.explained(sqlite3.OperationalError("attempt to write a readonly database"))
        self._writer.write(batch)

    async def _written(self, batch: Append, events: Sequence[Event]) -> None:
        try:
            await batch.done
        except sqlite3.Error as error:
            unstored(events)
            raise self._refusal(batch, error) from None

    async def write_alone(self, function: Callable[[sqlite3.Connection], Result]) -> Result:
        """Call a function with the connection that writes, in its thread.

        It begins and ends its own transactions; appends wait meanwhile.
        """
        if self._writer is None:
            raise self._place.explained(sqlite3.OperationalError("attempt to write a readonly database"))
        try:
            return await self._writer.do(function)
        except sqlite3.Error as error:
            raise self._place.explained(error) from None

    def seconds_writing(self) -> float:
        """How long the write under way has taken: the database may be locked, or the disk may not answer."""
        since = None if self._writer is None else self._writer.since
        return 0.0 if since is None else time.monotonic() - since

    def _refusal(self, batch: Append, error: sqlite3.Error) -> AslError:
        if isinstance(error, sqlite3.IntegrityError):
            if batch.execution:
                return ExecutionAlreadyExists(f"The execution {batch.arn} exists already")
            return Conflict(f"The log of {batch.arn} has grown meanwhile")
        return self._place.explained(error)

    # -- reading --------------------------------------------------------------------------------

    async def events(self, arn: str, after: int = 0) -> list[Event]:
        found = await self._events(await self._key(arn), "seq > ?2", after)
        if found and found[-1].seq != after + len(found):
            raise DamagedDatabase(self.path, f"events are missing in the log of {arn}")
        return found

    async def history(
        self, arn: str, after: int = 0, limit: int = 1000, *, backwards: bool = False
    ) -> list[Event]:
        key = await self._key(arn)
        if not backwards:
            return await self._events(key, "id AND seq > ?2", after, limit)
        last = after or MAX_SEQ
        return (await self._events(key, "id AND seq < ?2", last, limit, "DESC"))[::-1]

    async def events_at(self, arn: str, numbers: Collection[int]) -> list[Event]:
        if not numbers:
            return []
        return await self._events(await self._key(arn), AMONG, dumps([*numbers]))

    async def _events(
        self, key: int, where: str, value: int | str, limit: int = -1, order: str = ""
    ) -> list[Event]:
        """Events in the order of the log, whatever the ``order`` of the query."""
        fetch = self.look if limit == 1 else self.fetch
        found = await fetch(
            f"SELECT {', '.join(COLUMNS)} FROM events WHERE execution = ?1 AND {where}"
            f" ORDER BY seq {order} LIMIT ?3",
            (key, value, limit),
        )
        rows = [as_row(row) for row in (reversed(found) if order else found)]
        try:
            return decode(rows, await self._payloads(key, rows, fetch))
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedDatabase(self.path, f"an event is not what was written: {error!r}") from None

    async def _payloads(self, key: int, rows: Sequence[Row], fetch: Fetch) -> dict[int, Payload]:
        """The payloads of other events that these rows refer to, be it by way of others still."""
        stored: dict[int, str | int | bytes] = {}
        query = f"SELECT seq, payload FROM events WHERE execution = ?1 AND {AMONG}"
        missing = referred_to(rows)
        while missing:
            found = await fetch(query, (key, dumps([*missing])))
            stored.update(found)
            if missing - stored.keys():
                raise StoreError(
                    f"Events of an execution in {self.path} are gone: it has been deleted meanwhile, or the "
                    "database is damaged; `asl check` tells which"
                )
            missing = referred_to(found) - stored.keys()
        payloads: dict[int, Payload] = {}
        for seq in sorted(stored):
            payload = payloads[seq] = payload_of(stored[seq], payloads)
            payload.origin = payload.origin or seq
        return payloads

    async def logs(self, arns: Collection[str]) -> dict[str, list[Event]]:
        return short_logs(await self.fetch(SHORT_LOGS, (dumps([*arns]),)))

    async def record(self, arn: str) -> Record | None:
        rows = await self.look(f"SELECT {RECORD_COLUMNS} FROM executions WHERE arn = ?", (arn,))
        return record_of(rows[0]) if rows else None

    async def records(self, arns: Collection[str]) -> list[Record]:
        among = "WHERE arn IN (SELECT value FROM json_each(?)) ORDER BY execution"
        return await self._records(among, (dumps([*arns]),))

    async def definition(self, digest: str) -> str:
        rows = await self.look("SELECT text FROM definitions WHERE digest = ?", (digest,))
        if not rows:
            raise StoreError(f"There is no definition {digest} in {self.path}")
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
        return await self._records(*listing.newest(machine, status, limit))

    async def running(self) -> list[str]:
        return [str(arn) for (arn,) in await self.fetch(listing.RUNNING)]

    async def page(
        self,
        machine_arn: str,
        status: Status | None = None,
        after: Place | None = None,
        limit: int = 100,
        qualified: str | None = None,
    ) -> list[Record]:
        return await self._records(*listing.of_machine(machine_arn, status, after, limit, qualified))

    async def search(
        self, wanted: ExecutionSearch, after: SearchPosition | None = None, limit: int = 50, window: int = 2000
    ) -> SearchPage:
        return await searching.search(self.fetch, wanted, after, limit, window)

    async def tally(self, home: str, machine_arn: str | None = None, most: int = 1000) -> dict[Status, Tally]:
        return await searching.tally(self.fetch, home, machine_arn, most)

    async def _records(self, where: str, values: tuple[Any, ...]) -> list[Record]:
        rows = await self.fetch(f"SELECT {RECORD_COLUMNS} FROM executions {where}", values)
        return [record_of(row) for row in rows]

    async def _key(self, arn: str) -> int:
        rows = await self.look("SELECT execution FROM executions WHERE arn = ?", (arn,))
        if not rows:
            raise StoreError(f"There is no execution {arn} in {self.path}")
        return int(rows[0][0])

    async def look(self, query: str, values: tuple[Any, ...]) -> list[Any]:
        """As ``fetch``, for a query that finds a single row by an index, or so few."""
        rows = None if self._lookup is None else self._lookup.rows(query, values)
        return await self.fetch(query, values) if rows is None else rows

    async def fetch(self, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
        """The rows of a query, as they are on disk."""
        reader = self._reader or await self._begin_reading()
        try:
            rows = list(await reader.execute_fetchall(query, values))
        except sqlite3.Error as error:
            raise self._place.explained(error) from None
        if self._place.unchanging:  # it was read without a lock
            self._place.check()
        return rows

    async def _begin_reading(self) -> aiosqlite.Connection:
        async with self._opening:
            if self._reader is None:
                self._reader = await reading_connection(self._place.path)
            return self._reader

    # -- sharing the file with other processes ----------------------------------------------------

    def _own_lease(self) -> str:
        if self._lease is None:
            self._lease = Lease(self._leases)
        return self._lease.token

    async def claim(self, arn: str) -> bool:
        rows = await self.fetch("SELECT owner FROM executions WHERE arn = ?", (arn,))
        owner = str(rows[0][0])
        mine = self._own_lease()
        if owner == mine:
            return self._claimed.get(arn, NOBODY) != NOBODY
        if is_held(self._leases, owner):
            raise ExecutionBusy(f"The execution {arn} is being run by another process")
        batch = Append(arn, 0, ())
        batch.claim = (mine, arn, owner)
        await self._commit(batch)
        rows = await self.fetch("SELECT owner FROM executions WHERE arn = ?", (arn,))
        if str(rows[0][0]) != mine:
            raise ExecutionBusy(f"The execution {arn} has just been taken over by another process")
        self._claimed[arn] = owner
        return owner != NOBODY

    async def claim_many(self, arns: Collection[str]) -> dict[str, bool]:
        owners = await self._owners(arns)
        mine = self._own_lease()
        gone = {owner for owner in {*owners.values()} if owner != mine and not is_held(self._leases, owner)}
        left = {arn: owner for arn, owner in owners.items() if owner in gone}
        if left:
            among = dumps([*left])
            await self._write_statements(*((CLAIM_EXECUTIONS, (mine, owner, among)) for owner in gone))
            owners = await self._owners(arns)  # another process may have been faster
            self._claimed.update((arn, owner) for arn, owner in left.items() if owners.get(arn) == mine)
        return {arn: self._claimed.get(arn, NOBODY) != NOBODY for arn, owner in owners.items() if owner == mine}

    async def unclaim(self, arn: str) -> None:
        if arn in self._claimed:
            await self._hand_to(self._claimed[arn], [arn])
            del self._claimed[arn]

    async def leave(self, arns: Collection[str]) -> None:
        if arns:
            for arn in arns:
                self._claimed.pop(arn, None)
            await self._hand_to(NOBODY, arns)

    async def _hand_to(self, owner: str, arns: Collection[str]) -> None:
        await self._write_statements((LEAVE_EXECUTIONS, (owner, self._own_lease(), dumps([*arns]))))

    async def abandoned(self, arns: Collection[str]) -> set[str]:
        """Those of the executions that run, but that no living process drives."""
        owners = await self._owners(arns)
        held = {owner: is_held(self._leases, owner) for owner in set(owners.values())}
        left = {arn: owner for arn, owner in owners.items() if not held[owner]}
        if not left:
            return set()
        now = await self._owners(left)  # one that has ended meanwhile was not abandoned
        return {arn for arn, owner in left.items() if now.get(arn) == owner}

    async def _owners(self, arns: Collection[str]) -> dict[str, str]:
        """The leases of those of the executions that run."""
        rows = await self.fetch(
            "SELECT arn, owner FROM executions WHERE status = 'RUNNING'"
            " AND arn IN (SELECT value FROM json_each(?1))",
            (dumps([*arns]),),
        )
        return {str(arn): str(owner) for arn, owner in rows}

    async def driver(self, arn: str) -> Driver | None:
        """The living process that drives an execution; None where none does, or it does not tell who it is."""
        owner = (await self._owners([arn])).get(arn, NOBODY)
        return driver_of(self._leases, owner)

    def note(self, waits_for: str | None) -> None:
        if self._lease is not None:
            self._lease.note(waits_for)

    def other_leases(self) -> dict[str, bool]:
        mine = None if self._lease is None else self._lease.token
        return {token: is_held(self._leases, token) for token in leases_in(self._leases) if token != mine}

    def has_other_drivers(self) -> bool:
        """Whether another living process drives executions of this database."""
        return any(self.other_leases().values())

    async def orphans(self) -> list[Orphan]:
        rows = await self.fetch(ORPHANS, (NOBODY if self._lease is None else self._lease.token,))
        held = {owner: is_held(self._leases, owner) for owner in {str(owner) for _, owner, _ in rows}}
        return [Orphan(str(arn), str(owner), bool(served)) for arn, owner, served in rows if not held[str(owner)]]

    async def changed(self) -> bool:
        self._place.check()
        # SQLite tells of what others than the connection that asks have written.
        query = "PRAGMA data_version"
        if self._writer is None:
            version = (await self.fetch(query))[0][0]
        else:
            try:
                version = await self._writer.do(lambda db: db.execute(query).fetchone()[0])
            except sqlite3.Error as error:
                raise self._place.explained(error) from None
        before, self._data_version = self._data_version, int(version)
        return before not in (-1, self._data_version)

    async def close(self) -> None:
        with suppress(StoreError):  # then this process counts as one that died
            for owner in {*self._claimed.values()}:
                await self._hand_to(owner, [arn for arn, before in self._claimed.items() if before == owner])
        if self._lookup is not None:
            self._lookup.close()
        if self._reader is not None:
            await self._reader.close()
        if self._writer is not None:  # the last to close tidies up beside the file
            await self._writer.close()
        if self._lease is not None:
            self._lease.release()
            self._lease = None
