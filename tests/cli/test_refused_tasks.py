"""A definition that CreateStateMachine refuses for its tasks is refused by whatever takes a definition."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import asl_engine
from asl_engine.errors import DefinitionError
from tests.cli.project import machine

if TYPE_CHECKING:
    from tests.cli.project import Project

ORDER_MACHINE = Path(__file__).parents[2] / "statemachines" / "order.json"
ARN = "arn:aws:states:::"
SEND, INVOKE, HTTP = f"{ARN}sqs:sendMessage", f"{ARN}lambda:invoke", f"{ARN}http:invoke"
QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/q"
CONNECTION = "arn:aws:events:us-east-1:123456789012:connection/shop/aeabd89e-d39c-4181-9486-9fe03e6f286a"
API = {"ApiEndpoint": "https://example.com", "Authentication": {"ConnectionArn": CONNECTION}}

REFUSED: dict[str, tuple[str, Any, str, str]] = {
    "a misspelt field": (
        SEND,
        {"QueueUrl": QUEUE, "MessageBody": "hi", "DelaySecond": 5},
        "/Parameters",
        "The field 'DelaySecond' is not supported by Step Functions",
    ),
    "a missing field": (
        SEND,
        {"QueueUrl": QUEUE},
        "/Parameters",
        "The field 'MessageBody' is required but was missing",
    ),
    "a value of another kind": (
        SEND,
        {"QueueUrl": QUEUE, "MessageBody": "hi", "DelaySeconds": "5"},
        "/Parameters",
        "The value for the field 'DelaySeconds' must be an INTEGER",
    ),
    "a function without its name": (
        INVOKE,
        {"FunctionName": "hello", "Payloads": {}},
        "/Parameters",
        "The field 'Payloads' is not supported by Step Functions",
    ),
    "a method that HTTP lacks": (
        HTTP,
        {**API, "Method": "GETT"},
        "/Parameters",
        "The value of the field 'Method' has an invalid format",
    ),
    "no parameters": (SEND, None, "", f"Parameters field is required for resource ARN: {SEND}"),
    "an action that a service lacks": (
        f"{ARN}aws-sdk:sqs:sendMesage",
        {"QueueUrl": QUEUE},
        "/Resource",
        f"The resource provided {ARN}aws-sdk:sqs:sendMesage is not recognized",
    ),
    "a service that has no tasks": (
        "arn:aws:sqs:us-east-1:123456789012:q",
        None,
        "/Resource",
        "No task can call arn:aws:sqs:us-east-1:123456789012:q",
    ),
}


def task(resource: str, parameters: Any) -> dict[str, Any]:
    given = {} if parameters is None else {"Parameters": parameters}
    return {"Type": "Task", "Resource": resource, **given, "End": True}


def defined(resource: str, parameters: Any) -> dict[str, Any]:
    """A machine whose first state would run before the faulty one."""
    return machine(First={"Type": "Pass"}, Work=task(resource, parameters))


@pytest.mark.parametrize(("resource", "parameters", "place", "message"), REFUSED.values(), ids=REFUSED)
def test_what_validate_refuses_is_refused_everywhere(
    project: Project, resource: str, parameters: Any, place: str, message: str
) -> None:
    path = project.define("m", defined(resource, parameters))
    findings = [line for line in project.asl("validate", path, "--no-lint").out.splitlines() if "[SCHEMA" in line]
    assert any(f": /States/Work{place}: {message}" in line for line in findings)
    for command in (["run", path], ["export", path], ["test-state", path, "--state", "First"]):
        refused = project.asl(*command)
        assert (refused.code, refused.out) == (2, "")
        assert [line for line in refused.err.splitlines() if "[SCHEMA" in line] == findings
    assert not list(project.root.rglob("*.db"))
    assert not (project.root / "export").exists()


@pytest.mark.parametrize(("resource", "parameters", "place", "message"), REFUSED.values(), ids=REFUSED)
def test_python_refuses_it_whatever_stands_in(resource: str, parameters: Any, place: str, message: str) -> None:
    called: list[Any] = []
    with pytest.raises(DefinitionError) as refused:
        asl_engine.run(defined(resource, parameters), tasks={"Work": called.append})
    assert f"definition: /States/Work{place}: {message}" in str(refused.value)
    assert asl_engine.validate(defined(resource, parameters)) == refused.value.findings
    assert called == []


def test_a_lone_state_is_refused_where_it_is_tested(project: Project) -> None:
    path = project.define("s", task(SEND, {"QueueUrl": QUEUE}))
    refused = project.asl("test-state", path, "--mock-result", "{}")
    assert refused.code == 2
    assert (
        f"{path}: /States/StateName/Parameters: The field 'MessageBody' is required but was missing" in refused.err
    )


def test_a_started_machine_is_one_that_aws_would_have(project: Project) -> None:
    project.define("child", defined(SEND, {"QueueUrl": QUEUE}))
    child = "arn:aws:states:us-east-1:123456789012:stateMachine:child"
    parent = task(f"{ARN}states:startExecution", {"StateMachineArn": child})
    result = project.asl("run", project.define("parent", machine(Start=parent)))
    assert result.code == 1
    assert "The field 'MessageBody' is required but was missing" in result.err


def test_what_a_placeholder_stands_for_is_not_known(project: Project) -> None:
    path = project.define("m", defined(HTTP, {**API, "Method": "${Method}"}))
    assert project.asl("validate", path).code == 0
    assert project.asl("validate", path, "--substitute", "Method=GETT").code == 2
    assert project.asl("export", path).code == 0
    assert project.asl("run", path, "--substitute", "Method=GETT").code == 2


def test_what_this_engine_lacks_may_have_a_stand_in() -> None:
    kubernetes = machine(Work=task(f"{ARN}eks:call", {"ClusterName": "c"}))
    assert asl_engine.run(kubernetes, tasks={"Work": lambda _: "done"}).output == "done"


def test_functions_are_checked_without_the_models_of_services() -> None:
    code = (
        "import asl_engine, sys; asl_engine.validate(sys.argv[1]); "
        "print(sorted({'asl_engine.resources.recognition', 'botocore'} & set(sys.modules)))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code, str(ORDER_MACHINE)], capture_output=True, check=True, text=True
    )
    assert json.loads(shown.stdout) == []
