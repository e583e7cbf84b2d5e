"""What executions do, as spans of OpenTelemetry; the context of an attempt goes with what it calls.

Where spans go is what OpenTelemetry's own variables say: OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SERVICE_NAME,
OTEL_TRACES_SAMPLER and the others.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from functools import lru_cache, partial
from threading import Thread
from typing import TYPE_CHECKING, Final

from asl_engine.core.apply import apply
from asl_engine.core.execution import Execution
from asl_engine.errors import ProjectError, StoreError
from asl_engine.practice.moments import ENDS
from asl_engine.practice.spans import Spans, attempt_id, trace_id
from asl_engine.resources.trace_context import TraceParent, read_trace

try:
    from opentelemetry import context as otel_context
    from opentelemetry import trace as otel
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import Event as OtelEvent
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
    from opentelemetry.sdk.trace.sampling import Decision
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags
except ImportError:
    raise ProjectError('traces need OpenTelemetry: pip install "asl-engine[otel]"') from None

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from opentelemetry.sdk.trace import SpanProcessor

    from asl_engine.core.events import Event
    from asl_engine.engine.run import Run
    from asl_engine.payload import Payload
    from asl_engine.practice.spans import Span
    from asl_engine.resources import Pending, TaskCall
    from asl_engine.resources import Resource as TaskResource
    from asl_engine.store.protocol import Store

__all__ = ["ToldOnce", "Traced", "Traces", "begin_traces"]

log = logging.getLogger("asl_engine.traces")

NANOSECONDS: Final = 1_000_000  # in a millisecond
SERVICE: Final = "asl-engine"
COLLECTOR: Final = "http://localhost:4318"
QUIET: Final = ("opentelemetry.exporter.otlp", "opentelemetry.sdk._shared_internal", "urllib3.connectionpool")
LOOK_SECONDS: Final = 0.5
SAMPLED, DROPPED = TraceFlags(TraceFlags.SAMPLED), TraceFlags(TraceFlags.DEFAULT)
MAX_FAREWELL_SECONDS: Final = 2.0
# What ended shortly before a process did may not have been sent: it is sent again, with the same ids.
SENT_AGAIN_MS: Final = 10_000
MAX_MAP_RUNS: Final = 10_000


class ToldOnce(SpanExporter):
    """An exporter that says once that it cannot export, and once that it can again.

    It looks before each batch whether anybody answers there: OpenTelemetry's own would try for ten seconds, and
    say so each time.
    """

    def __init__(
        self, inner: SpanExporter, endpoint: str, *, answers: Callable[[str], bool] | None = None
    ) -> None:
        self._inner = inner
        self._endpoint = endpoint
        self._answers = answers or _answers
        self._fails = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = SpanExportResult.FAILURE
        if self._answers(self._endpoint):
            result = self._inner.export(spans)
        fails = result is not SpanExportResult.SUCCESS
        if fails and not self._fails:
            log.warning("traces cannot be sent to %s: what happens meanwhile is not traced", self._endpoint)
        elif self._fails and not fails:
            log.warning("traces are sent to %s again", self._endpoint)
        self._fails = fails
        return result

    def shutdown(self) -> None:
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._inner.force_flush(timeout_millis)


def _answers(endpoint: str) -> bool:
    """Whether somebody listens there; where a proxy is asked instead, that is not known here."""
    from socket import create_connection
    from urllib.parse import urlsplit
    from urllib.request import getproxies, proxy_bypass

    url = urlsplit(endpoint)
    host = url.hostname or ""
    if url.scheme in getproxies() and not proxy_bypass(host):
        return True
    try:
        create_connection((host, url.port or (443 if url.scheme == "https" else 80)), LOOK_SECONDS).close()
    except (OSError, ValueError):
        return False
    return True


def begin_traces() -> Traces:
    """Traces that are sent as OpenTelemetry's variables say; tasks' own spans are sent with them."""
    for name in QUIET:  # ``ToldOnce`` says it
        logging.getLogger(name).setLevel(logging.CRITICAL)
    own, shared = (os.environ.get(f"OTEL_EXPORTER_OTLP_{part}ENDPOINT") for part in ("TRACES_", ""))
    processor = BatchSpanProcessor(ToldOnce(OTLPSpanExporter(), own or shared or COLLECTOR))
    provider = otel.get_tracer_provider()
    if not isinstance(provider, TracerProvider):  # else somebody has begun already, and sends tasks' spans
        named = {} if os.environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: SERVICE}
        provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
        provider.add_span_processor(processor)
        otel.set_tracer_provider(provider)
    return Traces(provider, processor)


class _Traced:
    """What is known of an execution: its trace, and its spans once its log was read as far as it went."""

    __slots__ = ("id", "kept", "parent", "sampled", "spans", "trace")

    def __init__(self, execution: Execution, parent: TraceParent | None, *, sampled: bool) -> None:
        who = execution.identity
        self.id = execution.id
        self.parent = parent
        self.sampled = sampled
        self.trace = trace_id(who, self.id) if parent is None else parent.trace
        self.spans = Spans(who, self.id, "" if parent is None else parent.span)
        self.kept: list[Event] | None = None  # while the log is being read


class Traces:
    """``observe`` is an engine's observer, ``resources`` gives what an engine calls the context of each attempt.

    ``store`` is asked for the log of an execution that this process did not begin.
    """

    def __init__(self, provider: TracerProvider, processor: SpanProcessor) -> None:
        self.store: Store | None = None
        self._provider = provider
        self._processor = processor
        self._scope = InstrumentationScope("asl_engine")
        self._runs: dict[str, _Traced] = {}
        self._map_runs: dict[str, SpanContext] = {}  # the span that waits for the children of each
        self._reading: set[asyncio.Task[None]] = set()

    # -- events become spans --------------------------------------------------------------------------------

    def observe(self, run: Run, events: list[Event]) -> None:
        """These events are on disk."""
        traced = self._runs.get(run.arn)
        if traced is None:
            traced = self._begin(run, events)
        if traced.kept is not None:
            traced.kept += events
        else:
            self._take(run, traced, events)

    def _begin(self, run: Run, events: list[Event]) -> _Traced:
        traced = self._runs[run.arn] = self._known(run.execution, run.options.trace, run.map_run)
        if traced.sampled and not (events and events[0].seq == 1):  # it began before this process looked
            traced.kept = []
            task = asyncio.ensure_future(self._read(run, traced))
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)
        return traced

    def _known(self, execution: Execution, trace: str | None, map_run: str | None = None) -> _Traced:
        """``trace`` is that of what has started it, ``map_run`` the Map Run that it is a child of."""
        is_child = execution.identity.map_run is not None  # it has its parent's options
        parent = read_trace(trace) if trace and not is_child else None
        waits = self._map_runs.get(map_run or "")
        if parent is not None:
            return _Traced(execution, parent, sampled=parent.sampled)
        if waits is not None:
            return _Traced(execution, None, sampled=waits.trace_flags.sampled)
        number, name = int(trace_id(execution.identity, execution.id), 16), execution.identity.machine_name
        decision = self._provider.sampler.should_sample(None, number, name).decision
        return _Traced(execution, None, sampled=decision is Decision.RECORD_AND_SAMPLE)

    async def _read(self, run: Run, traced: _Traced) -> None:
        """Read what has happened before; what has come meanwhile follows it."""
        before: list[Event] = []
        try:
            if self.store is not None:
                before = await self.store.events(run.arn)
        except StoreError as error:
            log.warning("%s is traced without its beginning: %s", run.arn, error)
        kept, traced.kept = traced.kept or [], None
        # What this process was told of is sent, and what may not have been by the process before it.
        new = kept[0].seq if kept else run.told + 1
        before = [event for event in before if event.seq < new]
        last = before[-1].at if before else 0
        over = bool(before) and type(before[-1]) in ENDS
        for span in traced.spans.read(before):
            if span.end > last - SENT_AGAIN_MS and not over:
                self._send(run, traced, span)
        self._note_map_runs(traced)
        if before or kept:
            self._take(run, traced, kept)

    def _take(self, run: Run, traced: _Traced, events: list[Event]) -> None:
        if traced.sampled:
            for span in traced.spans.read(events):
                self._send(run, traced, span)
            if traced.spans.map_runs:
                self._note_map_runs(traced)
        if run.execution.status != "RUNNING":
            self._runs.pop(run.arn, None)

    def _note_map_runs(self, traced: _Traced) -> None:
        for arn, span in traced.spans.map_runs.items():
            self._map_runs[arn] = _span_context(traced.trace, span, sampled=traced.sampled)
        traced.spans.map_runs.clear()
        while len(self._map_runs) > MAX_MAP_RUNS:
            del self._map_runs[next(iter(self._map_runs))]

    def _send(self, run: Run, traced: _Traced, span: Span) -> None:
        context = _span_context(traced.trace, span.id, sampled=True)
        parent = _span_context(traced.trace, span.parent, sampled=True) if span.parent else None
        waits = self._map_runs.get(run.map_run or "") if span.root else None
        kind = SpanKind.SERVER if span.root else SpanKind.CLIENT if span.outward else SpanKind.INTERNAL
        self._processor.on_end(
            ReadableSpan(
                span.name,
                context,
                parent,
                self._provider.resource,
                span.attributes,
                [OtelEvent(note.name, note.attributes, note.at * NANOSECONDS) for note in span.notes],
                () if waits is None else (Link(waits),),
                kind,
                status=FINE if span.error is None else Status(StatusCode.ERROR, span.cause or span.error),
                start_time=span.start * NANOSECONDS,
                end_time=span.end * NANOSECONDS,
                instrumentation_scope=self._scope,
            )
        )

    # -- the context of an attempt --------------------------------------------------------------------------

    def resources(self, resources: Mapping[str, TaskResource]) -> Traced:
        """The same resources, each called within the span of the attempt that calls it."""
        return Traced(resources, self)

    def parent_of(self, call: TaskCall) -> TraceParent | None:
        """The span of an attempt; None for a call of no execution that is traced."""
        traced = self._runs.get(call.execution)
        if traced is None:
            return None
        _, key = _task(call.key)
        return TraceParent(traced.trace, attempt_id(call.execution, traced.id, key or 0), traced.sampled)

    async def of_event(self, number: int) -> str | None:
        """The X-Ray header of what has put an event: the attempt at a task, or the execution that it tells of."""
        bus = None if self.store is None else self.store.bus
        origin = None if bus is None else await bus.origin(number)
        found = None if origin is None else _putter(origin)
        traced = None if found is None else await self._traced(found[0])
        if found is None or traced is None:
            return None
        arn, key = found
        span = traced.spans.root_id if key is None else attempt_id(arn, traced.id, key)
        return TraceParent(traced.trace, span, traced.sampled).xray

    async def _traced(self, arn: str) -> _Traced | None:
        """An execution that this process follows, or what the database knows of it."""
        if arn in self._runs or self.store is None:
            return self._runs.get(arn)
        record = await self.store.record(arn)
        if record is None:
            return None
        execution = Execution(record.identity)
        for event in await self.store.history(arn, limit=1):
            apply(execution, event)
        return self._known(execution, record.options.trace)

    # -- the end ----------------------------------------------------------------------------------------------

    async def end(self) -> None:
        """Send what waits, unless nobody takes it; after the last execution."""
        if self._reading:
            await asyncio.wait(self._reading)
        sending = Thread(target=self._processor.shutdown, name="asl-traces", daemon=True)
        sending.start()
        await asyncio.to_thread(sending.join, MAX_FAREWELL_SECONDS)


FINE: Final = Status()


def _task(key: str) -> tuple[str, int | None]:
    """The execution's ARN, and the number of the event that has scheduled the task; None where that is no key."""
    arn, _, number = key.rpartition(":")
    return arn, int(number) if number.isdecimal() else None


