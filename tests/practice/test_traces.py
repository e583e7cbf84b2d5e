"""Traces: what spans an execution is, that they are the same after a restart, and that tasks run within them."""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace as otel
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from opentelemetry.trace import SpanKind, StatusCode

from asl_engine.engine.clock import VirtualClock
from asl_engine.engine.engine import Engine
from asl_engine.errors import ProjectError, StatesError
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.practice.spans import Spans, trace_id
from asl_engine.practice.traces import ToldOnce, Traces
from asl_engine.resources.http.invoke import http_resource
from asl_engine.resources.lambda_.local import LocalFunction, read_functions
from asl_engine.resources.python.tasks import python_resource
from asl_engine.resources.trace_context import TraceParent, read_trace
from asl_engine.store.memory.store import MemoryStore
from asl_engine.store.run_options import RunOptions
from tests.events.serving import events_client, receiving, until
from tests.resources.calls import a_call
from tests.resources.http_api import http_api
from tests.server.harness import PASS, created, ended, running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from asl_engine.core.execution import Execution
    from asl_engine.resources import Resource as TaskResource
    from asl_engine.resources import TaskCall

PAY = "arn:aws:lambda:us-east-1:123456789012:function:pay"
BEGIN = 1_700_000_000_000
ROOT = f"Root=1-{'a' * 8}-{'c' * 24}"
TASK = {"Type": "Task", "Resource": PAY}
RETRY = [{"ErrorEquals": ["Busy"], "IntervalSeconds": 2, "MaxAttempts": 2}]
CATCH = [{"ErrorEquals": ["States.ALL"], "Next": "Each", "ResultPath": None}]
MACHINE = {
    "StartAt": "Pay",
    "States": {
        "Pay": {**TASK, "Retry": RETRY, "ResultPath": None, "Next": "Both"},
        "Both": {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "Left", "States": {"Left": {**TASK, "End": True}}},
                {"StartAt": "Right", "States": {"Right": {"Type": "Pass", "End": True}}},
            ],
            "ResultPath": None,
            "Catch": CATCH,
            "Next": "Each",
        },
        "Each": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "ItemProcessor": {"StartAt": "Ship", "States": {"Ship": {**TASK, "End": True}}},
            "End": True,
        },
    },
}
TREE = """\
orders SUCCEEDED
  Pay
    Pay attempt 0 !Busy
    Pay attempt 1
  Both
    branch 0
      Left
        Left attempt 0
    branch 1
      Right
  Each
    iteration 0
      Ship
        Ship attempt 0
    iteration 1
      Ship
        Ship attempt 0"""


class Collector:
    """What was sent, and where to send it."""

    url = ""

    def __init__(self) -> None:
        self.got: list[ExportTraceServiceRequest] = []


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            collector.got.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Write nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield collector
        server.shutdown()
        thread.join()


class World:
    """Traces into memory."""

    def __init__(self, sampler: Any = ALWAYS_ON) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(sampler=sampler, resource=Resource({}), shutdown_on_exit=False)
        processor = SimpleSpanProcessor(self.exporter)
        self.provider.add_span_processor(processor)
        self.traces = Traces(self.provider, processor)

    @property
    def spans(self) -> list[ReadableSpan]:
        return [*self.exporter.get_finished_spans()]

    def engine(self, store: MemoryStore, resources: Mapping[str, TaskResource], begin: int = BEGIN) -> Engine:
        self.traces.store = store
        clock = VirtualClock(begin)
        return Engine(store, self.traces.resources(resources), clock=clock, observer=self.traces.observe)

    async def play(
        self,
        resource: TaskResource,
        given: Any = None,
        machine: Any = MACHINE,
        options: RunOptions = RunOptions(),  # noqa: B008  it is never changed
    ) -> Execution:
        async with self.engine(MemoryStore(), {PAY: resource}) as engine:
            run = await engine.start(load(json.dumps(machine)), "orders", Payload(given or {}), "o-1", options)
            return await run.wait()


