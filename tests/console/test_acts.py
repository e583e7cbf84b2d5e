"""What changes something: operations of the API, answers to waiting tasks, forks; and what can be taken along."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from asl_engine import run
from tests.server.harness import PASS, ended

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.console.harness import Page

    Create = Callable[..., str]

DOUBLE = "arn:aws:lambda:us-east-1:123456789012:function:double"
BROKEN = "arn:aws:lambda:us-east-1:123456789012:function:broken"
CHAIN = {
    "StartAt": "First",
    "States": {
        "First": {"Type": "Pass", "Result": {"n": 3}, "Next": "Second"},
        "Second": {"Type": "Task", "Resource": DOUBLE, "Next": "Third"},
        "Third": {"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericLessThan": 0, "Next": "Bad"}]}
        | {"Default": "Good"},
        "Bad": {"Type": "Fail", "Error": "Negative"},
        "Good": {"Type": "Succeed"},
    },
}

SHORT = {
    "StartAt": "Second",
    "States": {name: state for name, state in CHAIN["States"].items() if name != "First"},  # type: ignore[attr-defined]  # it is an object
}


def started(page: Page, machine: str, **how: Any) -> str:
    arn: str = page.operation("StartExecution", stateMachineArn=machine, **how)["executionArn"]
    return arn


def output(page: Page, arn: str) -> Any:
    shown = ended(page.server.client(), arn)
    return json.loads(shown["output"]) if shown["status"] == "SUCCEEDED" else shown["status"]


# -- the API ------------------------------------------------------------------------------------------


def test_the_operations_are_the_api_s(page: Page, created_machine: Create) -> None:
    machine = created_machine(PASS)
    created_machine(PASS, f"another-{uuid4()}")
    arn = started(page, machine, name="x", input='{"a": 1}')
    assert output(page, arn) == {"a": 1}
    described = page.operation("DescribeExecution", executionArn=arn)
    assert (described["status"], described["input"]) == ("SUCCEEDED", '{"a": 1}')
    first = page.operation("ListStateMachines", maxResults=1)
    page.operation("ListStateMachines", maxResults=1, nextToken=first["nextToken"])


REFUSED: dict[str, tuple[str, dict[str, Any], int, str]] = {
    "no such operation": ("Nonsense", {}, 400, "UnknownOperationException"),
    "a member is missing": ("StartExecution", {}, 400, "ValidationException"),
    "a member of another type": ("StartExecution", {"stateMachineArn": 1}, 400, "SerializationException"),
    "no such execution": (
        "StopExecution",
        {"executionArn": "arn:aws:states:us-east-1:123456789012:execution:a:b"},
        404,
        "ExecutionDoesNotExist",
    ),
    "a token of nothing": ("SendTaskSuccess", {"taskToken": "x", "output": "{}"}, 400, "InvalidToken"),
    "a forged page": ("ListStateMachines", {"nextToken": "x"}, 400, "InvalidToken"),
}


@pytest.mark.parametrize(("name", "body", "status", "code"), REFUSED.values(), ids=REFUSED)
def test_what_the_api_refuses(page: Page, name: str, body: dict[str, Any], status: int, code: str) -> None:
    found = page.write(f"operations/{name}", body)
    assert (found.status, found.json["error"]) == (status, code)
    assert found.json["message"]


def test_redriving_and_testing_a_state(page: Page, created_machine: Create) -> None:
    machine = created_machine({"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": BROKEN, "End": True}}})
    arn = started(page, machine)
    assert output(page, arn) == "FAILED"
    assert page.get("run", arn=arn)["can"]["redrive"] is None
    page.operation("RedriveExecution", executionArn=arn)
    assert output(page, arn) == "FAILED"
    told = page.get("run", arn=arn)
    assert told["run"]["redriveCount"] == 1
    assert len(page.get("run/timeline", arn=arn)["pauses"]) == 1
    tested = page.operation("TestState", definition='{"Type": "Pass", "End": true}', input='{"a": 1}')
    assert (tested["status"], tested["output"]) == ("SUCCEEDED", '{"a": 1}')


# -- the inbox ----------------------------------------------------------------------------------------


@pytest.fixture
def activity(page: Page) -> str:
    arn: str = page.operation("CreateActivity", name=f"a-{uuid4()}")["activityArn"]
    return arn


def waiting(page: Page, arn: str) -> Any:
    """The task of an execution in the inbox."""
    (task,) = [one for one in page.get("inbox", limit=500)["tasks"] if one["run"]["arn"] == arn]
    return task


def doing(activity: str, **more: Any) -> dict[str, Any]:
    return {"StartAt": "Do", "States": {"Do": {"Type": "Task", "Resource": activity, "End": True, **more}}}


def test_an_activity_s_task_is_taken_and_answered(page: Page, created_machine: Create, activity: str) -> None:
    arn = started(page, created_machine(doing(activity, HeartbeatSeconds=60)), input='{"for": "you"}')
    task = waiting(page, arn)
    assert (task["kind"], task["state"], task["token"], task["activity"]) == ("activity", "Do", None, activity)
    assert json.loads(task["payload"]["text"]) == {"for": "you"}
    assert (task["heartbeatSeconds"], task["heartbeatDue"], task["worker"]) == (60, None, None)
    assert task["scheduledAt"] >= task["enteredAt"]
    assert page.get("run/state", arn=arn, entry=task["entry"])["name"] == "Do"
    token = page.post("inbox/take", arn=arn, task=task["task"])["token"]
    again = waiting(page, arn)
    assert (again["token"], again["worker"]) == (token, "console")
    assert again["heartbeatDue"] is not None
    twice = page.write("inbox/take", {"arn": arn, "task": task["task"]})
    assert (twice.status, twice.json["error"]) == (409, "TaskTaken")
    page.operation("SendTaskHeartbeat", taskToken=token)
    page.operation("SendTaskSuccess", taskToken=token, output='{"done": true}')
    assert output(page, arn) == {"done": True}
    late = page.write("operations/SendTaskSuccess", {"taskToken": token, "output": "{}"})
    assert late.json["error"] == "TaskTimedOut"
    assert "answered already" in late.json["remedy"]
    gone = page.write("inbox/take", {"arn": arn, "task": task["task"]})
    assert gone.json["error"] == "TaskTimedOut"
    history = page.get("run/events", arn=arn)["events"]
    assert [one["details"]["workerName"] for one in history if one["type"] == "ActivityStarted"] == ["console"]


def test_a_task_that_a_worker_has_is_the_worker_s(page: Page, created_machine: Create, activity: str) -> None:
    arn = started(page, created_machine(doing(activity)))
    given = page.server.client().get_activity_task(activityArn=activity, workerName="w")
    assert waiting(page, arn)["token"] == given["taskToken"]
    page.operation("SendTaskFailure", taskToken=given["taskToken"], error="No", cause="not today")
    assert output(page, arn) == "FAILED"
    assert page.get("run", arn=arn)["error"] == "No"


def test_a_callback_is_answered(page: Page, created_machine: Create, activity: str) -> None:
    """A nested machine does nothing with the token: the page answers."""
    nested = created_machine(PASS, f"nested-{uuid4()}")
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.waitForTaskToken",
        "Parameters": {"StateMachineArn": nested, "Input": {"token.$": "$$.Task.Token"}},
        "End": True,
    }
    arn = started(page, created_machine({"StartAt": "Ask", "States": {"Ask": task}}))
    with page.stream(run=arn, after=0) as stream:
        while "TaskSubmitted" not in [one["type"] for one in stream.next().data["events"]]:
            pass
    found = waiting(page, arn)
    assert found["kind"] == "token"
    assert json.loads(found["payload"]["text"])["Input"]["token"] == found["token"]
    page.operation("SendTaskSuccess", taskToken=found["token"], output='"yes"')
    assert output(page, arn) == "yes"
    assert activity


def test_the_inbox_page_by_page(page: Page, created_machine: Create, activity: str) -> None:
    machine = created_machine(doing(activity))
    arns = {started(page, machine) for _ in range(3)}
    told = page.get("inbox", limit=1)
    found, total = told["tasks"], told["total"]
    while told["next"]:
        told = page.get("inbox", limit=1, after=told["next"])
        found += told["tasks"]
    assert len(found) == total >= 3
    assert arns <= {one["run"]["arn"] for one in found}
    for arn in arns:
        page.operation("StopExecution", executionArn=arn)


# -- forks --------------------------------------------------------------------------------------------


def test_a_fork_with_another_input(page: Page, created_machine: Create) -> None:
    arn = started(page, created_machine(CHAIN), name="origin")
    assert output(page, arn) == {"n": 6}
    made = page.post("fork", arn=arn, state="Second", input='{"n": 50}')
    assert made["name"] == "origin-fork-1"
    assert output(page, made["arn"]) == {"n": 100}
    told = page.get("run", arn=made["arn"])
    assert told["origin"] == arn
    assert told["can"]["pin"] == "It is a fork with edited data: pin its origin"
    assert page.get("run", arn=arn)["run"]["status"] == "SUCCEEDED"
    assert page.post("fork", arn=arn, state="Second")["name"] == "origin-fork-2"
    named = page.post("fork", arn=arn, state="Third", name="mine")
    assert (named["name"], output(page, named["arn"])) == ("mine", {"n": 6})


def test_a_fork_with_another_definition(page: Page, created_machine: Create) -> None:
    arn = started(page, created_machine(CHAIN), name="origin")
    assert output(page, arn) == {"n": 6}
    states: Any = CHAIN["States"]
    edited = {**CHAIN, "States": {**states, "Good": {"Type": "Pass", "Result": "edited", "End": True}}}
    made = page.post("fork", arn=arn, state="Third", definition=json.dumps(edited))
    assert output(page, made["arn"]) == "edited"


def test_a_fork_from_where_it_failed(page: Page, created_machine: Create) -> None:
    arn = started(page, created_machine(SHORT), input="{}", name="origin")
    assert output(page, arn) == "FAILED"
    made = page.post("fork", arn=arn)
    assert output(page, made["arn"]) == "FAILED"


def test_a_fork_of_what_a_command_has_run_outlives_a_new_machine_of_that_name(
    page: Page, page_folder: Path, tmp_path: Path, created_machine: Create, name: str
) -> None:
    """The machine is a file's: that a server has one of the same name, or deletes it, is another matter."""
    file = tmp_path / f"{name}.json"
    file.write_text(json.dumps(CHAIN), encoding="utf-8")
    origin = run(file, db=page_folder / "asl.db", tasks={"double": lambda event: event}, name="one").arn
    fork = page.post("fork", arn=origin, state="Second", input='{"n": 50}')["arn"]
    assert output(page, fork) == {"n": 100}
    machine = created_machine(PASS)
    assert page.get("run", arn=fork)["run"]["status"] == "SUCCEEDED"
    page.operation("DeleteStateMachine", stateMachineArn=machine)
    created_machine(PASS)
    assert [page.get("run", arn=arn)["run"]["status"] for arn in (origin, fork)] == ["SUCCEEDED", "SUCCEEDED"]


