"""Executions that tasks start, in the same server."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.server.harness import FAIL, PASS, WAIT, created, ended, ran, refusal, running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.harness import Server

START = "arn:aws:states:::states:startExecution"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:"


def parent(pattern: str, **parameters: Any) -> Any:
    task = {"Type": "Task", "Resource": START + pattern, "Parameters": parameters, "End": True}
    return {"StartAt": "Start", "States": {"Start": task}}


def task_events(client: Any, arn: str) -> list[tuple[str, Any]]:
    events = client.get_execution_history(executionArn=arn)["events"]
    return [
        (event["type"], next((value for key, value in event.items() if key.endswith("Details")), None))
        for event in events
        if event["type"].startswith("Task") and "State" not in event["type"]
    ]


def test_an_execution_is_started(client: Any) -> None:
    child = created(client, PASS, "quick")
    shown = ran(client, parent("", StateMachineArn=child, Input={"n": 1}, Name="one"), name="p1")
    output = json.loads(shown["output"])
    assert set(output) == {"ExecutionArn", "SdkHttpMetadata", "SdkResponseMetadata", "StartDate"}
    assert output["ExecutionArn"] == child.replace("stateMachine", "execution") + ":one"
    assert json.loads(ended(client, output["ExecutionArn"])["output"]) == {"n": 1}


def test_its_end_is_waited_for_and_told_as_text_or_as_json(client: Any) -> None:
    child = created(client, WAIT, "patient")
    shown = ran(client, parent(".sync", StateMachineArn=child, Input={"n": 1}), name="p2")
    output = json.loads(shown["output"])
    assert [*output] == [
        "ExecutionArn",
        "Input",
        "InputDetails",
        "Name",
        "Output",
        "OutputDetails",
        "RedriveCount",
        "RedriveStatus",
        "RedriveStatusReason",
        "StartDate",
        "StateMachineArn",
        "Status",
        "StopDate",
    ]
    assert output["Output"] == '{"n":1}'
    assert output["StopDate"] - output["StartDate"] >= 3600_000
    shown = ran(client, parent(".sync:2", StateMachineArn=child, Input={"n": 1}), name="p3")
    output = json.loads(shown["output"])
    assert (output["Input"], output["Output"], output["Status"]) == ({"n": 1}, {"n": 1}, "SUCCEEDED")
    kinds = [kind for kind, _ in task_events(client, shown["executionArn"])]
    assert kinds == ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]


@pytest.mark.parametrize("pattern", [".sync", ".sync:2"])
def test_the_history_shows_the_whole_pattern(client: Any, pattern: str) -> None:
    child = created(client, PASS, f"quick-{len(pattern)}")
    shown = ran(client, parent(pattern, StateMachineArn=child), name=f"p10-{len(pattern)}")
    told = [
        (details["resourceType"], details["resource"]) for _, details in task_events(client, shown["executionArn"])
    ]
    assert told == [("states", f"startExecution{pattern}")] * 4


FIRST = {"Type": "Wait", "Seconds": 1, "Next": "Tell"}  # the task has submitted by then
LAST = {"Type": "Wait", "Seconds": 3600, "End": True}


def test_one_that_answers_with_the_task_s_token_and_goes_on(client: Any) -> None:
    tell = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sfn:sendTaskSuccess",
        "Parameters": {"TaskToken.$": "$.TaskToken", "Output": {"told": True}},
        "ResultPath": None,
        "Next": "W",
    }
    child = created(client, {"StartAt": "First", "States": {"First": FIRST, "Tell": tell, "W": LAST}}, "teller")
    given = {"TaskToken.$": "$$.Task.Token"}
    shown = ran(client, parent(".sync", StateMachineArn=child, Name="told", Input=given), name="p11")
    assert (shown["status"], json.loads(shown["output"])) == ("SUCCEEDED", {"told": True})
    kinds = [kind for kind, _ in task_events(client, shown["executionArn"])]
    assert kinds == ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]
    went_on = ended(client, child.replace("stateMachine", "execution") + ":told")
    assert went_on["status"] == "SUCCEEDED"


def test_one_that_answers_that_it_has_failed(client: Any) -> None:
    tell = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sfn:sendTaskFailure",
        "Parameters": {"TaskToken.$": "$.TaskToken", "Error": "Bad", "Cause": "so be it"},
        "Next": "W",
    }
    child = created(
        client, {"StartAt": "First", "States": {"First": FIRST, "Tell": tell, "W": LAST}}, "failing-teller"
    )
    given = {"TaskToken.$": "$$.Task.Token"}
    shown = ran(client, parent(".sync:2", StateMachineArn=child, Input=given), name="p12")
    assert (shown["status"], shown["error"], shown["cause"]) == ("FAILED", "Bad", "so be it")


def test_one_that_fails_is_the_cause(client: Any) -> None:
    child = created(client, FAIL, "bad")
    shown = ran(client, parent(".sync:2", StateMachineArn=child), name="p4")
    assert (shown["status"], shown["error"]) == ("FAILED", "States.TaskFailed")
    cause = json.loads(shown["cause"])
    assert (cause["Status"], cause["Error"], cause["Cause"]) == ("FAILED", "Bad", "so be it")
    assert cause["Input"] == "{}"


def test_one_that_there_is_not(client: Any) -> None:
    shown = ran(client, parent(".sync", StateMachineArn=MACHINE + "gone"), name="p5")
    assert shown["error"] == "StepFunctions.StateMachineDoesNotExistException"
    text = (
        f"State Machine Does Not Exist: '{MACHINE}gone' (Service: AWSStepFunctions; Status Code: 400; Error Code: "
    )
    assert shown["cause"].startswith(f"{text}StateMachineDoesNotExist; Request ID: ")


def test_a_name_that_somebody_else_has_taken(client: Any) -> None:
    child = created(client, PASS, "named")
    ended(client, client.start_execution(stateMachineArn=child, name="taken")["executionArn"])
    shown = ran(client, parent("", StateMachineArn=child, Name="taken"), name="p6")
    assert shown["error"] == "StepFunctions.ExecutionAlreadyExistsException"


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({}, "The field 'StateMachineArn' is required but was missing"),
        ({"StateMachineArn": 1}, "The value for the field 'StateMachineArn' must be a STRING"),
        ({"StateMachineArn": "a", "Inputs": 1}, "The field 'Inputs' is not supported by Step Functions"),
    ],
)
def test_parameters_that_do_not_fit(client: Any, parameters: Any, problem: str) -> None:
    """What is known beforehand is refused when the machine is created."""
    task = {"Type": "Task", "Resource": START, "Arguments": "{% $states.input %}", "End": True}
    definition = {"QueryLanguage": "JSONata", "StartAt": "Start", "States": {"Start": task}}
    shown = ran(client, definition, json.dumps(parameters), name=f"p7-{len(problem)}")
    code, message = refusal(created, client=client, definition=parent("", **parameters), name="refused")
    place = "at /States/Start/Parameters"
    refused = f"Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: {problem} {place}'"
    assert (code, message) == ("InvalidDefinition", refused)
    text = json.dumps(parameters, separators=(",", ":"))
    assert (shown["error"], shown["cause"]) == (
        "States.Runtime",
        f"The Parameters '{text}' could not be used to start the Task: [{problem}]",
    )


def test_stopping_the_one_stops_the_other(patient: Server) -> None:
    client = patient.client()
    child = created(client, WAIT, "long")
    definition = parent(".sync", StateMachineArn=child, Name="c")
    arn = client.start_execution(stateMachineArn=created(client, definition, "p8"))["executionArn"]
    nested = child.replace("stateMachine", "execution") + ":c"
    appears(client, arn)
    client.stop_execution(executionArn=arn, error="Enough")
    assert ended(client, nested)["status"] == "ABORTED"


def appears(client: Any, arn: str) -> None:
    """Wait until the execution's task has submitted."""
    pause = threading.Event()
    while "TaskSubmitted" not in [kind for kind, _ in task_events(client, arn)]:
        pause.wait(0.01)