def tree(spans: list[ReadableSpan]) -> str:
    """The spans by their parents, in the order of their beginnings."""
    by_parent: dict[int, list[ReadableSpan]] = {}
    known = {span.context.span_id for span in spans if span.context is not None}
    for span in spans:
        parent = span.parent.span_id if span.parent is not None and span.parent.span_id in known else 0
        by_parent.setdefault(parent, []).append(span)
    lines: list[str] = []

    def draw(parent: int, depth: int) -> None:
        for span in sorted(by_parent.get(parent, []), key=lambda one: (one.start_time, one.name)):
            assert span.context is not None
            attributes = span.attributes or {}
            status = attributes.get("asl.execution.status", "")
            error = "" if "error.type" not in attributes else "!" + str(attributes["error.type"])
            lines.append("  " * depth + " ".join(filter(None, (span.name, str(status), error))))
            draw(span.context.span_id, depth + 1)

    draw(0, 0)
    return "\n".join(lines)


async def pays(call: TaskCall) -> Payload:
    if call.state == "Pay" and call.attempt == 0:
        raise StatesError("Busy", "the till is closed")
    return call.input


def named(spans: list[ReadableSpan], name: str) -> ReadableSpan:
    (found,) = [span for span in spans if span.name == name]
    return found


def ids(spans: list[ReadableSpan]) -> set[tuple[str, int, int]]:
    return {(span.name, span.context.trace_id, span.context.span_id) for span in spans if span.context is not None}


# -- what an execution is -----------------------------------------------------------------------------------


def test_states_attempts_branches_and_iterations_are_nested() -> None:
    world = World()
    asyncio.run(world.play(pays, {"items": [1, 2]}))
    assert tree(world.spans) == TREE
    root = named(world.spans, "orders")
    assert len({span.context.trace_id for span in world.spans if span.context}) == 1
    assert root.kind is SpanKind.SERVER
    assert dict(root.attributes or {}) == {
        "aws.step_functions.state_machine.arn": "arn:aws:states:us-east-1:123456789012:stateMachine:orders",
        "asl.execution.arn": "arn:aws:states:us-east-1:123456789012:execution:orders:o-1",
        "asl.execution.name": "o-1",
        "asl.execution.status": "SUCCEEDED",
    }


def test_times_and_errors_are_those_of_the_events() -> None:
    world = World()
    asyncio.run(world.play(pays, {"items": []}))
    failed = named(world.spans, "Pay attempt 0")
    assert failed.status.status_code is StatusCode.ERROR
    assert failed.status.description == "the till is closed"
    (started, exception) = failed.events
    assert (started.name, exception.name) == ("started", "exception")
    assert dict(exception.attributes or {}) == {
        "exception.type": "Busy",
        "exception.message": "the till is closed",
    }
    again, state = named(world.spans, "Pay attempt 1"), named(world.spans, "Pay")
    assert again.start_time is not None
    assert failed.end_time is not None
    assert again.start_time - failed.end_time == 2_000_000_000
    assert state.start_time is not None
    assert state.start_time // 1_000_000_000 == BEGIN // 1000
    assert [(event.name, dict(event.attributes or {})) for event in state.events] == [
        ("retry scheduled", {"asl.retry.seconds": 2.0})
    ]
    assert state.status.status_code is StatusCode.UNSET
    assert dict(again.attributes or {})["faas.invoked_name"] == "pay"


def test_a_branch_that_fails_takes_the_others_along_and_a_catcher_goes_on() -> None:
    async def fails_left(call: TaskCall) -> Payload:
        if call.state == "Left":
            raise StatesError("Lost")
        return call.input

    world = World()
    asyncio.run(world.play(fails_left, {"items": []}))
    assert "branch 0 !Lost\n      Left !Lost\n        Left attempt 0 !Lost" in tree(world.spans)
    assert named(world.spans, "Both").status.status_code is StatusCode.UNSET
    assert named(world.spans, "orders").status.status_code is StatusCode.UNSET


def test_an_execution_that_fails_says_with_what() -> None:
    async def fails(call: TaskCall) -> Payload:
        raise StatesError("Lost", f"{call.state} is gone")

    world = World()
    asyncio.run(world.play(fails, {"items": []}))
    assert tree(world.spans) == "orders FAILED !Lost\n  Pay !Lost\n    Pay attempt 0 !Lost"
    assert named(world.spans, "orders").status.description == "Pay is gone"


# -- the same trace whatever happens ---------------------------------------------------------------------------


