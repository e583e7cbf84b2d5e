"""Versions of state machines in the database: what PublishStateMachineVersion keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from asl_engine.arn import qualified_arn
from asl_engine.jsontypes import dumps, loads

if TYPE_CHECKING:
    from asl_engine.jsontypes import Json
    from asl_engine.store.machines import Fetch, Statement, Write

__all__ = ["DELETE_VERSIONS", "VersionRecord", "VersionTable", "Versions", "publishing"]

COLUMNS = "machine_arn, number, revision_id, role_arn, definition, created_at, description, configuration"
INSERT = f"INSERT INTO state_machine_versions ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
DELETE = "DELETE FROM state_machine_versions WHERE machine_arn = ? AND number = ?"
DELETE_VERSIONS = "DELETE FROM state_machine_versions WHERE machine_arn = ?"


class VersionRecord(NamedTuple):
    """A revision of a state machine that was given a number.

    ``definition`` is the digest of its text, ``created_at`` in milliseconds since the epoch,
    ``configuration`` the machine's at that time.
    """

    machine_arn: str
    number: int
    revision_id: str | None
    role_arn: str
    definition: str
    created_at: int
    description: str | None
    configuration: dict[str, Json]

    @property
    def arn(self) -> str:
        return qualified_arn(self.machine_arn, str(self.number))


class Versions(Protocol):
    """The versions of a store's state machines.  They are published with their machine: see ``Machines``."""

    async def get(self, machine_arn: str, number: int) -> VersionRecord | None: ...

    async def of_revision(self, machine_arn: str, revision_id: str | None) -> VersionRecord | None:
        """The newest version that was published of this revision."""
        ...

    async def page(self, machine_arn: str, before: int | None, limit: int) -> list[VersionRecord]:
        """The newest first, from the one before the number ``before`` on."""
        ...

    async def count(self, machine_arn: str) -> int: ...

    async def remove(self, machine_arn: str, number: int) -> None: ...


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
