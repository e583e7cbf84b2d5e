"""Map Runs over the API: what describes them, what lists them, what changes them."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.server.botocore_model import service_model
from tests.server.harness import PATIENCE_SECONDS, Server, created, ended, refusal, running
from tests.server.test_http import undeclared

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHECK = {
    "Type": "Choice",
    "Choices": [{"Variable": "$", "StringEquals": "bad", "Next": "Bad"}],
    "Default": "Good",
}
STATES = {"Check": CHECK, "Bad": {"Type": "Fail", "Error": "Bad"}, "Good": {"Type": "Pass", "End": True}}
WAIT = {"W": {"Type": "Wait", "Seconds": 99, "Next": "D"}, "D": {"Type": "Pass", "End": True}}


def distributed(states: Any, kind: str = "STANDARD", **fields: Any) -> Any:
    config = {"Mode": "DISTRIBUTED", "ExecutionType": kind}
    processor = {"ProcessorConfig": config, "StartAt": next(iter(states)), "States": states}
    state = {"Type": "Map", "Label": "each", "ItemProcessor": processor, "End": True, **fields}
    return {"StartAt": "M", "States": {"M": state}}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path / "asl.db") as server:
        yield server


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Server]:
    """A server whose clock does not jump: what waits keeps waiting."""
    with running(tmp_path / "asl.db", skip_time=False) as server:
        yield server


def begun(client: Any, definition: Any, given: Any) -> str:
    machine = created(client, definition)
    arn: str = client.start_execution(stateMachineArn=machine, input=json.dumps(given))["executionArn"]
    return arn


def map_run_of(client: Any, execution: str, running: int = 0) -> str:
    """The ARN of the execution's Map Run, once so many of its children run."""
    pause = threading.Event()
    for _ in range(PATIENCE_SECONDS * 100):
        found = client.list_map_runs(executionArn=execution)["mapRuns"]
        if found:
            arn: str = found[0]["mapRunArn"]
            if client.describe_map_run(mapRunArn=arn)["executionCounts"]["running"] >= running:
                return arn
        pause.wait(0.01)
    raise AssertionError("there is no such Map Run")


def counts(**numbers: int) -> dict[str, int]:
    names = [
        "pending",
        "running",
        "succeeded",
        "failed",
        "timedOut",
        "aborted",
        "total",
        "resultsWritten",
        "failuresNotRedrivable",
    ]
    return dict.fromkeys([*names, "pendingRedrive"], 0) | numbers


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
def test_a_map_run_and_its_children(server: Server, kind: str) -> None:
    client = server.client()
    settings = {"MaxConcurrency": 3, "ToleratedFailureCount": 2, "ToleratedFailurePercentage": 50.0}
    execution = begun(client, distributed(STATES, kind, **settings), ["a", "bad", "b"])
    assert ended(client, execution)["status"] == "SUCCEEDED"
    (listed,) = client.list_map_runs(executionArn=execution)["mapRuns"]
    arn = listed["mapRunArn"]
    assert arn.startswith("arn:aws:states:us-east-1:123456789012:mapRun:m/each:")
    assert listed["executionArn"] == execution
    assert listed["stateMachineArn"].endswith(":stateMachine:m")
    shown = client.describe_map_run(mapRunArn=arn)
    assert (shown["status"], shown["executionArn"], shown["redriveCount"]) == ("SUCCEEDED", execution, 0)
    assert (shown["maxConcurrency"], shown["toleratedFailureCount"]) == (3, 2)
    assert shown["toleratedFailurePercentage"] == 50
    assert shown["startDate"] <= shown["stopDate"]
    assert shown["itemCounts"] == shown["executionCounts"] == counts(succeeded=2, failed=1, total=3)
    for operation in ("DescribeMapRun", "ListExecutions"):
        _, _, body = server.post(operation, json.dumps({"mapRunArn": arn}))
        assert undeclared(service_model().operation_model(operation).output_shape, body) == []
    found = client.list_executions(mapRunArn=arn)["executions"]
    assert sorted(child["status"] for child in found) == ["FAILED", "SUCCEEDED", "SUCCEEDED"]
    assert {(child["mapRunArn"], child["itemCount"]) for child in found} == {(arn, 1)}
    (failed,) = client.list_executions(mapRunArn=arn, statusFilter="FAILED")["executions"]
    described = client.describe_execution(executionArn=failed["executionArn"])
    assert (described["mapRunArn"], described["error"], described["input"]) == (arn, "Bad", '"bad"')
    assert described["stateMachineArn"].endswith(":stateMachine:m/each")
    assert "mapRunArn" not in client.describe_execution(executionArn=execution)
    (parent,) = client.list_executions(stateMachineArn=listed["stateMachineArn"])["executions"]
    assert parent["executionArn"] == execution