def _putter(origin: str) -> tuple[str, int | None] | None:
    """The execution that has put an event, and the task: None where the event is about the execution."""
    arn, mark, _ = origin.partition("#")
    if mark:
        return arn, None
    arn, number = _task(origin.rpartition("/")[0])
    return None if number is None else (arn, number)


@lru_cache(maxsize=4096)
def _span_context(trace: str, span: str, sampled: bool) -> SpanContext:
    return SpanContext(int(trace, 16), int(span, 16), is_remote=False, trace_flags=SAMPLED if sampled else DROPPED)


class Traced(Mapping[str, "TaskResource"]):
    """Resources that are called within the spans of attempts: OpenTelemetry's context goes with the calls."""

    def __init__(self, resources: Mapping[str, TaskResource], traces: Traces) -> None:
        self._resources = resources
        self._traces = traces

    def __getitem__(self, resource: str) -> TaskResource:
        return partial(self._call, self._resources[resource])

    async def _call(self, resource: TaskResource, call: TaskCall) -> Payload | Pending:
        parent = self._traces.parent_of(call)
        if parent is None:
            return await resource(call)
        span = NonRecordingSpan(_span_context(parent.trace, parent.span, sampled=parent.sampled))
        before = otel_context.get_current()
        otel_context.attach(otel.set_span_in_context(span, before))
        try:
            return await resource(call._replace(trace_parent=parent.w3c))
        finally:
            otel_context.attach(before)  # not by a token: a coroutine that is dropped ends in any context

    def __iter__(self) -> Iterator[str]:
        return iter(self._resources)

    def __len__(self) -> int:
        return len(self._resources)
