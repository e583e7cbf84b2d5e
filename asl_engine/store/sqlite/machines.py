"""State machines in the database, as CreateStateMachine and UpdateStateMachine keep them."""

from __future__ import annotations

from sys import intern
from typing import TYPE_CHECKING, Any

from asl_engine.errors import Conflict
from asl_engine.json_text import dumps, loads
from asl_engine.store.records import MachineRecord
from asl_engine.store.sqlite.deleting import deleting_executions, deleting_machine
from asl_engine.store.sqlite.tags import tagging
from asl_engine.store.sqlite.versions import publishing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.store.records import VersionRecord
    from asl_engine.store.sqlite.connection import Fetch, Write

__all__ = ["MachineTable"]


COLUMNS = (
    "arn, name, type, role_arn, definition, created_at, configuration, status,"
    " revision_id, updated_at, last_version"
)
INSERT_DEFINITION = "INSERT OR IGNORE INTO definitions (digest, text) VALUES (?, ?)"
INSERT = f"INSERT INTO state_machines ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
UPDATE = """
    UPDATE state_machines
    SET role_arn = ?, definition = ?, configuration = ?, revision_id = ?, updated_at = ?, last_version = ?
    WHERE arn = ?
"""
SET_DELETING = "UPDATE state_machines SET status = 'DELETING' WHERE arn = ?"
LAST = "\U0010ffff"  # behind every other character


class MachineTable:
    """``Machines`` in SQLite.  ``write`` runs statements in one transaction of the store, ``look`` finds a row."""

    def __init__(self, fetch: Fetch, write: Write, look: Fetch) -> None:
        self._fetch = fetch
        self._look = look
        self._write = write

    async def add(
        self,
        record: MachineRecord,
        definition: str,
        tags: Mapping[str, str] | None = None,
        version: VersionRecord | None = None,
    ) -> MachineRecord:
        there = await self.get(record.arn)
        if there is not None:
            return there
        try:
            await self._write(
                *deleting_executions(record.arn),
                (INSERT_DEFINITION, (record.definition, definition)),
                (INSERT, (*record._replace(configuration=dumps(record.configuration)),)),  # type: ignore[arg-type]  # as its column has it
                *tagging(record.arn, tags or {}),
                *publishing(version),
            )
        except Conflict:  # another process was quicker
            return await self.get(record.arn) or record
        return record

    async def update(
        self, record: MachineRecord, definition: str | None = None, version: VersionRecord | None = None
    ) -> None:
        kept = () if definition is None else ((INSERT_DEFINITION, (record.definition, definition)),)
        what = (record.role_arn, record.definition, dumps(record.configuration))
        values = (*what, record.revision_id, record.updated_at, record.last_version, record.arn)
        await self._write(*kept, (UPDATE, values), *publishing(version))

    async def get(self, arn: str) -> MachineRecord | None:
        found = await self._look(f"SELECT {COLUMNS} FROM state_machines WHERE arn = ?", (arn,))
        return _record(MachineRecord(*found[0])) if found else None

    async def page(self, prefix: str, after: str, limit: int) -> list[MachineRecord]:
        # A range, not LIKE: names may contain % and _, and a range uses the index.
        where = "WHERE arn > ? AND arn < ? ORDER BY arn LIMIT ?"
        return await self._select(where, (max(prefix, after), prefix + LAST, limit))

    async def count(self, prefix: str) -> int:
        query = "SELECT count(*) FROM state_machines WHERE arn > ? AND arn < ?"
        return int((await self._fetch(query, (prefix, prefix + LAST)))[0][0])

    async def being_deleted(self) -> set[str]:
        return {
            row[0] for row in await self._fetch("SELECT arn FROM state_machines WHERE status = 'DELETING'", ())
        }

    async def delete(self, arn: str) -> bool:
        await self._write((SET_DELETING, (arn,)), *deleting_executions(arn), *deleting_machine(arn))
        return await self.get(arn) is None

    async def finish_deletion(self, arn: str) -> bool:
        await self._write(*deleting_machine(arn))
        return await self.get(arn) is None

    async def _select(self, where: str, values: tuple[Any, ...]) -> list[MachineRecord]:
        rows = await self._fetch(f"SELECT {COLUMNS} FROM state_machines {where}", values)
        return [_record(MachineRecord(*row)) for row in rows]


def _record(row: Any) -> MachineRecord:
    """Each execution keeps the names: those of one machine share them."""
    arn, name, role = intern(row.arn), intern(row.name), intern(row.role_arn)
    record: MachineRecord = row._replace(arn=arn, name=name, role_arn=role, configuration=loads(row.configuration))
    return record
