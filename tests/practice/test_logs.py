"""Structured logs: Powertools' keys, and which attempt of which execution a line is from, wherever a task runs."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aws_lambda_powertools import Logger

from asl_engine.cli import main
from asl_engine.cli.engine_log import begin_logging, end_logging
from asl_engine.engine.clock import SkippingClock
from asl_engine.engine.engine import Engine
from asl_engine.errors import InvalidInput
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.practice.logs import JsonLines, configure_logging, log_keys
from asl_engine.practice.powertools import ExecutionFormatter
from asl_engine.resources import TaskCall
from asl_engine.resources.calling import call_function
from asl_engine.resources.lambda_.local import LocalFunction, read_functions
from asl_engine.resources.log_subjects import about
from asl_engine.resources.python.isolation import isolation_of
from asl_engine.resources.python.tasks import TaskContext, python_resource
from asl_engine.store.memory.store import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from asl_engine.resources import Resource

PAY = "arn:aws:lambda:us-east-1:123456789012:function:pay"
EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:orders:o-1"
RETRY = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 2, "MaxAttempts": 2}]
MACHINE = {"StartAt": "Pay", "States": {"Pay": {"Type": "Task", "Resource": PAY, "Retry": RETRY, "End": True}}}
WHO = {"execution_arn": EXECUTION, "execution_name": "o-1", "state_machine": "orders", "state": "Pay"}

log = logging.getLogger("shop")


@contextmanager
def lines() -> Iterator[list[dict[str, Any]]]:
    """What is logged, once the block is left."""
    stream, root, found = io.StringIO(), logging.getLogger(), list[dict[str, Any]]()
    level = root.level
    handler = configure_logging(stream, "INFO", "shop")
    try:
        yield found
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        found += map(json.loads, stream.getvalue().splitlines())


def run(resource: Resource, name: str = "o-1", given: Any = None) -> None:
    async def main() -> None:
        async with Engine(MemoryStore(), {PAY: resource}, clock=SkippingClock(0)) as engine:
            await (await engine.start(load(json.dumps(MACHINE)), "orders", Payload(given or {}), name)).wait()

    asyncio.run(main())


def test_a_line_has_powertools_keys() -> None:
    """Key by key, in its order and with its values, as Powertools' own logger writes the same call."""
    ours, theirs = io.StringIO(), io.StringIO()
    logger = Logger(service="shop", stream=theirs)  # Powertools keeps one logger, with its stream, for each name
    own = logging.getLogger("ours")
    own.propagate = False
    own.setLevel(logging.INFO)
    handler = logging.StreamHandler(ours)
    handler.setFormatter(JsonLines("shop"))
    own.addHandler(handler)
    for one in (logger, own):
        one.info("%s is paid", "o-1", extra={"cents": 500, "at": Path("till")})
        one.info({"order": "o-1", "lines": [1, 2]})
        try:
            raise ValueError("not today")
        except ValueError as error:
            error.add_note("try again")
            one.exception("refused")
    made, wanted = ([json.loads(line) for line in text.getvalue().splitlines()] for text in (ours, theirs))
    for line in (*made, *wanted):
        del line["timestamp"]
    assert made == wanted
    assert [[*line][:4] for line in made] == [["level", "location", "message", "service"]] * 3


def test_the_time_has_powertools_form() -> None:
    formatter = JsonLines()
    record = logging.makeLogRecord({"msg": "", "created": 1_700_000_000.25, "msecs": 250.0})
    made, theirs = json.loads(formatter.format(record))["timestamp"], io.StringIO()
    logger = Logger(service="clock", stream=theirs)
    handler = logger.registered_handler
    assert handler.formatter is not None
    assert made == json.loads(handler.formatter.format(record))["timestamp"]


@pytest.mark.parametrize(
    "value",
    [float("nan"), {("a", 1): 2}, {1, 2}, "\ud800", {"deep": [float("inf")]}],
    ids=["nan", "key", "set", "half", "deep"],
)
def test_whatever_is_logged_is_a_line_of_json(value: Any) -> None:
    found = json.loads(JsonLines().format(logging.makeLogRecord({"msg": "odd", "value": value, "fine": 1})))
    assert (found["message"], found["fine"]) == ("odd", 1)
    assert "value" in found
    JsonLines().format(logging.makeLogRecord({"msg": "%s", "args": (value,)})).encode()


def test_what_cannot_be_shown_is_told() -> None:
    class Rude:
        def __str__(self) -> str:
            raise KeyError("no")

    line = json.loads(JsonLines().format(logging.makeLogRecord({"msg": "rude", "value": Rude()})))
    assert line["value"] == "<str() of the Rude raised KeyError>"


def logs_and_fails_once(event: Any, context: TaskContext) -> Any:
    log.info("paying", extra={"order": event.get("order")})
    if context.attempt == 0:
        raise ConnectionError
    return {"keys": context.log_keys(), "seen": log_keys()}


