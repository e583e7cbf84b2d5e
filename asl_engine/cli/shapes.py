"""What the commands write with --json: the shapes of the AWS API, with times as the AWS CLI prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.core.redrive import not_redrivable
from asl_engine.engine.clock import SystemClock
from asl_engine.limits import AWS_LIMITS
from asl_engine.projections import descriptions as answers
from asl_engine.projections.descriptions import DETAILS, present, text_of
from asl_engine.projections.moments import iso

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asl_engine.core.execution import Execution, Identity
    from asl_engine.findings import Finding
    from asl_engine.limits import Limits
    from asl_engine.projections.history import HistoryEvent
    from asl_engine.store.records import Record

__all__ = [
    "DETAILS",
    "describe_execution",
    "history_event",
    "list_item",
    "start_execution",
    "text_of",
    "validation_result",
]


def start_execution(identity: Identity) -> dict[str, Any]:
    return answers.start_execution(identity, iso)


def describe_execution(execution: Execution, limits: Limits = AWS_LIMITS) -> dict[str, Any]:
    reason = not_redrivable(execution, SystemClock().now(), limits)
    return answers.describe_execution(execution, iso, reason)


def list_item(record: Record) -> dict[str, Any]:
    return answers.list_item(record, iso)


def history_event(event: HistoryEvent, *, data: bool = True) -> HistoryEvent:
    return answers.history_event(event, iso, data=data)


def validation_result(file: str, findings: Iterable[Finding]) -> dict[str, Any]:
    """ValidateStateMachineDefinition's answer, and the file it is about."""
    diagnostics = [
        present(severity=one.severity, code=one.code, message=one.message, location=one.location)
        | present(line=one.line, column=one.column)
        for one in findings
    ]
    failed = any(one["severity"] == "ERROR" for one in diagnostics)
    return {"file": file, "result": "FAIL" if failed else "OK", "diagnostics": diagnostics, "truncated": False}