FORKS: dict[str, tuple[dict[str, Any], int, str]] = {
    "no such state": ({"state": "Scond"}, 400, "did you mean 'Second'"),
    "not in an iteration": ({"state": "Second", "iteration": 1}, 400, "iteration"),
    "not so often": ({"state": "Second", "visit": 5}, 400, "entered once"),
    "an input without a state": ({"input": "{}"}, 400, "about a state"),
    "an input that is no JSON": ({"state": "Second", "input": "{"}, 400, "not JSON"),
    "too large an input": ({"state": "Second", "input": json.dumps("x" * 300_000)}, 400, "262,144 bytes"),
    "variables that are no object": ({"state": "Second", "variables": "1"}, 400, "object"),
    "a variable's name": ({"state": "Second", "variables": '{"1x": 1}'}, 400, "1x"),
    "a definition that is none": ({"state": "Second", "definition": "{}"}, 400, "Invalid State Machine"),
    "a definition without the state": (
        {"state": "Second", "definition": json.dumps(PASS)},
        400,
        "no state 'Second'",
    ),
    "nothing failed": ({}, 400, "no failure"),
    "a name that is none": ({"state": "Second", "name": "a b"}, 400, "Invalid Name"),
    "a name that is taken": ({"state": "Second", "name": "origin"}, 400, "exists already"),
    "a number that is none": ({"state": "Second", "visit": "1"}, 400, "number"),
}


