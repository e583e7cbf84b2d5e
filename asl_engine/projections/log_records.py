"""Executions as CloudWatch Logs records them: one record for each history event that the level includes.

"Using CloudWatch Logs to log execution history" in the Step Functions Developer Guide.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.json_values import Json
    from asl_engine.projections.history import HistoryEvent

__all__ = ["LogLevel", "is_logged", "log_record"]

LogLevel: TypeAlias = Literal["ALL", "ERROR", "FATAL", "OFF"]

FATAL: Final = frozenset({"ExecutionAborted", "ExecutionFailed", "ExecutionTimedOut"})
# Name suffixes of the events that are errors; entering a Fail state is one too.
ERRORS: Final = ("Aborted", "Failed", "TimedOut", "FailStateEntered")
# The members that includeExecutionData=false leaves out.
DATA: Final = frozenset(
    {
        "input",
        "inputDetails",
        "output",
        "outputDetails",
        "parameters",
        "assignedVariables",
        "assignedVariablesDetails",
    }
)
# Longer inputs and outputs, escaped as they are in the record, are cut: 248 KB.
MAX_DATA: Final = 248 * 1024


def is_logged(event_type: str, level: LogLevel) -> bool:
    """Whether a history event of this type is logged.  "Log levels for Step Functions execution events"."""
    if level == "ALL":
        return True
    if level == "ERROR":
        return event_type.endswith(ERRORS)
    return level == "FATAL" and event_type in FATAL


def log_record(event: HistoryEvent, execution_arn: str, *, data: bool, redrive_count: int = 0) -> dict[str, Json]:
    """The record of a history event; ``data`` is the configuration's includeExecutionData.

    All numbers are text, as in CloudWatch.  ``event_timestamp`` is in milliseconds since the epoch.
    """
    details: dict[str, Json] = next((value for key, value in event.items() if key.endswith("EventDetails")), {})
    return {
        "id": str(event["id"]),
        "type": event["type"],
        "details": _cut(details) if data else {key: value for key, value in details.items() if key not in DATA},
        "previous_event_id": str(event["previousEventId"]),
        "event_timestamp": str(event["timestamp"]),
        "execution_arn": execution_arn,
        "redrive_count": str(redrive_count),
    }


def _cut(details: Mapping[str, Json]) -> dict[str, Json]:
    """The details; a payload that is too long is cut, and its Details say so."""
    kept: dict[str, Any] = dict(details)
    for member in ("input", "output"):
        text = kept.get(member)
        # Escaping turns one character into twelve at most.
        if isinstance(text, str) and len(text) * 12 > MAX_DATA and len(json.dumps(text)) - 2 > MAX_DATA:
            kept[member] = _beginning(text)
            kept[f"{member}Details"] = {"truncated": True}
    return kept


def _beginning(text: str) -> str:
    """The longest prefix that is short enough once escaped."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if len(json.dumps(text[:middle])) - 2 <= MAX_DATA:
            low = middle
        else:
            high = middle - 1
    return text[:low]