def test_pages(server: Server) -> None:
    client = server.client()
    execution = begun(client, distributed(STATES), list("abcde"))
    ended(client, execution)
    arn = client.list_map_runs(executionArn=execution)["mapRuns"][0]["mapRunArn"]
    names: list[str] = []
    arguments: dict[str, Any] = {"mapRunArn": arn, "maxResults": 2}
    while True:
        answer = client.list_executions(**arguments)
        names += [child["name"] for child in answer["executions"]]
        if "nextToken" not in answer:
            break
        arguments["nextToken"] = answer["nextToken"]
    assert len(names) == len(set(names)) == 5
    wrong = {"executionArn": execution, "nextToken": arguments["nextToken"]}
    assert refusal(client.list_map_runs, **wrong)[0] == "InvalidToken"


def test_a_map_run_is_changed_on_the_way(still: Server) -> None:
    client = still.client()
    execution = begun(client, distributed(WAIT, MaxConcurrency=1), [1, 2, 3])
    arn = map_run_of(client, execution, running=1)
    shown = client.describe_map_run(mapRunArn=arn)
    assert shown["status"] == "RUNNING"
    assert "stopDate" not in shown
    assert shown["itemCounts"] == counts(pending=2, running=1, total=3)
    client.update_map_run(mapRunArn=arn, maxConcurrency=3, toleratedFailureCount=7, toleratedFailurePercentage=10)
    assert map_run_of(client, execution, running=3) == arn
    shown = client.describe_map_run(mapRunArn=arn)
    assert (shown["maxConcurrency"], shown["toleratedFailureCount"]) == (3, 7)
    assert shown["toleratedFailurePercentage"] == 10
    client.stop_execution(executionArn=execution)
    assert refusal(client.update_map_run, mapRunArn=arn, maxConcurrency=1)[0] == "ValidationException"


def test_stopping_the_execution_aborts_its_map_run(still: Server) -> None:
    client = still.client()
    execution = begun(client, distributed(WAIT, MaxConcurrency=2), [1, 2, 3])
    arn = map_run_of(client, execution, running=2)
    client.stop_execution(executionArn=execution)
    pause = threading.Event()
    for _ in range(PATIENCE_SECONDS * 100):
        shown = client.describe_map_run(mapRunArn=arn)
        if not shown["executionCounts"]["running"]:
            break
        pause.wait(0.01)
    assert shown["status"] == "ABORTED"
    assert shown["executionCounts"] == counts(aborted=2, pending=1, total=3)
    history = client.get_execution_history(executionArn=execution)["events"]
    assert [event["type"] for event in history][-2:] == ["MapRunAborted", "ExecutionAborted"]


def test_a_restarted_server_goes_on(tmp_path: Path) -> None:
    with running(tmp_path / "asl.db", skip_time=False) as server:
        client = server.client()
        execution = begun(client, distributed(WAIT, MaxConcurrency=2), [1, 2, 3])
        arn = map_run_of(client, execution, running=2)
    with running(tmp_path / "asl.db") as server:
        assert server.resumed == 1  # its children go on with it
        client = server.client()
        assert json.loads(ended(client, execution)["output"]) == [1, 2, 3]
        shown = client.describe_map_run(mapRunArn=arn)
        assert shown["executionCounts"] == counts(succeeded=3, total=3)


