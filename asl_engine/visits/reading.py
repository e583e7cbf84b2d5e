"""What an execution did, state by state: its log, read as visits of states.

A visit is one time that a state was entered.  The visits within it are those of its branches, iterations, child
executions and nested executions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.core import events as ev
from asl_engine.errors import shown_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from asl_engine.core.execution import Status
    from asl_engine.payload import Payload

__all__ = ["Attempt", "Lane", "Visit", "all_visits", "own_visits", "read_visits"]


@dataclass(eq=False)
class Attempt:
    """One attempt at the work of a state.  ``delay`` is how long it waited for its retry, in milliseconds.

    ``redriven``: a redrive of the execution has made it, and not a Retry.

    ``parameters`` is what the task was called with, None where the state calls nothing.  The moments are in
    milliseconds since the epoch, None where it did not come to that: ``scheduled``, ``started`` (a worker or the
    resource has the task), ``submitted`` (it goes on elsewhere) and ``ended``.
    """

    parameters: Payload | None = None
    resource: str | None = None
    delay: int = 0
    redriven: bool = False
    error: str | None = None
    cause: str | None = None
    failed: bool = False
    scheduled: int = 0
    started: int | None = None
    submitted: int | None = None
    ended: int | None = None

    @property
    def calls(self) -> bool:
        return self.parameters is not None

    @property
    def called_with(self) -> Any:
        return None if self.parameters is None else self.parameters.value


@dataclass(eq=False)
class Lane:
    """A branch, an iteration or an execution within a state.  ``number`` counts from 0.

    ``started`` and ``ended`` are in milliseconds since the epoch; ``status`` is RUNNING until it has ended.
    ``name`` is that of an execution, "" where it is none; ``error`` and ``cause`` are what it has failed with.
    """

    kind: str
    number: int
    attempt: int
    visits: list[Visit] = field(default_factory=list)
    started: int = 0
    ended: int | None = None
    status: Status = "RUNNING"
    name: str = ""
    error: str | None = None
    cause: str | None = None


@dataclass(eq=False)
class Visit:
    """``exited`` means that the state succeeded or was left by a catcher; ``next`` is where to.

    ``variables`` are those in scope: as the state found them, and after its Assign where it was left.  ``seq`` is
    the event that entered it.  ``entered`` and ``ended`` are in milliseconds since the epoch, and so is ``due``,
    which is when the wait ends that it is in, its own or that for a retry.  ``map_run`` is the ARN of its Map Run,
    ``unread`` how many children of that have no lane here, by status.
    """

    name: str
    type: str
    given: Payload
    variables: dict[str, Any]
    seq: int = 0
    entered: int = 0
    attempts: list[Attempt] = field(default_factory=list)
    lanes: list[Lane] = field(default_factory=list)
    result: Payload | None = None
    next: str | None = None
    exited: bool = False
    aborted: bool = False
    ended: int | None = None
    due: int | None = None
    map_run: str | None = None
    unread: dict[str, int] = field(default_factory=dict)
    reopened: bool = False  # by a redrive, and nothing was attempted since

    @property
    def input(self) -> Any:
        return self.given.value

    @property
    def output(self) -> Any:
        return None if self.result is None else self.result.value

    @property
    def caught(self) -> str | None:
        """The error that a catcher took, None where none did."""
        last = self.attempts[-1] if self.attempts else None
        return (last.error or "") if self.exited and last is not None and last.failed else None

    @property
    def failure(self) -> Attempt | None:
        """The attempt that the state has failed with, None where it has not."""
        last = self.attempts[-1] if self.attempts else None
        return last if last is not None and last.failed and not self.exited and self.due is None else None


class _Path(NamedTuple):
    """Where the visits of a frame go, and the variables that are in its scope."""

    visits: list[Visit]
    variables: dict[str, Any]


def read_visits(events: Sequence[ev.Event], inner: Mapping[int, Sequence[Lane]]) -> list[Visit]:
    """The visits of the machine's own states.

    ``inner`` has the executions within, by the ``seq`` of the event that began them.
    """
    return _Reader(inner).read(events)


class _Reader:
    def __init__(self, inner: Mapping[int, Sequence[Lane]]) -> None:
        self._inner = inner
        self._root = _Path([], {})
        self._paths: dict[int, _Path] = {0: self._root}
        self._parents: dict[int, int] = {}
        self._lanes: dict[int, Lane] = {}
        self._tasks: dict[int, Attempt] = {}
        self._delays: dict[int, int] = {}  # by frame, of the retry that is due next

    def read(self, events: Sequence[ev.Event]) -> list[Visit]:
        for event in events:
            note = _NOTES.get(type(event))
            if note is not None:
                note(self, event)
        return self._root.visits

    def at(self, frame: int) -> Visit:
        """The visit that a frame is at."""
        return self._paths[frame].visits[-1]

    # -- what each event says ---------------------------------------------------------------------------

    def entered(self, event: ev.StateEntered) -> None:
        path = self._paths[event.frame]
        variables = dict(path.variables)
        path.visits.append(Visit(event.name, event.type, event.input, variables, event.seq, event.at))

    def exited(self, event: ev.StateExited) -> None:
        path, visit = self._paths[event.frame], self.at(event.frame)
        visit.result, visit.next, visit.exited = event.output, event.next, True
        visit.ended, visit.due = event.at, None
        if event.assigned is not None:
            assigned: Any = event.assigned.value
            path.variables.update(assigned)
            visit.variables = dict(path.variables)
        self._finish(visit, event.at)

    def scheduled(self, event: ev.TaskScheduled) -> None:
        attempt = self._attempt(event)
        attempt.parameters, attempt.resource = event.parameters, event.resource
        self._tasks[event.seq] = attempt
        self._hold(event.frame, event.seq)

    def started(self, event: ev.TaskStarted) -> None:
        self._tasks[event.task].started = event.at

    def submitted(self, event: ev.TaskSubmitted) -> None:
        self._tasks[event.task].submitted = event.at

    def succeeded(self, event: ev.TaskSucceeded | ev.MapRunSucceeded) -> None:
        self._finish(self.at(event.frame), event.at)

    def waits(self, event: ev.WaitScheduled) -> None:
        self.at(event.frame).due = event.due

    def forked(self, event: ev.ParallelStateStarted | ev.MapStateStarted) -> None:
        self._attempt(event).started = event.at

    def map_run_started(self, event: ev.MapRunStarted) -> None:
        self.at(event.frame).map_run = event.arn
        self._hold(event.frame, event.seq)

    def redriven(self, event: ev.MapRunRedriven) -> None:
        self._attempt(event).started = event.at

    def _attempt(self, event: ev.Event) -> Attempt:
        visit = self.at(event.frame)
        visit.due = visit.ended = None
        attempt = Attempt(delay=self._delays.pop(event.frame, 0), redriven=visit.reopened, scheduled=event.at)
        visit.reopened = False
        visit.attempts.append(attempt)
        return attempt

    def _finish(self, visit: Visit, at: int) -> None:
        if visit.attempts and visit.attempts[-1].ended is None:
            visit.attempts[-1].ended = at

    def _hold(self, frame: int, seq: int) -> None:
        """The executions that this event has begun belong to the state."""
        self.at(frame).lanes += self._inner.get(seq, ())

    def failed(self, event: ev.TaskFailed | ev.TaskTimedOut | ev.MapRunFailed | ev.TaskScheduleFailed) -> None:
        self._fail(event.frame, event)

    def evaluation_failed(self, event: ev.EvaluationFailed) -> None:
        self._fail(event.frame, event)

    def _fail(self, frame: int, event: Any) -> None:
        visit = self.at(frame)
        last = visit.attempts[-1] if visit.attempts and not visit.attempts[-1].failed else None
        if last is None:
            last = Attempt(delay=self._delays.pop(frame, 0), scheduled=event.at)
            visit.attempts.append(last)
        last.failed, last.error, last.cause = True, shown_error(event.error), event.cause
        visit.ended, visit.due = event.at, None
        self._finish(visit, event.at)

    def child_failed(self, event: ev.BranchFailed | ev.MapIterationFailed) -> None:
        """What fails a branch fails its state."""
        self._own(event.frame, event)
        self._end_lane(event, "FAILED")
        self._fail(self._parents[event.frame], event)

    def _own(self, frame: int, event: Any) -> None:
        """An error that no attempt had is the last state's own, such as that of a Fail state."""
        visits = self._paths[frame].visits
        visit = visits[-1] if visits else None
        if visit is not None and not visit.exited and not (visit.attempts and visit.attempts[-1].failed):
            self._fail(frame, event)

    def retried(self, event: ev.RetryScheduled) -> None:
        self._delays[event.frame] = event.due - event.at
        visit = self.at(event.frame)
        visit.due, visit.ended = event.due, None

    def lane(self, event: ev.BranchStarted | ev.MapIterationStarted) -> None:
        visit = self.at(event.frame)
        kind = "branch" if isinstance(event, ev.BranchStarted) else "iteration"
        lane = Lane(kind, event.number, len(visit.attempts) - 1, started=event.at)
        visit.lanes.append(lane)
        self._parents[event.seq] = event.frame
        self._lanes[event.seq] = lane
        self._paths[event.seq] = _Path(lane.visits, dict(self._paths[event.frame].variables))

    def lane_succeeded(self, event: ev.BranchSucceeded | ev.MapIterationSucceeded) -> None:
        self._end_lane(event, "SUCCEEDED")

    def lane_aborted(self, event: ev.BranchAborted | ev.MapIterationAborted) -> None:
        self._end_lane(event, "ABORTED")

    def _end_lane(self, event: ev.Event, status: Status) -> None:
        lane = self._lanes[event.frame]
        lane.ended, lane.status = event.at, status

    def aborted(self, event: ev.StateAborted) -> None:
        visit = self.at(event.frame)
        visit.aborted, visit.ended = True, event.at
        self._finish(visit, event.at)

    def ended_badly(self, event: ev.ExecutionFailed | ev.ExecutionTimedOut) -> None:
        self._own(0, event)

    def went_on(self, event: ev.ExecutionRedriven) -> None:
        """What had ended without success is under way once more."""
        del event
        waiting = [self._root.visits]
        while waiting:
            for visit in waiting.pop()[-1:]:
                if not visit.exited:
                    visit.aborted, visit.ended, visit.reopened = False, None, True
                    for lane in visit.lanes:
                        if lane.status != "SUCCEEDED":
                            lane.ended, lane.status = None, "RUNNING"
                            waiting.append(lane.visits)


