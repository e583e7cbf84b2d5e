"""`asl list`, `show`, `stop` and `resume`, on executions that have ended and on one that was interrupted."""

from __future__ import annotations

import json
import sys
from signal import SIGINT
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine import run
from tests.cli.project import PASS, SUM, finished, machine, task, wait_for

if TYPE_CHECKING:
    from tests.cli.project import Project

INTERRUPT = json.dumps({"signal": int(SIGINT)})
# A task that interrupts the command that runs it; resumed, it would do so again.
INTERRUPTED = machine(First={"Type": "Pass"}, Second=task("interrupt", ResultPath=None))


def interrupted(project: Project, definition: Any = INTERRUPTED, *arguments: str, name: str = "one") -> None:
    assert project.ran(definition, "-i", INTERRUPT, *arguments, name=name).code == 130


def replace_tasks(project: Project, source: str) -> None:
    """What the tasks do from now on."""
    (project.root / "tasks" / "callables.py").write_text(source)
    for name in [name for name in sys.modules if name.endswith(".callables")]:
        del sys.modules[name]


# -- list ---------------------------------------------------------------------------------------------


def test_list_is_what_list_executions_answers(project: Project) -> None:
    project.ran(PASS, name="first")
    project.ran(machine(F={"Type": "Fail"}), name="second", machine="n")
    shown = project.asl("list", "--json").json
    assert [(one["name"], one["status"]) for one in shown["executions"]] == [
        ("second", "FAILED"),
        ("first", "SUCCEEDED"),
    ]
    assert set(shown["executions"][0]) == {
        "executionArn",
        "stateMachineArn",
        "name",
        "status",
        "startDate",
        "stopDate",
        "redriveCount",
    }


FILTERS = {
    "all": ([], ["c", "b", "a"]),
    "a machine": (["--machine", "m"], ["b", "a"]),
    "a status": (["--status", "failed"], ["b"]),
    "both": (["--machine", "n", "--status", "FAILED"], []),
    "the newest": (["--limit", "1"], ["c"]),
}


@pytest.mark.parametrize(("arguments", "names"), FILTERS.values(), ids=FILTERS)
def test_list_some(project: Project, arguments: list[str], names: list[str]) -> None:
    project.ran(PASS, name="a")
    project.ran(machine(F={"Type": "Fail"}), name="b")
    project.ran(PASS, name="c", machine="n")
    shown = project.asl("list", "--json", *arguments).json["executions"]
    assert [one["name"] for one in shown] == names


def test_list_for_people(project: Project) -> None:
    project.ran(PASS)
    interrupted(project, name="two")
    result = project.asl("list")
    lines = result.out.splitlines()
    assert lines[0].split() == ["execution", "machine", "status", "started", "(UTC)", "took"]
    assert [line.split()[:3] for line in lines[1:]] == [["two", "m", "interrupted"], ["one", "m", "SUCCEEDED"]]
    assert result.err == "interrupted: asl resume two\n"
    statuses = [one["status"] for one in project.asl("list", "--json").json["executions"]]
    assert statuses == ["RUNNING", "SUCCEEDED"]  # ListExecutions knows nothing else


def test_list_many_that_are_interrupted(project: Project) -> None:
    for number in range(7):
        interrupted(project, name=f"x{number}")
    lines = project.asl("list").err.splitlines()
    assert lines[:5] == [f"interrupted: asl resume x{number}" for number in (6, 5, 4, 3, 2)]
    assert lines[5:] == ["7 are interrupted; go on with all of them: asl resume --all"]


def test_an_execution_that_somebody_drives_is_not_interrupted(project: Project) -> None:
    """The gate is closed until everything has been asked."""
    calls, gate = project.root / "calls", project.root / "gate"
    given = json.dumps({"calls": str(calls), "gate": str(gate)})
    process = project.spawn("run", project.define("m", machine(C=task("count"))), "--name", "one", "-i", given)
    wait_for(calls.exists)
    listed, shown, told = project.asl("list"), project.asl("show", "one"), project.asl("history", "one")
    process.kill()
    finished(process)
    assert listed.out.splitlines()[1].split()[2] == "RUNNING"
    assert "stands at  C (Task): its task is running" in shown.out
    assert [listed.err, shown.err, told.err] == ["", "", ""]
    assert project.asl("list").out.splitlines()[1].split()[2] == "interrupted"


