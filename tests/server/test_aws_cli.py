"""Every operation through the AWS CLI."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.server.operations.table import OPERATIONS
from tests.server.aws_cli import AwsCli, aws_cli
from tests.server.harness import FAIL, PASS, ROLE, WAIT, ended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server.harness import Server

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:"


def command(operation: str) -> str:
    """``ListStateMachines`` -> ``list-state-machines``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", operation).lower()


@pytest.fixture
def aws(patient: Server) -> Iterator[AwsCli]:
    with aws_cli(patient) as cli:
        yield cli


def ended_by_cli(aws: AwsCli, execution: str) -> Any:
    for _ in range(200):
        shown = aws("describe-execution", "--execution-arn", execution)
        if shown["status"] != "RUNNING":
            return shown
    raise AssertionError(f"{execution} is still running")


def test_every_operation(aws: AwsCli) -> None:
    machines(aws)
    versions_and_aliases(aws)
    executions(aws)
    activities(aws)
    map_runs(aws)
    tags(aws)
    deletion(aws)
    assert {command(operation) for operation in OPERATIONS} <= aws.asked


def machines(aws: AwsCli) -> None:
    definition = json.dumps(PASS)
    assert aws("validate-state-machine-definition", "--definition", definition)["result"] == "OK"
    state = json.dumps({"Type": "Pass", "End": True})
    tested = aws("test-state", "--definition", state, "--role-arn", ROLE, "--input", "[1]")
    assert (tested["status"], tested["output"]) == ("SUCCEEDED", "[1]")
    create = ("create-state-machine", "--definition", definition, "--role-arn", ROLE, "--name")
    assert aws(*create, "m", "--tags", "key=a,value=1")["stateMachineArn"] == f"{MACHINE}m"
    aws(*create, "x", "--type", "EXPRESS")
    assert aws.refused(*create, "a b") == "InvalidName"
    assert aws.refused(*create, "m", "--type", "EXPRESS") == "StateMachineAlreadyExists"
    names = [one["name"] for one in aws("list-state-machines", "--page-size", "1")["stateMachines"]]
    assert names == ["m", "x"]
    shown = aws("describe-state-machine", "--state-machine-arn", f"{MACHINE}m")
    assert (shown["definition"], shown["status"]) == (definition, "ACTIVE")
    assert (
        aws.refused("describe-state-machine", "--state-machine-arn", f"{MACHINE}no") == "StateMachineDoesNotExist"
    )
    assert aws.refused("describe-state-machine", "--state-machine-arn", "m") == "InvalidArn"


def versions_and_aliases(aws: AwsCli) -> None:
    update = ("update-state-machine", "--state-machine-arn", f"{MACHINE}m")
    assert aws.refused(*update) == "MissingRequiredParameter"
    first = aws("publish-state-machine-version", "--state-machine-arn", f"{MACHINE}m", "--description", "first")
    assert first["stateMachineVersionArn"] == f"{MACHINE}m:1"
    second = aws(*update, "--definition", json.dumps(FAIL), "--publish", "--version-description", "second")
    assert second["stateMachineVersionArn"] == f"{MACHINE}m:2"
    listed = aws("list-state-machine-versions", "--state-machine-arn", f"{MACHINE}m", "--max-results", "1")
    assert (len(listed["stateMachineVersions"]), "nextToken" in listed) == (1, True)
    create = ("create-state-machine-alias", "--name", "live", "--routing-configuration")
    assert aws.refused(*create, f"stateMachineVersionArn={MACHINE}m:1,weight=99") == "ValidationException"
    aws(*create, f"stateMachineVersionArn={MACHINE}m:2,weight=100")
    alias = ("--state-machine-alias-arn", f"{MACHINE}m:live")
    both = [f"stateMachineVersionArn={MACHINE}m:{number},weight=50" for number in (1, 2)]
    aws("update-state-machine-alias", *alias, "--routing-configuration", *both)
    shown = aws("describe-state-machine-alias", *alias)
    assert [route["weight"] for route in shown["routingConfiguration"]] == [50, 50]
    one = f"stateMachineVersionArn={MACHINE}m:1,weight=100"
    aws("update-state-machine-alias", *alias, "--routing-configuration", one)
    aliases = aws("list-state-machine-aliases", "--state-machine-arn", f"{MACHINE}m")["stateMachineAliases"]
    assert [one["stateMachineAliasArn"] for one in aliases] == [f"{MACHINE}m:live"]
    version = ("--state-machine-version-arn", f"{MACHINE}m:1")
    assert aws.refused("delete-state-machine-version", *version) == "ConflictException"
    aws("delete-state-machine-version", "--state-machine-version-arn", f"{MACHINE}m:2")