def test_a_restart_goes_on_with_the_same_trace() -> None:
    """Cut off while a task runs: both processes together tell what one would have told."""
    whole, parts = World(), [World(), World()]
    store, machine = MemoryStore(), load(json.dumps(MACHINE))
    reached, held = asyncio.Event(), asyncio.Event()

    async def stops_at_ship(call: TaskCall) -> Payload:
        if call.state == "Ship" and not held.is_set():
            reached.set()
            await asyncio.Event().wait()
        return await pays(call)

    async def main() -> None:
        async with parts[0].engine(store, {PAY: stops_at_ship}) as engine:
            run = await engine.start(machine, "orders", Payload({"items": [1, 2]}), "o-1")
            await reached.wait()
        held.set()
        record = await store.record(run.arn)
        assert record is not None
        async with parts[1].engine(store, {PAY: stops_at_ship}, BEGIN + 60_000) as engine:
            await (await engine.resume(machine, record)).wait()
        await parts[1].traces.end()
        spans = Spans(run.execution.identity, run.execution.id)
        ended = spans.read(await store.events(run.arn))
        told = {(name, f"{span:016x}") for part in parts for name, _, span in ids(part.spans)}
        assert told == {(span.name, span.id) for span in ended}
        trace = int(trace_id(run.execution.identity, run.execution.id), 16)
        assert {one for part in parts for _, one, _ in ids(part.spans)} == {trace}

    asyncio.run(main())
    asyncio.run(whole.play(pays, {"items": [1, 2]}))
    both = {span.context.span_id: span for part in parts for span in part.spans if span.context is not None}
    assert tree([*both.values()]) == TREE
    assert len(parts[0].spans) < len(TREE.splitlines())


def test_what_ended_just_before_a_process_did_is_told_again() -> None:
    """It may not have been sent; its ids are the same."""
    first, second = World(), World()
    store, machine = MemoryStore(), load(json.dumps(MACHINE))
    reached = asyncio.Event()

    async def stops(call: TaskCall) -> Payload:
        if call.state == "Left":
            reached.set()
            await asyncio.Event().wait()
        return await pays(call)

    async def main() -> None:
        async with first.engine(store, {PAY: stops}) as engine:
            run = await engine.start(machine, "orders", Payload({"items": [1, 2]}), "o-1")
            await reached.wait()
        record = await store.record(run.arn)
        assert record is not None
        async with second.engine(store, {PAY: pays}, BEGIN + 3_600_000) as engine:
            await (await engine.resume(machine, record)).wait()
        await second.traces.end()

    asyncio.run(main())
    assert ids(first.spans) < ids(second.spans)
    assert tree(second.spans) == TREE


def test_a_redrive_has_spans_of_its_own_in_the_same_trace() -> None:
    world, store = World(), MemoryStore()
    broken = True

    async def breaks(call: TaskCall) -> Payload:
        if broken and call.state == "Left":
            raise StatesError("Lost")
        return call.input

    definition: Any = json.loads(json.dumps(MACHINE))
    del definition["States"]["Both"]["Catch"]
    machine = load(json.dumps(definition))

    async def main() -> None:
        nonlocal broken
        async with world.engine(store, {PAY: breaks}) as engine:
            run = await engine.start(machine, "orders", Payload({"items": [1]}), "o-1")
            await run.wait()
            broken = False
            record = await store.record(run.arn)
            assert record is not None
            await (await engine.redrive(machine, record)).wait()
        await world.traces.end()

    asyncio.run(main())
    assert len({trace for _, trace, _ in ids(world.spans)}) == 1
    assert len(ids(world.spans)) == len(world.spans)
    again = tree(world.spans).partition("  orders SUCCEEDED\n")
    assert again[0].startswith("orders FAILED !Lost")
    assert again[2].startswith("    Both\n      branch 0\n        Left\n          Left attempt 0\n    Each")


