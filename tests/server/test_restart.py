"""What a server finds in its database when it starts."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from asl_engine.engine.clock import SystemClock
from asl_engine.engine.engine import Engine
from asl_engine.errors import ProjectError, StoreError
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.resources.python.registry import Registry
from asl_engine.server import serve as server_running
from asl_engine.server.service import Service
from asl_engine.store.sqlite.store import SqliteStore
from tests.cli.project import wait_for
from tests.server.harness import FAIL, PASS, WAIT, created, ended, ran, running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


SPOIL = "UPDATE definitions SET text = '{}' WHERE digest = ?"
SOON = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "End": True}}}
TASK: dict[str, Any] = {
    "StartAt": "T",
    "States": {
        "T": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:gone", "End": True}
    },
}


def patient_tasks() -> Registry:
    async def forever(_event: Any) -> None:
        await anyio.sleep_forever()

    registry = Registry()
    registry.add("gone", forever)
    return registry


def test_executions_go_on_where_they_were(tmp_path: Path) -> None:
    db = tmp_path / "asl.db"
    with running(db, skip_time=False) as server:
        client = server.client()
        arns = [client.start_execution(stateMachineArn=created(client, SOON))["executionArn"] for _ in range(3)]
        failed = ran(client, FAIL, name="failed")
    with running(db, skip_time=False) as server:
        assert server.resumed == 3
        client = server.client()
        assert {ended(client, arn)["status"] for arn in arns} == {"SUCCEEDED"}
        assert client.describe_execution(executionArn=failed["executionArn"])["stopDate"] == failed["stopDate"]


def test_time_that_is_skipped_does_not_run_backwards(tmp_path: Path) -> None:
    db = tmp_path / "asl.db"
    wait = {"Type": "Wait", "Seconds": 3600, "Next": "T"}
    definition = {"StartAt": "W", "States": {"W": wait, **TASK["States"]}}
    registry = patient_tasks()
    with running(db, registry) as server:
        client = server.client()
        arn = client.start_execution(stateMachineArn=created(client, definition))["executionArn"]
        wait_for(lambda: len(client.get_execution_history(executionArn=arn)["events"]) == 6)
    with running(db, registry) as server:
        assert server.resumed == 1
        client = server.client()
        stopped = client.stop_execution(executionArn=arn)["stopDate"]
        started = client.describe_execution(executionArn=arn)["startDate"]
        assert (stopped - started).total_seconds() >= 3600


def test_an_own_execution_whose_task_is_gone_fails(tmp_path: Path) -> None:
    db = tmp_path / "asl.db"
    with running(db, patient_tasks()) as server:
        client = server.client()
        arn = client.start_execution(stateMachineArn=created(client, TASK))["executionArn"]
    with running(db) as server:
        assert ended(server.client(), arn)["error"] == "Lambda.ResourceNotFoundException"


def test_what_another_process_drives_is_left_to_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """So is what a command has started with tasks of its own, and what cannot be loaded any more."""
    db = tmp_path / "asl.db"
    with running(db, skip_time=False) as first:
        client = first.client()
        arn = client.start_execution(stateMachineArn=created(client, WAIT))["executionArn"]
        with running(db, skip_time=False) as second:
            assert second.resumed == 0
            assert second.client().describe_execution(executionArn=arn)["status"] == "RUNNING"

    async def spoil() -> None:
        store = await SqliteStore.open(db)
        record = await store.record(arn)
        assert record is not None
        await store._write_statements((SPOIL, (record.definition,)))
        await store.close()

    anyio.run(spoil)
    with running(db, skip_time=False) as third:
        assert third.resumed == 0
        machine = third.client().describe_execution(executionArn=arn)["stateMachineArn"]
        assert third.client().describe_state_machine(stateMachineArn=machine)["definition"] == "{}"
    assert f"cannot resume {arn}: " in caplog.text


def test_an_execution_of_a_command_is_left_to_it_where_a_task_is_missing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def forever(_call: Any) -> Any:
        await anyio.sleep_forever()

    async def begin() -> None:
        store = await SqliteStore.open(tmp_path / "asl.db")
        machine = load(json.dumps(TASK))
        async with Engine(store, dict.fromkeys(machine.resources, forever), clock=SystemClock()) as engine:
            await engine.start(machine, "m", Payload({}), "one")
        await store.close()

    anyio.run(begin)
    with running(tmp_path / "asl.db") as server:
        assert server.resumed == 0
    assert "is left to `asl resume`: nothing here serves arn:aws:lambda" in caplog.text


def test_many_definitions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that were compiled longest ago are forgotten, and compiled again."""
    from asl_engine.server import service

    monkeypatch.setattr(service, "MAX_COMPILED", 1)
    with running(tmp_path / "asl.db") as server:
        client = server.client()
        first, second = created(client, PASS, "a"), created(client, FAIL, "b")
        for arn, status in ((first, "SUCCEEDED"), (second, "FAILED"), (first, "SUCCEEDED"), (first, "SUCCEEDED")):
            run = client.start_execution(stateMachineArn=arn)["executionArn"]
            assert ended(client, run)["status"] == status