async def logs_async(event: Any, context: TaskContext) -> Any:
    log.info("paying")
    await asyncio.sleep(0)
    log.info("paid")
    if context.attempt == 0:
        raise ConnectionError
    return event


def logs_in_a_thread(event: Any) -> Any:
    async def deeper() -> None:
        await asyncio.to_thread(log.info, "paying")

    asyncio.run(deeper())
    return event


@pytest.mark.parametrize(
    ("function", "attempts"),
    [(logs_and_fails_once, [0, 1]), (logs_async, [0, 0, 1, 1]), (logs_in_a_thread, [0])],
)
def test_a_task_logs_which_attempt_it_is(function: Callable[..., Any], attempts: list[int]) -> None:
    with lines() as found:
        run(python_resource(function, "pay"))
        log.info("afterwards")
    *inside, after = found
    assert [line["attempt"] for line in inside] == attempts
    for line in inside:
        assert {name: line[name] for name in WHO} == WHO
        assert (line["function_name"], line["function_arn"], line["correlation_id"]) == ("pay", PAY, EXECUTION)
    assert "execution_arn" not in after
    assert log_keys() == {}


def test_the_first_call_of_a_function_is_its_cold_start() -> None:
    with lines() as found:
        run(python_resource(logs_and_fails_once, "cold-one"))
    assert [line["cold_start"] for line in found] == [True, False]


def test_many_executions_at_once_keep_their_keys_apart() -> None:
    together = threading.Barrier(8, timeout=30)

    def pay(event: Any) -> Any:
        together.wait()
        log.info("paying", extra={"order": event["order"]})
        return event

    async def main() -> None:
        async with Engine(MemoryStore(), {PAY: python_resource(pay, "pay")}, clock=SkippingClock(0)) as engine:
            machine = load(json.dumps(MACHINE))
            names = [f"o-{number}" for number in range(8)]
            runs = [await engine.start(machine, "orders", Payload({"order": name}), name) for name in names]
            await asyncio.gather(*(run.wait() for run in runs))

    with lines() as found:
        asyncio.run(main())
    assert len(found) == 8
    assert all(line["order"] == line["execution_name"] for line in found)


def test_a_function_that_a_rule_calls_logs_the_rule() -> None:
    rule = "arn:aws:events:us-east-1:123456789012:rule/nightly"
    resource = python_resource(logs_in_a_thread, "pay")
    with lines() as found:
        asyncio.run(call_function({PAY: resource}, PAY, {}, key="k", caller=rule, name="nightly"))
    assert (found[0]["caller"], found[0]["state"], found[0]["attempt"]) == (rule, "nightly", 0)
    assert "execution_arn" not in found[0]


def test_a_task_in_a_process_of_its_own_logs_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_FORMAT", "JSON")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    (tmp_path / "tasks").mkdir()
    source = "import logging, os\ndef pay(event, context):\n    logging.getLogger('shop').info('paying')\n"
    source += "    return {'trace': os.environ.get('_X_AMZN_TRACE_ID'), 'parent': os.environ.get('TRACEPARENT')}\n"
    (tmp_path / "tasks" / "shop.py").write_text(source, encoding="utf-8")
    isolation = isolation_of((tmp_path / "tasks",), tmp_path, "process", 2)
    resource = python_resource(logs_and_fails_once, "pay", isolation)
    parent = f"00-{'6553f100' + 'a' * 24}-{'b' * 16}-01"

    async def main() -> Payload:
        return await resource(a_call(trace_parent=parent))

    made = asyncio.run(main())
    isolation.close()
    (line,) = json_lines(capfd)
    assert {name: line[name] for name in WHO} == WHO
    assert (line["message"], line["attempt"], line["cold_start"]) == ("paying", 1, True)
    assert line["xray_trace_id"] == f"1-6553f100-{'a' * 24}"
    assert made.value == {
        "trace": f"Root=1-6553f100-{'a' * 24};Parent={'b' * 16};Sampled=1",
        "parent": parent,
    }


HANDLER = """
import logging, os, threading

logging.getLogger().setLevel("INFO")

def handler(event, context):
    logging.info("paying")
    thread = threading.Thread(target=logging.info, args=("in a thread",))
    thread.start()
    thread.join()
    return {"keys": getattr(context, "log_keys", dict)(), "trace": os.environ.get("TRACEPARENT")}
"""


def test_a_function_in_a_process_of_its_own_logs_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_FORMAT", "JSON")
    (tmp_path / "log_lines.py").write_text("raise SystemExit('the module of the function')", encoding="utf-8")
    (tmp_path / "app.py").write_text(HANDLER, encoding="utf-8")
    (configured,) = read_functions({"pay": {"handler": "app:handler"}}, tmp_path, "asl.toml").values()
    function = LocalFunction(configured)

    async def main() -> list[Any]:
        return [(await function(a_call(trace_parent=parent))).value for parent in (PARENT, "")]

    made = asyncio.run(main())
    function.close()
    found = json_lines(capfd)
    assert [line["message"] for line in found] == ["paying", "in a thread"] * 2
    assert [line["cold_start"] for line in found] == [True, True, False, False]
    for line in found:
        assert {name: line[name] for name in WHO} == WHO
        assert (line["attempt"], line["function_name"]) == (1, "pay")
    assert made == [{"keys": {**WHO, "attempt": 1}, "trace": trace} for trace in (PARENT, None)]