@pytest.mark.parametrize(("asked", "status", "part"), FORKS.values(), ids=FORKS)
def test_forks_that_cannot_be(
    page: Page, created_machine: Create, asked: dict[str, Any], status: int, part: str
) -> None:
    machine = created_machine(CHAIN)
    arn = started(page, machine, name="origin")
    ended(page.server.client(), arn)
    found = page.write("fork", {"arn": arn, **asked})
    assert (found.status, part in found.json["message"]) == (status, True), found.text
    assert [one["name"] for one in page.get("runs", machine=machine)["runs"]] == ["origin"]


# -- what can be taken along --------------------------------------------------------------------------


def test_a_page_of_its_own(page: Page, created_machine: Create) -> None:
    arn = started(page, created_machine(PASS), name="mine", input='{"password": "hunter2"}')
    ended(page.server.client(), arn)
    found = page.ask("GET", f"/console/api/run/export?arn={arn}")
    assert found.headers["content-type"].startswith("text/html")
    assert found.headers["content-disposition"] == "attachment; filename*=UTF-8''mine.html"
    assert found.text.startswith("<!doctype html>")
    assert "asl-engine 1.2.3" in found.text
    assert "hunter2" not in found.text


def test_a_pytest_file(page: Page, created_machine: Create, activity: str) -> None:
    arn = started(page, created_machine(CHAIN), name="mine")
    ended(page.server.client(), arn)
    told = page.get("run/pytest", arn=arn)
    assert told["file"] == "test_mine.py"
    compile(told["text"], told["file"], "exec")
    assert '"Second": returns({"n": 6})' in told["text"]
    running = started(page, created_machine(doing(activity), f"r-{uuid4()}"))
    found = page.refused("run/pytest", arn=running)
    assert (found.status, "has not ended" in found.json["message"]) == (400, True)
    page.operation("StopExecution", executionArn=running)


