"""StartExecution and what can be asked of an execution, through boto3."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.store.sqlite.store import SqliteStore
from tests.server.harness import FAIL, PASS, ROLE, WAIT, created, ended, ran, refusal

if TYPE_CHECKING:
    from tests.server.harness import Server

PREFIX = "arn:aws:states:us-east-1:123456789012:execution:"


def function(name: str) -> str:
    return f"arn:aws:lambda:us-east-1:123456789012:function:{name}"


def task(resource: str, **fields: Any) -> dict[str, Any]:
    return {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": resource, "End": True, **fields}}}


def test_an_execution_is_described(client: Any, name: str) -> None:
    machine = created(client, name=name)
    made = client.start_execution(stateMachineArn=machine, name="one", input='{"a": 1}')
    assert made["executionArn"] == f"{PREFIX}{name}:one"
    shown = ended(client, made["executionArn"])
    shown.pop("ResponseMetadata")
    assert shown.pop("startDate") == made["startDate"] <= shown.pop("stopDate")
    assert shown == {
        "executionArn": made["executionArn"],
        "stateMachineArn": machine,
        "name": "one",
        "status": "SUCCEEDED",
        "input": '{"a": 1}',
        "inputDetails": {"included": True},
        "output": '{"a": 1}',
        "outputDetails": {"included": True},
        "redriveCount": 0,
        "redriveStatus": "NOT_REDRIVABLE",
        "redriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
    }
    outline = client.describe_execution(executionArn=made["executionArn"], includedData="METADATA_ONLY")
    assert (outline["inputDetails"], "input" in outline) == ({"included": False}, False)


def test_a_failure_tells_why(client: Any, name: str) -> None:
    shown = ran(client, FAIL, name=name)
    assert (shown["status"], shown["error"], shown["cause"]) == ("FAILED", "Bad", "so be it")
    assert shown["redriveStatus"] == "REDRIVABLE"


def test_a_timeout_tells_nothing(client: Any, name: str) -> None:
    shown = ran(client, {**WAIT, "TimeoutSeconds": 5}, name=name)
    assert (shown["status"], "error" in shown, "cause" in shown) == ("TIMED_OUT", False, False)


def test_names_and_inputs(client: Any, name: str) -> None:
    machine = created(client, name=name)
    start = client.start_execution
    assert start(stateMachineArn=machine)["executionArn"].startswith(f"{PREFIX}{name}:")
    assert refusal(start, stateMachineArn=machine, name="a:b") == ("InvalidName", "Invalid Name: 'a:b'")
    code, message = refusal(start, stateMachineArn=machine, input='{"a":}')
    assert code == "InvalidExecutionInput"
    assert message.startswith("Invalid State Machine Execution Input: 'Expecting value")
    code, _ = refusal(start, stateMachineArn=machine, input=json.dumps("é" * 140_000, ensure_ascii=False))
    assert code == "ValidationException"  # the length is that of the text in UTF-8
    code, message = refusal(start, stateMachineArn=machine, input='"' + "e" * 262_143 + '"')
    assert code == "ValidationException"
    assert "Value at 'input'" in message
    code, message = refusal(start, stateMachineArn=machine, traceHeader="é")
    assert code == "ValidationException"
    assert "regular expression pattern" in message


def test_starting_again(patient: Server, name: str) -> None:
    client = patient.client()
    machine = created(client, WAIT, name=name)
    first = client.start_execution(stateMachineArn=machine, name="one", input='{"a": 1}')
    again = client.start_execution(stateMachineArn=machine, name="one", input='{"a":1}')
    assert (again["executionArn"], again["startDate"]) == (first["executionArn"], first["startDate"])
    taken = ("ExecutionAlreadyExists", f"Execution Already Exists: '{first['executionArn']}'")
    assert refusal(client.start_execution, stateMachineArn=machine, name="one") == taken
    other = {"stateMachineArn": machine, "name": "one", "input": '{"a": true}'}
    assert refusal(client.start_execution, **other) == taken
    client.stop_execution(executionArn=first["executionArn"])
    arguments = {"stateMachineArn": machine, "name": "one", "input": '{"a": 1}'}
    assert refusal(client.start_execution, **arguments) == taken


def test_stopping(patient: Server, name: str) -> None:
    client = patient.client()
    arn = client.start_execution(stateMachineArn=created(client, WAIT, name=name))["executionArn"]
    running = client.describe_execution(executionArn=arn)
    assert running["redriveStatusReason"] == "Execution is RUNNING and cannot be redriven"
    stopped = client.stop_execution(executionArn=arn, error="Enough", cause="it is late")
    shown = client.describe_execution(executionArn=arn)
    assert (shown["status"], shown["error"], shown["cause"]) == ("ABORTED", "Enough", "it is late")
    assert shown["stopDate"] == stopped["stopDate"]
    again = client.stop_execution(executionArn=arn, error="Other")
    assert again["stopDate"] == stopped["stopDate"]
    assert client.describe_execution(executionArn=arn)["error"] == "Enough"
    assert refusal(client.stop_execution, executionArn=arn, error="x" * 257)[0] == "ValidationException"


def test_executions_that_are_not_there(server: Server, name: str) -> None:
    client = server.client()
    arn = client.start_execution(stateMachineArn=created(client, name=name), name="one")["executionArn"]
    elsewhere = server.client("eu-west-1")
    for operation in ("describe_execution", "get_execution_history", "stop_execution"):
        missing = (("ExecutionDoesNotExist"), f"Execution Does Not Exist: '{arn}x'")
        assert refusal(getattr(client, operation), executionArn=f"{arn}x") == missing
        assert refusal(getattr(elsewhere, operation), executionArn=arn)[0] == "ExecutionDoesNotExist"
        machine = arn.replace("execution", "stateMachine")
        assert refusal(getattr(client, operation), executionArn=machine)[0] == "InvalidArn"


def test_lists(client: Any, name: str) -> None:
    machine = created(client, name=name)
    for number in range(5):
        arn = client.start_execution(stateMachineArn=machine, name=f"run-{number}")["executionArn"]
        ended(client, arn)
    names = [f"run-{number}" for number in reversed(range(5))]
    pages: list[list[str]] = []
    token: dict[str, str] = {}
    while True:
        page = client.list_executions(stateMachineArn=machine, maxResults=2, **token)
        pages.append([one["name"] for one in page["executions"]])
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert pages == [names[:2], names[2:4], names[4:]]
    one = client.list_executions(stateMachineArn=machine)["executions"][0]
    assert {"executionArn", "stateMachineArn", "name", "status", "startDate", "stopDate"} <= set(one)

    def listed(**filters: Any) -> int:
        return len(client.list_executions(stateMachineArn=machine, **filters)["executions"])

    assert listed(statusFilter="SUCCEEDED") == 5
    assert listed(statusFilter="FAILED") == 0
    arguments = {"stateMachineArn": machine, "statusFilter": "FAILED", **token}
    assert refusal(client.list_executions, **arguments)[0] == "InvalidToken"
    assert refusal(client.list_executions)[0] == "ValidationException"
    for filters in ({"redriveFilter": "REDRIVEN"}, {"statusFilter": "PENDING_REDRIVE"}):
        assert refusal(client.list_executions, stateMachineArn=machine, **filters)[0] == "ValidationException"
    assert refusal(client.list_executions, mapRunArn="arn:x")[0] == "InvalidArn"


# -- Express -----------------------------------------------------------------------------------------


def test_a_standard_machine_may_be_called_express(client: Any) -> None:
    shown = ran(client, FAIL, name="express")
    assert shown["executionArn"].split(":")[5:7] == ["execution", "express"]
    assert (shown["status"], shown["redriveStatus"]) == ("FAILED", "REDRIVABLE")


def test_an_express_execution(client: Any, name: str) -> None:
    machine = created(client, name=name, type="EXPRESS")
    first, second = (client.start_execution(stateMachineArn=machine, name="one") for _ in range(2))
    prefix = f"{PREFIX.replace('execution', 'express')}{name}:one:"
    assert first["executionArn"].startswith(prefix)
    assert first["executionArn"] != second["executionArn"]
    assert ended(client, second["executionArn"])["status"] == "SUCCEEDED"
    assert refusal(client.list_executions, stateMachineArn=machine)[0] == "StateMachineTypeNotSupported"


def test_a_synchronous_execution(client: Any, name: str) -> None:
    machine = created(client, task(function("double")), name=name, type="EXPRESS")
    answer = client.start_sync_execution(stateMachineArn=machine, name="one", input='{"n": 4}')
    answer.pop("ResponseMetadata")
    assert answer.pop("startDate") <= answer.pop("stopDate")
    assert answer.pop("executionArn").startswith(PREFIX.replace("execution", "express"))
    assert answer.pop("billingDetails")["billedMemoryUsedInMB"] == 64
    assert answer == {
        "stateMachineArn": machine,
        "name": "one",
        "status": "SUCCEEDED",
        "input": '{"n": 4}',
        "inputDetails": {"included": True},
        "output": '{"n":8}',
        "outputDetails": {"included": True},
    }
    failed = client.start_sync_execution(stateMachineArn=machine, input="{}", includedData="METADATA_ONLY")
    assert (failed["status"], failed["error"], "input" in failed) == ("FAILED", "KeyError", False)


def test_standard_machines_have_no_synchronous_executions(client: Any, name: str) -> None:
    machine = created(client, name=name)
    refused = refusal(client.start_sync_execution, stateMachineArn=machine)
    assert refused[0] == "StateMachineTypeNotSupported"


# -- histories ---------------------------------------------------------------------------------------


def history(client: Any, **arguments: Any) -> tuple[list[Any], int]:
    """All events of all pages, and how many pages they took."""
    events: list[Any] = []
    pages = 0
    token: dict[str, str] = {}
    while True:
        page = client.get_execution_history(**arguments, **token)
        events += page["events"]
        pages += 1
        if "nextToken" not in page:
            return events, pages
        token = {"nextToken": page["nextToken"]}


def test_a_history_and_its_pages(client: Any, name: str) -> None:
    arn = ran(client, PASS, '{"a": 1}', name=name)["executionArn"]
    events, pages = history(client, executionArn=arn)
    assert [event["type"] for event in events] == [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ]
    assert pages == 1
    assert events[0]["executionStartedEventDetails"] == {
        "input": '{"a": 1}',
        "inputDetails": {"truncated": False},
        "roleArn": ROLE,
    }
    assert history(client, executionArn=arn, maxResults=3) == (events, 2)
    assert history(client, executionArn=arn, maxResults=2) == (events, 2)
    assert history(client, executionArn=arn, maxResults=1, reverseOrder=True) == (events[::-1], 4)
    bare, _ = history(client, executionArn=arn, includeExecutionData=False)
    assert bare[0]["executionStartedEventDetails"] == {"roleArn": ROLE}


def test_the_pages_of_tasks(client: Any, name: str) -> None:
    """What a task's events are called is said by an event on another page."""
    definition = task("arn:aws:states:::lambda:invoke", Parameters={"FunctionName": "unknown"})
    arn = ran(client, definition, name=name)["executionArn"]
    events, _ = history(client, executionArn=arn)
    assert {event["type"] for event in events} >= {"TaskScheduled", "TaskStarted", "TaskFailed"}
    for size in (1, 2, 3):
        assert history(client, executionArn=arn, maxResults=size)[0] == events
        assert history(client, executionArn=arn, maxResults=size, reverseOrder=True)[0] == events[::-1]


