"""``asl workers`` against our own server: results, errors, heartbeats, kills, restarts, stops."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import threading
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.cli.project import Result, finished, machine, wait_for
from tests.server.harness import Server, created, ended, running

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from tests.cli.project import Project

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is no SIGTERM for one process on Windows")

ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:"
TASKS = '''
import asyncio, os, time
from pathlib import Path
from threading import Event

from asl_engine import StatesError, task


class SeatTaken(Exception):
    pass


@task
def double(event):
    return {"n": event["n"] * 2}


@task("waits-for")
async def waits_for(event):
    await asyncio.sleep(0)
    return event


@task
def fails(event):
    raise SeatTaken("1A")


@task
def named(event):
    raise StatesError("Airline.Closed", "at 6")


@task
def large(event):
    return "x" * 300_000


@task
def slow(event, context):
    """Leave a mark, and wait for the gate."""
    Path(event["mark"]).write_text(str(os.getpid()))
    while not Path(event["gate"]).exists():
        time.sleep(0.01)
    return {"key": context.idempotency_key != ""}


@task
def deadly(event):
    """The first time that number 7 is done, its process is killed in the middle of it."""
    if event["n"] == 7:
        mark = Path(event["mark"])
        if not mark.exists():
            mark.write_text(str(os.getpid()))
            Event().wait()
    return event["n"] + 1
'''


@pytest.fixture
def serve(project: Project, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    (project.root / "tasks" / "callables.py").write_text(TASKS, encoding="utf-8")
    monkeypatch.setattr("asl_engine.server.operations.activities.POLL_SECONDS", 0.3)
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    return lambda **options: running(project.root / "asl.db", skip_time=False, **options)


@pytest.fixture
def server(serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serve() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SFN", f"http://{server.host}:{server.port}")
        yield server


@pytest.fixture
def spawn(project: Project) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """``asl workers`` in processes of their own, which do not outlive the test."""
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        processes.append(project.spawn("workers", *arguments))
        return processes[-1]

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
        with process:  # closes its pipes
            pass


def activity(name: str, **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": f"{ACTIVITY}{name}", **fields}


def stopped(process: subprocess.Popen[str]) -> Result:
    process.send_signal(signal.SIGTERM)
    return finished(process)


def test_a_server_that_wants_signatures(
    serve: Callable[..., Any], spawn: Callable[..., subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-access-key")
    with serve(secrets={"test": "a-secret-access-key"}) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SFN", f"http://{server.host}:{server.port}")
        client = boto3.client("stepfunctions")
        client.create_activity(name="double")
        arn = created(client, {"StartAt": "A", "States": {"A": activity("double", End=True)}})
        run = client.start_execution(stateMachineArn=arn, input='{"n": 4}')["executionArn"]
        working = spawn("--activity", f"{ACTIVITY}double=double")
        assert ended(client, run)["output"] == '{"n":8}'
        assert stopped(working).code == 0


def test_the_activities_of_a_definition(
    project: Project, server: Server, spawn: Callable[..., subprocess.Popen[str]]
) -> None:
    definition = machine(
        A=activity("double"),
        B={"Type": "Task", "Resource": "arn:aws:states:region:account:activity:waits-for"},
        C=activity("double", HeartbeatSeconds=30),
    )
    process = spawn(project.define("m", definition), "--create", "--concurrency", "2")
    client = server.client()
    wait_for(lambda: len(client.list_activities()["activities"]) == 2)
    located = json.dumps(definition).replace("region:account", "us-east-1:123456789012")
    arn = created(client, json.loads(located))
    shown = ended(client, client.start_execution(stateMachineArn=arn, input='{"n": 3}')["executionArn"])
    assert (shown["status"], json.loads(shown["output"])) == ("SUCCEEDED", {"n": 12})
    result = stopped(process)
    assert result.code == 0
    assert result.err.splitlines()[-1] == "stopped; 3 tasks done"
    started = [
        event["activityStartedEventDetails"]["workerName"]
        for event in client.get_execution_history(executionArn=shown["executionArn"])["events"]
        if event["type"] == "ActivityStarted"
    ]
    assert started == [f"{socket.gethostname()}:{process.pid}"] * 3


FAILURES = [
    ("fails", "SeatTaken", '"errorMessage": "1A"'),
    ("named", "Airline.Closed", "at 6"),
    ("large", "States.DataLimitExceeded", "a size exceeding the maximum number of bytes"),
]


def test_errors_are_those_of_local_tasks(server: Server, spawn: Callable[..., subprocess.Popen[str]]) -> None:
    client = server.client()
    arguments = [part for name, _, _ in FAILURES for part in ("--activity", f"{ACTIVITY}{name}")]
    process = spawn(*arguments, "--create")
    wait_for(lambda: len(client.list_activities()["activities"]) == len(FAILURES))
    for name, error, cause in FAILURES:
        arn = created(client, machine(A=activity(name)), name=name)
        shown = ended(client, client.start_execution(stateMachineArn=arn)["executionArn"])
        assert (shown["status"], shown["error"]) == ("FAILED", error)
        assert cause in shown["cause"]
    assert stopped(process).code == 0


def test_heartbeats_keep_a_slow_task_and_a_stop_finishes_it(
    project: Project, server: Server, spawn: Callable[..., subprocess.Popen[str]]
) -> None:
    client = server.client()
    client.create_activity(name="slow")
    mark, gate = project.root / "mark", project.root / "gate"
    arn = created(client, machine(A=activity("slow", HeartbeatSeconds=1)))
    given = json.dumps({"mark": str(mark), "gate": str(gate)})
    execution = client.start_execution(stateMachineArn=arn, input=given)["executionArn"]
    process = spawn("--activity", f"{ACTIVITY}slow=slow", "--heartbeat", "0.2")
    wait_for(mark.exists)
    process.send_signal(signal.SIGTERM)
    began = client.describe_execution(executionArn=execution)["startDate"].timestamp()
    # Longer than the heartbeat that the state expects: only the worker's own keep the task.
    wait_for(lambda: (project.root / "mark").stat().st_mtime + 1.5 < _now(project))
    assert client.describe_execution(executionArn=execution)["status"] == "RUNNING"
    gate.touch()
    shown = ended(client, execution)
    assert json.loads(shown["output"]) == {"key": True}
    assert shown["stopDate"].timestamp() - began > 1
    result = finished(process)
    assert (result.code, result.err.splitlines()[-1]) == (0, "stopped; 1 tasks done")


def _now(project: Project) -> float:
    """The file system's clock, as the mark was written by it."""
    clock = project.root / "clock"
    clock.write_text("")
    return clock.stat().st_mtime


