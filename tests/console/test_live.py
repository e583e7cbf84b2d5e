"""Streams: nothing is lost and nothing comes twice, however often the connection breaks."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

from asl_engine.console import event_stream, live
from asl_engine.console.event_stream import EventStream
from asl_engine.console.pasts import Pasts
from asl_engine.errors import StoreUnavailable
from asl_engine.server.protocol.uvicorn_limits import HANG_UP
from tests.console.harness import API, Page, console
from tests.server.harness import PASS, created, ended, running

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    import pytest

LOOP = {
    "QueryLanguage": "JSONata",
    "StartAt": "Again",
    "States": {
        "Again": {"Type": "Pass", "Output": "{% $states.input + 1 %}", "Next": "Enough"},
        "Enough": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $states.input > 400 %}", "Next": "Done"}],
            "Default": "Again",
        },
        "Done": {"Type": "Succeed"},
    },
}


def history(page: Page, arn: str) -> list[int]:
    pages = page.server.client().get_paginator("get_execution_history").paginate(executionArn=arn)
    return [event["id"] for one in pages for event in one["events"]]


def test_a_run_is_told_to_its_end(page: Page, created_machine: Callable[..., str]) -> None:
    arn = page.operation("StartExecution", stateMachineArn=created_machine(PASS))["executionArn"]
    with page.stream(run=arn, after=0) as stream:
        assert stream.answer.getheader("content-type") == "text/event-stream; charset=utf-8"
        assert stream.answer.getheader("cache-control") == "no-store"
        ids: list[int] = []
        while True:
            told = stream.next()
            assert told.event == "events"
            ids += [one["id"] for one in told.data["events"]]
            assert int(told.id) == told.data["to"]
            if told.data["status"] != "RUNNING":
                break
    assert ids == history(page, arn)
    assert told.data["run"]["status"] == "SUCCEEDED"
    assert told.data["total"] == len(ids)


def test_a_connection_that_breaks_after_every_message_loses_nothing(
    page: Page, created_machine: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MAX_EVENTS", 150)
    arn = page.operation("StartExecution", stateMachineArn=created_machine(LOOP), input="0")["executionArn"]
    ids: list[int] = []
    last, connections, to = "", 0, 0
    while True:
        connections += 1
        with page.stream(run=arn, last=last, **({} if last else {"after": 0})) as stream:
            told = stream.next()
        assert told.data["from"] == to + 1
        to = told.data["to"]
        ids += [one["id"] for one in told.data["events"]]
        last = told.id
        if told.data["status"] != "RUNNING" and len(ids) == told.data["total"]:
            break
    assert connections > 5
    assert ids == history(page, arn)


def test_large_events_come_in_several_messages(
    page: Page, created_machine: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MAX_BYTES", 3_000)
    given = '"' + "x" * 100_000 + '"'
    arn = page.operation("StartExecution", stateMachineArn=created_machine(PASS), input=given)["executionArn"]
    ended(page.server.client(), arn)
    with page.stream(run=arn, after=0) as stream:
        told = [stream.next(), stream.next()]
    assert [[one["id"] for one in message.data["events"]] for message in told] == [[1, 2], [3, 4]]
    assert told[1].data["from"] == told[0].data["to"] + 1


def test_what_comes_from_now_on(page: Page, created_machine: Callable[..., str]) -> None:
    activity = page.operation("CreateActivity", name="from-now-on")["activityArn"]
    task = {"Type": "Task", "Resource": activity, "End": True}
    machine = created_machine({"StartAt": "T", "States": {"T": task}})
    arn = page.operation("StartExecution", stateMachineArn=machine)["executionArn"]
    there = len(history(page, arn))
    with page.stream(run=arn) as stream:
        assert stream.answer.status == 200
        page.operation("StopExecution", executionArn=arn)
        told = stream.next()
        assert told.data["events"][0]["id"] == there + 1
        assert told.data["status"] == "ABORTED"
        page.operation("RedriveExecution", executionArn=arn)
        again = stream.next()
        assert (again.data["from"], again.data["status"]) == (told.data["to"] + 1, "RUNNING")
        page.operation("StopExecution", executionArn=arn)
        assert stream.next().data["status"] == "ABORTED"
        page.operation("DeleteStateMachine", stateMachineArn=machine)
    assert page.refused("stream", run=arn).json["error"] == "ExecutionDoesNotExist"


def test_a_run_that_is_gone(page: Page) -> None:
    found = page.refused("stream", run="arn:aws:states:us-east-1:123456789012:execution:a:b")
    assert (found.status, found.json["error"]) == (404, "ExecutionDoesNotExist")


# -- the list -----------------------------------------------------------------------------------------


def test_the_list_is_told_of_what_changes(page: Page, created_machine: Callable[..., str]) -> None:
    machine = created_machine(PASS)
    with page.stream() as stream:
        assert stream.answer.status == 200
        arn = page.operation("StartExecution", stateMachineArn=machine, name="listed")["executionArn"]
        seen: dict[str, Any] = {}
        while seen.get(arn, {}).get("status") != "SUCCEEDED":
            told = stream.next()
            assert (told.event, told.data["reload"]) == ("runs", False)
            seen |= {one["arn"]: one for one in told.data["runs"]}
    assert seen[arn]["machine"]["arn"] == machine
    assert told.data["counts"]["SUCCEEDED"]["count"] >= 1
    assert told.data["inbox"] == 0
    # What happened while nobody listened comes with the next connection.
    other = page.operation("StartExecution", stateMachineArn=machine, name="unheard")["executionArn"]
    ended(page.server.client(), other)
    with page.stream(last=told.id) as stream:
        again = stream.next()
    assert [one["arn"] for one in again.data["runs"]] == [other]
    assert again.data["runs"][0]["status"] == "SUCCEEDED"
    with page.stream(last=f"another.{told.id.partition('.')[2]}") as stream:
        assert stream.next().data["reload"] is True


def test_too_much_is_fetched_anew(
    page: Page, created_machine: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MAX_CHANGED", 3)
    machine = created_machine(PASS)
    with page.stream(last="x.1") as stream:
        number = stream.next().id
    for at in range(5):
        ended(
            page.server.client(),
            page.operation("StartExecution", stateMachineArn=machine, name=f"n{at}")["executionArn"],
        )
    with page.stream(last=number) as stream:
        told = stream.next()
    assert (told.data["reload"], told.data["runs"]) == (True, [])


def test_an_execution_of_another_region_is_not_told(page: Page) -> None:
    client = page.server.client("eu-west-1")
    machine = created(client, PASS, "told-elsewhere")
    with page.stream(last="x.1") as stream:
        number = stream.next().id
    ended(client, client.start_execution(stateMachineArn=machine)["executionArn"])
    with page.stream(last=number) as stream:
        assert stream.next().data["runs"] == []


def test_a_restart_of_the_server(tmp_path: Path) -> None:
    """The page connects again with what it saw last: a run goes on there, the list is fetched anew."""
    with console(tmp_path) as page:
        activity = page.operation("CreateActivity", name="a")["activityArn"]
        task = {"Type": "Task", "Resource": activity, "End": True}
        machine = created(page.server.client(), {"StartAt": "T", "States": {"T": task}})
        arn = page.operation("StartExecution", stateMachineArn=machine)["executionArn"]
        with page.stream(run=arn, after=0) as stream, page.stream(last="x.1") as listed:
            seen = stream.next()
            number = listed.next().id
    with console(tmp_path) as page:
        page.operation("StopExecution", executionArn=arn)
        with page.stream(run=arn, last=seen.id) as stream:
            told = stream.next()
        assert told.data["from"] == seen.data["to"] + 1
        assert told.data["events"][-1]["type"] == "ExecutionAborted"
        with page.stream(last=number) as listed:
            assert listed.next().data["reload"] is True


def test_what_another_process_writes_is_told(tmp_path: Path) -> None:
    with console(tmp_path) as page, running(tmp_path / "asl.db") as other:
        client = other.client()
        machine = created(client, PASS)
        with page.stream() as stream:
            assert stream.answer.status == 200
            arn = client.start_execution(stateMachineArn=machine)["executionArn"]
            assert stream.next().data["reload"] is True
        with page.stream(run=arn, after=0) as stream:
            assert stream.next().data["events"][0]["type"] == "ExecutionStarted"


def test_a_run_that_another_process_deletes_is_gone(tmp_path: Path) -> None:
    with console(tmp_path) as page, running(tmp_path / "asl.db") as other:
        machine = created(page.server.client(), PASS)
        arn = page.operation("StartExecution", stateMachineArn=machine)["executionArn"]
        ended(page.server.client(), arn)
        with page.stream(run=arn, after=0) as stream:
            while stream.next().data["status"] == "RUNNING":
                pass
            other.client().delete_state_machine(stateMachineArn=machine)
            told = stream.next()
            assert stream.is_over()
    assert (told.event, told.id, told.data["error"]) == ("gone", "", "ExecutionDoesNotExist")
    assert "pruned" in told.data["remedy"]


def test_the_server_stops_although_pages_are_open(tmp_path: Path) -> None:
    with console(tmp_path) as page, page.stream() as stream:
        assert stream.answer.status == 200
        leaving = stream
        page.get("session")
        connection = socket.create_connection((page.server.host, page.server.port))
    connection.close()
    assert leaving.answer.status == 200


def test_a_database_that_cannot_be_read_for_a_while(
    page: Page, created_machine: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stream stays, and goes on where it was."""
    monkeypatch.setattr(live, "RETRY_SECONDS", 0.01)
    activity = page.operation("CreateActivity", name="for-a-while")["activityArn"]
    task = {"Type": "Task", "Resource": activity, "End": True}
    machine = created_machine({"StartAt": "T", "States": {"T": task}})
    arn = page.operation("StartExecution", stateMachineArn=machine)["executionArn"]
    with page.stream(run=arn, after=0) as stream:
        told = stream.next()
        monkeypatch.setattr(Pasts, "of", _refusing(Pasts.of))
        page.operation("StopExecution", executionArn=arn)
        again = stream.next()
    assert again.data["from"] == told.data["to"] + 1
    assert again.data["status"] == "ABORTED"


