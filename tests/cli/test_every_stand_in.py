"""Whatever a task can call has a stand-in: in `asl run`, from Python, and in tests; and nothing else is called."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from asl_engine import AslError, run
from asl_engine.testing import Workflow

if TYPE_CHECKING:
    from tests.cli.project import Project

HOME = "us-east-1:123456789012"
FUNCTION = f"arn:aws:lambda:{HOME}:function:ask"
OTHER = f"arn:aws:states:{HOME}:stateMachine:other"
CONNECTION = f"arn:aws:events:{HOME}:connection/shop/aeabd89e-d39c-4181-9486-9fe03e6f286a"
MESSAGE = {"QueueUrl": "q", "MessageBody.$": "$.n"}
TOKEN = {"QueueUrl": "q", "MessageBody": {"token.$": "$$.Task.Token"}}
GET = {"ApiEndpoint": "https://example.org", "Method": "GET", "InvocationConfig": {"ConnectionArn": CONNECTION}}


class Kind(NamedTuple):
    """A Resource with its Parameters, what a stand-in for it goes by, and what that answers."""

    resource: str
    parameters: Any
    key: str
    answer: Any


KINDS = {
    "a function": Kind(FUNCTION, None, "ask", {"said": 1}),
    "a function, by its ARN": Kind(FUNCTION, None, FUNCTION, {"said": 1}),
    "lambda:invoke": Kind(
        "arn:aws:states:::lambda:invoke",
        {"FunctionName": FUNCTION, "Payload.$": "$"},
        "Work",
        {"Payload": {"said": 1}, "StatusCode": 200},
    ),
    "a service": Kind("arn:aws:states:::sqs:sendMessage", MESSAGE, "sqs:sendMessage", {"MessageId": "m-1"}),
    "a service of the SDK": Kind(
        "arn:aws:states:::aws-sdk:s3:listBuckets", {}, "aws-sdk:s3:listBuckets", {"Buckets": []}
    ),
    "a job": Kind(
        "arn:aws:states:::ecs:runTask.sync", {"TaskDefinition": "t"}, "ecs:runTask.sync", {"StartedBy": "me"}
    ),
    "an HTTP API": Kind("arn:aws:states:::http:invoke", GET, "http:invoke", {"StatusCode": 200}),
    "an activity": Kind(f"arn:aws:states:{HOME}:activity:paint", None, "paint", {"painted": True}),
    "a callback": Kind(
        "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        TOKEN,
        "sqs:sendMessage.waitForTaskToken",
        {"approved": True},
    ),
    "a nested machine": Kind(
        "arn:aws:states:::states:startExecution.sync:2",
        {"StateMachineArn": OTHER, "Input.$": "$"},
        "states:startExecution.sync:2",
        {"Output": {"done": True}},
    ),
}


@pytest.fixture(autouse=True)
def _cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials are at hand, and whoever looks for another machine fails the test."""
    for name, value in (("ACCESS_KEY_ID", "test"), ("SECRET_ACCESS_KEY", "test"), ("DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)

    def looked_up(host: str, *_rest: Any, **_more: Any) -> Any:
        pytest.fail(f"{host} was called")

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)


def definition(kind: Kind) -> dict[str, Any]:
    given = {} if kind.parameters is None else {"Parameters": kind.parameters}
    return {
        "StartAt": "Work",
        "States": {"Work": {"Type": "Task", "Resource": kind.resource, **given, "End": True}},
    }


def in_the_fixture(kind: Kind, key: str, project: Project) -> Any:
    del project
    ran = Workflow(definition(kind), {key: kind.answer}, validation="PRESENT").run({"n": "1"})
    ran.state("Work").assert_attempts(1)
    return ran.output


def from_python(kind: Kind, key: str, project: Project) -> Any:
    del project
    return run(definition(kind), {"n": "1"}, tasks={key: lambda _: kind.answer}).output


def by_the_command(kind: Kind, key: str, project: Project) -> Any:
    """A test case names states, whatever they call."""
    del key
    cases = {"StateMachines": {"m": {"TestCases": {"Case": {"Work": "Answer"}}}}}
    cases["MockedResponses"] = {"Answer": {"0": {"Return": kind.answer}}}
    (project.root / "mocks.json").write_text(json.dumps(cases), encoding="utf-8")
    result = project.ran(definition(kind), "-i", '{"n": "1"}', "--mock", "mocks.json#Case")
    assert result.code == 0, result.err
    return result.json


WAYS = {"fixture": in_the_fixture, "python": from_python, "asl run": by_the_command}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("what", KINDS)
def test_every_kind_of_task_has_a_stand_in(project: Project, what: str, way: str) -> None:
    kind = KINDS[what]
    assert WAYS[way](kind, kind.key, project) == kind.answer


@pytest.mark.parametrize("what", [name for name in KINDS if name not in {"an activity", "a callback"}])
def test_without_one_nothing_is_called_and_the_message_names_the_state(what: str) -> None:
    """What only somebody outside can answer waits for the test instead."""
    for begin in (Workflow(definition(KINDS[what])).run, lambda: run(definition(KINDS[what]))):
        with pytest.raises(AslError, match=r"the state 'Work'|no callable|function"):
            begin()


@pytest.mark.parametrize("what", ["an activity", "a callback"])
def test_without_one_the_test_itself_answers(what: str) -> None:
    waiting = Workflow(definition(KINDS[what])).start({"n": "1"})
    waiting.task("Work").succeed({"from": "the test"})
    waiting.assert_succeeded({"from": "the test"})
