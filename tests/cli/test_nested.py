"""``states:startExecution`` under ``asl run``: the definitions of the project."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.project import ROOT, SUM, machine, task

if TYPE_CHECKING:
    from tests.cli.project import Project

KILLED = Path(ROOT, "tests", "engine", "killed.py")
ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:"


def parent(pattern: str, child: str = "child", **parameters: Any) -> Any:
    start = {
        "Type": "Task",
        "Resource": f"arn:aws:states:::states:startExecution{pattern}",
        "Parameters": {"StateMachineArn": ARN + child, "Input.$": "$", **parameters},
    }
    return machine(Start=start)


def test_a_definition_of_the_project_is_run(project: Project) -> None:
    project.define("child", SUM)
    result = project.ran(parent(".sync:2"), "-i", '{"n":3}')
    assert result.code == 0, result.err
    shown = json.loads(result.out)
    assert (shown["Output"], shown["Status"]) == ({"n": 7}, "SUCCEEDED")
    listed = project.asl("list", "--json", "--machine", "child").json
    assert [one["executionArn"] for one in listed["executions"]] == [shown["ExecutionArn"]]


@pytest.mark.parametrize("time", ["real", "skip"])
def test_what_is_only_started_ends_too(project: Project, time: str) -> None:
    wait = {"Type": "Wait", "Seconds": 3600 if time == "skip" else 1}
    project.define("child", machine(W=wait))
    result = project.ran(parent("", Name="c"), "-i", "{}", "--time", time)
    assert result.code == 0, result.err
    assert project.asl("show", "c", "--json").json["status"] == "SUCCEEDED"


def test_one_that_fails(project: Project) -> None:
    project.define("child", machine(F={"Type": "Fail", "Error": "Bad", "Cause": "so be it"}))
    result = project.ran(parent(".sync"), "-i", "{}")
    assert result.code == 1
    assert "States.TaskFailed" in result.err
    assert "so be it" in result.err


@pytest.mark.parametrize(
    ("name", "error"),
    [("a b", "InvalidNameException"), ("x" * 81, "ValidationException"), ("", "ValidationException")],
)
def test_names_that_are_refused(project: Project, name: str, error: str) -> None:
    project.define("child", machine(D={"Type": "Succeed"}))
    result = project.ran(parent("", Name=name), "-i", "{}")
    assert result.code == 1
    assert f"StepFunctions.{error}" in result.err


def test_a_definition_that_is_not_sound(project: Project) -> None:
    project.define("child", "{")
    result = project.ran(parent(".sync"), "-i", "{}")
    assert result.code == 1
    assert "StepFunctions.ValidationException" in result.err
    assert "Traceback" not in result.err


ONCE = """
import os, signal, threading
from pathlib import Path


def once(event):
    calls = Path(event["calls"])
    with calls.open("a") as file:
        file.write("x")
    if calls.read_text() == "x":
        os.kill(os.getpid(), signal.SIGINT)
        threading.Event().wait()
    return event
"""


@pytest.mark.skipif(os.name == "nt", reason="a process cannot interrupt itself on Windows")
def test_resuming_all_runs_no_task_of_a_started_execution_twice(project: Project) -> None:
    """The task that waits for it would go on with it as well."""
    (project.root / "tasks" / "once.py").write_text(ONCE)
    project.define("child", machine(Once=task("once")))
    calls = project.root / "calls"
    interrupted = project.ran(parent(".sync:2", Name="c"), "-i", json.dumps({"calls": str(calls)}), "--name", "p")
    assert interrupted.code == 130
    resumed = project.asl("resume", "--all")
    assert resumed.code == 0, resumed.err
    assert re.findall(r"^(\w+)  (\w+)", resumed.out, re.MULTILINE) == [("SUCCEEDED", "c"), ("SUCCEEDED", "p")]
    assert calls.read_text() == "xx"


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
def test_what_was_started_before_a_kill_is_not_started_again(project: Project) -> None:
    """The child is on disk, and not yet that its parent has asked for it: it is the second write."""
    project.define("child", SUM)
    definition = project.define("m", parent(".sync:2", Name="c"))
    command = ["run", definition, "-i", '{"n":3}', "--name", "p"]
    died = subprocess.run(
        [sys.executable, KILLED, "after", "2", *command],
        cwd=project.root,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert died.returncode < 0
    assert "TaskSubmitted" not in project.asl("history", "p", "--json").out
    assert project.asl("show", "c", "--json").json["status"] == "RUNNING"
    resumed = project.asl("resume", "p", "--quiet")
    assert resumed.code == 0, resumed.err
    assert resumed.json["Output"] == {"n": 7}
    assert [one["name"] for one in project.asl("list", "--json").json["executions"]] == ["c", "p"]
