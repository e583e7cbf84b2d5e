"""What one append adds to the database, and how several appends are written in one transaction."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING, Any

from asl_engine.store.outcome import outcome
from asl_engine.store.sqlite.codec import COLUMNS, encode
from asl_engine.store.sqlite.map_runs import INSERT_CHILD, changes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asl_engine.core.events import Event
    from asl_engine.store.sqlite.connection import Statement

__all__ = ["INSERT_EVENT", "Append", "group_connection"]

INSERT_EVENT = f"INSERT INTO events (execution, {', '.join(COLUMNS)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_DEFINITION = "INSERT OR IGNORE INTO definitions (digest, text) VALUES (?, ?)"
INSERT_EXECUTION = """
    INSERT INTO executions (execution, arn, name, machine_arn, machine_name, role_arn, definition, status,
                            started_at, stopped_at, options, owner, version_arn, alias_arn)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
END_EXECUTION = "UPDATE executions SET status = ?, stopped_at = ? WHERE execution = ?"
REDRIVE_EXECUTION = """
    UPDATE executions SET status = 'RUNNING', stopped_at = NULL, owner = ?, redrive_count = ?, redriven_at = ?
    WHERE execution = ?
"""
CLAIM_EXECUTION = "UPDATE executions SET owner = ? WHERE arn = ? AND owner = ?"


class Append:
    """The rows that one append adds; ``done`` is resolved when they are on disk."""

    __slots__ = (
        "arn",
        "child",
        "claim",
        "definition",
        "done",
        "end",
        "events",
        "execution",
        "redrive",
        "statements",
    )

    def __init__(self, arn: str, key: int, events: Sequence[Event]) -> None:
        self.arn = arn
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.definition: tuple[str, str] | None = None
        self.execution: tuple[Any, ...] | None = None
        self.claim: tuple[Any, ...] | None = None
        self.redrive: tuple[Any, ...] | None = None
        self.child: tuple[Any, ...] | None = None
        self.statements: Sequence[Statement] = changes(key, events)  # further statements of the same transaction
        self.events = [(key, *row) for row in encode(events)]
        ended = outcome(events)
        self.end = None if ended is None else (*ended, key)

    def settle(self, failure: Exception | None = None) -> None:
        if self.done.cancelled():
            return
        if failure is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(failure)


def group_connection(outbox: list[Append]) -> type[sqlite3.Connection]:
    """A connection that writes what is in ``outbox`` when it commits.

    aiosqlite runs each call in its thread and returns to the loop in between.  A transaction in a single
    call makes that round trip (about 40 us) once instead of up to five times.
    """

    class GroupConnection(sqlite3.Connection):
        def commit(self) -> None:
            batches = outbox.copy()
            outbox.clear()
            if batches:
                insert(self, batches)
            super().commit()

    return GroupConnection


def insert(db: sqlite3.Connection, batches: list[Append]) -> None:
    """Write all rows of the batches.  sqlite3 opens the transaction at the first one."""
    together = [
        (INSERT_DEFINITION, [*{batch.definition: None for batch in batches if batch.definition}]),
        (INSERT_EXECUTION, [batch.execution for batch in batches if batch.execution]),
        (INSERT_CHILD, [batch.child for batch in batches if batch.child]),
        (INSERT_EVENT, [row for batch in batches for row in batch.events]),
        (REDRIVE_EXECUTION, [batch.redrive for batch in batches if batch.redrive]),
        (END_EXECUTION, [batch.end for batch in batches if batch.end]),
        (CLAIM_EXECUTION, [batch.claim for batch in batches if batch.claim]),
    ]
    for statement, rows in together:
        if rows:
            db.executemany(statement, rows)
    for batch in batches:
        for statement, values in batch.statements:
            db.execute(statement, values)
