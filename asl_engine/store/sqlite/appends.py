"""What one append adds to the database: the rows, and the SQL that inserts them."""

from __future__ import annotations

import asyncio
import sqlite3
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any

from asl_engine.json_text import dumps
from asl_engine.store.outcome import outcome
from asl_engine.store.sqlite.codec import COLUMNS, WIDTH, encode
from asl_engine.store.sqlite.map_runs import INSERT_CHILD, changes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asl_engine.core.events import Event
    from asl_engine.store.sqlite.connection import Statement

__all__ = ["INSERT_EVENTS", "Append", "insert"]

INSERT_EVENTS = f"INSERT INTO events (execution, {', '.join(COLUMNS)}) VALUES"
INSERT_DEFINITION = "INSERT OR IGNORE INTO definitions (digest, text) VALUES (?, ?)"
INSERT_EXECUTIONS = """
    INSERT INTO executions (execution, arn, name, machine_arn, machine_name, role_arn, definition, status,
                            started_at, stopped_at, options, owner, version_arn, alias_arn)
    VALUES
"""
EXECUTION_WIDTH = 14
# With each statement the thread lets go of Python's lock, and then waits for it: up to 5 ms where the event loop
# is busy.  So many rows share a statement.  Older versions of SQLite bind no more than 999 values.
ROWS_AT_ONCE = 64
END_EXECUTIONS = """
    UPDATE executions SET status = ?, stopped_at = ? WHERE execution IN (SELECT value FROM json_each(?))
"""
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
        "ended",
        "events",
        "execution",
        "key",
        "redrive",
        "statements",
    )

    def __init__(self, arn: str, key: int, events: Sequence[Event], copied: int = 0) -> None:
        """What the first ``copied`` events have begun belongs to the execution that they were copied from."""
        self.arn = arn
        self.key = key
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.definition: tuple[str, str] | None = None
        self.execution: tuple[Any, ...] | None = None
        self.claim: tuple[Any, ...] | None = None
        self.redrive: tuple[Any, ...] | None = None
        self.child: tuple[Any, ...] | None = None
        # Further statements of the same transaction.
        self.statements: Sequence[Statement] = changes(key, events[copied:])
        self.events = encode(key, events)
        self.ended = outcome(events)

    @property
    def is_looked_after(self) -> bool:
        """Whether the file is to be where it was once this is on disk, so that whoever waits can rely on it."""
        return bool(self.ended or self.execution or self.statements)

    def resolve(self, failure: Exception | None = None) -> None:
        if self.done.cancelled():
            return
        if failure is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(failure)


def insert(db: sqlite3.Connection, appends: Sequence[Append]) -> None:
    """Insert all rows of the appends.  sqlite3 opens the transaction at the first one."""
    _change(db, INSERT_DEFINITION, [*{append.definition: None for append in appends if append.definition}])
    executions = [append.execution for append in appends if append.execution]
    _insert_rows(db, INSERT_EXECUTIONS, EXECUTION_WIDTH, [*chain.from_iterable(executions)])
    _change(db, INSERT_CHILD, [append.child for append in appends if append.child])
    _insert_rows(db, INSERT_EVENTS, WIDTH, [*chain.from_iterable(append.events for append in appends)])
    redrives = [append.redrive for append in appends if append.redrive]
    if _change(db, REDRIVE_EXECUTION, redrives) != len(redrives):
        # It is one that has been pruned meanwhile; each append then tries by itself.
        raise sqlite3.IntegrityError("an execution that is redriven is gone")
    _change(db, END_EXECUTIONS, _ends(appends))
    _change(db, CLAIM_EXECUTION, [append.claim for append in appends if append.claim])
    for append in appends:
        for statement, values in append.statements:
            db.execute(statement, values)


def _change(db: sqlite3.Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> int:
    """How many rows it has changed."""
    return db.executemany(statement, rows).rowcount if rows else 0


def _ends(appends: Sequence[Append]) -> list[tuple[str, int, str]]:
    """What ``END_EXECUTIONS`` takes: those that end alike and at the same moment are ended together.

    One that ends as it begins is inserted with its end.
    """
    alike: dict[tuple[str, int], list[int]] = {}
    for append in appends:
        if append.ended and not append.execution:
            alike.setdefault(append.ended, []).append(append.key)
    return [(*ended, dumps([*keys])) for ended, keys in alike.items()]


def _insert_rows(db: sqlite3.Connection, insertion: str, width: int, values: Sequence[Any]) -> None:
    """Insert rows of ``width`` values, which are given one after the other."""
    at, left = 0, len(values) // width
    while left:
        # Powers of two, so that there are few statements to prepare.
        count = min(ROWS_AT_ONCE, 1 << (left.bit_length() - 1))
        end = at + count * width
        db.execute(_of_rows(insertion, width, count), values[at:end])
        at, left = end, left - count


@cache
def _of_rows(insertion: str, width: int, count: int) -> str:
    row = f"({', '.join('?' * width)})"
    return f"{insertion} {', '.join([row] * count)}"