def test_a_task_that_times_out_there_is_given_up_here(
    project: Project, server: Server, spawn: Callable[..., subprocess.Popen[str]]
) -> None:
    client = server.client()
    client.create_activity(name="slow")
    mark, gate = project.root / "mark", project.root / "gate"
    arn = created(client, machine(A=activity("slow", TimeoutSeconds=1)))
    given = json.dumps({"mark": str(mark), "gate": str(gate)})
    process = spawn("--activity", f"{ACTIVITY}slow", "--heartbeat", "0.2")
    assert process.stderr is not None
    assert process.stderr.readline().startswith("working at http://")
    execution = client.start_execution(stateMachineArn=arn, input=given)["executionArn"]
    assert ended(client, execution)["error"] == "States.Timeout"
    assert mark.exists()
    assert "slow: the task has timed out there: it is given up here" in process.stderr.readline()
    # The worker is free again: the next execution is served, by the same process.
    gate.touch()
    again = client.start_execution(stateMachineArn=arn, input=given)["executionArn"]
    assert ended(client, again)["status"] == "SUCCEEDED"
    assert stopped(process).code == 0


def test_a_server_that_goes_away_is_waited_for(
    project: Project,
    serve: Callable[..., Any],
    spawn: Callable[..., subprocess.Popen[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mark, gate = project.root / "mark", project.root / "gate"
    given = json.dumps({"mark": str(mark), "gate": str(gate)})
    with serve() as server:
        port = server.port
        monkeypatch.setenv("AWS_ENDPOINT_URL_SFN", f"http://127.0.0.1:{port}")
        client = server.client()
        client.create_activity(name="slow")
        arn = created(client, machine(A=activity("slow")))
        execution = client.start_execution(stateMachineArn=arn, input=given)["executionArn"]
        process = spawn("--activity", f"{ACTIVITY}slow")
        wait_for(mark.exists)
    gate.touch()  # the task is done while nobody can be told
    assert process.stderr is not None
    said = [process.stderr.readline() for _ in range(2)]
    assert "trying again until it succeeds" in said[1], said
    with serve(port=port) as server:
        shown = ended(server.client(), execution)
        assert json.loads(shown["output"]) == {"key": True}
        again = server.client().start_execution(stateMachineArn=arn, input=given)["executionArn"]
        assert ended(server.client(), again)["status"] == "SUCCEEDED"
        result = stopped(process)
    assert result.code == 0
    assert "the endpoint answers again" in result.err
    assert result.err.splitlines()[-1] == "stopped; 2 tasks done"


TASK_COUNT = 1000


@pytest.mark.timeout(300)
def test_a_thousand_tasks_on_three_processes_one_of_which_is_killed(
    project: Project, server: Server, spawn: Callable[..., subprocess.Popen[str]]
) -> None:
    client = server.client()
    client.create_activity(name="deadly")
    retry = [{"ErrorEquals": ["States.HeartbeatTimeout"], "IntervalSeconds": 1, "MaxAttempts": 5}]
    each = {"StartAt": "A", "States": {"A": activity("deadly", HeartbeatSeconds=3, Retry=retry, End=True)}}
    arn = created(client, machine(M={"Type": "Map", "ItemProcessor": each}))
    mark = project.root / "mark"
    items = [{"n": number, "mark": str(mark)} for number in range(TASK_COUNT)]
    process = spawn(
        "--activity", f"{ACTIVITY}deadly", "--processes", "3", "--concurrency", "4", "--heartbeat", "0.5"
    )
    execution = client.start_execution(stateMachineArn=arn, input=json.dumps(items))["executionArn"]
    wait_for(lambda: mark.exists() and mark.read_text() != "")
    killed = int(mark.read_text())
    os.kill(killed, signal.SIGKILL)
    pause = threading.Event()
    while client.describe_execution(executionArn=execution)["status"] == "RUNNING":
        pause.wait(0.2)  # for as long as pytest's own patience lasts
    shown = ended(client, execution)
    assert shown["status"] == "SUCCEEDED", shown
    assert json.loads(shown["output"]) == [number + 1 for number in range(TASK_COUNT)]
    result = stopped(process)
    assert result.code == 0
    first = result.err.splitlines()[0]
    processes = re.findall(r"\d+", re.search(r"3 processes \((.*)\)", first)[1])  # type: ignore[index]  # a match is expected
    assert str(killed) in processes
    assert f"process {killed} ended (signal 9): another one takes its place" in result.err
    workers = set()
    timed_out = 0
    for page in client.get_paginator("get_execution_history").paginate(executionArn=execution):
        for event in page["events"]:
            if event["type"] == "ActivityStarted":
                workers.add(event["activityStartedEventDetails"]["workerName"].rpartition(":")[2])
            timed_out += event["type"] == "ActivityTimedOut"
    assert set(processes) <= workers
    assert timed_out >= 1


def test_what_is_refused(project: Project, server: Server) -> None:
    here = f"us-east-1 at http://{server.host}:{server.port}"
    for arguments, expected in (
        ([], "give a definition, or --activity ARN=CALLABLE"),
        (["--activity", "x", "--processes", "0"], "--processes 0: from 1 to 256"),
        (["--activity", "x", "--concurrency", "0"], "--concurrency 0: it is at least 1"),
        (["--activity", "x", "--heartbeat", "0"], "--heartbeat 0.0: it is a number of seconds"),
        (["--activity", f"{ACTIVITY}dubble"], "there is no task callable 'dubble'; did you mean 'double'?"),
        (["--activity", "nothing=double"], f"there is no activity 'nothing' in {here}; --create makes it"),
        ([project.define("m", machine(Done={"Type": "Pass"}))], "no task of it is done by an activity"),
        (["--activity", f"{ACTIVITY}missing=double"], "ActivityDoesNotExist"),
        (["--activity", f"{ACTIVITY}missing=double", "--processes", "2"], "ActivityDoesNotExist"),
    ):
        result = project.process("workers", *arguments)
        assert result.code == 2, (arguments, result)
        assert expected in result.err
        assert "Traceback" not in result.err


def test_workers_end_when_their_supervisor_is_killed(
    server: Server, spawn: Callable[..., subprocess.Popen[str]]
) -> None:
    client = server.client()
    client.create_activity(name="double")
    process = spawn("--activity", f"{ACTIVITY}double", "--processes", "2")
    assert process.stderr is not None
    line = process.stderr.readline()
    children = [int(one) for one in re.search(r"processes \((.*)\)", line)[1].split(", ")]  # type: ignore[index]  # a match is expected
    process.kill()
    wait_for(lambda: not any(_is_alive(child) for child in children))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    stat = f"/proc/{process}/stat"
    if os.path.exists(stat):  # noqa: PTH110  one that has ended, and that nobody has asked for, is there still
        with open(stat, encoding="utf-8") as shown:  # noqa: PTH123  a device, no path
            return shown.read().rpartition(")")[2].split()[0] != "Z"
    return True
