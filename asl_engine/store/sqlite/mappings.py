"""Event source mappings in the database: how far shards have been read, and what was given up.

A position and what comes of the batch before it are one transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.json_text import dumps, loads
from asl_engine.store.mapping_records import DiscardedBatch, MappingRecord, ShardRecord
from asl_engine.store.sqlite.parts import Part

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from asl_engine.store.mapping_records import BatchStatus, NewDiscarded
    from asl_engine.store.sqlite.connection import Fetch, Statement, Write

__all__ = ["MappingTable"]

AMONG = "IN (SELECT value FROM json_each(?))"
PUT_MAPPING = """
    REPLACE INTO event_source_mappings (arn, name, function_arn, source_arn, tally, updated_at)
    VALUES (?, ?, ?, ?, ?, ?)
"""
PUT_SHARD = """
    REPLACE INTO mapping_shards (mapping_arn, shard, stream, since, finished, progress) VALUES (?, ?, ?, ?, ?, ?)
"""
INSERT_DISCARDED = """
    INSERT INTO discarded_batches (mapping_arn, key, at, status, invocation, event, note)
    VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING
"""
REDRIVE = "UPDATE discarded_batches SET status = 'REDRIVEN' WHERE status IN ('KEPT', 'UNSENT')"


class MappingTable:
    """``Mappings`` in SQLite."""

    def __init__(
        self, fetch: Fetch, write: Write, lease: Callable[[], str], is_held: Callable[[str], bool]
    ) -> None:
        self._fetch = fetch
        self._write = write
        self._part = Part("mapping_poller", fetch, write, lease, is_held)

    async def claim(self) -> bool:
        return await self._part.claim()

    async def leave(self) -> None:
        await self._part.leave()

    async def mappings(self) -> list[MappingRecord]:
        rows = await self._fetch(
            "SELECT arn, name, function_arn, source_arn, tally, updated_at FROM event_source_mappings"
            " ORDER BY name",
            (),
        )
        return [MappingRecord._make([*row[:4], _object(row[4]), row[5]]) for row in rows]

    async def put_mappings(self, records: Sequence[MappingRecord]) -> None:
        await self._write(
            *((PUT_MAPPING, (*record[:4], dumps({**record.tally}), record.updated_at)) for record in records)
        )

    async def shards(self, mapping_arn: str) -> list[ShardRecord]:
        rows = await self._fetch(
            "SELECT mapping_arn, shard, stream, since, finished, progress FROM mapping_shards"
            " WHERE mapping_arn = ? ORDER BY shard",
            (mapping_arn,),
        )
        return [ShardRecord._make([*row[:4], bool(row[4]), _object(row[5])]) for row in rows]

    async def put_shards(self, records: Sequence[ShardRecord], discarded: Sequence[NewDiscarded] = ()) -> None:
        await self._write(*map(_shard, records), *map(_new, discarded))

    async def replace_shards(
        self, mapping_arn: str, records: Sequence[ShardRecord], discarded: Sequence[NewDiscarded] = ()
    ) -> None:
        gone: Statement = ("DELETE FROM mapping_shards WHERE mapping_arn = ?", (mapping_arn,))
        await self._write(gone, *map(_shard, records), *map(_new, discarded))

    async def forget_shards(self, mapping_arn: str, shards: Collection[str]) -> None:
        await self._write(
            (
                f"DELETE FROM mapping_shards WHERE mapping_arn = ? AND shard {AMONG}",
                (mapping_arn, dumps([*shards])),
            )
        )

    async def discarded(
        self, statuses: Collection[BatchStatus], limit: int, *, mapping_arn: str | None = None
    ) -> list[DiscardedBatch]:
        where = "" if mapping_arn is None else " AND mapping_arn = ?"
        values = () if mapping_arn is None else (mapping_arn,)
        rows = await self._fetch(
            "SELECT batch, mapping_arn, key, at, status, invocation, event, note FROM discarded_batches"
            f" WHERE status {AMONG}{where} ORDER BY batch DESC LIMIT ?",
            (dumps([*statuses]), *values, limit),
        )
        return [DiscardedBatch._make([*row[:5], *map(_object, row[5:])]) for row in reversed(rows)]

    async def settle(
        self,
        batch: DiscardedBatch,
        status: BatchStatus,
        note: Mapping[str, Any],
        event: Mapping[str, Any] | None = None,
    ) -> None:
        changed = "status = ?, note = ?" + ("" if event is None else ", event = ?")
        values = (status, dumps({**note})) + (() if event is None else (dumps({**event}),))
        where = "batch = ? AND status = ?"
        await self._write(
            (f"UPDATE discarded_batches SET {changed} WHERE {where}", (*values, batch.number, batch.status))
        )

    async def redrive(self, numbers: Collection[int] | None) -> list[int]:
        where = "status IN ('KEPT', 'UNSENT')" + ("" if numbers is None else f" AND batch {AMONG}")
        values = () if numbers is None else (dumps([*numbers]),)
        rows = await self._fetch(f"SELECT batch FROM discarded_batches WHERE {where} ORDER BY batch", values)
        found = [int(row[0]) for row in rows]
        if found:
            await self._write((f"{REDRIVE} AND batch {AMONG}", (dumps([*found]),)))
        return found

    async def tidy(self, before: int) -> None:
        await self._write(("DELETE FROM discarded_batches WHERE status = 'DONE' AND at < ?", (before,)))


def _object(text: str) -> dict[str, Any]:
    kept: Any = loads(text)
    return dict(kept)


def _shard(record: ShardRecord) -> Statement:
    kept = (*record[:4], int(record.finished), dumps({**record.progress}))
    return PUT_SHARD, kept


def _new(one: NewDiscarded) -> Statement:
    return INSERT_DISCARDED, (*one[:4], dumps({**one.invocation}), dumps({**one.event}), dumps({**one.note}))
