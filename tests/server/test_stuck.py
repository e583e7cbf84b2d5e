"""What a server answers while nothing can be stored, and that it goes on afterwards."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.engine import retrying
from asl_engine.resources.python.registry import Registry
from asl_engine.server.operations import executions
from asl_engine.store.sqlite.store import SqliteStore
from tests.cli.project import wait_for
from tests.engine.failing import Disk
from tests.server.harness import PASS, created, ended, refusal, running

if TYPE_CHECKING:
    from pathlib import Path

    from asl_engine.core.events import Event

UNAVAILABLE = ("ServiceUnavailable", "The database cannot be used")
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:paint"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:work"


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    monkeypatch.setattr(retrying, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(retrying, "LONGEST_PAUSE", 0.02)
    return Disk(monkeypatch)


def test_requests_are_refused_and_executions_go_on_later(
    tmp_path: Path, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[Any] = []
    all_begun = threading.Event()

    def work(event: Any) -> Any:
        calls.append(event)
        all_begun.wait(30)
        return event

    registry = Registry()
    registry.add("work", work)
    definition = {
        "StartAt": "T",
        "States": {
            "T": {"Type": "Task", "Resource": FUNCTION, "Next": "W"},
            "W": {"Type": "Wait", "Seconds": 3600, "Next": "U"},
            "U": {"Type": "Task", "Resource": FUNCTION, "End": True},
        },
    }
    with running(tmp_path / "asl.db", registry) as server:
        client = server.client()
        machine = created(client, definition)
        runs = [
            client.start_execution(stateMachineArn=machine, input=json.dumps({"n": number}))["executionArn"]
            for number in range(5)
        ]
        disk.is_full()
        all_begun.set()
        wait_for(lambda: "waits: The disk with the database" in caplog.text)
        assert refusal(client.start_execution, stateMachineArn=machine) == UNAVAILABLE
        assert refusal(client.create_activity, name="paint") == UNAVAILABLE
        stuck = [run for run in runs if client.describe_execution(executionArn=run)["status"] == "RUNNING"]
        assert stuck
        wait_for(lambda: refusal(client.stop_execution, executionArn=stuck[0]) == UNAVAILABLE)
        disk.is_full(False)
        for number, run in enumerate(runs):
            shown = ended(client, run)
            assert (shown["status"], json.loads(shown["output"])) == ("SUCCEEDED", {"n": number})
        assert sorted(call["n"] for call in calls) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    told = [record.getMessage() for record in caplog.records if record.name == "asl_engine.engine"]
    assert sum("waits: " in line for line in told) == 1
    assert "the database can be used again: " in told[-1]


def test_workers_are_refused_and_answered_later(tmp_path: Path, disk: Disk) -> None:
    """No task is lost, and none is handed out or ended twice."""
    with running(tmp_path / "asl.db") as server:
        client = server.client()
        client.create_activity(name="paint")
        state = {"Type": "Task", "Resource": ACTIVITY, "HeartbeatSeconds": 600, "End": True}
        machine = created(client, {"StartAt": "P", "States": {"P": state}})
        run = client.start_execution(stateMachineArn=machine)["executionArn"]
        disk.is_full()
        assert refusal(client.get_activity_task, activityArn=ACTIVITY) == UNAVAILABLE
        disk.is_full(False)
        token = polled(client)
        disk.is_full()
        for _ in range(3):
            assert refusal(client.send_task_success, taskToken=token, output='"first"') == UNAVAILABLE
            assert client.describe_execution(executionArn=run)["status"] == "RUNNING"
        disk.is_full(False)
        wait_for(lambda: bool(answered(client, token)))
        assert ended(client, run)["output"] == '"second"'
        assert ended(client, client.start_execution(stateMachineArn=created(client, PASS, "p"))["executionArn"])


@pytest.mark.parametrize("keeps", [False, True])
def test_a_task_that_was_refused_stays_in_its_queue(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch, keeps: bool
) -> None:
    """Until the log has been read, its execution stands where it has not got to; or the log says that it did."""
    events = SqliteStore.events

    async def events_read_slowly(store: SqliteStore, *arguments: Any) -> list[Event]:
        await asyncio.sleep(0.3)
        return await events(store, *arguments)

    disk.keeps = keeps
    with running(tmp_path / "asl.db") as server:
        client = server.client()
        client.create_activity(name="paint")
        state = {"Type": "Task", "Resource": ACTIVITY, "End": True}
        run = client.start_execution(stateMachineArn=created(client, {"StartAt": "P", "States": {"P": state}}))
        monkeypatch.setattr(SqliteStore, "events", events_read_slowly)
        disk.is_full()
        assert refusal(client.get_activity_task, activityArn=ACTIVITY) == UNAVAILABLE
        assert refusal(client.get_activity_task, activityArn=ACTIVITY) == UNAVAILABLE
        disk.is_full(False)
        client.send_task_success(taskToken=polled(client), output='"painted"')
        assert ended(client, run["executionArn"])["output"] == '"painted"'


def test_a_client_does_not_wait_for_an_execution_that_waits(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """StartSyncExecution answers when the execution has ended: here nobody knows when that will be."""
    monkeypatch.setattr(executions, "LOOK_SECONDS", 0.01)
    registry = Registry()
    registry.add("work", lambda _event: disk.is_full())
    definition = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": FUNCTION, "End": True}}}
    with running(tmp_path / "asl.db", registry) as server:
        client = server.client()
        machine = created(client, definition, type="EXPRESS")
        assert refusal(client.start_sync_execution, stateMachineArn=machine) == UNAVAILABLE
        disk.is_full(False)


def polled(client: Any) -> str:
    """The token of the task, once its execution takes something in again."""
    found: list[str] = []

    def poll() -> bool:
        try:
            found.append(client.get_activity_task(activityArn=ACTIVITY)["taskToken"])
        except client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "ServiceUnavailable":
                raise
        return bool(found)

    wait_for(poll)
    return found[0]


def answered(client: Any, token: str) -> bool:
    try:
        client.send_task_success(taskToken=token, output='"second"')
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "ServiceUnavailable":
            raise
        return False
    return True