def test_children_of_a_map_run_are_linked_to_what_waits_for_them() -> None:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Ship",
        "States": {"Ship": {**TASK, "End": True}},
    }
    machine = {
        "StartAt": "Each",
        "States": {"Each": {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": processor, "End": True}},
    }
    world = World()
    asyncio.run(world.play(pays, {"items": [1, 2, 3]}, machine))
    waits = named(world.spans, "Map Run")
    children = [span for span in world.spans if span.name.startswith("orders/")]
    assert len(children) == 3
    for child in children:
        (link,) = child.links
        assert waits.context is not None
        assert (link.context.trace_id, link.context.span_id) == (waits.context.trace_id, waits.context.span_id)
    assert len({span.context.trace_id for span in children if span.context}) == 3


def test_who_is_given_a_trace_goes_on_with_it() -> None:
    parent = TraceParent("6553f100" + "a" * 24, "b" * 16, sampled=True)
    world = World(ALWAYS_OFF)
    asyncio.run(world.play(pays, {"items": []}, options=RunOptions(trace=parent.w3c)))
    root = named(world.spans, "orders")
    assert root.context is not None
    assert root.parent is not None
    assert (f"{root.context.trace_id:032x}", f"{root.parent.span_id:016x}") == (parent.trace, parent.span)


def test_what_is_not_sampled_is_not_sent_and_says_so_to_those_that_are_called() -> None:
    world, called = World(ALWAYS_OFF), list[str]()

    async def notes(call: TaskCall) -> Payload:
        called.append(call.trace_parent)
        return call.input

    asyncio.run(world.play(notes, {"items": []}))
    assert world.spans == []
    given = read_trace(called[0])
    assert given is not None
    assert not given.sampled


def test_what_an_execution_starts_is_of_its_trace(tmp_path: Path) -> None:
    """A nested execution, and one that a rule of the bus starts with an event that a task has put."""
    world = World()
    with running(tmp_path / "asl.db", tracing=world.traces) as server:
        sfn, events = server.client(), events_client(server)
        inner, late = (created(sfn, PASS, name) for name in ("inner", "late"))
        events.put_rule(Name="paid", EventPattern=json.dumps({"source": ["shop"]}))
        events.put_targets(Rule="paid", Targets=[{"Id": "t", "Arn": late}])
        states = {
            "Put": {
                "Type": "Task",
                "Resource": "arn:aws:states:::events:putEvents",
                "Parameters": {"Entries": [{"Source": "shop", "DetailType": "Paid", "Detail": {}}]},
                "Next": "Inner",
            },
            "Inner": {
                "Type": "Task",
                "Resource": "arn:aws:states:::states:startExecution.sync:2",
                "Parameters": {"StateMachineArn": inner, "Input": {}},
                "End": True,
            },
        }
        outer = created(sfn, {"StartAt": "Put", "States": states}, "outer")
        header = f"{ROOT};Parent={'b' * 16};Sampled=1"
        started = sfn.start_execution(stateMachineArn=outer, traceHeader=header)
        assert ended(sfn, started["executionArn"])["status"] == "SUCCEEDED"
        until(lambda: "late" in [span.name for span in world.spans])
    assert {f"{trace:032x}" for _, trace, _ in ids(world.spans)} == {"a" * 8 + "c" * 24}
    assert (
        tree(world.spans)
        == """\
outer SUCCEEDED
  Put
    Put attempt 0
      late SUCCEEDED
        Done
  Inner
    Inner attempt 0
      inner SUCCEEDED
        Done"""
    )


# -- the context of an attempt -------------------------------------------------------------------------------


@pytest.mark.parametrize("is_async", [True, False])
def test_a_tasks_own_spans_are_within_its_attempt(*, is_async: bool) -> None:
    world = World()
    tracer = world.provider.get_tracer("shop")

    def charges(event: Any) -> Any:
        with tracer.start_as_current_span("charge"):
            return event

    async def charges_async(event: Any) -> Any:
        await asyncio.sleep(0)
        return charges(event)

    machine = {"StartAt": "Pay", "States": {"Pay": {**TASK, "End": True}}}
    function = charges_async if is_async else charges
    asyncio.run(world.play(python_resource(function, "pay"), {}, machine))
    assert tree(world.spans) == "orders SUCCEEDED\n  Pay\n    Pay attempt 0\n      charge"
    assert not otel.get_current_span().get_span_context().is_valid


def test_what_is_asked_over_http_is_told_of_the_trace() -> None:
    """Only where there is one, and where the definition says nothing else."""
    invoke = http_resource({})
    parent = TraceParent("a" * 32, "b" * 16, sampled=True)

    async def main(url: str) -> None:
        given: dict[str, Any] = {"ApiEndpoint": url, "Method": "GET"}
        await invoke(a_call("arn:aws:states:::http:invoke", given, trace_parent=parent.w3c))
        await invoke(a_call("arn:aws:states:::http:invoke", given))
        given["Headers"] = {"Traceparent": "mine"}
        await invoke(a_call("arn:aws:states:::http:invoke", given, trace_parent=parent.w3c))

    with http_api() as api:
        asyncio.run(main(api.url))
    assert [headers.get("traceparent") for _, _, headers, _ in api.asked] == [parent.w3c, None, "mine"]


def test_a_function_at_an_endpoint_gets_xrays_header(tmp_path: Path) -> None:
    parent = TraceParent("a" * 32, "b" * 16, sampled=True)
    with receiving() as emulator:
        table = {"pay": {"endpoint": emulator.url}}
        function = LocalFunction(read_functions(table, tmp_path, "asl.toml")["pay"])
        for trace_parent in (parent.w3c, ""):
            asyncio.run(function.invoke("{}", a_call(PAY, {}, trace_parent=trace_parent)))
    assert [headers.get("x-amzn-trace-id") for _, headers, _ in emulator.got] == [parent.xray, None]


# -- nobody takes them -----------------------------------------------------------------------------------------


def test_a_collector_that_is_gone_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    answers, inner = [False, False, True, True, False], InMemorySpanExporter()
    exporter = ToldOnce(inner, "http://collector:4318", answers=lambda _: answers.pop(0))
    with caplog.at_level(logging.WARNING):
        results = [exporter.export([ReadableSpan("one")]) for _ in range(5)]
    gone, there = SpanExportResult.FAILURE, SpanExportResult.SUCCESS
    assert results == [gone, gone, there, there, gone]
    assert [record.getMessage()[:24] for record in caplog.records] == [
        "traces cannot be sent to",
        "traces are sent to http:",
        "traces cannot be sent to",
    ]
    assert len(inner.get_finished_spans()) == 2


def test_nobody_listens_on_a_port_that_is_closed() -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            patch.delenv(name, raising=False)
        inner = InMemorySpanExporter()
        exporter = ToldOnce(inner, "http://127.0.0.1:1")
        assert exporter.export([ReadableSpan("one")]) is SpanExportResult.FAILURE
        assert ToldOnce(inner, "http://127.0.0.1:notaport").export([]) is SpanExportResult.FAILURE
    assert inner.get_finished_spans() == ()


def test_a_command_sends_what_it_drives(tmp_path: Path) -> None:
    """To a collector that says what it gets."""
    machine = {"StartAt": "Pay", "States": {"Pay": {"Type": "Pass", "End": True}}}
    (tmp_path / "orders.json").write_text(json.dumps(machine), encoding="utf-8")
    with collecting() as collector:
        environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_SERVICE_NAME": "shop"}
        command = [sys.executable, "-m", "asl_engine", "run", "orders.json", "--traces", "--quiet"]
        subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=60)
    (request,) = collector.got
    (resource,) = request.resource_spans
    assert {one.key: one.value.string_value for one in resource.resource.attributes}["service.name"] == "shop"
    assert [span.name for scope in resource.scope_spans for span in scope.spans] == ["Pay", "orders"]


def test_nothing_of_opentelemetry_is_imported_unless_it_is_asked_for() -> None:
    """By none of the commands that can trace."""
    imports = "".join(f"import asl_engine.cli.commands.{name}\n" for name in ("run", "resume", "serve", "dev"))
    look = "import sys; print([name for name in sys.modules if name.startswith('opentelemetry')])"
    done = subprocess.run([sys.executable, "-c", imports + look], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_without_the_library_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "asl_engine.practice.traces")
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(ProjectError, match=r'pip install "asl-engine\[otel\]"'):
        importlib.import_module("asl_engine.practice.traces")


# -- the two forms of a trace ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (f"00-{'a' * 32}-{'b' * 16}-01", TraceParent("a" * 32, "b" * 16, sampled=True)),
        (f"00-{'a' * 32}-{'b' * 16}-00", TraceParent("a" * 32, "b" * 16, sampled=False)),
        (f"{ROOT};Parent={'b' * 16};Sampled=1", TraceParent("a" * 8 + "c" * 24, "b" * 16, sampled=True)),
        (f"{ROOT}; Parent={'b' * 16}; Sampled=0", TraceParent("a" * 8 + "c" * 24, "b" * 16, sampled=False)),
        (ROOT, None),
        (f"00-{'0' * 32}-{'b' * 16}-01", None),
        (f"00-{'a' * 32}-{'0' * 16}-01", None),
        ("", None),
        ("nonsense", None),
    ],
)
def test_a_trace_is_read_in_either_form(text: str, read: TraceParent | None) -> None:
    assert read_trace(text) == read
    if read is not None:
        assert read_trace(read.w3c) == read_trace(read.xray) == read
