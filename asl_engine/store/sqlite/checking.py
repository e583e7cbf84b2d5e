"""Checks a database: that the file is sound, that what it refers to is there, and that every log folds.

A log folds if its events follow one another without a gap and make of the execution what its row says.  The
check reads in one transaction, so it sees one moment, and keeps nobody from writing.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from asl_engine.core import events as ev
from asl_engine.core.apply import apply
from asl_engine.core.execution import Execution, Identity
from asl_engine.errors import StoreError
from asl_engine.json_text import loads
from asl_engine.store.sqlite.codec import COLUMNS, Row, decode, referred_to
from asl_engine.store.sqlite.opening import looking_connection
from asl_engine.store.sqlite.place import DamagedDatabase, explained
from asl_engine.store.sqlite.schema import MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from asl_engine.core.events import Event
    from asl_engine.payload import Payload

__all__ = ["Checked", "Damage", "check"]

MAX_FILE_FAULTS = 100
EXECUTIONS = (
    "SELECT execution, arn, name, machine_arn, machine_name, role_arn, started_at, version_arn, alias_arn,"
    " status, stopped_at, redrive_count FROM executions ORDER BY execution"
)
EVENTS = f"SELECT {', '.join(COLUMNS)} FROM events WHERE execution = ? ORDER BY seq"
MAP_RUNS = "SELECT seq, status, arn FROM map_runs WHERE execution = ?"
NO_DEFINITION, NO_MACHINE = "its definition is not there (SHA-256 {})", "there is no state machine {}"
# What refers to what is not there: each query tells where that is, and what completes the message.
DANGLING = {
    """
    SELECT arn, definition FROM executions WHERE definition NOT IN (SELECT digest FROM definitions)
    """: NO_DEFINITION,
    """
    SELECT arn, definition FROM state_machines WHERE definition NOT IN (SELECT digest FROM definitions)
    """: NO_DEFINITION,
    """
    SELECT machine_arn || ':' || number, definition FROM state_machine_versions
    WHERE definition NOT IN (SELECT digest FROM definitions)
    """: NO_DEFINITION,
    """
    SELECT machine_arn || ':' || number, machine_arn FROM state_machine_versions
    WHERE machine_arn NOT IN (SELECT arn FROM state_machines)
    """: NO_MACHINE,
    """
    SELECT machine_arn || ':' || name, machine_arn FROM state_machine_aliases
    WHERE machine_arn NOT IN (SELECT arn FROM state_machines)
    """: NO_MACHINE,
    """
    SELECT 'events of the execution with the key ' || execution, count(*) FROM events
    WHERE execution NOT IN (SELECT execution FROM executions) GROUP BY execution
    """: "there are {}, but no such execution",
    """
    SELECT 'children of the Map Run with the key ' || map_run, count(*) FROM children
    WHERE map_run NOT IN (SELECT map_run FROM map_runs) GROUP BY map_run
    """: "there are {}, but no such Map Run",
    """
    SELECT arn, group_concat(number, ', ') FROM children JOIN map_runs USING (map_run)
    WHERE children.execution NOT IN (SELECT execution FROM executions) GROUP BY map_run
    """: "the executions of its children are not there: {}",
}


class Damage(NamedTuple):
    """``where`` is an ARN or a part of the file."""

    where: str
    message: str


class Checked(NamedTuple):
    """How a database was found: its executions, those whose log folds to what their row says, and its faults."""

    executions: int
    events: int
    whole: int
    faults: list[Damage]


class _Row(NamedTuple):
    """An execution as its table says."""

    key: int
    identity: Identity
    status: str
    stopped_at: int | None
    redrive_count: int


def check(path: Path) -> Checked:
    """Raises ``StoreError`` where the file is no database of this version, or nothing of it can be read."""
    try:
        opened = looking_connection(path)
    except DamagedDatabase as error:
        raise StoreError(
            f"The database {path} is damaged so that nothing of it can be read ({error.reason}): put a backup in "
            "its place"
        ) from None
    with closing(opened) as db:
        try:
            db.execute("BEGIN")
            version = int(db.execute("PRAGMA user_version").fetchone()[0])
        except sqlite3.Error as error:
            raise explained(path, error) from None
        if version < len(MIGRATIONS):
            raise StoreError(
                f"The database {path} was written by an older version of asl-engine (layout {version}, this "
                f"version checks {len(MIGRATIONS)}): `asl list` brings it up to date"
            )
        faults = [*_guarded("the file", _file_faults, db), *_guarded("references", _dangling, db)]
        executions, events, whole = 0, 0, 0
        for row in _rows(db, faults):
            executions += 1
            number, found = _log_faults(db, row)
            events += number
            whole += not found
            faults += found
    return Checked(executions, events, whole, faults)


def _guarded(
    where: str, faults: Callable[[sqlite3.Connection], Iterator[Damage]], db: sqlite3.Connection
) -> Iterator[Damage]:
    """The faults that are found, and what keeps from finding more."""
    try:
        yield from faults(db)
    except sqlite3.Error as error:
        yield Damage(where, f"cannot be read any further: {error}")


def _file_faults(db: sqlite3.Connection) -> Iterator[Damage]:
    for (text,) in db.execute(f"PRAGMA integrity_check({MAX_FILE_FAULTS})"):
        if text != "ok":
            yield Damage("the file", " ".join(str(text).split()))


def _dangling(db: sqlite3.Connection) -> Iterator[Damage]:
    for query, message in DANGLING.items():
        for where, what in db.execute(query):
            yield Damage(str(where), message.format(what))


def _rows(db: sqlite3.Connection, faults: list[Damage]) -> Iterator[_Row]:
    cursor = db.execute("SELECT 0 WHERE FALSE")
    try:
        cursor = db.execute(EXECUTIONS)
        for key, *identity, status, stopped_at, redrive_count in cursor:
            yield _Row(key, Identity._make(identity), status, stopped_at, redrive_count)
    except sqlite3.Error as error:
        faults.append(Damage("executions", f"cannot be read any further: {error}"))


def _log_faults(db: sqlite3.Connection, row: _Row) -> tuple[int, list[Damage]]:
    """The number of an execution's events that can be read, and what is wrong with them."""
    arn = row.identity.arn
    rows: list[Row] = []
    try:
        for one in db.execute(EVENTS, (row.key,)):
            rows.append(one)  # noqa: PERF402  those before the one that cannot be read count
        map_runs = {int(seq): (str(status), str(arn)) for seq, status, arn in db.execute(MAP_RUNS, (row.key,))}
    except (sqlite3.Error, OverflowError) as error:
        return len(rows), [Damage(arn, f"event {len(rows) + 1} of its log cannot be read: {error}")]
    if not rows:
        return 0, [Damage(arn, "it has no events")]
    try:
        events = _decoded(rows)
        execution = _folded(row.identity, events)
    except _Unfoldable as error:
        return len(rows), [Damage(arn, str(error))]
    faults = [*_map_run_faults(arn, events, map_runs)]
    pairs = (
        ("status", row.status, execution.status),
        ("stopped_at", row.stopped_at, execution.stopped_at),
        ("redrive_count", row.redrive_count, execution.redrive_count),
    )
    differences = [
        f"{what} is {told} in the table, but {made} by its log" for what, told, made in pairs if told != made
    ]
    if differences:
        faults.append(Damage(arn, "; ".join(differences)))
    return len(rows), faults


