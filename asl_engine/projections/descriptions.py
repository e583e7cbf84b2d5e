"""Executions as the AWS API describes them: the members and their order are those of botocore's model.

``moment`` says how a time, which is in milliseconds since the epoch, is written.  A member without a
value is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.core.execution import Execution, Identity
    from asl_engine.payload import Payload
    from asl_engine.projections.history import HistoryEvent
    from asl_engine.store.records import Record

    Moment: TypeAlias = Callable[[int], Any]

__all__ = [
    "describe_execution",
    "history_event",
    "list_item",
    "present",
    "start_execution",
    "text_of",
]

INCLUDED = {"included": True}
DETAILS = "EventDetails"
# The members that includeExecutionData=false leaves out.
DATA = frozenset({"input", "inputDetails", "output", "outputDetails", "parameters"})


def present(**members: Any) -> dict[str, Any]:
    """The members that have a value."""
    return {name: value for name, value in members.items() if value is not None}


def text_of(payload: Payload | None) -> str | None:
    return None if payload is None else payload.text


def start_execution(identity: Identity, moment: Moment) -> dict[str, Any]:
    """StartExecution's answer."""
    return {"executionArn": identity.arn, "startDate": moment(identity.started_at)}


def describe_execution(
    execution: Execution, moment: Moment, not_redrivable: str | None, *, data: bool = True
) -> dict[str, Any]:
    """DescribeExecution's answer; without ``data``, as with includedData METADATA_ONLY.

    ``not_redrivable`` says why the execution cannot be redriven; None if it can.
    """
    who = execution.identity
    timed_out = execution.status == "TIMED_OUT"  # AWS reports only the status
    return present(
        executionArn=who.arn,
        stateMachineArn=who.machine_arn,
        name=who.name,
        status=execution.status,
        startDate=moment(who.started_at),
        stopDate=None if execution.stopped_at is None else moment(execution.stopped_at),
        input=text_of(execution.input) if data else None,
        inputDetails=execution.input and {"included": data},
        output=text_of(execution.output) if data else None,
        outputDetails=execution.output and {"included": data},
        error=None if timed_out else execution.error,
        cause=None if timed_out else execution.cause,
        stateMachineVersionArn=who.version_arn,
        stateMachineAliasArn=who.alias_arn,
        redriveCount=execution.redrive_count,
        redriveDate=None if execution.redriven_at is None else moment(execution.redriven_at),
        redriveStatus="REDRIVABLE" if not_redrivable is None else "NOT_REDRIVABLE",
        redriveStatusReason=not_redrivable,
    )


def list_item(record: Record, moment: Moment) -> dict[str, Any]:
    """One of ListExecutions' executions."""
    who = record.identity
    return present(
        executionArn=who.arn,
        stateMachineArn=who.machine_arn,
        name=who.name,
        status=record.status,
        startDate=moment(who.started_at),
        stopDate=None if record.stopped_at is None else moment(record.stopped_at),
        stateMachineVersionArn=who.version_arn,
        stateMachineAliasArn=who.alias_arn,
        redriveCount=record.redrive_count,
        redriveDate=None if record.redriven_at is None else moment(record.redriven_at),
    )


def history_event(event: HistoryEvent, moment: Moment, *, data: bool = True) -> HistoryEvent:
    """One of GetExecutionHistory's events; without ``data``, as with includeExecutionData=false."""
    return {
        key: _without_data(value) if key.endswith(DETAILS) and not data else value for key, value in event.items()
    } | {"timestamp": moment(event["timestamp"])}


def _without_data(details: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in details.items() if name not in DATA}
