"""Executions as the console's answers have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.console.payloads import cut_text
from asl_engine.core import events as ev
from asl_engine.projections.causes import lambda_report, readable_cause
from asl_engine.store.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.console.pasts import Past
    from asl_engine.core.execution import Execution, Identity, Status
    from asl_engine.server.service import Service
    from asl_engine.store.records import Tally

__all__ = [
    "EXPRESS",
    "OF_A_MAP_RUN",
    "Glimpse",
    "counted",
    "event_shown",
    "run_of_glimpse",
    "run_of_past",
    "run_of_record",
    "traceback_of",
]

MAX_CAUSE: Final = 200
MAX_IN_EVENT: Final = 2_048  # characters of data in one of hundreds of events
# The members of a history event's details that are JSON as text, and what else is long.
DATA: Final = frozenset({"input", "output", "parameters"})
DETAILS: Final = "EventDetails"
EXPRESS: Final = (
    "What an Express execution was given and gave is not kept step by step on AWS; fork a Standard one"
)
OF_A_MAP_RUN: Final = "It belongs to a Map Run: act on the execution that started it"
ENDINGS: Final = (ev.ExecutionFailed, ev.ExecutionTimedOut, ev.ExecutionAborted)


def counted(tally: Mapping[Status, Tally]) -> dict[str, dict[str, Any]]:
    """Numbers of executions by status."""
    return {status: {"count": one.number, "more": one.more} for status, one in tally.items()}


def run_of_record(
    service: Service, record: Record, error: str | None = None, cause: str | None = None
) -> dict[str, Any]:
    """A row of the list."""
    live = service.engine.runs.get(record.identity.arn)
    who = record.identity
    stopped, now = record.stopped_at, service.engine.clock.now()
    return {
        "arn": who.arn,
        "name": who.name,
        "machine": {"arn": who.machine_arn, "name": who.machine_name},
        "status": record.status,
        "startedAt": who.started_at,
        "stoppedAt": stopped,
        "took": max(0, (now if stopped is None else stopped) - who.started_at),
        "redriveCount": record.redrive_count,
        "error": error,
        "cause": _short(cause),
        "state": None if live is None else Glimpse.of(live.execution).state,
    }


class Glimpse(NamedTuple):
    """An execution as it was when events of it had come to the disk."""

    identity: Identity
    status: Status
    stopped_at: int | None
    redrive_count: int
    error: str | None
    cause: str | None
    state: str | None

    @classmethod
    def of(cls, x: Execution) -> Glimpse:
        frame = x.frames.get(0)
        state = None if frame is None or x.status != "RUNNING" else frame.state or None
        return cls(x.identity, x.status, x.stopped_at, x.redrive_count, x.error, x.cause, state)


def run_of_glimpse(service: Service, seen: Glimpse) -> dict[str, Any]:
    """The same without a look at the disk."""
    record = Record(seen.identity, "", seen.status, seen.stopped_at, redrive_count=seen.redrive_count)
    return run_of_record(service, record, seen.error, seen.cause) | {"state": seen.state}


def run_of_past(service: Service, past: Past) -> dict[str, Any]:
    last = past.events[-1] if past.events else None
    if isinstance(last, ENDINGS):
        return run_of_record(service, past.record, last.error, last.cause)
    return run_of_record(service, past.record)


def _short(cause: str | None) -> str | None:
    told = readable_cause(cause)
    return told if told is None or len(told) <= MAX_CAUSE else f"{told[: MAX_CAUSE - 1]}…"


def traceback_of(cause: str | None) -> str | None:
    """The traceback in the report of an exception, None where the cause is none."""
    report = lambda_report(cause)
    lines = [] if report is None else report.get("stackTrace")
    if not isinstance(lines, list) or not lines or report is None:
        return None
    told = "".join(f"{str(line).rstrip()}\n" for line in lines)
    return f"Traceback (most recent call last):\n{told}{report.get('errorType', '')}: {report['errorMessage']}"


def event_shown(past: Past, number: int) -> dict[str, Any]:
    """The history event with the id ``number``, as GetExecutionHistory has it, but with its data cut."""
    event = past.shown(number)
    seq = past.seqs[number - 1]
    details: dict[str, Any] = {}
    for key, value in event.items():
        if key.endswith(DETAILS):
            details = {name: one for name, one in value.items() if not name.endswith("Details")}
    return {
        "id": event["id"],
        "seq": seq,
        "previous": event["previousEventId"],
        "at": event["timestamp"],
        "type": event["type"],
        "state": past.states[number - 1],
        "details": {name: _detail(past, seq, name, value) for name, value in details.items()},
    }


def _detail(past: Past, seq: int, name: str, value: Any) -> Any:
    if name not in DATA or not isinstance(value, str):
        return value
    return cut_text(value, MAX_IN_EVENT, arn=past.record.identity.arn, event=seq, field=name)
