"""Executions as Amazon EventBridge reports them: an event for each change of status.

"EventBridge events for Step Functions execution status changes" in the Developer Guide.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from asl_engine.arn import Arn
from asl_engine.core.redrive import not_redrivable
from asl_engine.expressions.timestamps import format_timestamp
from asl_engine.projections.descriptions import text_of

if TYPE_CHECKING:
    from asl_engine.core.events import Event
    from asl_engine.core.execution import Execution, Status
    from asl_engine.limits import Limits

__all__ = ["status_event", "status_of"]

DETAIL_TYPE: Final = "Step Functions Execution Status Change"
# Longer payloads, escaped as they are in the event, are left out: 248 KB.
MAX_DATA: Final = 248 * 1024
# The events that change the status, and the new status.
STATUSES: Final[dict[str, Status]] = {
    "ExecutionStarted": "RUNNING",
    "ExecutionRedriven": "RUNNING",
    "ExecutionSucceeded": "SUCCEEDED",
    "ExecutionFailed": "FAILED",
    "ExecutionTimedOut": "TIMED_OUT",
    "ExecutionAborted": "ABORTED",
}


def status_of(event: Event) -> Status | None:
    """The status that an event sets, None if it does not change the status."""
    return STATUSES.get(type(event).__name__)


def status_event(execution: Execution, status: Status, at: int, identifier: str, limits: Limits) -> dict[str, Any]:
    """The status event for the moment ``at`` (milliseconds since the epoch) when ``execution`` reached its status.

    The execution may have progressed since then: a start event still shows RUNNING, without an output.
    """
    who = execution.identity
    region, account = Arn.of(who.arn).home
    over = status != "RUNNING"
    shown_input, shown_output = text_of(execution.input), text_of(execution.output) if over else None
    reason = f"Execution is {status} and cannot be redriven" if not over else not_redrivable(execution, at, limits)
    has_output = _size(shown_output) <= MAX_DATA
    has_input = _size(shown_input) + _size(shown_output) <= MAX_DATA
    failed = status in {"FAILED", "ABORTED"}  # AWS reports nothing more about a timeout
    return {
        "version": "0",
        "id": identifier,
        "detail-type": DETAIL_TYPE,
        "source": "aws.states",
        "account": account,
        "time": f"{format_timestamp(at)[:19]}Z",
        "region": region,
        "resources": [who.arn],
        "detail": {
            "executionArn": who.arn,
            "stateMachineArn": who.machine_arn,
            "name": who.name,
            "status": status,
            "startDate": who.started_at,
            "stopDate": at if over else None,
            "input": shown_input if has_input else None,
            "inputDetails": None if shown_input is None else {"included": has_input},
            "output": shown_output if has_output else None,
            "outputDetails": None if shown_output is None else {"included": has_output},
            "error": execution.error if failed else None,
            "cause": execution.cause if failed else None,
            "stateMachineVersionArn": who.version_arn,
            "stateMachineAliasArn": who.alias_arn,
            "redriveCount": execution.redrive_count,
            "redriveDate": execution.redriven_at,
            "redriveStatus": "REDRIVABLE" if reason is None else "NOT_REDRIVABLE",
            "redriveStatusReason": reason,
        },
    }


def _size(text: str | None) -> int:
    return 0 if text is None else len(json.dumps(text)) - 2