def test_before_the_first_run_there_is_nothing(project: Project) -> None:
    listed, resumed = project.asl("list"), project.asl("resume", "--all")
    assert (listed.code, resumed.code) == (0, 0)
    assert listed.err == f"there is no database at {project.db} yet; `asl run` makes one\n"
    assert resumed.err == f"there is nothing to resume: there is no database at {project.db} yet\n"
    assert project.asl("list", "--json").json == {"executions": []}
    assert project.asl("resume", "--all", "--json").json == []
    assert not project.db.parent.exists()


@pytest.mark.parametrize("command", [["list"], ["resume", "--all"]], ids=" ".join)
def test_a_database_that_is_named_has_to_be_there(project: Project, command: list[str]) -> None:
    result = project.asl(*command, "--db", "nope.db")
    assert (result.code, result.out) == (2, "")
    assert f"There is no database at {project.root / 'nope.db'}" in result.err


# -- show ---------------------------------------------------------------------------------------------


def test_show_an_end(project: Project) -> None:
    project.ran(SUM, "-i", '{"n": 1}')
    said = project.asl("show", "on").out
    for line in ("execution  one", "status     SUCCEEDED", 'input      {"n": 1}', 'output     {"n":3}'):
        assert line in said.splitlines()


def test_show_a_failure(project: Project) -> None:
    project.ran(machine(F=task("fail")))
    lines = project.asl("show", "one").out.splitlines()
    assert "error      OutOfStockError" in lines
    assert "cause      nothing left" in lines


def test_show_where_a_task_stands(project: Project) -> None:
    interrupted(project)
    said = project.asl("show", "one").out
    assert "status     interrupted: asl resume one" in said
    assert "stands at  Second (Task): its task was running" in said
    shown = project.asl("show", "one", "--json").json
    assert (shown["status"], shown["interrupted"]) == ("RUNNING", True)
    position = shown["position"]
    assert position[0].pop("enteredDate")
    assert position == [
        {
            "frame": 0,
            "parent": None,
            "index": None,
            "state": "Second",
            "type": "Task",
            "phase": "WORKING",
            "retryCount": 0,
            "variables": {},
            "open": {
                "resource": "arn:aws:lambda:us-east-1:123456789012:function:interrupt",
                "parameters": INTERRUPT,
                "attempt": 0,
                "due": None,
            },
        }
    ]


def test_show_how_often_a_task_was_retried(project: Project) -> None:
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1}]
    definition = machine(F=task("flaky", Retry=retry), I=task("interrupt"))
    project.ran(definition, "-i", INTERRUPT, "--time", "skip")
    said = project.asl("replay", "one", "--at", "7").out  # the second attempt has started
    assert "stands at  F (Task): its task is running (retry 1)" in said


# -- stop ---------------------------------------------------------------------------------------------


def test_stop_what_nobody_drives(project: Project) -> None:
    interrupted(project)
    result = project.asl("stop", "one", "--error", "Enough", "--cause", "it is late")
    assert (result.code, result.out) == (0, "")
    assert "execution one was stopped (see: asl show one)" in result.err
    shown = project.asl("show", "one", "--json").json
    assert (shown["status"], shown["error"], shown["cause"]) == ("ABORTED", "Enough", "it is late")


def test_stop_is_what_stop_execution_answers(project: Project) -> None:
    interrupted(project)
    result = project.asl("stop", "one", "--json")
    assert result.json == {"stopDate": project.asl("show", "one", "--json").json["stopDate"]}
    assert result.err == ""


def test_stop_what_has_ended(project: Project) -> None:
    project.ran(PASS)
    before = project.asl("history", "one", "--json").out
    result = project.asl("stop", "one")
    assert result.code == 0
    assert "execution one has already ended (SUCCEEDED); nothing was changed" in result.err
    assert project.asl("history", "one", "--json").out == before


def test_stop_where_time_was_skipped(project: Project) -> None:
    """The log is a day ahead of this machine: its last event must not be the earliest."""
    definition = machine(W={"Type": "Wait", "Seconds": 86_400}, I=task("interrupt"))
    interrupted(project, definition, "--time", "skip")
    project.asl("stop", "one")
    times = [event["timestamp"] for event in project.asl("history", "one", "--json").json["events"]]
    assert times == sorted(times)


def test_stop_what_another_process_drives(project: Project) -> None:
    calls = project.root / "calls"
    given = json.dumps({"calls": str(calls), "gate": str(project.root / "gate")})
    process = project.spawn("run", project.define("m", machine(C=task("count"))), "--name", "one", "-i", given)
    wait_for(calls.exists)
    assert project.asl("stop", "one", "--error", "Enough").code == 0
    result = finished(process)
    assert (result.code, result.out) == (4, "")
    assert result.err.startswith("Enough\nABORTED  one  m  ")