def test_a_token_belongs_to_its_list(client: Any, name: str) -> None:
    arn = ran(client, PASS, name=name)["executionArn"]
    token = client.get_execution_history(executionArn=arn, maxResults=1)["nextToken"]
    for wrong in ({"reverseOrder": True, "nextToken": token}, {"nextToken": "?"}):
        assert refusal(client.get_execution_history, executionArn=arn, **wrong)[0] == "InvalidToken"


# -- tasks -------------------------------------------------------------------------------------------

NOT_FOUND = (
    "Function not found: {}:$LATEST (Service: AWSLambda; Status Code: 404; "
    "Error Code: ResourceNotFoundException; Request ID: "
)
INVOKE = "arn:aws:states:::lambda:invoke"
FAILING = {
    "a function": (task(function("gone")), "Lambda.ResourceNotFoundException", NOT_FOUND.format(function("gone"))),
    "an invoked function": (
        task(INVOKE, Parameters={"FunctionName": "gone"}),
        "Lambda.ResourceNotFoundException",
        NOT_FOUND.format(function("gone")),
    ),
    "a callable that raises": (task(function("broken")), "KeyError", '{"errorMessage": "\'missing\'"'),
    "a service": (
        task("arn:aws:states:::sqs:sendMessage", QueryLanguage="JSONata", Arguments="{% {} %}"),
        "States.Runtime",
        "The Parameters '{}' could not be used to start the Task: [",
    ),
}


