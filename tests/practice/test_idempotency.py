"""The decorator on the engine's own keys, and the records that it shares with Powertools."""

from __future__ import annotations

import asyncio
import json
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig
from aws_lambda_powertools.utilities.idempotency import idempotent as powertools_idempotent
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyAlreadyInProgressError

from asl_engine import TaskContext, idempotent, run, task
from asl_engine.cloud.deploy.bundle import _runtime
from asl_engine.cloud.deploy.handler import handler
from asl_engine.practice.powertools import SqlitePersistenceLayer
from asl_engine.practice.records import DoneRecord, Records, RecordsError

if TYPE_CHECKING:
    from pathlib import Path

ARN = "arn:aws:lambda:us-east-1:123456789012:function:pay"
MACHINE = {"StartAt": "Pay", "States": {"Pay": {"Type": "Task", "Resource": ARN, "End": True}}}
FIRST = TaskContext("arn:aws:states:us-east-1:123456789012:execution:m:e:7", execution_id="a")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "done.db"


def test_a_repeated_attempt_has_the_answer_of_the_first(file: Path) -> None:
    calls: list[Any] = []

    @idempotent(file=file)
    def pay(event: dict[str, Any]) -> Any:
        calls.append(event)
        return {"paid": event["n"], "times": len(calls)}

    assert pay({"n": 1}, FIRST) == {"paid": 1, "times": 1}
    assert pay({"n": 1}, FIRST) == {"paid": 1, "times": 1}
    retry = FIRST._replace(idempotency_key=f"{FIRST.idempotency_key}1", attempt=1)
    assert pay({"n": 1}, retry) == {"paid": 1, "times": 2}
    namesake = FIRST._replace(execution_id="b")
    assert pay({"n": 1}, namesake) == {"paid": 1, "times": 3}


def test_an_async_function_is_one_still(file: Path) -> None:
    calls: list[Any] = []

    @idempotent(file=file)
    async def pay(event: Any, context: TaskContext) -> Any:
        calls.append(context.attempt)
        return event

    assert [asyncio.run(pay(None, FIRST)) for _ in range(3)] == [None, None, None]
    assert calls == [0]
    assert asyncio.run(pay(1, TaskContext())) == 1


def test_outside_of_an_execution_nothing_is_kept(file: Path) -> None:
    calls: list[Any] = []

    @idempotent(file=file)
    def pay(event: Any) -> Any:
        calls.append(event)

    pay(1, TaskContext())
    pay(1, TaskContext())
    assert calls == [1, 1]
    assert not file.exists()


@pytest.mark.parametrize("answer", [{1, 2}, float("nan"), "\ud800"])
def test_what_fails_the_task_is_not_kept(file: Path, answer: Any) -> None:
    calls: list[Any] = []

    @task
    @idempotent(file=file)
    def pay(event: Any) -> Any:
        calls.append(event)
        return answer

    result = run(MACHINE, 1, tasks={"pay": pay})
    assert result.error == "Runtime.MarshalError"
    pay(1, FIRST)
    pay(1, FIRST)
    assert len(calls) == 3


def test_an_error_is_not_kept(file: Path) -> None:
    calls: list[Any] = []

    @idempotent(file=file)
    def pay(event: Any) -> Any:
        calls.append(event)
        if len(calls) < 2:
            raise ConnectionError("later")
        return "paid"

    with pytest.raises(ConnectionError):
        pay(1, FIRST)
    assert [pay(1, FIRST), pay(1, FIRST), len(calls)] == ["paid", "paid", 2]


