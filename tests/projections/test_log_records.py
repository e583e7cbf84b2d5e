"""What is logged of an execution, and what EventBridge would hear of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from asl_engine.core import events as ev
from asl_engine.core.apply import fold
from asl_engine.core.events import EVENT_KINDS
from asl_engine.core.execution import Identity
from asl_engine.limits import AWS_LIMITS
from asl_engine.payload import Payload
from asl_engine.projections.log_records import MAX_DATA, LogLevel, is_logged, log_record
from asl_engine.projections.status_events import STATUSES, status_event, status_of

ARN = "arn:aws:states:eu-west-1:123456789012:execution:m:e"
IDENTITY = Identity(ARN, "e", "arn:m", "m", "arn:role", 1000, "arn:m:1", "arn:m:live")

LEVELS: dict[str, list[LogLevel]] = {
    "ExecutionStarted": ["ALL"],
    "ExecutionSucceeded": ["ALL"],
    "PassStateEntered": ["ALL"],
    "TaskScheduled": ["ALL"],
    "FailStateEntered": ["ALL", "ERROR"],
    "LambdaFunctionFailed": ["ALL", "ERROR"],
    "TaskTimedOut": ["ALL", "ERROR"],
    "WaitStateAborted": ["ALL", "ERROR"],
    "MapIterationFailed": ["ALL", "ERROR"],
    "MapRunFailed": ["ALL", "ERROR"],
    "EvaluationFailed": ["ALL", "ERROR"],
    "ExecutionFailed": ["ALL", "ERROR", "FATAL"],
    "ExecutionAborted": ["ALL", "ERROR", "FATAL"],
    "ExecutionTimedOut": ["ALL", "ERROR", "FATAL"],
}


@pytest.mark.parametrize(("event_type", "levels"), LEVELS.items())
def test_a_level_says_which_events_are_logged(event_type: str, levels: list[LogLevel]) -> None:
    every: list[LogLevel] = ["ALL", "ERROR", "FATAL", "OFF"]
    assert [level for level in every if is_logged(event_type, level)] == levels


def shown(**details: Any) -> dict[str, Any]:
    return {
        "timestamp": 1234,
        "type": "PassStateEntered",
        "id": 2,
        "previousEventId": 0,
        "stateEnteredEventDetails": details,
    }


def test_a_record_has_numbers_as_text() -> None:
    details = {"name": "A", "input": "{}", "inputDetails": {"truncated": False}}
    assert log_record(shown(**details), ARN, data=True, redrive_count=1) == {
        "id": "2",
        "type": "PassStateEntered",
        "details": details,
        "previous_event_id": "0",
        "event_timestamp": "1234",
        "execution_arn": ARN,
        "redrive_count": "1",
    }
    bare = {"timestamp": 1, "type": "LambdaFunctionStarted", "id": 3, "previousEventId": 2}
    assert log_record(bare, ARN, data=True)["details"] == {}


def test_data_is_left_out_on_demand() -> None:
    details = {
        "name": "A",
        "output": '"secret"',
        "outputDetails": {"truncated": False},
        "assignedVariables": {"x": '"secret"'},
        "assignedVariablesDetails": {"truncated": False},
        "parameters": '"secret"',
        "error": "Bad",
    }
    assert log_record(shown(**details), ARN, data=False)["details"] == {"name": "A", "error": "Bad"}


@pytest.mark.parametrize("character", ["x", '"', "\x00", "é", "\U0001f600"])
def test_what_is_too_long_is_cut(character: str) -> None:
    size = len(json.dumps(character)) - 2
    fitting = character * (MAX_DATA // size)
    whole: Any = log_record(shown(name="A", output=fitting), ARN, data=True)["details"]
    assert whole == {"name": "A", "output": fitting}
    cut: Any = log_record(shown(name="A", output=fitting + character), ARN, data=True)["details"]
    assert cut == {"name": "A", "output": fitting, "outputDetails": {"truncated": True}}


def test_status_events_know_the_kinds_of_events() -> None:
    """But for the one that no history shows: a fork is told of as what it does from then on."""
    kinds = {kind for kind in EVENT_KINDS if kind.startswith("Execution")} - {"ExecutionForked"}
    assert kinds <= STATUSES.keys()


STARTED = ev.ExecutionStarted(1, 1, 0, 1000, 0, Payload({"a": 1}))
SUCCEEDED = ev.ExecutionSucceeded(2, 2, 1, 2500, 0, Payload("done"))
ENDS: dict[str, tuple[ev.Event, dict[str, Any]]] = {
    "RUNNING": (STARTED, {"redriveStatusReason": "Execution is RUNNING and cannot be redriven"}),
    "SUCCEEDED": (
        SUCCEEDED,
        {
            "output": '"done"',
            "outputDetails": {"included": True},
            "redriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
        },
    ),
    "FAILED": (ev.ExecutionFailed(2, 2, 1, 2500, 0, "Bad", "why"), {"error": "Bad", "cause": "why"}),
    "ABORTED": (ev.ExecutionAborted(2, 2, 1, 2500, 0, None, None), {}),
    "TIMED_OUT": (ev.ExecutionTimedOut(2, 2, 1, 2500, 0, "States.Timeout", None), {}),
}


@pytest.mark.parametrize(("status", "end"), ENDS.items())
def test_a_status_event_describes_the_execution(status: Any, end: tuple[ev.Event, dict[str, Any]]) -> None:
    last, more = end
    # What began and ended at once is told of twice, as it was each time.
    execution = fold(IDENTITY, [STARTED, SUCCEEDED if last is STARTED else last])
    assert status_of(last) == status
    detail = {
        "executionArn": ARN,
        "stateMachineArn": "arn:m",
        "name": "e",
        "status": status,
        "startDate": 1000,
        "stopDate": None if status == "RUNNING" else 2500,
        "input": '{"a":1}',
        "inputDetails": {"included": True},
        "output": None,
        "outputDetails": None,
        "error": None,
        "cause": None,
        "stateMachineVersionArn": "arn:m:1",
        "stateMachineAliasArn": "arn:m:live",
        "redriveCount": 0,
        "redriveDate": None,
        "redriveStatus": "NOT_REDRIVABLE" if status in {"RUNNING", "SUCCEEDED"} else "REDRIVABLE",
        "redriveStatusReason": None,
    }
    assert status_event(execution, status, last.at, "some-id", AWS_LIMITS) == {
        "version": "0",
        "id": "some-id",
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": "123456789012",
        "time": "1970-01-01T00:00:01Z" if status == "RUNNING" else "1970-01-01T00:00:02Z",
        "region": "eu-west-1",
        "resources": [ARN],
        "detail": detail | more,
    }


HALF = Payload("x" * (MAX_DATA * 6 // 10))
SIZES: dict[str, tuple[Payload, Payload, bool, bool]] = {
    "both fit": (Payload(1), HALF, True, True),
    "one of them fits": (HALF, HALF, False, True),
    "the output is too long": (Payload(1), Payload("x" * MAX_DATA), False, False),
}


@pytest.mark.parametrize(("given", "made", "has_input", "has_output"), SIZES.values(), ids=SIZES)
def test_what_is_too_long_is_left_out(given: Payload, made: Payload, *, has_input: bool, has_output: bool) -> None:
    events: list[ev.Event] = [STARTED._replace(input=given), SUCCEEDED._replace(output=made)]
    detail = status_event(fold(IDENTITY, events), "SUCCEEDED", 2500, "id", AWS_LIMITS)["detail"]
    assert (detail["inputDetails"], detail["outputDetails"]) == ({"included": has_input}, {"included": has_output})
    assert (detail["input"] is not None, detail["output"] is not None) == (has_input, has_output)


def test_other_events_change_no_status() -> None:
    assert status_of(ev.StateEntered(2, 2, 0, 1000, 0, "A", "Pass", Payload({}))) is None