def executions(aws: AwsCli) -> None:
    start = ("start-execution", "--state-machine-arn")
    execution = aws(*start, f"{MACHINE}m:live", "--name", "one", "--input", '{"a": 1}')["executionArn"]
    shown = ended_by_cli(aws, execution)
    assert (shown["status"], shown["stateMachineAliasArn"]) == ("SUCCEEDED", f"{MACHINE}m:live")
    assert aws.refused(*start, f"{MACHINE}m", "--name", "one") == "ExecutionAlreadyExists"
    of_execution = aws("describe-state-machine-for-execution", "--execution-arn", execution)
    assert of_execution["definition"] == json.dumps(PASS)
    events = aws("get-execution-history", "--execution-arn", execution, "--page-size", "1", "--reverse-order")[
        "events"
    ]
    assert [event["id"] for event in events] == [4, 3, 2, 1]
    failed = aws(*start, f"{MACHINE}m")["executionArn"]
    assert ended_by_cli(aws, failed)["status"] == "FAILED"
    assert "redriveDate" in aws("redrive-execution", "--execution-arn", failed)
    assert ended_by_cli(aws, failed)["redriveCount"] == 1
    listed = aws("list-executions", "--state-machine-arn", f"{MACHINE}m", "--page-size", "1")["executions"]
    assert [one["executionArn"] for one in listed] == [failed, execution]
    sync = aws("start-sync-execution", "--state-machine-arn", f"{MACHINE}x", "--input", "[2]")
    assert (sync["status"], sync["output"]) == ("SUCCEEDED", "[2]")
    aws("update-state-machine", "--state-machine-arn", f"{MACHINE}m", "--definition", json.dumps(WAIT))
    waiting = aws(*start, f"{MACHINE}m")["executionArn"]
    aws("stop-execution", "--execution-arn", waiting, "--error", "Enough", "--cause", "it is late")
    shown = aws("describe-execution", "--execution-arn", waiting)
    assert (shown["status"], shown["error"], shown["cause"]) == ("ABORTED", "Enough", "it is late")


def activities(aws: AwsCli) -> None:
    arn = aws("create-activity", "--name", "work")["activityArn"]
    assert aws("describe-activity", "--activity-arn", arn)["name"] == "work"
    assert [one["name"] for one in aws("list-activities")["activities"]] == ["work"]
    task = {"Type": "Task", "Resource": arn, "End": True}
    definition = json.dumps({"StartAt": "T", "States": {"T": task}})
    create = ("create-state-machine", "--name", "a", "--role-arn", ROLE, "--definition", definition)
    machine = aws(*create)["stateMachineArn"]
    runs = [
        aws("start-execution", "--state-machine-arn", machine, "--input", json.dumps(number))["executionArn"]
        for number in range(2)
    ]
    tasks = [aws("get-activity-task", "--activity-arn", arn, "--worker-name", "w") for _ in runs]
    assert sorted(one["input"] for one in tasks) == ["0", "1"]
    by_input = {one["input"]: one["taskToken"] for one in tasks}
    aws("send-task-heartbeat", "--task-token", by_input["0"])
    aws("send-task-success", "--task-token", by_input["0"], "--task-output", '"done"')
    aws("send-task-failure", "--task-token", by_input["1"], "--error", "Bad", "--cause", "why")
    assert ended_by_cli(aws, runs[0])["output"] == '"done"'
    assert ended_by_cli(aws, runs[1])["error"] == "Bad"
    assert aws.refused("send-task-heartbeat", "--task-token", "x") == "InvalidToken"
    tag = ("tag-resource", "--resource-arn", arn, "--tags", "key=k,value=v")
    aws(*tag)
    assert aws("list-tags-for-resource", "--resource-arn", arn)["tags"] == [{"key": "k", "value": "v"}]
    aws("delete-activity", "--activity-arn", arn)


def map_runs(aws: AwsCli) -> None:
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **WAIT}
    state = {"Type": "Map", "Label": "each", "ItemProcessor": processor, "End": True}
    definition = json.dumps({"StartAt": "M", "States": {"M": state}})
    create = ("create-state-machine", "--name", "d", "--role-arn", ROLE, "--definition", definition)
    machine = aws(*create)["stateMachineArn"]
    execution = aws("start-execution", "--state-machine-arn", machine, "--input", "[1, 2]")["executionArn"]
    (run,) = aws("list-map-runs", "--execution-arn", execution)["mapRuns"]
    arn = ("--map-run-arn", run["mapRunArn"])
    aws("update-map-run", *arn, "--max-concurrency", "1", "--tolerated-failure-count", "1")
    shown = aws("describe-map-run", *arn)
    assert (shown["status"], shown["maxConcurrency"], shown["itemCounts"]["total"]) == ("RUNNING", 1, 2)
    assert aws.refused("describe-map-run", "--map-run-arn", run["mapRunArn"] + "0") == "ResourceNotFound"
    aws("stop-execution", "--execution-arn", execution)
    assert ended_by_cli(aws, execution)["status"] == "ABORTED"


def tags(aws: AwsCli) -> None:
    resource = ("--resource-arn", f"{MACHINE}m")
    aws("tag-resource", *resource, "--tags", "key=b,value=2")
    aws("untag-resource", *resource, "--tag-keys", "a")
    assert aws("list-tags-for-resource", *resource)["tags"] == [{"key": "b", "value": "2"}]
    assert aws.refused("list-tags-for-resource", "--resource-arn", f"{MACHINE}no") == "ResourceNotFound"


def deletion(aws: AwsCli) -> None:
    aws("delete-state-machine-alias", "--state-machine-alias-arn", f"{MACHINE}m:live")
    aws("delete-state-machine-version", "--state-machine-version-arn", f"{MACHINE}m:1")
    for name in ("m", "x", "a", "d"):
        aws("delete-state-machine", "--state-machine-arn", MACHINE + name)
    assert aws("list-state-machines")["stateMachines"] == []


def test_what_it_is_told_is_what_it_gets(patient: Server) -> None:
    """The server is one for the CLI and for boto3."""
    with aws_cli(patient) as aws:
        create = ("create-state-machine", "--name", "m", "--role-arn", ROLE, "--definition", json.dumps(PASS))
        machine = aws(*create)["stateMachineArn"]
        client = patient.client()
        execution = client.start_execution(stateMachineArn=machine, input='"é"')["executionArn"]
        ended(client, execution)
        assert aws("describe-execution", "--execution-arn", execution)["output"] == '"é"'
