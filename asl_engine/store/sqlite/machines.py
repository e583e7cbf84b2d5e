"""State machines in the database, as CreateStateMachine and UpdateStateMachine keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.errors import Conflict
from asl_engine.json_text import dumps, loads
from asl_engine.store.records import MachineRecord, MachineStatus
from asl_engine.store.sqlite.tags import DELETE_TAGS, tagging
from asl_engine.store.sqlite.versions import DELETE_VERSIONS, publishing

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
SET_STATUS = "UPDATE state_machines SET status = ? WHERE arn = ?"
DELETE = "DELETE FROM state_machines WHERE arn = ?"
IS_DELETING = "EXISTS (SELECT 1 FROM state_machines WHERE arn = ? AND status = 'DELETING')"
LAST = "\U0010ffff"  # behind every other character
DELETE_ALIASES = "DELETE FROM state_machine_aliases WHERE machine_arn = ?"


class MachineTable:
    """``Machines`` in SQLite.  ``write`` runs statements in one transaction of the store."""

    def __init__(self, fetch: Fetch, write: Write) -> None:
        self._fetch = fetch
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
        found = await self._select("WHERE arn = ?", (arn,))
        return found[0] if found else None

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

    async def set_status(self, arn: str, status: MachineStatus) -> None:
        await self._write((SET_STATUS, (status, arn)))

    async def remove(self, arn: str, *, only_deleting: bool = False) -> None:
        # The machine comes last: the other statements check its status.
        everything = (DELETE_VERSIONS, DELETE_ALIASES, DELETE_TAGS, DELETE)
        if only_deleting:
            await self._write(*((f"{statement} AND {IS_DELETING}", (arn, arn)) for statement in everything))
        else:
            await self._write(*((statement, (arn,)) for statement in everything))

    async def _select(self, where: str, values: tuple[Any, ...]) -> list[MachineRecord]:
        rows = await self._fetch(f"SELECT {COLUMNS} FROM state_machines {where}", values)
        return [_record(MachineRecord(*row)) for row in rows]


def _record(row: Any) -> MachineRecord:
    record: MachineRecord = row._replace(configuration=loads(row.configuration))
    return record