# -- resume -------------------------------------------------------------------------------------------


def test_resume(project: Project) -> None:
    """The definition is the one that was started, the tasks are those of today."""
    interrupted(project)
    project.define("m", PASS)
    replace_tasks(project, "def interrupt(event):\n    return None\n")
    result = project.asl("resume", "one")
    assert (result.code, result.out) == (0, f"{INTERRUPT}\n")
    assert "SUCCEEDED  one  m" in result.err
    types = [event["type"] for event in project.asl("history", "one", "--json").json["events"]]
    assert types == [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "TaskStateEntered",
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionSucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ]


def test_resume_may_be_interrupted_again(project: Project) -> None:
    interrupted(project)
    result = project.asl("resume", "one")
    assert result.code == 130
    assert result.err == "interrupted: execution one is kept; go on with: asl resume one\n"


def test_resume_what_has_ended_tells_its_end(project: Project) -> None:
    project.ran(machine(F={"Type": "Fail", "Error": "Bad"}))
    result = project.asl("resume", "one")
    assert result.code == 1
    assert result.err.startswith("Bad\n  in the state F\nFAILED  one  m")
    assert project.asl("resume", "one", "--json").json["error"] == "Bad"


def test_resume_without_the_tasks(project: Project) -> None:
    interrupted(project)
    replace_tasks(project, "")
    result = project.asl("resume", "one")
    assert result.code == 2
    assert "there is no task callable for the function 'interrupt'" in result.err


def test_resume_finds_tasks_here_when_the_definition_is_gone(project: Project) -> None:
    interrupted(project)
    (project.root / "statemachines" / "m.json").unlink()
    replace_tasks(project, "def interrupt(event):\n    return None\n")
    assert project.asl("resume", "one", "-q").code == 0


def test_resume_goes_on_as_it_was_asked_to_run(project: Project) -> None:
    """Skipped time stays skipped, and does not run backwards."""
    definition = machine(
        W={"Type": "Wait", "Seconds": 86_400}, I=task("interrupt"), V={"Type": "Wait", "Seconds": 60}
    )
    interrupted(project, definition, "--time", "skip")
    replace_tasks(project, "def interrupt(event):\n    return None\n")
    assert project.asl("resume", "one", "-q").code == 0
    times = [event["timestamp"] for event in project.asl("history", "one", "--json").json["events"]]
    assert times == sorted(times)


def test_resume_all(project: Project) -> None:
    interrupted(project, name="one")
    interrupted(project, name="two")
    project.ran(PASS, name="three")
    replace_tasks(project, "def interrupt(event):\n    return None\n")
    result = project.asl("resume", "--all")
    assert result.code == 0
    assert sorted(line.split()[:2] for line in result.out.splitlines()) == [
        ["SUCCEEDED", "one"],
        ["SUCCEEDED", "two"],
    ]
    again = project.asl("resume", "--all")
    assert (again.code, again.out, again.err) == (0, "", "there is nothing to resume\n")


def test_resume_all_as_json_and_quietly(project: Project) -> None:
    interrupted(project)
    replace_tasks(project, "def interrupt(event):\n    raise ValueError('no')\n")
    result = project.asl("resume", "--all", "--json")
    assert result.code == 1
    assert [(one["name"], one["status"]) for one in result.json] == [("one", "FAILED")]


def test_resume_all_goes_past_what_cannot_be_resumed(project: Project) -> None:
    interrupted(project, name="one")
    interrupted(project, machine(I=task("interrupt"), D=task("double")), name="two")
    replace_tasks(project, "def interrupt(event):\n    return None\n")
    result = project.asl("resume", "--all", "-q")
    assert (result.code, result.out) == (2, "")
    assert "asl: error: two: there is no task callable for the function 'double'" in result.err
    assert project.asl("show", "one", "--json").json["status"] == "SUCCEEDED"


def test_resume_all_tells_one_reason_once(project: Project) -> None:
    interrupted(project, name="one")
    interrupted(project, name="two")
    replace_tasks(project, "")
    result = project.asl("resume", "--all")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("asl: error: two, one: ")
    assert result.err.count("there is no task callable for the function 'interrupt'") == 1
    assert "nothing to resume" not in result.err


def test_resume_all_may_be_interrupted(project: Project) -> None:
    interrupted(project, name="one")
    result = project.asl("resume", "--all")
    assert result.code == 130
    assert result.err == "interrupted: what has not ended is kept; go on with: asl resume --all\n"