NOBODY = "arn:aws:states:us-east-1:123456789012:mapRun:m/each:b9b5b7f5-6a4e-4f8e-9d2c-0a3b1c2d4e5f"


@pytest.mark.parametrize("operation", ["describe_map_run", "update_map_run", "list_executions"])
def test_what_is_no_map_run(server: Server, operation: str) -> None:
    client = server.client()
    call = getattr(client, operation)
    assert refusal(call, mapRunArn=NOBODY)[0] == "ResourceNotFound"
    assert refusal(call, mapRunArn=NOBODY.replace(":mapRun:", ":execution:"))[0] == "InvalidArn"
    assert refusal(call, mapRunArn="nonsense")[0] == "InvalidArn"
    execution = begun(client, distributed(STATES), ["a"])
    ended(client, execution)
    arn = client.list_map_runs(executionArn=execution)["mapRuns"][0]["mapRunArn"]
    elsewhere = getattr(server.client(region="eu-west-1"), operation)
    assert refusal(elsewhere, mapRunArn=arn)[0] == "ResourceNotFound"


def test_what_cannot_be_listed_or_changed(server: Server) -> None:
    client = server.client()
    missing = "arn:aws:states:us-east-1:123456789012:execution:m:n"
    assert refusal(client.list_map_runs, executionArn=missing)[0] == "ExecutionDoesNotExist"
    execution = begun(client, distributed(STATES), ["a"])
    ended(client, execution)
    arn = client.list_map_runs(executionArn=execution)["mapRuns"][0]["mapRunArn"]
    for wrong in ({"maxConcurrency": -1}, {"toleratedFailureCount": -1}, {"toleratedFailurePercentage": 101}):
        assert refusal(client.update_map_run, mapRunArn=arn, **wrong)[0] == "ValidationException"
    both = {"mapRunArn": arn, "stateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:m"}
    assert refusal(client.list_executions, **both)[0] == "ValidationException"


def test_a_map_run_is_redriven_with_its_execution(server: Server) -> None:
    client = server.client()
    execution = begun(client, distributed(STATES, MaxConcurrency=1), ["good", "bad", "good"])
    assert ended(client, execution)["status"] == "FAILED"
    map_run = map_run_of(client, execution)
    before = client.describe_map_run(mapRunArn=map_run)
    assert (before["redriveCount"], "redriveDate" in before) == (0, False)
    (child,) = client.list_executions(mapRunArn=map_run, statusFilter="FAILED")["executions"]
    shown = client.describe_execution(executionArn=child["executionArn"])
    # Recorded from AWS: without a reason.
    assert (shown["redriveStatus"], "redriveStatusReason" in shown) == ("REDRIVABLE_BY_MAP_RUN", False)
    code, _ = refusal(client.redrive_execution, executionArn=child["executionArn"])
    assert code == "ExecutionNotRedrivable"
    client.redrive_execution(executionArn=execution)
    assert ended(client, execution)["status"] == "FAILED"
    after = client.describe_map_run(mapRunArn=map_run)
    assert (after["status"], after["redriveCount"]) == ("FAILED", 1)
    assert after["redriveDate"] >= before["stopDate"]
    assert after["startDate"] == before["startDate"]
    assert (
        after["executionCounts"] == before["executionCounts"] == counts(succeeded=1, failed=1, pending=1, total=3)
    )
    (again,) = client.list_executions(mapRunArn=map_run, redriveFilter="REDRIVEN")["executions"]
    assert (again["executionArn"], again["redriveCount"]) == (child["executionArn"], 1)
    told = client.get_execution_history(executionArn=execution)["events"]
    (redriven,) = [event for event in told if event["type"] == "MapRunRedriven"]
    assert redriven["mapRunRedrivenEventDetails"] == {"mapRunArn": map_run, "redriveCount": 1}