PARENT = f"00-{'a' * 32}-{'b' * 16}-00"


def a_call(**more: Any) -> TaskCall:
    return TaskCall(PAY, Payload({}), f"{EXECUTION}:7", 1, None, EXECUTION, "Pay", lambda: None, **more)


def json_lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]


# -- Powertools' own logger -------------------------------------------------------------------------------


def test_powertools_logger_knows_the_execution_by_its_formatter() -> None:
    stream = io.StringIO()
    logger = Logger(service="orders", stream=stream, logger_formatter=ExecutionFormatter())

    def pay(event: Any, context: TaskContext) -> Any:
        logger.info("paying")
        if context.attempt == 0:
            raise ConnectionError
        return event

    run(python_resource(pay, "pay"))
    logger.info("afterwards")
    first, second, after = map(json.loads, stream.getvalue().splitlines())
    assert {name: first[name] for name in WHO} == WHO
    assert (first["attempt"], first["service"]) == (0, "orders")
    assert second["attempt"] == 1
    assert "attempt" not in after


def test_powertools_logger_takes_the_keys_of_the_context() -> None:
    """In one line that does no harm in Lambda, where the context has no such method."""
    stream = io.StringIO()
    logger = Logger(service="appended", stream=stream)

    @logger.inject_lambda_context(log_event=False, clear_state=True)
    def handler(event: Any, context: Any) -> Any:
        logger.append_keys(**getattr(context, "log_keys", dict)())
        logger.info("paying")
        return event

    context = TaskContext(
        idempotency_key=f"{EXECUTION}:7",
        function_name="pay",
        execution_arn=EXECUTION,
        state_name="Pay",
        invoked_function_arn=PAY,
    )
    handler({}, context)
    (line,) = map(json.loads, stream.getvalue().splitlines())
    assert {name: line[name] for name in WHO} == WHO
    assert (line["function_name"], line["function_request_id"]) == ("pay", context.aws_request_id)
    assert TaskContext().log_keys() == {}


# -- the command line -------------------------------------------------------------------------------------


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The environment and the root logger are what they were afterwards."""
    monkeypatch.setenv("AWS_LAMBDA_LOG_FORMAT", "Text")
    before = [*logging.getLogger().handlers], logging.getLogger().level
    yield
    end_logging()
    assert ([*logging.getLogger().handlers], logging.getLogger().level) == before


@pytest.mark.usefixtures("plain")
def test_the_format_is_the_options_or_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    assert begin_logging(None) is False
    assert begin_logging("json") is True
    assert os.environ["AWS_LAMBDA_LOG_FORMAT"] == "JSON"
    assert os.environ["AWS_LAMBDA_LOG_FORMAT"] == "JSON"
    end_logging()
    monkeypatch.setenv("AWS_LAMBDA_LOG_FORMAT", "JSON")
    assert begin_logging(None) is True
    end_logging()
    assert begin_logging("text") is False
    with pytest.raises(InvalidInput, match="it is text or json"):
        begin_logging("xml")
    monkeypatch.setenv("AWS_LAMBDA_LOG_FORMAT", "yaml")
    with pytest.raises(InvalidInput, match="AWS_LAMBDA_LOG_FORMAT=yaml: it is text or json"):
        begin_logging(None)


@pytest.mark.usefixtures("plain")
def test_what_a_command_says_is_a_line_of_json(capfd: pytest.CaptureFixture[str]) -> None:
    """Also what it refuses, with what the level is."""
    with pytest.raises(SystemExit) as ended:
        main(["run", "nothing.json", "--log-format", "json"])
    assert ended.value.code == 2
    (line,) = json_lines(capfd)
    assert (line["level"], line["message"]) == ("ERROR", "there is no file nothing.json (the definition)")
    assert line["location"].startswith("_complain:")
    with pytest.raises(SystemExit):
        main(["run", "nothing.json"])
    assert capfd.readouterr().err == "asl: error: there is no file nothing.json (the definition)\n"


MACHINES = "arn:aws:states:us-east-1:123456789012:execution:orders"  # of no execution


@pytest.mark.parametrize(
    ("arn", "keys"),
    [
        (EXECUTION, {name: WHO[name] for name in ("execution_arn", "execution_name", "state_machine")}),
        ("the start of the server", {}),
        (MACHINES, {"caller": MACHINES}),
    ],
)
def test_what_a_line_is_about(arn: str, keys: Mapping[str, str]) -> None:
    assert about(arn) == keys