@pytest.mark.parametrize(("definition", "error", "cause"), FAILING.values(), ids=FAILING)
def test_tasks_that_fail(client: Any, name: str, definition: Any, error: str, cause: str) -> None:
    shown = ran(client, definition, name=name)
    assert (shown["status"], shown["error"]) == ("FAILED", error)
    assert shown["cause"].startswith(cause)


def test_a_callable_is_invoked(client: Any, name: str) -> None:
    definition = task(INVOKE, Parameters={"FunctionName": "double", "Payload.$": "$"})
    output = json.loads(ran(client, definition, '{"n": 21}', name=name)["output"])
    assert (output["Payload"], output["StatusCode"], output["ExecutedVersion"]) == ({"n": 42}, 200, "$LATEST")


def test_the_text_of_an_input_is_kept_as_it_was_sent(client: Any, name: str) -> None:
    """Recorded from AWS: where an input goes on as it came, its text does; a distributed Map writes it anew."""
    sent = '{"a": ["x", "y"]}'
    done = {"Type": "Pass", "End": True}
    distributed = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    processor = {"StartAt": "P", "States": {"P": done}}
    each = {"Type": "Map", "ItemsPath": "$.a", "End": True}
    states: dict[str, tuple[Any, str]] = {
        "Pass": (done, sent),
        "Map": ({**each, "ItemProcessor": processor}, sent),
        "Distributed": ({**each, "ItemProcessor": {**distributed, **processor}}, '{"a":["x","y"]}'),
    }
    for kind, (state, entered) in states.items():
        arn = created(client, {"StartAt": "S", "States": {"S": state}}, name=f"{name}-{kind}")
        execution = client.start_execution(stateMachineArn=arn, input=sent)["executionArn"]
        assert ended(client, execution)["input"] == sent
        started, first = client.get_execution_history(executionArn=execution)["events"][:2]
        assert started["executionStartedEventDetails"]["input"] == sent
        assert first["stateEnteredEventDetails"]["input"] == entered, kind
    express = created(client, {"StartAt": "S", "States": {"S": done}}, name=f"{name}-express", type="EXPRESS")
    assert client.start_sync_execution(stateMachineArn=express, input=sent)["input"] == sent


