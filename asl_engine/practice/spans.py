"""What an execution did as spans: the execution, its states, its attempts, its branches and iterations.

They are made of the events that are on disk, with the times of these.  Their ids follow from the execution and
from the numbers of the events, so whoever reads the log of an execution comes to the same spans: after a restart
they are those of the same trace.  Pure; ``traces`` hands them to OpenTelemetry.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.arn import function_name, is_activity
from asl_engine.core import events as ev
from asl_engine.errors import shown_error
from asl_engine.practice.moments import ENDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from asl_engine.core.execution import Identity

__all__ = ["Span", "SpanNote", "Spans", "attempt_id", "trace_id"]

SPAN_BYTES: Final = 8
TIME_DIGITS: Final = 8  # of a trace's id, as in X-Ray: the seconds of its beginning
TRACE_BYTES: Final = 12
CAUSE_SHOWN: Final = 2000  # characters
ATTEMPT: Final = "attempt"


class SpanNote(NamedTuple):
    """Something that happened within a span."""

    name: str
    at: int
    attributes: dict[str, Any]


@dataclass(slots=True)
class Span:
    """``id`` and ``parent`` are hexadecimal digits; times are in milliseconds since the epoch.

    ``error`` is the name of the error that it has failed with, None where it has not.
    """

    name: str
    id: str
    parent: str
    start: int
    attributes: dict[str, Any]
    end: int = 0
    error: str | None = None
    cause: str | None = None
    notes: list[SpanNote] = field(default_factory=list)
    outward: bool = False  # it calls something outside of the engine
    root: bool = False  # the execution's own


def trace_id(identity: Identity, execution_id: str) -> str:
    """The id of the trace that an execution begins; of X-Ray's form, too."""
    digest = blake2b(f"{identity.arn} {execution_id}".encode(), digest_size=TRACE_BYTES).hexdigest()
    return f"{identity.started_at // 1000 & 0xFFFFFFFF:0{TIME_DIGITS}x}{digest}"


def attempt_id(arn: str, execution_id: str, key: int) -> str:
    """The id of the span of an attempt at a task of an execution, by the event that has scheduled it."""
    return blake2b(f"{arn} {execution_id} {ATTEMPT} {key}".encode(), digest_size=SPAN_BYTES).hexdigest()


@dataclass(slots=True)
class _Place:
    """A frame: what its states are within, and the last state that it has been in.

    ``left``: that state was left as it should be.  A branch or an iteration that has succeeded has no place.
    """

    parent: str
    lane: Span | None = None
    state: Span | None = None
    last: ev.StateEntered | None = None
    left: bool = True
    began: ev.BranchStarted | ev.MapIterationStarted | None = None
    attempts: dict[int, Span] = field(default_factory=dict)  # by the event that began each
    lanes: list[int] = field(default_factory=list)


