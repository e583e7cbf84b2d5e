"""Aliases of state machines in the database, as CreateStateMachineAlias keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from asl_engine.json_text import dumps, loads
from asl_engine.store.records import AliasRecord

if TYPE_CHECKING:
    from asl_engine.json_values import Json
    from asl_engine.store.records import Route
    from asl_engine.store.sqlite.connection import Fetch, Write

__all__ = ["AliasTable"]

COLUMNS = "machine_arn, name, description, routing, created_at, updated_at"
INSERT = f"INSERT INTO state_machine_aliases ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"
UPDATE = """
    UPDATE state_machine_aliases SET description = ?, routing = ?, updated_at = ?
    WHERE machine_arn = ? AND name = ?
"""
DELETE = "DELETE FROM state_machine_aliases WHERE machine_arn = ? AND name = ?"


class AliasTable:
    """``Aliases`` in SQLite."""

    def __init__(self, fetch: Fetch, write: Write) -> None:
        self._fetch = fetch
        self._write = write

    async def add(self, record: AliasRecord) -> None:
        await self._write((INSERT, (*record[:3], _text(record.routing), *record[4:])))

    async def get(self, machine_arn: str, name: str) -> AliasRecord | None:
        found = await self._select("AND name = ?", (machine_arn, name))
        return found[0] if found else None

    async def of_machine(self, machine_arn: str) -> list[AliasRecord]:
        return await self._select("ORDER BY created_at, name", (machine_arn,))

    async def update(self, record: AliasRecord) -> None:
        values = (record.description, _text(record.routing), record.updated_at, record.machine_arn, record.name)
        await self._write((UPDATE, values))

    async def remove(self, machine_arn: str, name: str) -> None:
        await self._write((DELETE, (machine_arn, name)))

    async def _select(self, where: str, values: tuple[Any, ...]) -> list[AliasRecord]:
        query = f"SELECT {COLUMNS} FROM state_machine_aliases WHERE machine_arn = ? {where}"
        return [AliasRecord._make((*row[:3], loads(row[3]), *row[4:])) for row in await self._fetch(query, values)]


def _text(routing: list[Route]) -> str:
    return dumps(cast("Json", routing))
