"""Logs and status changes of a server's executions, as they arrive outside."""

from __future__ import annotations

import json
import logging
import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.errors import ProjectError
from asl_engine.resources.python.registry import Registry
from asl_engine.server.journal import Journal
from asl_engine.server.lines import Lines, open_lines
from tests.server.conftest import tasks
from tests.server.harness import FAIL, PASS, WAIT, Server, created, ended, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GROUP = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/vendedlogs/states/m:*"
LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:double"
TASK = {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": LAMBDA, "End": True}}}


def logged(level: str, *, data: bool = False) -> dict[str, Any]:
    destinations = [{"cloudWatchLogsLogGroup": {"logGroupArn": GROUP}}]
    return {"loggingConfiguration": {"level": level, "includeExecutionData": data, "destinations": destinations}}


@contextmanager
def watched(tmp_path: Path, *, skip_time: bool = True) -> Iterator[tuple[Server, Path, Path]]:
    """A server, and the files of its log records and status changes: whole when the server is gone."""
    records, statuses = tmp_path / "records", tmp_path / "statuses"
    first, second = open_lines(str(records), NO_STDOUT), open_lines(str(statuses), NO_STDOUT)
    try:
        with running(
            tmp_path / "asl.db", tasks(), skip_time=skip_time, observer=Journal(first, second).observe
        ) as server:
            yield server, records, statuses
    finally:
        first.close()
        second.close()


NO_STDOUT: Any = None


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_everything_is_logged_as_the_history_has_it(tmp_path: Path) -> None:
    with watched(tmp_path) as (server, records, _):
        client = server.client()
        arn = created(client, TASK, **logged("ALL", data=True))
        execution = client.start_execution(stateMachineArn=arn, input='{"n": 4}')["executionArn"]
        ended(client, execution)
        history = client.get_execution_history(executionArn=execution)["events"]
    found = lines(records)
    assert [(one["id"], one["type"], one["previous_event_id"]) for one in found] == [
        (str(event["id"]), event["type"], str(event["previousEventId"])) for event in history
    ]
    assert {one["execution_arn"] for one in found} == {execution}
    assert {one["redrive_count"] for one in found} == {"0"}
    assert [int(one["event_timestamp"]) for one in found] == [
        round(event["timestamp"].timestamp() * 1000) for event in history
    ]
    details: list[Any] = [
        next((event[key] for key in event if key.endswith("EventDetails")), {}) for event in history
    ]
    assert [one["details"] for one in found] == details


LEVELS: dict[str, list[str]] = {
    "ALL": ["ExecutionStarted", "FailStateEntered", "ExecutionFailed"],
    "ERROR": ["FailStateEntered", "ExecutionFailed"],
    "FATAL": ["ExecutionFailed"],
    "OFF": [],
}


def test_the_level_decides(tmp_path: Path) -> None:
    with watched(tmp_path) as (server, records, _):
        client = server.client()
        for level in LEVELS:
            for kind in ("STANDARD", "EXPRESS"):
                arn = created(client, FAIL, name=f"{level}-{kind}", type=kind, **logged(level))
                execution = client.start_execution(stateMachineArn=arn, input='{"password": "secret"}')
                ended(client, execution["executionArn"])
        ended(client, client.start_execution(stateMachineArn=created(client, FAIL))["executionArn"])
    found = lines(records)
    for level, types in LEVELS.items():
        for kind in ("STANDARD", "EXPRESS"):
            mine = [one["type"] for one in found if f":{level}-{kind}:" in one["execution_arn"]]
            assert mine == types, (level, kind)
    assert len(found) == 2 * sum(map(len, LEVELS.values()))
    assert "secret" not in records.read_text(encoding="utf-8")


def test_an_execution_is_logged_as_its_machine_was_when_it_began(tmp_path: Path) -> None:
    with watched(tmp_path, skip_time=False) as (server, records, _):
        client = server.client()
        arn = created(client, WAIT, **logged("ALL"))
        execution = client.start_execution(stateMachineArn=arn)["executionArn"]
        client.update_state_machine(stateMachineArn=arn, loggingConfiguration={"level": "OFF"})
        other = client.start_execution(stateMachineArn=arn)["executionArn"]
        for one in (execution, other):
            client.stop_execution(executionArn=one)
    assert [one["type"] for one in lines(records)][-1] == "ExecutionAborted"
    assert {one["execution_arn"] for one in lines(records)} == {execution}


def test_a_restarted_server_goes_on_with_the_log(tmp_path: Path) -> None:
    called, go_on = threading.Event(), threading.Event()

    def slow(_event: Any) -> Any:
        called.set()
        go_on.wait(20)
        return {}

    registry = Registry()
    registry.add("double", slow)
    records = tmp_path / "records"

    @contextmanager
    def serving() -> Iterator[Server]:
        opened = open_lines(str(records), NO_STDOUT)
        try:
            with running(
                tmp_path / "asl.db", registry, skip_time=False, observer=Journal(opened).observe
            ) as server:
                yield server
        finally:
            opened.close()

    with serving() as server:
        client = server.client()
        arn = created(client, TASK, **logged("ALL"))
        execution = client.start_execution(stateMachineArn=arn)["executionArn"]
        assert called.wait(20)
    before = len(lines(records))
    go_on.set()
    with serving() as server:
        ended(server.client(), execution)
        history = server.client().get_execution_history(executionArn=execution)["events"]
    found = lines(records)
    assert 0 < before < len(found)
    assert [(one["id"], one["type"]) for one in found] == [(str(one["id"]), one["type"]) for one in history]


def test_status_changes_are_told_of_standard_executions(tmp_path: Path) -> None:
    with watched(tmp_path, skip_time=False) as (server, _, statuses):
        client = server.client()
        passing = created(client, PASS, name="passing", publish=True)
        client.create_state_machine_alias(
            name="live", routingConfiguration=[{"stateMachineVersionArn": f"{passing}:1", "weight": 100}]
        )
        first = client.start_execution(stateMachineArn=f"{passing}:live", name="a", input='{"x": 1}')[
            "executionArn"
        ]
        ended(client, first)
        second = client.start_execution(stateMachineArn=created(client, FAIL, name="failing"))["executionArn"]
        ended(client, second)
        third = client.start_execution(stateMachineArn=created(client, WAIT, name="waiting"))["executionArn"]
        client.stop_execution(executionArn=third, error="E", cause="C")
        express = created(client, PASS, name="express", type="EXPRESS")
        client.start_sync_execution(stateMachineArn=express)
        described = client.describe_execution(executionArn=first)
    told = lines(statuses)
    assert [(one["detail"]["executionArn"], one["detail"]["status"]) for one in told] == [
        (first, "RUNNING"),
        (first, "SUCCEEDED"),
        (second, "RUNNING"),
        (second, "FAILED"),
        (third, "RUNNING"),
        (third, "ABORTED"),
    ]
    assert len({one["id"] for one in told}) == 6
    began, done = told[0]["detail"], told[1]["detail"]
    assert (began["output"], began["stopDate"], began["input"]) == (None, None, '{"x": 1}')
    assert (done["output"], done["stopDate"]) == ('{"x": 1}', round(described["stopDate"].timestamp() * 1000))
    assert (done["stateMachineAliasArn"], done["stateMachineVersionArn"]) == (f"{passing}:live", f"{passing}:1")
    assert (told[5]["detail"]["error"], told[5]["detail"]["cause"]) == ("E", "C")


def test_a_redrive_is_told_of(tmp_path: Path) -> None:
    with watched(tmp_path) as (server, records, statuses):
        client = server.client()
        arn = created(client, FAIL, **logged("ALL"))
        execution = client.start_execution(stateMachineArn=arn)["executionArn"]
        ended(client, execution)
        client.redrive_execution(executionArn=execution)
        ended(client, execution)
    assert [(one["type"], one["redrive_count"]) for one in lines(records)] == [
        ("ExecutionStarted", "0"),
        ("FailStateEntered", "0"),
        ("ExecutionFailed", "0"),
        ("ExecutionRedriven", "1"),
        ("ExecutionFailed", "1"),
    ]
    told = [one["detail"] for one in lines(statuses)]
    assert [(one["status"], one["redriveCount"], one["redriveDate"] is None) for one in told] == [
        ("RUNNING", 0, True),
        ("FAILED", 0, True),
        ("RUNNING", 1, False),
        ("FAILED", 1, False),
    ]


def test_an_execution_that_is_stopped_from_elsewhere_is_told_of(tmp_path: Path) -> None:
    with watched(tmp_path, skip_time=False) as (server, records, statuses):
        client = server.client()
        execution = client.start_execution(stateMachineArn=created(client, WAIT, **logged("FATAL")))[
            "executionArn"
        ]
        with running(tmp_path / "asl.db", skip_time=False) as other:
            other.client().stop_execution(executionArn=execution)
        pause = threading.Event()
        for _ in range(2000):
            if records.read_text(encoding="utf-8"):
                break
            pause.wait(0.01)
    assert [one["type"] for one in lines(records)] == ["ExecutionAborted"]
    assert [one["detail"]["status"] for one in lines(statuses)] == ["RUNNING", "ABORTED"]


def test_executions_of_a_deleted_machine_end_with_their_next_transition(tmp_path: Path) -> None:
    long = {"Type": "Wait", "Seconds": 3600, "End": True}
    definition = {"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 1, "Next": "B"}, "B": long}}
    db = tmp_path / "asl.db"
    with running(db, skip_time=False) as server:
        client = server.client()
        arn = created(client, definition)
        execution = client.start_execution(stateMachineArn=arn)["executionArn"]
        client.delete_state_machine(stateMachineArn=arn)
        assert client.describe_execution(executionArn=execution)["status"] == "RUNNING"
    # Another server on the same database knows of the deletion too.
    with running(db, skip_time=False) as server:
        client = server.client()
        shown = ended(client, execution)
        assert (shown["status"], shown["error"]) == ("FAILED", "States.Runtime")
        assert shown["cause"] == "State machine m has been deleted."
        history = client.get_execution_history(executionArn=execution)["events"]
        assert [event["type"] for event in history][2:] == ["WaitStateExited", "ExecutionFailed"]
        assert history[-1]["previousEventId"] == history[-2]["id"]
        assert created(client, PASS) == arn
        again = client.start_execution(stateMachineArn=arn)["executionArn"]
        assert ended(client, again)["status"] == "SUCCEEDED"


# -- lines -------------------------------------------------------------------------------------------------


def test_lines_are_added_to_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    for number in range(3):
        opened = open_lines(str(path), NO_STDOUT)
        opened.put({"n": number, "é": "☃\n"})
        opened.close()
    assert lines(path) == [{"n": number, "é": "☃\n"} for number in range(3)]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"cannot write to .*: No such file or directory"):
        open_lines(str(tmp_path / "no" / "file"), NO_STDOUT)


def test_a_reader_who_has_gone_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    opened = Lines("pipe", os.fdopen(writer, "w"))
    with caplog.at_level(logging.WARNING):
        opened.put({"a": 1})
        opened.close()
    opened.put({"b": 2})
    assert "cannot write to pipe any more: " in caplog.text


def test_a_reader_who_does_not_read_costs_lines(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asl_engine.server.lines.MAX_WAITING", 10)
    reader, writer = os.pipe()
    opened = Lines("pipe", os.fdopen(writer, "w"))
    with caplog.at_level(logging.WARNING):
        for number in range(200):
            opened.put({"n": number, "text": "x" * 10_000})
        with os.fdopen(reader) as file:
            closing = threading.Thread(target=opened.close)
            closing.start()
            kept = [json.loads(line)["n"] for line in file]
            closing.join()
    assert kept == sorted(kept)
    assert 10 <= len(kept) < 200
    assert f"pipe: {200 - len(kept)} lines were dropped" in caplog.text