def test_a_server_that_starts_again_goes_on_waiting_for_the_same_one(tmp_path: Path) -> None:
    db = tmp_path / "asl.db"
    with running(db, skip_time=False) as server:
        client = server.client()
        child = created(client, WAIT, "child")
        arn = client.start_execution(
            stateMachineArn=created(client, parent(".sync:2", StateMachineArn=child), "parent")
        )["executionArn"]
        appears(client, arn)
    with running(db, skip_time=True) as server:
        client = server.client()
        shown = ended(client, arn)
        assert shown["status"] == "SUCCEEDED"
        listed = client.list_executions(stateMachineArn=child)["executions"]
        assert [one["executionArn"] for one in listed] == [json.loads(shown["output"])["ExecutionArn"]]


def test_the_server_answers_the_sdk_integration_too(client: Any) -> None:
    child = created(client, PASS, "asked")
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sfn:describeStateMachine",
        "Parameters": {"StateMachineArn": child},
        "End": True,
    }
    output = json.loads(ran(client, {"StartAt": "S", "States": {"S": state}}, name="p9")["output"])
    assert (output["StateMachineArn"], output["Type"]) == (child, "STANDARD")
    assert output["CreationDate"].endswith("Z")
    state["Parameters"] = {"StateMachineArn": MACHINE + "gone"}
    shown = ran(client, {"StartAt": "S", "States": {"S": state}}, name="p10")
    assert shown["error"] == "Sfn.StateMachineDoesNotExistException"
    assert "(Service: Sfn, Status Code: 400, Request ID: " in shown["cause"]
