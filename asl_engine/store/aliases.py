"""Aliases of state machines in the database: what CreateStateMachineAlias keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypedDict, cast

from asl_engine.arn import qualified_arn
from asl_engine.jsontypes import dumps, loads

if TYPE_CHECKING:
    from asl_engine.jsontypes import Json
    from asl_engine.store.machines import Fetch, Write

__all__ = ["AliasRecord", "AliasTable", "Aliases", "Route"]

COLUMNS = "machine_arn, name, description, routing, created_at, updated_at"
INSERT = f"INSERT INTO state_machine_aliases ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"
UPDATE = """
    UPDATE state_machine_aliases SET description = ?, routing = ?, updated_at = ?
    WHERE machine_arn = ? AND name = ?
"""
DELETE = "DELETE FROM state_machine_aliases WHERE machine_arn = ? AND name = ?"


class Route(TypedDict):
    """One of the API's RoutingConfigurationListItems.  ``weight`` is a percentage."""

    stateMachineVersionArn: str
    weight: int


class AliasRecord(NamedTuple):
    """A name for one or two versions of a state machine.  Times are in milliseconds since the epoch."""

    machine_arn: str
    name: str
    description: str | None
    routing: list[Route]
    created_at: int
    updated_at: int

    @property
    def arn(self) -> str:
        return qualified_arn(self.machine_arn, self.name)


class Aliases(Protocol):
    """The aliases of a store's state machines: a hundred of a machine at most."""

    async def add(self, record: AliasRecord) -> None:
        """Raises ``Conflict`` where the machine has one of that name."""
        ...

    async def get(self, machine_arn: str, name: str) -> AliasRecord | None: ...

    async def of_machine(self, machine_arn: str) -> list[AliasRecord]:
        """The newest first."""
        ...

    async def update(self, record: AliasRecord) -> None:
        """Replace what may change of an alias."""
        ...

    async def remove(self, machine_arn: str, name: str) -> None: ...


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
        return await self._select("ORDER BY created_at DESC, name", (machine_arn,))

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
