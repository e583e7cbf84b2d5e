"""`asl history`: as a tree of states, as GetExecutionHistory shows it, for people, and as it comes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.cli.commands.history import detail
from tests.cli.project import PASS, finished, machine, task, wait_for

if TYPE_CHECKING:
    from tests.cli.project import Project


def test_history_is_what_get_execution_history_answers(project: Project) -> None:
    project.ran(PASS, "-i", "[1, 2]")
    events = project.asl("history", "one", "--json").json["events"]
    times = [event.pop("timestamp") for event in events]
    assert all(time.endswith("+00:00") and len(time) == len("2024-01-31T12:00:00.123000+00:00") for time in times)
    whole = {"truncated": False}
    assert events == [
        {
            "type": "ExecutionStarted",
            "id": 1,
            "previousEventId": 0,
            "executionStartedEventDetails": {
                "input": "[1, 2]",
                "inputDetails": whole,
                "roleArn": "arn:aws:iam::123456789012:role/asl-engine",
            },
        },
        {
            "type": "PassStateEntered",
            "id": 2,
            "previousEventId": 0,
            "stateEnteredEventDetails": {"name": "Done", "input": "[1, 2]", "inputDetails": whole},
        },
        {
            "type": "PassStateExited",
            "id": 3,
            "previousEventId": 2,
            "stateExitedEventDetails": {"name": "Done", "output": "[1, 2]", "outputDetails": whole},
        },
        {
            "type": "ExecutionSucceeded",
            "id": 4,
            "previousEventId": 3,
            "executionSucceededEventDetails": {"output": "[1, 2]", "outputDetails": whole},
        },
    ]


def test_without_data(project: Project) -> None:
    project.ran(PASS, "-i", '"secret"')
    result = project.asl("history", "one", "--json", "--no-data")
    assert "secret" not in result.out
    assert result.json["events"][1]["stateEnteredEventDetails"] == {"name": "Done"}


def test_backwards(project: Project) -> None:
    project.ran(PASS)
    events = project.asl("history", "one", "--json", "--reverse").json["events"]
    assert [event["id"] for event in events] == [4, 3, 2, 1]


def test_a_tree_by_default(project: Project) -> None:
    project.ran(machine(D=task("double"), F=task("fail")), "-i", '{"n": 1}')
    lines = project.asl("history", "one").out.splitlines()
    assert re.fullmatch(r"m  one  FAILED in \d\.\d\d s", lines[0])
    assert [re.sub(r"\d\.\d\d s", "N s", line) for line in lines[1:]] == [
        "├─ ✓ D  N s",
        "└─ ✗ F  N s",
        "      OutOfStockError: nothing left",
        "OutOfStockError: nothing left",
    ]


def test_backwards_lists_events(project: Project) -> None:
    project.ran(PASS)
    lines = project.asl("history", "one", "--reverse").out.splitlines()
    assert [line.split()[0] for line in lines] == ["id", "4", "3", "2", "1"]


def test_for_people(project: Project) -> None:
    project.ran(machine(F=task("fail")))
    lines = project.asl("history", "one", "--events").out.splitlines()
    assert lines[0].split() == ["id", "time", "(UTC)", "type", "detail", "previous"]
    cells = [[cell for index, cell in enumerate(line.split()) if index not in {1, 2}] for line in lines[1:]]
    assert cells == [
        ["1", "ExecutionStarted", "0"],
        ["2", "TaskStateEntered", "F", "0"],
        ["3", "LambdaFunctionScheduled", "fail", "2"],
        ["4", "LambdaFunctionStarted", "3"],
        ["5", "LambdaFunctionFailed", "OutOfStockError:", "nothing", "left", "4"],
        ["6", "ExecutionFailed", "OutOfStockError:", "nothing", "left", "5"],
    ]


DETAILS = {
    "nothing": ({}, ""),
    "a state": ({"name": "Pay", "input": "{}"}, "Pay"),
    "an iteration": ({"name": "Each", "index": 0}, "Each[0]"),
    "a function": ({"resource": "arn:aws:lambda:r:a:function:pay:2"}, "pay"),
    "a service": ({"resourceType": "sqs", "resource": "sendMessage"}, "sqs:sendMessage"),
    "an activity": ({"resource": "arn:aws:states:r:a:activity:work"}, "arn:aws:states:r:a:activity:work"),
    "an error": ({"error": "E", "cause": "it broke"}, "E: it broke"),
    "an error alone": ({"error": "E"}, "E"),
    "a cause alone": ({"cause": "it broke"}, "it broke"),
    "a Lambda function's report": ({"error": "E", "cause": '{"errorMessage": "so"}'}, "E: so"),
    "JSON that is no report": ({"error": "E", "cause": '{"a": 1}'}, 'E: {"a": 1}'),
    "what only looks like JSON": ({"error": "E", "cause": "{"}, "E: {"),
    "a long cause": ({"cause": "x" * 101}, "x" * 99 + "…"),
}


@pytest.mark.parametrize(("details", "said"), DETAILS.values(), ids=DETAILS)
def test_details(details: dict[str, Any], said: str) -> None:
    assert detail(details) == said


def test_follow_what_has_ended(project: Project) -> None:
    project.ran(PASS)
    result = project.asl("history", "one", "--follow")
    assert [line.split()[0] for line in result.out.splitlines()] == ["1", "2", "3", "4"]


def test_of_an_execution_that_was_killed(project: Project) -> None:
    """Who follows it is told once, and goes on to look: somebody may resume it."""
    calls, gate = project.root / "calls", project.root / "gate"
    given = json.dumps({"calls": str(calls), "gate": str(gate)})
    process = project.spawn("run", project.define("m", machine(C=task("count"))), "--name", "one", "-i", given)
    wait_for(calls.exists)
    process.kill()
    finished(process)
    assert project.asl("history", "one").err == "interrupted: asl resume one\n"
    follower = project.spawn("history", "one", "--follow")
    assert follower.stderr is not None
    assert follower.stderr.readline() == "interrupted: asl resume one\n"
    gate.touch()
    assert project.asl("resume", "one").code == 0
    result = finished(follower)
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines()[-1].split()[3] == "ExecutionSucceeded"


def test_follow_what_runs(project: Project) -> None:
    """Events come while the task is still working, and the command ends with the execution."""
    calls, gate = project.root / "calls", project.root / "gate"
    given = json.dumps({"calls": str(calls), "gate": str(gate)})
    definition = project.define("m", machine(C=task("count")))
    process = project.spawn("run", definition, "--name", "one", "-i", given, "-q")
    wait_for(calls.exists)
    follower = project.spawn("history", "one", "--follow", "--json")
    assert follower.stdout is not None
    first = [json.loads(follower.stdout.readline())["type"] for _ in range(4)]
    assert first[-1] == "LambdaFunctionStarted"
    gate.touch()
    result = finished(follower)
    assert [json.loads(line)["id"] for line in result.out.splitlines()] == [5, 6, 7]
    assert result.code == 0
    assert finished(process).code == 0
