"""Activities in the database, as CreateActivity keeps them.

The table says only that they exist: tasks waiting for a worker are open tasks of their executions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.errors import Conflict
from asl_engine.json_text import dumps, loads
from asl_engine.store.records import ActivityRecord
from asl_engine.store.sqlite.tags import DELETE_TAGS, tagging

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.store.sqlite.connection import Fetch, Write

__all__ = ["ActivityTable"]

COLUMNS = "arn, name, created_at, configuration"
INSERT = f"INSERT INTO activities ({COLUMNS}) VALUES (?, ?, ?, ?)"
DELETE = "DELETE FROM activities WHERE arn = ?"
LAST = "\U0010ffff"  # behind every other character


class ActivityTable:
    """``Activities`` in SQLite.  ``write`` runs statements in one transaction of the store."""

    def __init__(self, fetch: Fetch, write: Write) -> None:
        self._fetch = fetch
        self._write = write

    async def add(self, record: ActivityRecord, tags: Mapping[str, str] | None = None) -> ActivityRecord:
        there = await self.get(record.arn)
        if there is not None:
            return there
        values = (*record[:3], dumps(record.configuration))
        try:
            await self._write((INSERT, values), *tagging(record.arn, tags or {}))
        except Conflict:  # another process was quicker
            return await self.get(record.arn) or record
        return record

    async def get(self, arn: str) -> ActivityRecord | None:
        found = await self._select("WHERE arn = ?", (arn,))
        return found[0] if found else None

    async def page(self, prefix: str, after: str, limit: int) -> list[ActivityRecord]:
        where = "WHERE arn > ? AND arn < ? ORDER BY arn LIMIT ?"
        return await self._select(where, (max(prefix, after), prefix + LAST, limit))

    async def arns(self, prefix: str = "") -> list[str]:
        rows = await self._fetch("SELECT arn FROM activities WHERE arn >= ? AND arn < ?", (prefix, prefix + LAST))
        return [str(row[0]) for row in rows]

    async def remove(self, arn: str) -> None:
        await self._write((DELETE, (arn,)), (DELETE_TAGS, (arn,)))

    async def _select(self, where: str, values: tuple[Any, ...]) -> list[ActivityRecord]:
        rows = await self._fetch(f"SELECT {COLUMNS} FROM activities {where}", values)
        return [_record(*row) for row in rows]


def _record(arn: str, name: str, created_at: int, configuration: str) -> ActivityRecord:
    kept: Any = loads(configuration)
    return ActivityRecord(arn, name, created_at, kept)