class _Unfoldable(Exception):
    """Why a log does not fold."""


def _decoded(rows: list[Row]) -> list[Event]:
    for number, row in enumerate(rows, 1):
        if row[0] != number:
            raise _Unfoldable(f"event {number} of its log is missing: event {row[0]} follows")
    wanted: set[int] = set()
    for row in rows:
        try:
            wanted |= referred_to([row])
        except ValueError as error:
            raise _Unfoldable(f"event {row[0]} of its log is damaged ({_short(error)})") from None
    if gone := wanted - {row[0] for row in rows}:
        raise _Unfoldable(f"its log refers to the payload of event {min(gone)}, which is not there")
    events: list[Event] = []
    payloads: dict[int, Payload] = {}
    for row in rows:
        try:
            events += decode([row], payloads)
            if not isinstance(row[7], int | None):
                loads(payloads[row[0]].text)
        except Exception as error:  # noqa: BLE001  whatever a damaged row leads to is what there is to tell
            raise _Unfoldable(f"event {row[0]} of its log is damaged ({_short(error)})") from None
    return events


def _folded(identity: Identity, events: list[Event]) -> Execution:
    execution = Execution(identity)
    for event in events:
        try:
            apply(execution, event)
        except Exception as error:  # noqa: BLE001  as above
            raise _Unfoldable(
                f"event {event.seq} of its log ({type(event).__name__}) cannot follow those before it "
                f"({_short(error)})"
            ) from None
    return execution


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]


def _map_run_faults(arn: str, events: list[Event], rows: dict[int, tuple[str, str]]) -> Iterator[Damage]:
    """Where the Map Runs of the table are not those of the log."""
    statuses: dict[int, str] = {}
    for event in events:
        if isinstance(event, ev.MapRunStarted):
            statuses[event.seq] = "RUNNING"
        elif isinstance(event, ev.MapRunRedriven):
            statuses[event.map_run] = "RUNNING"
        elif isinstance(event, ev.MapRunSucceeded | ev.MapRunFailed | ev.MapRunAborted):
            statuses[event.map_run] = ENDINGS[type(event)]
        elif isinstance(event, ev.ExecutionFailed | ev.ExecutionTimedOut | ev.ExecutionAborted):
            for seq, status in statuses.items():
                statuses[seq] = "ABORTED" if status == "RUNNING" else status
    for seq in sorted(statuses.keys() - rows.keys()):
        yield Damage(arn, f"the Map Run of event {seq} is not there")
    for seq in sorted(rows.keys() - statuses.keys()):
        yield Damage(rows[seq][1], f"no event of {arn} has started this Map Run")
    for seq in sorted(rows.keys() & statuses.keys()):
        status, map_run = rows[seq]
        if status != statuses[seq]:
            yield Damage(map_run, f"status is {status} in the table, but {statuses[seq]} by the log of {arn}")


ENDINGS: dict[type[Event], str] = {
    ev.MapRunSucceeded: "SUCCEEDED",
    ev.MapRunFailed: "FAILED",
    ev.MapRunAborted: "ABORTED",
}