def _refusing(real: Any) -> Any:
    """As ``Pasts.of``, but that it fails three times before."""
    calls = iter(range(3))

    async def of(*given: Any) -> Any:
        if next(calls, None) is not None:
            raise StoreUnavailable("database is locked")
        return await real(*given)

    return of


def test_too_many_pages(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MAX_STREAMS", 0)
    for query in ("", "?run=arn:aws:states:us-east-1:123456789012:execution:a:b"):
        found = page.ask("GET", f"{API}stream{query}")
        assert found.status in {404, 503}
    assert page.ask("GET", f"{API}stream").json["error"] == "TooManyStreams"


# -- the connection itself ------------------------------------------------------------------------------


async def endless() -> AsyncGenerator[bytes, None]:
    while True:
        yield b": alive\n\n"


def test_a_reader_who_does_not_read_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "PATIENCE_SECONDS", 0.01)

    async def check() -> None:
        hung_up = asyncio.Event()
        bodies = 0

        async def send(event: dict[str, Any]) -> None:
            nonlocal bodies
            if event.get("more_body"):
                bodies += 1
                if bodies > 3 and not hung_up.is_set():  # its buffers are full
                    await asyncio.Event().wait()

        async def receive() -> dict[str, Any]:
            await hung_up.wait()
            return {"type": "http.disconnect"}

        stream = EventStream(endless(), asyncio.get_running_loop().create_future())
        await stream({"extensions": {HANG_UP: hung_up.set}}, receive, send)
        assert hung_up.is_set()

    asyncio.run(check())


def test_a_page_that_is_closed_ends_its_stream() -> None:
    async def check() -> None:
        ended_well = False

        async def waits() -> AsyncGenerator[bytes, None]:
            nonlocal ended_well
            try:
                yield b"x"
                await asyncio.Event().wait()
            finally:
                ended_well = True

        async def send(_: dict[str, Any]) -> None:
            pass

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(0)
            return {"type": "http.disconnect"}

        await EventStream(waits(), asyncio.get_running_loop().create_future())({}, receive, send)
        assert ended_well

    asyncio.run(check())