def test_resume_all_leaves_alone_what_runs(project: Project) -> None:
    calls, gate = project.root / "calls", project.root / "gate"
    given = json.dumps({"calls": str(calls), "gate": str(gate)})
    process = project.spawn("run", project.define("m", machine(C=task("count"))), "--name", "one", "-i", given)
    wait_for(calls.exists)
    result = project.asl("resume", "--all")
    gate.touch()
    assert finished(process).code == 0
    assert (result.code, result.err) == (0, "1 execution was left alone: another process runs it\n")


# -- redrive --------------------------------------------------------------------------------------------


FLAKY = machine(First=task("double", ResultPath="$.first"), Second=task("fail"))
REPAIRED = (
    "def double(event):\n    raise SystemExit('called again')\n\n\ndef fail(event):\n    return event['first']\n"
)


def test_redrive_goes_on_from_the_state_that_failed(project: Project) -> None:
    assert project.ran(FLAKY, "-i", '{"n": 2}', name="one").code == 1
    again = project.asl("redrive", "one")
    assert (again.code, again.out) == (1, "")
    assert "OutOfStockError: nothing left" in again.err
    replace_tasks(project, REPAIRED)
    done = project.asl("redrive", "one")
    assert (done.code, done.out) == (0, '{"n":4}\n')
    assert "SUCCEEDED  one" in done.err
    assert project.asl("replay", "one").code == 0
    shown = project.asl("show", "one", "--json").json
    assert (shown["redriveCount"], shown["status"], shown["redriveStatus"]) == (2, "SUCCEEDED", "NOT_REDRIVABLE")
    assert project.asl("list", "--json").json["executions"][0]["redriveCount"] == 2
    assert project.asl("history", "one", "--events").out.count("ExecutionRedriven") == 2
    told = project.asl("history", "one").out
    assert (", redriven 2 times\n" in told, told.count("then redriven")) == (True, 2)


def test_redrive_as_json(project: Project) -> None:
    project.ran(machine(F={"Type": "Fail", "Error": "E"}), name="one")
    shown = project.asl("redrive", "one", "--json")
    assert (shown.code, shown.json["status"], shown.json["redriveCount"]) == (1, "FAILED", 1)
    assert "FAILED  one" in shown.err


def test_redrive_of_what_has_succeeded_or_is_interrupted(project: Project) -> None:
    project.ran(PASS, name="done")
    refused = project.asl("redrive", "done")
    assert (refused.code, refused.out) == (2, "")
    assert "done cannot be redriven: Execution is SUCCEEDED and cannot be redriven" in refused.err
    interrupted(project, name="cut")
    refused = project.asl("redrive", "cut")
    assert refused.code == 2
    assert "go on with it: asl resume cut" in refused.err
    assert project.asl("redrive", "nothing").code == 2


def test_redrive_of_a_child_of_a_map_run(project: Project) -> None:
    processor = {
        **machine(F=task("fail")),
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
    }
    many = {"Type": "Map", "ItemProcessor": processor, "ToleratedFailurePercentage": 100}
    (child,) = project.ran(machine(M=many), "-i", "[1]").json
    refused = project.asl("redrive", child["ExecutionArn"])
    assert refused.code == 2
    assert "cannot be redriven: Execution was started by a Map Run: redrive the execution that" in refused.err
    assert project.asl("show", child["ExecutionArn"], "--json").json["redriveCount"] == 0


def test_redrive_of_what_was_stopped(project: Project) -> None:
    interrupted(project, name="one")
    assert project.asl("stop", "one").code == 0
    replace_tasks(project, "def interrupt(event):\n    return 1\n")
    assert project.asl("redrive", "one").code == 0


TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Greet:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.12, CodeUri: ., Handler: greetings.greet}
"""


def test_an_execution_without_a_file_is_redriven_with_the_functions_of_templates(project: Project) -> None:
    """Such are those of a server; one of asl_engine.run, with a definition as an object, is another."""

    def broken(event: Any) -> None:
        raise ValueError(event)

    definition: dict[str, Any] = {"StartAt": "Hello", "States": {"Hello": task("Greet", End=True)}}
    db = project.root / ".asl" / "asl.db"
    ended = run(definition, {}, tasks={"Greet": broken}, name="one", db=db, project=project.root)
    assert ended.status == "FAILED"
    assert "there is no task callable for the function 'Greet'" in project.asl("redrive", "one").err
    (project.root / "template.yaml").write_text(TEMPLATE, encoding="utf-8")
    (project.root / "greetings.py").write_text("def greet(event, context): return 'hello'\n", encoding="utf-8")
    done = project.asl("redrive", "one")
    assert (done.code, done.out) == (0, '"hello"\n'), done.err