def test_what_it_costs(page: Page, created_machine: Create) -> None:
    arn = started(page, created_machine(CHAIN), name="mine")
    ended(page.server.client(), arn)
    assert page.get("session")["features"] == {"cost": True}
    told = page.get("run/cost", arn=arn)
    assert (told["status"], told["transitions"], told["executionsPerMonth"]) == ("SUCCEEDED", 4, 1_000_000)
    assert page.get("run/cost", arn=arn, executions=10)["executionsPerMonth"] == 10
    assert page.refused("run/cost", arn=arn, executions=0).status == 400


def test_two_runs_side_by_side(page: Page, created_machine: Create) -> None:
    machine = created_machine(SHORT)
    one, other = started(page, machine, input='{"n": 1}'), started(page, machine, input='{"n": -1}')
    ended(page.server.client(), one)
    ended(page.server.client(), other)
    told = page.get("compare", one=one, other=other)
    assert (told["one"]["arn"], told["other"]["arn"], told["same"], told["more"]) == (one, other, False, 0)
    assert set(told["ends"]) == {"input", "status", "output", "error"}
    assert [(row["state"], row["one"] is None, row["other"] is None) for row in told["states"]] == [
        ("Second", False, False),
        ("Third", False, False),
        ("Good", False, True),
        ("Bad", True, False),
    ]
    assert told["states"][0]["differs"]
    assert page.get("compare", one=one, other=one)["same"] is True
    assert page.refused("compare", one=one).status == 400
    assert page.refused("compare", one=one, other=f"{one}x").status == 404
