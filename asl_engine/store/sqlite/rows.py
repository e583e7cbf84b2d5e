"""Rows as they come out of the database, made records and logs."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from sys import intern
from typing import TYPE_CHECKING, Any

from asl_engine.core.execution import Identity
from asl_engine.json_text import loads
from asl_engine.store.records import Record
from asl_engine.store.run_options import RunOptions
from asl_engine.store.sqlite.codec import COLUMNS, Row, decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from asl_engine.core.events import Event

__all__ = ["RECORD_COLUMNS", "SHORT_LOGS", "as_row", "record_of", "short_logs"]

RECORD_COLUMNS = (
    "arn, name, machine_arn, machine_name, role_arn, started_at, version_arn, alias_arn,"
    " definition, status, stopped_at, options, redrive_count, redriven_at"
)
# Logs that are read together, lest many long ones are in memory at once: so many events and characters.
SHORT_EVENTS, SHORT_LENGTH = 100, 100_000
SHORT_LOGS = f"""
    SELECT arn, {", ".join(f"events.{column}" for column in COLUMNS)}
    FROM json_each(?1) CROSS JOIN executions ON arn = value CROSS JOIN events USING (execution)
    WHERE (SELECT max(seq) FROM events AS log WHERE log.execution = executions.execution) <= {SHORT_EVENTS}
    AND (SELECT total(length(payload)) FROM events AS log WHERE log.execution = executions.execution)
        <= {SHORT_LENGTH}
    ORDER BY json_each.id, events.seq
"""


def short_logs(rows: Iterable[Sequence[Any]]) -> dict[str, list[Event]]:
    """The logs of the rows of ``SHORT_LOGS``, but for damaged ones: whoever reads those alone is told of it."""
    logs: dict[str, list[Row]] = {}
    for arn, *row in rows:
        logs.setdefault(arn, []).append(as_row(row))
    found = {}
    for arn, log in logs.items():
        with suppress(KeyError, TypeError, ValueError):
            if log[-1][0] == len(log):
                found[arn] = decode(log, {})
    return found


def as_row(row: Any) -> Row:
    seq, number, previous, at, frame, kind, data, payload = row
    return (seq, number, previous, at, frame, kind, data, payload)


def record_of(row: Sequence[Any]) -> Record:
    """Executions of one machine share what they have of it: many may be in memory at once."""
    arn, name, machine, machine_name, role, started_at, version, alias, definition, *state = row
    who = Identity(
        arn,
        name,
        intern(machine),
        intern(machine_name),
        intern(role),
        started_at,
        None if version is None else intern(version),
        None if alias is None else intern(alias),
    )
    status, stopped_at, options, *redrives = state
    return Record(who, intern(definition), status, stopped_at, _options(options), *redrives)


@lru_cache(maxsize=256)
def _options(text: str) -> RunOptions:
    stored = loads(text)
    return RunOptions.of(stored if isinstance(stored, dict) else {})
