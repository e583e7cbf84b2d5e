"""How a failure is told: the message, where it was raised, and what it was caused by."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.cli.report import failure_lines
from tests.cli.project import machine, task

if TYPE_CHECKING:
    from tests.cli.project import Project

TASKS = """
def look_up(event):
    return {}["12C"]


def find_seat(event):
    try:
        look_up(event)
    except KeyError as error:
        raise ValueError("no such seat") from error
"""


def test_a_failure_names_task_state_place_and_cause(project: Project) -> None:
    file = project.root / "tasks" / "callables.py"
    file.write_text(TASKS, encoding="utf-8")
    ran = project.ran(machine(Find=task("findSeat")), "--quiet")
    assert ran.code == 1
    assert ran.err.splitlines() == [
        "ValueError: no such seat",
        f'    File "{file}", line 10, in find_seat',
        '      raise ValueError("no such seat") from error',
        f"    the task findSeat ({file}:6) of the state Find",
        "    caused by KeyError: '12C'",
        f'    File "{file}", line 3, in look_up',
        '      return {}["12C"]',
    ]


FRAMES = ['  File "a.py", line 1, in f\n    g()\n', '  File "a.py", line 2, in g\n    h()\n']


@pytest.mark.parametrize(
    ("trace", "told"),
    [
        (FRAMES, ['    File "a.py", line 2, in g', "      h()"]),  # as Lambda reports
        ([*FRAMES, "  a word\n"], ['    File "a.py", line 2, in g', "      h()", "    a word"]),
        (["  a word\n"], ["    a word"]),
        ([], []),
        ([1], []),
        ("text", []),
    ],
)
def test_of_each_stack_trace_the_last_frame_is_told(trace: Any, told: list[str]) -> None:
    cause = json.dumps({"errorMessage": "no", "errorType": "E", "stackTrace": trace})
    assert failure_lines("E", cause) == ["E: no", *told]


OWN_ERRORS = """
import sys
from asl_engine import StatesError


def closed(event):
    raise StatesError("Airline.Closed", "fog")


def leave(event):
    sys.exit("bye")
"""
CAUGHT = {"Type": "Parallel", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Last"}], "Next": "Last"}


def branches(*names: str) -> list[dict[str, Any]]:
    return [machine(**{f"In{number}": task(name)}) for number, name in enumerate(names)]


@pytest.mark.parametrize(
    ("definition", "told"),
    [
        (
            machine(Find=task("closed")),
            ["Airline.Closed: fog", "  in the state Find, which calls the task closed ({}:6)"],
        ),
        (
            machine(All={"Type": "Parallel", "Branches": branches("double", "closed")}),
            ["Airline.Closed: fog", "  in the state In1, which calls the task closed ({}:6)"],
        ),
        (
            machine(Each={"Type": "Map", "ItemsPath": "$.n", "ItemProcessor": machine(One=task("closed"))}),
            ["Airline.Closed: fog", "  in the state One, which calls the task closed ({}:6)"],
        ),
        (
            machine(All={**CAUGHT, "Branches": branches("double", "closed")}, Last={"Type": "Fail", "Error": "E"}),
            ["E", "  in the state Last"],
        ),
        (
            machine(
                Find=task("closed", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Last"}]), Last=task("closed")
            ),
            ["Airline.Closed: fog", "  in the state Last, which calls the task closed ({}:6)"],
        ),
    ],
    ids=["a task", "in a branch", "in an iteration", "after a failure that was caught", "in the second state"],
)
def test_a_failure_without_a_trace_names_the_state_and_the_task(
    project: Project, definition: Any, told: list[str]
) -> None:
    file = project.root / "tasks" / "callables.py"
    file.write_text(f"{OWN_ERRORS}\n\ndef double(event):\n    return event\n", encoding="utf-8")
    ran = project.ran(definition, "--quiet", "--input", '{"n": [1]}')
    assert ran.code == 1
    assert ran.err.splitlines() == [line.format(file) for line in told]


def test_what_a_task_says_as_it_exits_is_told(project: Project) -> None:
    file = project.root / "tasks" / "callables.py"
    file.write_text(OWN_ERRORS, encoding="utf-8")
    said, error, place = project.ran(machine(Find=task("leave")), "--quiet").err.splitlines()
    assert said == "bye"
    assert error.startswith("Runtime.ExitError: ")
    assert place == f"  in the state Find, which calls the task leave ({file}:10)"


def test_a_service_that_does_not_answer_is_named_with_the_state(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    send = {"QueueUrl": "http://127.0.0.1:1/q", "MessageBody": "x"}
    sqs = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Parameters": send}
    ran = project.ran(machine(Send=sqs), "--quiet", "--endpoint", "sqs=http://127.0.0.1:1")
    error, place = ran.err.splitlines()
    assert error.startswith("SQS.SdkClientException: ")
    assert place == "  in the state Send, which calls sqs:sendMessage"