def test_an_answer_is_kept_for_its_time(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    calls: list[Any] = []

    @idempotent(file=file, expires_after=60)
    def pay(event: Any) -> Any:
        calls.append(event)

    for later, number in ((0, 1), (59, 1), (61, 2)):
        monkeypatch.setattr(time, "time", lambda later=later: now + later)
        pay(1, FIRST)
        assert len(calls) == number


def test_it_takes_the_context_that_a_task_is_given() -> None:
    """Each run has an id of its own, although the key of its first task may be the same."""
    seen: list[TaskContext] = []

    def pay(event: Any, context: TaskContext) -> Any:
        seen.append(context)
        return event

    for _ in range(2):
        assert run(MACHINE, 1, tasks={"pay": pay}, name="same").output == 1
    assert seen[0].idempotency_key == seen[1].idempotency_key
    assert seen[0].execution_id != seen[1].execution_id
    assert len(seen[0].execution_id) == 32


def test_the_file_is_beside_the_projects_database(tmp_path: Path) -> None:
    (tmp_path / "asl.toml").write_text('db = "data/orders.db"\n', encoding="utf-8")
    (tmp_path / "tasks").mkdir()
    module = tmp_path / "tasks" / "pay.py"
    module.write_text(
        "from asl_engine import idempotent\n\n\n@idempotent\ndef pay(event):\n    return event\n",
        encoding="utf-8",
    )
    assert run(MACHINE, 5, project=tmp_path).output == 5
    records = Records(tmp_path / "data" / "idempotency.db")
    with records._opened() as db:
        assert [json.loads(answer) for (answer,) in db.execute("SELECT answer FROM records")] == [5]
    records.close()


def test_a_file_that_is_none_fails_the_task_before_it_is_done(tmp_path: Path) -> None:
    (tmp_path / "done.db").write_text("no database", encoding="utf-8")
    calls: list[Any] = []

    @idempotent(file=tmp_path / "done.db")
    def pay(event: Any) -> Any:
        calls.append(event)

    with pytest.raises(
        RecordsError, match=r"done\.db with what has been done cannot be used: file is not a database"
    ):
        pay(1, FIRST)
    assert calls == []


# -- Powertools ----------------------------------------------------------------------------------------


def test_powertools_keeps_its_records_there(file: Path) -> None:
    calls: list[Any] = []
    layer = SqlitePersistenceLayer(file)

    @task
    @powertools_idempotent(persistence_store=layer, config=IdempotencyConfig(event_key_jmespath="order"))
    def pay(event: dict[str, Any], context: Any) -> Any:
        calls.append(event)
        return {"paid": context.function_name}

    events: list[Any] = [{"order": "o-1"}, {"order": "o-1", "else": 1}, {"order": "o-2"}]
    for given in events:
        assert run(MACHINE, given, tasks={"pay": pay}).output == {"paid": "pay"}
    layer.close()
    assert [event["order"] for event in calls] == ["o-1", "o-2"]


def test_powertools_forgets_what_has_failed(file: Path) -> None:
    outcomes = iter([ConnectionError("later"), "paid"])
    layer = SqlitePersistenceLayer(file)

    @powertools_idempotent(persistence_store=layer, config=IdempotencyConfig(event_key_jmespath="order"))
    def pay(event: dict[str, Any], context: Any) -> Any:
        del event, context
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    context: Any = TaskContext(function_name="pay")
    with pytest.raises(ConnectionError):
        pay({"order": "o-1"}, context)
    assert [pay({"order": "o-1"}, context) for _ in range(2)] == ["paid", "paid"]
    layer.close()


def test_powertools_sees_who_is_at_it(file: Path) -> None:
    layer = SqlitePersistenceLayer(file)

    @powertools_idempotent(persistence_store=layer, config=IdempotencyConfig(event_key_jmespath="order"))
    def pay(event: dict[str, Any], context: Any) -> Any:
        with pytest.raises(IdempotencyAlreadyInProgressError):
            pay({"order": "o-1"}, context)
        return event

    context: Any = TaskContext(function_name="pay")
    assert pay({"order": "o-1"}, context) == {"order": "o-1"}
    layer.close()


STANDING = DoneRecord("k", "INPROGRESS", expires=1_000, in_progress_until=500_000)


@pytest.mark.parametrize(
    ("there", "now", "is_written"),
    [
        (STANDING, 499, False),
        (STANDING, 501, True),  # whoever made it has had its time
        (STANDING._replace(in_progress_until=None), 501, False),
        (STANDING._replace(in_progress_until=None), 1_001, True),  # it has expired
        (STANDING._replace(status="COMPLETED"), 501, False),
        (STANDING._replace(status="COMPLETED", expires=None), 10**9, False),
    ],
)
def test_a_record_stands_in_the_way_of_another(
    file: Path, there: DoneRecord, now: float, is_written: bool
) -> None:
    records, other = Records(file), DoneRecord("k", "INPROGRESS", payload_hash="other")
    records._writes = 1  # nothing is swept away meanwhile
    records.put(there, 0)
    assert records.put_new(other, now) is is_written
    assert records.get("k") == (other if is_written else there)
    records.close()


def test_what_has_expired_is_deleted_in_time(file: Path) -> None:
    records = Records(file)
    records.put(DoneRecord("old", "COMPLETED", expires=10), 0)
    records.put(DoneRecord("new", "COMPLETED", expires=10_000), 100)
    assert records.get("old") is not None
    for number in range(500):
        records.put(DoneRecord(f"n{number}", "COMPLETED"), 100)
    assert records.get("old") is None
    assert records.get("new") is not None
    records.delete("new")
    assert records.get("new") is None
    records.close()


def test_deployed_with_the_task_it_calls_the_function() -> None:
    """Lambda gives a request an id, and no file that outlives it."""
    calls: list[Any] = []

    @idempotent
    def pay(event: Any) -> Any:
        calls.append(event)
        return event

    handle = handler(pay, "pay")
    context = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: 1000)
    assert [handle(1, context), handle(1, context)] == [1, 1]
    assert calls == [1, 1]
    assert "asl_engine/practice/idempotency.py" in dict(_runtime())
    assert "asl_engine/practice/records.py" not in dict(_runtime())