_NOTES: dict[type[Any], Callable[[_Reader, Any], None]] = {
    ev.StateEntered: _Reader.entered,
    ev.StateExited: _Reader.exited,
    ev.TaskScheduled: _Reader.scheduled,
    ev.TaskScheduleFailed: _Reader.failed,
    ev.TaskStarted: _Reader.started,
    ev.TaskSubmitted: _Reader.submitted,
    ev.TaskSucceeded: _Reader.succeeded,
    ev.TaskFailed: _Reader.failed,
    ev.TaskTimedOut: _Reader.failed,
    ev.EvaluationFailed: _Reader.evaluation_failed,
    ev.WaitScheduled: _Reader.waits,
    ev.RetryScheduled: _Reader.retried,
    ev.ParallelStateStarted: _Reader.forked,
    ev.MapStateStarted: _Reader.forked,
    ev.MapRunStarted: _Reader.map_run_started,
    ev.MapRunRedriven: _Reader.redriven,
    ev.MapRunSucceeded: _Reader.succeeded,
    ev.MapRunFailed: _Reader.failed,
    ev.BranchStarted: _Reader.lane,
    ev.MapIterationStarted: _Reader.lane,
    ev.BranchSucceeded: _Reader.lane_succeeded,
    ev.MapIterationSucceeded: _Reader.lane_succeeded,
    ev.BranchAborted: _Reader.lane_aborted,
    ev.MapIterationAborted: _Reader.lane_aborted,
    ev.BranchFailed: _Reader.child_failed,
    ev.MapIterationFailed: _Reader.child_failed,
    ev.StateAborted: _Reader.aborted,
    ev.ExecutionFailed: _Reader.ended_badly,
    ev.ExecutionTimedOut: _Reader.ended_badly,
    ev.ExecutionRedriven: _Reader.went_on,
}


def own_visits(visits: Iterable[Visit]) -> Iterator[Visit]:
    """As ``all_visits``, without those of child executions and of nested ones, whose events are in other logs."""
    for visit in visits:
        yield visit
        for lane in visit.lanes:
            if not lane.name:
                yield from own_visits(lane.visits)


def all_visits(visits: Iterable[Visit]) -> Iterator[Visit]:
    """Every visit, each followed by those within it."""
    for visit in visits:
        yield visit
        for lane in visit.lanes:
            yield from all_visits(lane.visits)
