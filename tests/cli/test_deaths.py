"""Tasks that end their process: who fails, who goes on, and what is told of it."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.project import finished, machine, task, wait_for
from tests.cli.test_serve import serving
from tests.processes import has_ended
from tests.server.harness import created, ended

if TYPE_CHECKING:
    from tests.cli.project import Project

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a process does not end by signals on Windows")

TASKS = """
import os, time
from threading import Event
from pathlib import Path

from asl_engine import task


def wait_for(path):
    while not Path(path).exists():
        time.sleep(0.01)


def note(name):
    with Path(name).open("a") as notes:
        notes.write(f"{os.getpid()}\\n")


@task
def innocent(event):
    note("innocent")
    wait_for("gate")
    return "innocent"


@task
def culprit(event):
    wait_for("innocent")
    note("culprit")
    if "signal" in event:
        os.kill(os.getpid(), event["signal"])
        Event().wait()
    os._exit(event.get("status", 9))


@task(isolation="process")
def apart(event, context):
    note("apart")
    if context.attempt < 1:
        os._exit(3)
    return context.attempt


@task(max_deaths=3)
def third(event):
    note("third")
    os._exit(4)


@task(isolation="process")
def slow(event, context):
    note("slow")
    context.heartbeat()
    time.sleep(600)
"""
ENDED_BY_TASK = 75
EXIT = "Runtime exited with error: "


@pytest.fixture
def deadly(project: Project) -> Project:
    (project.root / "tasks" / "callables.py").write_text(TASKS, encoding="utf-8")
    return project


def pids(project: Project, name: str) -> list[int]:
    """The processes in which a task has run, one for each call."""
    path = project.root / name
    return [int(line) for line in path.read_text().splitlines()] if path.exists() else []


def started(client: Any, definition: dict[str, Any], name: str, **given: Any) -> str:
    arn = created(client, definition, name)
    return str(client.start_execution(stateMachineArn=arn, input=json.dumps(given))["executionArn"])


@pytest.mark.parametrize(
    ("given", "how"),
    [
        ({}, "exit status 9"),
        ({"signal": int(signal.SIGKILL)}, "signal: killed"),
        ({"signal": int(signal.SIGSEGV)}, "signal: segmentation fault"),
    ],
)
def test_a_server_that_a_task_has_ended_fails_that_task_alone_at_its_next_start(
    deadly: Project, given: dict[str, int], how: str
) -> None:
    with serving(deadly) as (server, process):
        client = server.client()
        innocent = started(client, machine(Innocent=task("innocent")), "innocent")
        culprit = started(client, machine(Boom=task("culprit")), "culprit", **given)
        finished(process)
    with serving(deadly) as (server, process):
        client = server.client()
        end = ended(client, culprit)
        assert (end["status"], end["error"]) == ("FAILED", "Runtime.ExitError")
        cause = json.loads(end["cause"])
        assert list(cause) == ["errorType", "errorMessage"]
        assert cause["errorMessage"].startswith("RequestId: ")
        assert cause["errorMessage"].endswith(f" Error: {EXIT}{how}")
        # From now on nothing in this server trusts the task, whichever execution calls it.
        again = started(client, machine(Boom=task("culprit")), "again", **given)
        assert ended(client, again)["error"] == "Runtime.ExitError"
        (deadly.root / "gate").touch()
        assert json.loads(ended(client, innocent)["output"]) == "innocent"
        process.terminate()
        told = finished(process)
    assert told.code == 0
    suspected, ended_it = "the process ended while the task", "ended its process:"
    lines = [line for line in told.err.splitlines() if suspected in line or ended_it in line]
    assert sum(f"{innocent}: {suspected} innocent of the state Innocent ran (1 of" in line for line in lines) == 1
    assert sum(f"{culprit}: {suspected} culprit of the state Boom ran (1 of" in line for line in lines) == 1
    assert f"asl: ERROR: {culprit}: the task culprit of the state Boom {ended_it} {EXIT}{how}" in lines
    assert len(pids(deadly, "innocent")) == 2
    shown = deadly.asl("show", culprit).out
    assert "died       2 processes while the task of Boom ran" in shown
    assert json.loads(deadly.asl("show", culprit, "--json").out)["deaths"] == {"Boom": 2}


def test_resume_all_fails_the_culprit_and_ends_the_others(deadly: Project) -> None:
    branches = [machine(Innocent=task("innocent")), machine(Boom=task("culprit"))]
    both = deadly.define("both", machine(Both={"Type": "Parallel", "Branches": branches}))
    other = deadly.define("other", machine(Innocent=task("innocent")))
    assert deadly.process("run", both, "--name", "both").code == ENDED_BY_TASK
    with_other = deadly.spawn("run", other, "--name", "other")
    wait_for(lambda: len(pids(deadly, "innocent")) == 2)
    with_other.kill()
    finished(with_other)
    (deadly.root / "gate").touch()
    resumed = deadly.process("resume", "--all")
    assert resumed.code == 1
    assert {line.split()[0]: line.split()[1] for line in resumed.out.splitlines()} == {
        "FAILED": "both",
        "SUCCEEDED": "other",
    }
    assert "the task culprit of the state Boom ended its process" in resumed.err
    assert "error      Runtime.ExitError" in deadly.asl("show", "both").out


def test_retry_and_catch_see_the_death_and_no_attempt_takes_the_engine_down_again(deadly: Project) -> None:
    boom = task(
        "culprit",
        Retry=[{"ErrorEquals": ["Runtime.ExitError"], "MaxAttempts": 2}],
        Catch=[{"ErrorEquals": ["Runtime.ExitError"], "Next": "Caught"}],
    )
    definition = deadly.define("m", machine(Boom=boom, Caught={"Type": "Pass", "Result": "caught"}))
    (deadly.root / "innocent").touch()
    assert deadly.process("run", definition, "--name", "one", "--time", "skip").code == ENDED_BY_TASK
    resumed = deadly.process("resume", "one")
    assert (resumed.code, resumed.out) == (0, '"caught"\n')
    assert len({*pids(deadly, "culprit")}) == 4  # the engine's, and one for each of three attempts


def test_isolation_keeps_the_engine_alive(deadly: Project) -> None:
    (deadly.root / "asl.toml").write_text('isolation = "process"\n')
    branches = [machine(Innocent=task("innocent")), machine(Boom=task("culprit"))]
    branches[1]["States"]["Boom"]["Catch"] = [{"ErrorEquals": ["Runtime.ExitError"], "Next": "Caught"}]
    branches[1]["States"]["Caught"] = {"Type": "Pass", "Result": "caught", "End": True}
    (deadly.root / "gate").touch()
    ran = deadly.ran(machine(Both={"Type": "Parallel", "Branches": branches}))
    assert (ran.code, json.loads(ran.out)) == (0, ["innocent", "caught"])
    assert os.getpid() not in {*pids(deadly, "innocent"), *pids(deadly, "culprit")}


def test_a_task_may_ask_for_a_process_of_its_own(deadly: Project) -> None:
    (deadly.root / "gate").touch()
    retried = task("apart", Retry=[{"ErrorEquals": ["Runtime.ExitError"], "IntervalSeconds": 1}])
    ran = deadly.ran(machine(A=retried, I=task("innocent")), "--time", "skip")
    assert (ran.code, ran.out) == (0, '"innocent"\n')
    assert os.getpid() not in pids(deadly, "apart")
    assert pids(deadly, "innocent") == [os.getpid()]
    history = json.loads(deadly.asl("history", "one", "--json").out)["events"]
    failures = [event["lambdaFunctionFailedEventDetails"] for event in history if "Failed" in event["type"]]
    assert [failed["error"] for failed in failures] == ["Runtime.ExitError"]
    assert failures[0]["cause"].endswith(f'{EXIT}exit status 3"}}')


def test_a_task_may_have_more_deaths_than_others(deadly: Project) -> None:
    definition = deadly.define("m", machine(T=task("third")))
    assert deadly.process("run", definition, "--name", "one").code == ENDED_BY_TASK
    assert deadly.process("resume", "one").code == ENDED_BY_TASK  # it ran in the engine's process once more
    assert "stands at  T (Task)" in deadly.asl("show", "one").out
    resumed = deadly.process("resume", "one")
    assert resumed.code == 1
    assert "exit status 4" in resumed.err
    assert "died       3 processes while the task of T ran" in deadly.asl("show", "one").out


def test_the_project_may_say_how_many_deaths_an_attempt_may_have(deadly: Project) -> None:
    (deadly.root / "asl.toml").write_text("max-deaths = 1\n")
    (deadly.root / "innocent").touch()
    ran = deadly.ran(machine(Boom=task("culprit")))
    assert (ran.code, "exit status 9" in ran.err) == (1, True)
    assert os.getpid() not in pids(deadly, "culprit")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_engine_that_is_interrupted_has_not_died(deadly: Project, number: int) -> None:
    definition = deadly.define("m", machine(I=task("innocent")))
    process = deadly.spawn("run", definition, "--name", "one")
    wait_for(lambda: len(pids(deadly, "innocent")) == 1)
    process.send_signal(number)
    assert finished(process).code == 128 + number
    (deadly.root / "gate").touch()
    resumed = deadly.asl("resume", "one")
    assert (resumed.code, resumed.out) == (0, '"innocent"\n')
    assert pids(deadly, "innocent")[1:] == [os.getpid()]  # nobody suspects it
    assert "died" not in deadly.asl("show", "one").out


def test_an_interruption_of_all_processes_fails_no_task(deadly: Project) -> None:
    """A terminal, or a service manager, signals the engine and the processes of its tasks."""
    definition = deadly.define("m", machine(S=task("slow")))
    process = deadly.spawn("run", definition, "--name", "one")
    wait_for(lambda: len(pids(deadly, "slow")) == 1)
    (worker,) = pids(deadly, "slow")
    os.kill(worker, signal.SIGTERM)
    os.kill(worker, signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    told = finished(process)
    assert told.code == 128 + signal.SIGTERM
    assert "is kept; go on with: asl resume one" in told.err
    assert has_ended(worker)


def test_a_task_that_times_out_in_its_own_process_is_killed(deadly: Project) -> None:
    # Long enough for a process that compiles all that it imports to get to the task.
    ran = deadly.ran(machine(S=task("slow", TimeoutSeconds=5)))
    assert (ran.code, "States.Timeout" in ran.err) == (1, True)
    (worker,) = pids(deadly, "slow")
    assert has_ended(worker)


def test_the_processes_of_an_engine_that_is_killed_end(deadly: Project) -> None:
    process = deadly.spawn("run", deadly.define("m", machine(S=task("slow"))))
    wait_for(lambda: len(pids(deadly, "slow")) == 1)
    (worker,) = pids(deadly, "slow")
    process.kill()
    finished(process)
    wait_for(lambda: has_ended(worker))


@pytest.mark.parametrize("status", [0, 3, 9])
def test_a_run_that_a_task_has_ended_never_looks_like_one_that_has_ended(deadly: Project, status: int) -> None:
    """0 would tell that it has succeeded, 3 that it has timed out."""
    definition = deadly.define("m", machine(T=task("third_of")))
    with (deadly.root / "tasks" / "callables.py").open("a", encoding="utf-8") as tasks:
        tasks.write(f"""

