"""Powertools for AWS Lambda on tasks: what its decorators read of a context, an execution's tasks have."""

from __future__ import annotations

import io
import json
import re
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyItemAlreadyExistsError,
    IdempotencyItemNotFoundError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer

from asl_engine import TaskContext, run, task
from asl_engine.cloud.deploy.handler import handler

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest
    from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord

ARN = "arn:aws:lambda:us-east-1:123456789012:function:pay"
MACHINE = {"StartAt": "Pay", "States": {"Pay": {"Type": "Task", "Resource": ARN, "End": True}}}
TWICE = {
    "StartAt": "One",
    "States": {
        "One": {"Type": "Task", "Resource": ARN, "ResultPath": "$.one", "Next": "Two"},
        "Two": {"Type": "Task", "Resource": ARN, "InputPath": "$.event", "End": True},
    },
}


def output(definition: Any, function: Any, given: Any) -> Any:
    result = run(definition, given, tasks={"pay": function})
    assert result.status == "SUCCEEDED", result.cause
    return result.output


def test_the_logger_finds_all_that_it_injects() -> None:
    written = io.StringIO()
    # Powertools keeps one logger, with its stream, for each name.
    logger = Logger(service="till", stream=written, logger_handler=None)

    @task
    @logger.inject_lambda_context(log_event=True)
    def pay(event: dict[str, Any], context: TaskContext) -> Any:
        logger.info("paid")
        return [event, context.aws_request_id]

    event, request = output(MACHINE, pay, {"n": 1})
    assert event == {"n": 1}
    received, paid = map(json.loads, written.getvalue().splitlines())
    assert received["message"] == {"n": 1}
    assert paid["message"] == "paid"
    assert paid["function_name"] == "pay"
    assert paid["function_memory_size"] == "128"
    assert paid["function_arn"] == ARN
    assert paid["function_request_id"] == request


class Recorder:
    """Takes what Powertools would tell X-Ray."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []

    @contextmanager
    def in_subsegment(self, name: str, **_: Any) -> Iterator[Recorder]:
        self.told.append(("subsegment", name))
        yield self

    def put_annotation(self, key: str, value: Any) -> None:
        self.told.append((key, value))

    def put_metadata(self, key: str, value: Any, namespace: str) -> None:
        self.told.append((f"{namespace}: {key}", value))

    def add_exception(self, exception: BaseException, stack: Any) -> None:
        del stack
        self.told.append(("exception", str(exception)))


def traced(tracer: Tracer) -> Any:
    @task
    @tracer.capture_lambda_handler
    def pay(event: dict[str, Any], context: TaskContext) -> Any:
        return [charge(event["n"]), context.function_name]

    @tracer.capture_method
    def charge(n: int) -> int:
        return n + 1

    return pay


def test_the_tracer_is_off_by_itself() -> None:
    tracer = Tracer(service="shop")
    assert tracer.disabled
    assert output(MACHINE, traced(tracer), {"n": 1}) == [2, "pay"]


def test_the_tracer_records_a_task() -> None:
    recorder = Recorder()
    tracer: Any = Tracer(service="shop", disabled=False, auto_patch=False, provider=cast("Any", recorder))
    assert output(MACHINE, traced(tracer), {"n": 1}) == [2, "pay"]
    assert ("subsegment", "## pay") in recorder.told
    assert ("shop: pay response", [2, "pay"]) in recorder.told
    assert any(kind == "subsegment" and name.endswith("charge") for kind, name in recorder.told)


class Memory(BasePersistenceLayer):
    """Keeps what Powertools would keep in DynamoDB."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Powertools gives it no types
        self.records: dict[str, DataRecord] = {}

    def _get_record(self, idempotency_key: str) -> DataRecord:
        if idempotency_key not in self.records:
            raise IdempotencyItemNotFoundError
        return self.records[idempotency_key]

    def _put_record(self, data_record: DataRecord) -> None:
        if data_record.idempotency_key in self.records:
            raise IdempotencyItemAlreadyExistsError(old_data_record=self.records[data_record.idempotency_key])
        self.records[data_record.idempotency_key] = data_record

    def _update_record(self, data_record: DataRecord) -> None:
        self.records[data_record.idempotency_key] = data_record

    def _delete_record(self, data_record: DataRecord) -> None:
        del self.records[data_record.idempotency_key]


