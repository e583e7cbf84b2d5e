"""State machines in the database: what CreateStateMachine keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeAlias

from asl_engine.jsontypes import dumps, loads

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asl_engine.jsontypes import Json

__all__ = ["MachineRecord", "MachineStatus", "MachineTable", "MachineType", "Machines"]

MachineStatus: TypeAlias = Literal["ACTIVE", "DELETING"]
MachineType: TypeAlias = Literal["STANDARD", "EXPRESS"]

COLUMNS = "arn, name, type, role_arn, definition, created_at, configuration, status"
INSERT_DEFINITION = "INSERT OR IGNORE INTO definitions (digest, text) VALUES (?, ?)"
INSERT = f"INSERT OR IGNORE INTO state_machines ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
SET_STATUS = "UPDATE state_machines SET status = ? WHERE arn = ?"
DELETE = "DELETE FROM state_machines WHERE arn = ?"

Write: TypeAlias = "Callable[[str, tuple[Any, ...]], Awaitable[None]]"
Fetch: TypeAlias = "Callable[[str, tuple[Any, ...]], Awaitable[list[Any]]]"


class MachineRecord(NamedTuple):
    """A state machine.

    ``definition`` is the digest of its text, ``created_at`` in milliseconds since the epoch,
    ``configuration`` what else its creator has asked for (logging, tracing, encryption, tags).
    """

    arn: str
    name: str
    type: MachineType
    role_arn: str
    definition: str
    created_at: int
    configuration: dict[str, Json]
    status: MachineStatus = "ACTIVE"


class Machines(Protocol):
    """The state machines of a store."""

    async def add(self, record: MachineRecord, definition: str) -> MachineRecord:
        """Keep a new machine and the text of its definition, unless its ARN is taken.

        Gives the machine that has the ARN now: whoever was first.
        """
        ...

    async def get(self, arn: str) -> MachineRecord | None: ...

    async def page(self, prefix: str, after: str, limit: int) -> list[MachineRecord]:
        """The machines whose ARN begins with ``prefix`` and comes after ``after``, by ARN."""
        ...

    async def set_status(self, arn: str, status: MachineStatus) -> None: ...

    async def remove(self, arn: str) -> None:
        """Forget a machine; its executions, which hold their own definition, stay."""
        ...


class MachineTable:
    """``Machines`` in SQLite.  ``write`` runs one statement in a transaction of the store's."""

    def __init__(self, fetch: Fetch, write: Write) -> None:
        self._fetch = fetch
        self._write = write

    async def add(self, record: MachineRecord, definition: str) -> MachineRecord:
        await self._write(INSERT_DEFINITION, (record.definition, definition))
        values = [*record]
        values[MachineRecord._fields.index("configuration")] = dumps(record.configuration)
        await self._write(INSERT, tuple(values))
        return await self.get(record.arn) or record

    async def get(self, arn: str) -> MachineRecord | None:
        found = await self._select("WHERE arn = ?", (arn,))
        return found[0] if found else None

    async def page(self, prefix: str, after: str, limit: int) -> list[MachineRecord]:
        # A range, not LIKE: names may contain % and _, and a range uses the index.
        where = "WHERE arn > ? AND arn < ? ORDER BY arn LIMIT ?"
        return await self._select(where, (max(prefix, after), prefix + "\U0010ffff", limit))

    async def set_status(self, arn: str, status: MachineStatus) -> None:
        await self._write(SET_STATUS, (status, arn))

    async def remove(self, arn: str) -> None:
        await self._write(DELETE, (arn,))

    async def _select(self, where: str, values: tuple[Any, ...]) -> list[MachineRecord]:
        rows = await self._fetch(f"SELECT {COLUMNS} FROM state_machines {where}", values)
        return [_record(MachineRecord(*row)) for row in rows]


def _record(row: Any) -> MachineRecord:
    record: MachineRecord = row._replace(configuration=loads(row.configuration))
    return record