class Spans:
    """Reads the log of one execution; ``parent`` is the span that it was started within, "" for none."""

    def __init__(self, identity: Identity, execution_id: str, parent: str = "") -> None:
        self._identity = identity
        self._hash = blake2b(f"{identity.arn} {execution_id} ".encode(), digest_size=SPAN_BYTES)
        self._begun_within = parent
        self._run: Span | None = None
        self._redrives = 0
        self._places: dict[int, _Place] = {}
        self.map_runs: dict[str, str] = {}  # the spans of Map Runs, by ARN

    def read(self, events: Sequence[ev.Event]) -> list[Span]:
        """The spans that have ended by these events, each before the one that it is within."""
        ended: list[Span] = []
        for event in events:
            read = _READ.get(type(event))
            if read is not None:
                ended += read(self, event)
        return ended

    @property
    def root_id(self) -> str:
        """The id of the execution's span, or of the one that goes on with a redrive."""
        return self._id(f"execution {self._redrives}")

    def _id(self, what: str) -> str:
        digest = self._hash.copy()
        digest.update(what.encode())
        return digest.hexdigest()

    # -- how they begin -------------------------------------------------------------------------------------

    def started(self, event: ev.ExecutionStarted) -> tuple[()]:
        self._begin_run(event.at, self._begun_within)
        self._places[0] = _Place(self.root_id)
        return ()

    def redriven(self, event: ev.ExecutionRedriven) -> tuple[()]:
        """What had not ended as it should goes on: with new spans, as the former ones have ended."""
        first = self._id("execution 0")
        self._redrives = event.redrive_count
        self._begin_run(event.at, first)
        for place in self._places.values():
            if place.began is None:
                place.parent = self.root_id
            else:
                within = self._places[place.began.frame].state
                place.lane = self._lane(place.began, event.at, "" if within is None else within.id)
                place.parent = place.lane.id
            if place.last is not None and not place.left:
                place.state = self._state(place, place.last, event.at)
        return ()

    def _begin_run(self, at: int, parent: str) -> None:
        who = self._identity
        attributes: dict[str, Any] = {
            "aws.step_functions.state_machine.arn": who.machine_arn,
            "asl.execution.arn": who.arn,
            "asl.execution.name": who.name,
        }
        if self._redrives:
            attributes["asl.execution.redrive_count"] = self._redrives
        self._run = Span(who.machine_name, self.root_id, parent, at, attributes, root=True)

    def entered(self, event: ev.StateEntered) -> tuple[()]:
        place = self._places[event.frame]
        place.last, place.left = event, False
        place.state = self._state(place, event, event.at)
        return ()

    def _state(self, place: _Place, event: ev.StateEntered, at: int) -> Span:
        attributes = {
            "asl.execution.name": self._identity.name,
            "asl.state.name": event.name,
            "asl.state.type": event.type,
        }
        return Span(event.name, self._id(f"state {event.seq} {self._redrives}"), place.parent, at, attributes)

    def lane_started(self, event: ev.BranchStarted | ev.MapIterationStarted) -> tuple[()]:
        within = self._places[event.frame].state
        lane = self._lane(event, event.at, "" if within is None else within.id)
        self._places[event.frame].lanes.append(event.seq)
        self._places[event.seq] = _Place(lane.id, lane, began=event)
        return ()

    def forked(self, event: ev.ParallelStateStarted | ev.MapStateStarted) -> tuple[()]:
        """Its state begins anew: what its former branches have come to does not count any more."""
        self._forget_lanes(event.frame)
        return ()

    def _forget_lanes(self, frame: int) -> None:
        waiting = [frame]
        while waiting:
            place = self._places.get(waiting.pop())
            if place is not None:
                waiting += place.lanes
                for lane in place.lanes:
                    self._places.pop(lane, None)
                place.lanes = []

    def _lane(self, event: ev.BranchStarted | ev.MapIterationStarted, at: int, parent: str) -> Span:
        kind = "branch" if isinstance(event, ev.BranchStarted) else "iteration"
        attributes = {f"asl.{kind}.number": event.number}
        return Span(
            f"{kind} {event.number}", self._id(f"lane {event.seq} {self._redrives}"), parent, at, attributes
        )

    def scheduled(self, event: ev.TaskScheduled) -> tuple[()]:
        place = self._places[event.frame]
        state = place.state
        name = "" if state is None else state.name
        attributes: dict[str, Any] = {
            "asl.execution.name": self._identity.name,
            "asl.state.name": name,
            "asl.resource": event.resource,
            "asl.attempt": event.attempt,
        }
        function = function_name(event.resource)
        if function is not None:
            attributes["faas.invoked_name"] = function
        if is_activity(event.resource):
            attributes["aws.step_functions.activity.arn"] = event.resource
        parent = place.parent if state is None else state.id
        span = Span(
            f"{name} attempt {event.attempt}", self._id(f"{ATTEMPT} {event.seq}"), parent, event.at, attributes
        )
        span.outward = function is None
        place.attempts[event.seq] = span
        return ()

    def map_run_started(self, event: ev.MapRunStarted | ev.MapRunRedriven) -> tuple[()]:
        place = self._places[event.frame]
        parent = place.parent if place.state is None else place.state.id
        span = Span(
            "Map Run", self._id(f"{ATTEMPT} {event.seq}"), parent, event.at, {"asl.map_run.arn": event.arn}
        )
        begun = event.map_run if isinstance(event, ev.MapRunRedriven) else event.seq
        place.attempts[begun] = span
        self.map_runs[event.arn] = span.id
        return ()

    # -- what happens meanwhile -----------------------------------------------------------------------------

    def noted(self, event: ev.TaskStarted | ev.TaskSubmitted | ev.TaskRestarted) -> tuple[()]:
        span = self._places[event.frame].attempts.get(event.task)
        if span is not None:
            attributes: dict[str, Any] = {}
            if isinstance(event, ev.TaskStarted) and event.worker:
                attributes["asl.worker"] = event.worker
            if isinstance(event, ev.TaskRestarted):
                attributes["asl.process.died"] = event.died
            span.notes.append(SpanNote(_WORDS[type(event)], event.at, attributes))
        return ()

    def retry(self, event: ev.RetryScheduled) -> tuple[()]:
        state = self._places[event.frame].state
        if state is not None:
            due = {"asl.retry.seconds": (event.due - event.at) / 1000}
            state.notes.append(SpanNote("retry scheduled", event.at, due))
        return ()

    def refused(self, event: ev.EvaluationFailed | ev.TaskScheduleFailed) -> tuple[()]:
        """The state fails with it, unless a catcher takes it."""
        state = self._places[event.frame].state
        if state is not None:
            state.notes.append(_exception(event.at, shown_error(event.error) or "", event.cause))
        return ()

    # -- how they end ---------------------------------------------------------------------------------------

    def attempt_ended(self, event: Any) -> Iterator[Span]:
        key = event.map_run if hasattr(event, "map_run") else event.task
        span = self._places[event.frame].attempts.pop(key, None)
        if span is not None:
            error = getattr(event, "error", None)
            failed = type(event) not in NO_FAILURES
            yield _ended(span, event.at, shown_error(error) if failed else None, getattr(event, "cause", None))

    def exited(self, event: ev.StateExited | ev.StateAborted) -> Iterator[Span]:
        place = self._places[event.frame]
        place.left = isinstance(event, ev.StateExited)
        yield from self._close_attempts(place, event.at)
        if place.state is not None:
            if not place.left:
                place.state.attributes["asl.state.aborted"] = True
            yield _ended(place.state, event.at)
            place.state = None
        if place.left:
            self._forget_lanes(event.frame)

    def lane_ended(self, event: Any) -> Iterator[Span]:
        error = shown_error(event.error) if hasattr(event, "error") else None
        yield from self._close(event.frame, event.at, error, getattr(event, "cause", None))
        if type(event) in DONE:  # a redrive does not go on with it
            del self._places[event.frame]

    def ended(self, event: Any) -> Iterator[Span]:
        """What is open ends with the execution, the innermost first."""
        failed = not isinstance(event, ev.ExecutionSucceeded)
        error = shown_error(event.error) if failed and event.error is not None else None
        cause = event.cause if failed else None
        for frame in reversed([*self._places]):
            yield from self._close(frame, event.at, error, cause)
        if self._run is not None:
            status = ENDS[type(event)]
            self._run.attributes["asl.execution.status"] = status
            yield _ended(self._run, event.at, (error or status) if failed else None, cause)
            self._run = None

    def _close(self, frame: int, at: int, error: str | None, cause: str | None) -> Iterator[Span]:
        """End what is open of a frame: its attempts, its state, its branch."""
        place = self._places[frame]
        yield from self._close_attempts(place, at)
        if place.state is not None:
            yield _ended(place.state, at, error, cause)
            place.state = None
        if place.lane is not None:
            yield _ended(place.lane, at, error)
            place.lane = None

    def _close_attempts(self, place: _Place, at: int) -> Iterator[Span]:
        """Nobody waits for them any more."""
        while place.attempts:
            _, span = place.attempts.popitem()
            span.attributes["asl.attempt.abandoned"] = True
            yield _ended(span, at)


