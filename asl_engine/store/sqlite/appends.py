"""What one append adds to the database: the rows, and the SQL that inserts them."""

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

__all__ = ["INSERT_EVENT", "Append", "insert"]

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
CLAIM_EXECUTIONS = (
    "UPDATE executions SET owner = ? WHERE status = 'RUNNING' AND owner = ?"
    " AND arn IN (SELECT value FROM json_each(?))"
)
LEAVE_EXECUTIONS = "UPDATE executions SET owner = ? WHERE owner = ? AND arn IN (SELECT value FROM json_each(?))"


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

    def __init__(self, arn: str, key: int, events: Sequence[Event], copied: int = 0) -> None:
        """What the first ``copied`` events have begun belongs to the execution that they were copied from."""
        self.arn = arn
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.definition: tuple[str, str] | None = None
        self.execution: tuple[Any, ...] | None = None
        self.claim: tuple[Any, ...] | None = None
        self.redrive: tuple[Any, ...] | None = None
        self.child: tuple[Any, ...] | None = None
        self.statements: Sequence[Statement] = changes(
            key, events[copied:]
        )  # further statements of the same transaction
        self.events = [(key, *row) for row in encode(events)]
        ended = outcome(events)
        self.end = None if ended is None else (*ended, key)

    def resolve(self, failure: Exception | None = None) -> None:
        if self.done.cancelled():
            return
        if failure is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(failure)


def insert(db: sqlite3.Connection, appends: Sequence[Append]) -> None:
    """Insert all rows of the appends.  sqlite3 opens the transaction at the first one."""
    together = [
        (INSERT_DEFINITION, [*{append.definition: None for append in appends if append.definition}]),
        (INSERT_EXECUTION, [append.execution for append in appends if append.execution]),
        (INSERT_CHILD, [append.child for append in appends if append.child]),
        (INSERT_EVENT, [row for append in appends for row in append.events]),
        (REDRIVE_EXECUTION, [append.redrive for append in appends if append.redrive]),
        (END_EXECUTION, [append.end for append in appends if append.end and not append.execution]),
        (CLAIM_EXECUTION, [append.claim for append in appends if append.claim]),
    ]
    for statement, rows in together:
        if rows:
            done = db.executemany(statement, rows)
            if statement == REDRIVE_EXECUTION and done.rowcount != len(rows):
                # It is one that has been pruned meanwhile; each append then tries by itself.
                raise sqlite3.IntegrityError("an execution that is redriven is gone")
    for append in appends:
        for statement, values in append.statements:
            db.execute(statement, values)
