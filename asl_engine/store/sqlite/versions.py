"""Versions of state machines in the database, as PublishStateMachineVersion keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.json_text import dumps, loads
from asl_engine.store.records import VersionRecord

if TYPE_CHECKING:
    from asl_engine.store.sqlite.connection import Fetch, Statement, Write

__all__ = ["VersionTable", "publishing"]

COLUMNS = "machine_arn, number, revision_id, role_arn, definition, created_at, description, configuration"
INSERT = f"INSERT INTO state_machine_versions ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
DELETE = "DELETE FROM state_machine_versions WHERE machine_arn = ? AND number = ?"


class VersionTable:
    """``Versions`` in SQLite."""

    def __init__(self, fetch: Fetch, write: Write) -> None:
        self._fetch = fetch
        self._write = write

    async def get(self, machine_arn: str, number: int) -> VersionRecord | None:
        found = await self._select("number = ?", (machine_arn, number))
        return found[0] if found else None

    async def of_revision(self, machine_arn: str, revision_id: str | None) -> VersionRecord | None:
        found = await self._select("revision_id IS ? ORDER BY number DESC LIMIT 1", (machine_arn, revision_id))
        return found[0] if found else None

    async def page(self, machine_arn: str, before: int | None, limit: int) -> list[VersionRecord]:
        where = "(?2 IS NULL OR number < ?2) ORDER BY number DESC LIMIT ?3"
        return await self._select(where, (machine_arn, before, limit))

    async def count(self, machine_arn: str) -> int:
        query = "SELECT count(*) FROM state_machine_versions WHERE machine_arn = ?"
        return int((await self._fetch(query, (machine_arn,)))[0][0])

    async def remove(self, machine_arn: str, number: int) -> None:
        await self._write((DELETE, (machine_arn, number)))

    async def _select(self, where: str, values: tuple[Any, ...]) -> list[VersionRecord]:
        query = f"SELECT {COLUMNS} FROM state_machine_versions WHERE machine_arn = ?1 AND {where}"
        return [VersionRecord._make((*row[:-1], loads(row[-1]))) for row in await self._fetch(query, values)]


def publishing(version: VersionRecord | None) -> tuple[Statement, ...]:
    """The statements that keep a new version."""
    return () if version is None else ((INSERT, (*version[:-1], dumps(version.configuration))),)