def test_the_idempotency_decorator_calls_a_task_once_for_one_event() -> None:
    calls: list[Any] = []
    memory = Memory()
    remaining: list[int | None] = []

    @task
    @idempotent(persistence_store=memory, config=IdempotencyConfig(event_key_jmespath="order"))
    def pay(event: dict[str, Any], context: Any) -> Any:  # Powertools' types know Lambda's own class only
        calls.append(event)
        remaining.extend(record.in_progress_expiry_timestamp for record in memory.records.values())
        return {"paid": context.function_name}

    given = {"order": "o-1", "event": {"order": "o-1", "else": True}}
    assert output(TWICE, pay, given) == {"paid": "pay"}
    assert len(calls) == 1
    assert remaining[0] is not None  # it asked for the remaining time


def test_the_context_has_all_that_lambdas_has() -> None:
    seen: list[TaskContext] = []

    def pay(_event: Any, context: TaskContext) -> None:
        seen.append(context)

    output(MACHINE, pay, {})
    (context,) = seen
    assert (context.function_name, context.function_version, context.memory_limit_in_mb) == (
        "pay",
        "$LATEST",
        "128",
    )
    assert context.invoked_function_arn == ARN
    assert context.log_group_name == "/aws/lambda/pay"
    today = f"{datetime.now(UTC):%Y/%m/%d}"
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", context.log_stream_name)
    assert context.log_stream_name[:10] <= today
    assert (context.identity.cognito_identity_id, context.identity.cognito_identity_pool_id) == (None, None)
    assert (context.client_context, context.tenant_id, context.w3c()) == (None, None, {})


def test_the_context_names_the_version_that_was_called() -> None:
    seen: list[TaskContext] = []

    def pay(_event: Any, context: TaskContext) -> None:
        seen.append(context)

    definition = json.loads(json.dumps(MACHINE).replace(ARN, f"{ARN}:3"))
    output(definition, pay, {})
    assert (seen[0].function_version, seen[0].invoked_function_arn) == ("3", f"{ARN}:3")


def test_in_lambda_a_task_has_the_context_of_its_function(monkeypatch: pytest.MonkeyPatch) -> None:
    request, client = "8476a536-e9f4-11e8-9739-2dfe598c3fcd", object()
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_VERSION", "12")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
    monkeypatch.setenv("AWS_LAMBDA_LOG_GROUP_NAME", "/shop/pay")
    monkeypatch.setenv("AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/31/[12]0123456789abcdef0123456789abcdef")
    lambdas = SimpleNamespace(
        aws_request_id=request,
        invoked_function_arn=f"{ARN}:live",
        client_context=client,
        tenant_id="blue",
        get_remaining_time_in_millis=lambda: 3000,
    )
    seen: list[TaskContext] = []

    def pay(_event: Any, context: TaskContext) -> None:
        seen.append(context)

    handler(pay, "pay")({}, lambdas)
    (context,) = seen
    assert (context.aws_request_id, context.idempotency_key) == (request, request)
    assert (context.invoked_function_arn, context.function_version) == (f"{ARN}:live", "12")
    assert (context.memory_limit_in_mb, context.log_group_name) == ("512", "/shop/pay")
    assert context.log_stream_name == "2026/01/31/[12]0123456789abcdef0123456789abcdef"
    assert (context.client_context, context.tenant_id) == (client, "blue")
    assert 0 < context.get_remaining_time_in_millis() <= 3000


def test_what_a_context_logs_goes_where_prints_go(capsys: pytest.CaptureFixture[str]) -> None:
    TaskContext().log("one ")
    TaskContext().log(2)
    assert capsys.readouterr().out == "one 2"