@pytest.mark.parametrize(
    ("definition", "status"),
    [(PASS, "SUCCEEDED"), (FAIL, "FAILED"), (WAIT, "RUNNING"), (WAIT, "ABORTED")],
)
def test_a_description_takes_no_longer_for_a_long_history(
    patient: Server, monkeypatch: pytest.MonkeyPatch, definition: Any, status: str
) -> None:
    """It reads the first and the last event, never the whole log."""
    client = patient.client()
    machine = created(client, definition)
    arn = client.start_execution(stateMachineArn=machine, input='{"a":1}')["executionArn"]
    if status == "ABORTED":
        client.stop_execution(executionArn=arn, error="Stop")
    if status != "RUNNING":
        ended(client, arn)
    read: list[int] = []
    events = SqliteStore._events

    async def counted(*given: Any) -> Any:
        found = await events(*given)
        read.append(len(found))
        return found

    monkeypatch.setattr(SqliteStore, "_events", counted)
    described = client.describe_execution(executionArn=arn)
    assert read == [1, 1]
    assert (described["status"], described["input"]) == (status, '{"a":1}')
    assert ("output" in described) is (status == "SUCCEEDED")
    assert ("error" in described) is (status in {"FAILED", "ABORTED"})
    assert ("stopDate" in described) is (status != "RUNNING")