def _ended(span: Span, at: int, error: str | None = None, cause: str | None = None) -> Span:
    span.end, span.error = at, error
    span.cause = None if cause is None else cause[:CAUSE_SHOWN]
    if error is not None:
        span.attributes["error.type"] = error
        span.notes.append(_exception(at, error, cause))
    return span


def _exception(at: int, error: str, cause: str | None) -> SpanNote:
    """As OpenTelemetry's conventions have it."""
    attributes = {"exception.type": error}
    if cause:
        attributes["exception.message"] = cause[:CAUSE_SHOWN]
    return SpanNote("exception", at, attributes)


NO_FAILURES: Final = frozenset({ev.TaskSucceeded, ev.MapRunSucceeded, ev.MapRunAborted})
DONE: Final = frozenset({ev.BranchSucceeded, ev.MapIterationSucceeded})
_WORDS: Final[dict[type, str]] = {
    ev.TaskStarted: "started",
    ev.TaskSubmitted: "submitted",
    ev.TaskRestarted: "restarted",
}
_READ: Final[dict[type, Callable[[Spans, Any], Any]]] = {
    ev.ExecutionStarted: Spans.started,
    ev.ExecutionRedriven: Spans.redriven,
    ev.StateEntered: Spans.entered,
    ev.BranchStarted: Spans.lane_started,
    ev.MapIterationStarted: Spans.lane_started,
    ev.TaskScheduled: Spans.scheduled,
    ev.MapRunStarted: Spans.map_run_started,
    ev.MapRunRedriven: Spans.map_run_started,
    **dict.fromkeys(_WORDS, Spans.noted),
    ev.ParallelStateStarted: Spans.forked,
    ev.MapStateStarted: Spans.forked,
    ev.RetryScheduled: Spans.retry,
    ev.EvaluationFailed: Spans.refused,
    ev.TaskScheduleFailed: Spans.refused,
    **dict.fromkeys(
        (
            ev.TaskSucceeded,
            ev.TaskFailed,
            ev.TaskTimedOut,
            ev.MapRunSucceeded,
            ev.MapRunFailed,
            ev.MapRunAborted,
        ),
        Spans.attempt_ended,
    ),
    ev.StateExited: Spans.exited,
    ev.StateAborted: Spans.exited,
    **dict.fromkeys(
        (
            ev.BranchSucceeded,
            ev.BranchFailed,
            ev.BranchAborted,
            ev.MapIterationSucceeded,
            ev.MapIterationFailed,
            ev.MapIterationAborted,
        ),
        Spans.lane_ended,
    ),
    **dict.fromkeys(ENDS, Spans.ended),
}