def test_a_database_that_cannot_be_read_for_a_moment_is_looked_at_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server_running, "CHECK_SECONDS", 0.0)

    class Blinking:
        def __init__(self) -> None:
            self.looked, self.thrice = 0, asyncio.Event()

        async def check(self) -> bool:
            self.looked += 1
            if self.looked == 3:
                self.thrice.set()
            raise StoreError("the database is locked")

    async def main() -> None:
        engine: Any = Blinking()
        looking = asyncio.ensure_future(server_running._look_around(engine, engine, engine, []))
        async with asyncio.timeout(30):
            await engine.thrice.wait()
        looking.cancel()

    asyncio.run(main())
    assert [record.message for record in caplog.records] == ["the database is locked"]


@pytest.mark.parametrize("port", [-1, 65_536, 99_999])
def test_there_is_no_such_port(port: int) -> None:
    with pytest.raises(ProjectError, match="a port is a number from 0 to 65535"):
        server_running.bind("127.0.0.1", port)


def test_requests_are_answered_while_executions_are_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server also stops then, and what was not resumed goes on with the next start."""
    db = tmp_path / "asl.db"
    with running(db, patient_tasks()) as server:
        client = server.client()
        arn = client.start_execution(stateMachineArn=created(client, TASK))["executionArn"]

    async def never(*_: Any) -> bool:
        await anyio.sleep_forever()
        raise AssertionError

    with monkeypatch.context() as patches, running(db, patient_tasks(), resumes=False) as server:
        patches.setattr(Service, "_adopt", never)
        client = server.client()
        assert client.describe_execution(executionArn=arn)["status"] == "RUNNING"
        assert ran(client, PASS, name="meanwhile")["status"] == "SUCCEEDED"
    with running(db, patient_tasks()) as server:
        assert server.resumed == 1


def test_what_has_ended_before_its_turn_came_is_not_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = tmp_path / "asl.db"
    with running(db, patient_tasks()) as server:
        client = server.client()
        machine = created(client, TASK)
        arns = [client.start_execution(stateMachineArn=machine)["executionArn"] for _ in range(2)]
    first_is_stopped = threading.Event()
    resumed: list[list[str]] = []
    resume_all = Service.resume_all

    async def later(service: Service, unfinished: list[str], retry: Callable[[str], None]) -> list[str]:
        await anyio.to_thread.run_sync(first_is_stopped.wait)
        resumed.append(await resume_all(service, unfinished, retry))
        return resumed[0]

    monkeypatch.setattr(Service, "resume_all", later)
    with running(db, patient_tasks(), resumes=False) as server:
        client = server.client()
        client.stop_execution(executionArn=arns[0])
        first_is_stopped.set()
        wait_for(lambda: bool(resumed))
        assert resumed == [[arns[1]]]
        statuses = [client.describe_execution(executionArn=arn)["status"] for arn in arns]
        assert statuses == ["ABORTED", "RUNNING"]