@task(max_deaths=9)
def third_of(event):
    if os.fork() == 0:
        os._exit(0)  # a child ends itself, and nothing is said of it
    os.wait()
    os._exit({status})
""")
    for command in (["run", definition, "--name", "one"], ["resume", "one"], ["resume", "--all"]):
        ended = deadly.process(*command)
        assert (ended.code, ended.out) == (ENDED_BY_TASK, "")
        told = f"a task has ended the process, with os._exit({status}): what has not ended is kept; go on with: "
        assert ended.err.count("a task has ended") == ended.err.count(told) == 1
    # The last death is counted by whoever goes on.
    assert "died       2 processes while the task of T ran" in deadly.asl("show", "one").out
    tested = deadly.process("test-state", definition, "--state", "T")
    assert (tested.code, tested.out) == (ENDED_BY_TASK, "")


def test_a_redrive_that_a_task_has_ended(deadly: Project) -> None:
    with (deadly.root / "tasks" / "callables.py").open("a", encoding="utf-8") as tasks:
        tasks.write("""

@task
def second(event):
    if not os.path.exists("failed"):
        note("failed")
        raise ValueError
    os._exit(0)
""")
    assert deadly.process("run", deadly.define("m", machine(T=task("second"))), "--name", "one").code == 1
    assert deadly.process("redrive", "one").code == ENDED_BY_TASK
