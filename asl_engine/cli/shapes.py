"""Executions in the shapes of the AWS API: the members and their order are those of botocore's model.

Moments are ISO 8601 texts, as the AWS CLI prints them.  A member without a value is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.cli.output import iso, iso_or_none

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asl_engine.execution import Execution, Identity
    from asl_engine.findings import Finding
    from asl_engine.history import HistoryEvent
    from asl_engine.jsontypes import Payload
    from asl_engine.store import Record

__all__ = [
    "DETAILS",
    "describe_execution",
    "history_event",
    "list_item",
    "start_execution",
    "text_of",
    "validation_result",
]

INCLUDED = {"included": True}
DETAILS = "EventDetails"
# The members that includeExecutionData=false leaves out.
DATA = frozenset({"input", "inputDetails", "output", "outputDetails", "parameters"})


def start_execution(identity: Identity) -> dict[str, Any]:
    """StartExecution's answer."""
    return {"executionArn": identity.arn, "startDate": iso(identity.started_at)}


def describe_execution(execution: Execution) -> dict[str, Any]:
    """DescribeExecution's answer."""
    who = execution.identity
    return _present(
        executionArn=who.arn,
        stateMachineArn=who.machine_arn,
        name=who.name,
        status=execution.status,
        startDate=iso(who.started_at),
        stopDate=iso_or_none(execution.stopped_at),
        input=text_of(execution.input),
        inputDetails=execution.input and INCLUDED,
        output=text_of(execution.output),
        outputDetails=execution.output and INCLUDED,
        error=execution.error,
        cause=execution.cause,
        redriveCount=0,
    )


def text_of(payload: Payload | None) -> str | None:
    return None if payload is None else payload.text


def list_item(record: Record) -> dict[str, Any]:
    """One of ListExecutions' executions."""
    who = record.identity
    return _present(
        executionArn=who.arn,
        stateMachineArn=who.machine_arn,
        name=who.name,
        status=record.status,
        startDate=iso(who.started_at),
        stopDate=iso_or_none(record.stopped_at),
        redriveCount=0,
    )


def history_event(event: HistoryEvent, *, data: bool = True) -> HistoryEvent:
    """One of GetExecutionHistory's events; without ``data``, as with includeExecutionData=false."""
    return {
        key: _without_data(value) if key.endswith(DETAILS) and not data else value for key, value in event.items()
    } | {"timestamp": iso(event["timestamp"])}


def _without_data(details: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in details.items() if name not in DATA}


def validation_result(file: str, findings: Iterable[Finding]) -> dict[str, Any]:
    """ValidateStateMachineDefinition's answer, and the file it is about."""
    diagnostics = [
        _present(severity=one.severity, code=one.code, message=one.message, location=one.location)
        | _present(line=one.line, column=one.column)
        for one in findings
    ]
    failed = any(one["severity"] == "ERROR" for one in diagnostics)
    return {"file": file, "result": "FAIL" if failed else "OK", "diagnostics": diagnostics, "truncated": False}


def _present(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
