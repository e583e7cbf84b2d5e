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

__all__ = ["Attempt", "Lane", "Visit", "all_visits", "read_visits"]


@dataclass(eq=False)
class Attempt:
    """One attempt at the work of a state.  ``delay`` is how long it waited for its retry, in milliseconds.

    ``called_with`` is what the task was called with, None where the state calls nothing.
    """

    called_with: Any = None
    delay: int = 0
    error: str | None = None
    cause: str | None = None
    failed: bool = False
    calls: bool = False


@dataclass(eq=False)
class Lane:
    """A branch, an iteration or an execution within a state.  ``number`` counts from 0."""

    kind: str
    number: int
    attempt: int
    visits: list[Visit] = field(default_factory=list)


@dataclass(eq=False)
class Visit:
    """``exited`` means that the state was left in good order, by a catcher too; ``next`` is where to.

    ``variables`` are those in scope: as the state found them, and after its Assign where it was left.
    """

    name: str
    type: str
    input: Any
    variables: dict[str, Any]
    attempts: list[Attempt] = field(default_factory=list)
    lanes: list[Lane] = field(default_factory=list)
    output: Any = None
    next: str | None = None
    exited: bool = False
    aborted: bool = False

    @property
    def caught(self) -> str | None:
        """The error that a catcher took, None where none did."""
        last = self.attempts[-1] if self.attempts else None
        return (last.error or "") if self.exited and last is not None and last.failed else None


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
        path.visits.append(Visit(event.name, event.type, event.input.value, dict(path.variables)))

    def exited(self, event: ev.StateExited) -> None:
        path, visit = self._paths[event.frame], self.at(event.frame)
        visit.output, visit.next, visit.exited = event.output.value, event.next, True
        if event.assigned is not None:
            assigned: Any = event.assigned.value
            path.variables.update(assigned)
            visit.variables = dict(path.variables)

    def scheduled(self, event: ev.TaskScheduled) -> None:
        attempt = self._attempt(event.frame)
        attempt.called_with, attempt.calls = event.parameters.value, True
        self._hold(event.frame, event.seq)

    def forked(self, event: ev.ParallelStateStarted | ev.MapStateStarted) -> None:
        self._attempt(event.frame)

    def map_run_started(self, event: ev.MapRunStarted) -> None:
        self._hold(event.frame, event.seq)

    def _attempt(self, frame: int) -> Attempt:
        attempt = Attempt(delay=self._delays.pop(frame, 0))
        self.at(frame).attempts.append(attempt)
        return attempt

    def _hold(self, frame: int, seq: int) -> None:
        """The executions that this event has begun belong to the state."""
        self.at(frame).lanes += self._inner.get(seq, ())

    def failed(self, event: ev.TaskFailed | ev.TaskTimedOut | ev.MapRunFailed | ev.TaskScheduleFailed) -> None:
        self._fail(event.frame, event.error, event.cause)

    def evaluation_failed(self, event: ev.EvaluationFailed) -> None:
        self._fail(event.frame, event.error, event.cause)

    def _fail(self, frame: int, error: str | None, cause: str | None) -> None:
        attempts = self.at(frame).attempts
        last = attempts[-1] if attempts and not attempts[-1].failed else self._attempt(frame)
        last.failed, last.error, last.cause = True, shown_error(error), cause

    def child_failed(self, event: ev.BranchFailed | ev.MapIterationFailed) -> None:
        """What fails a branch fails its state."""
        self._fail(self._parents[event.frame], event.error, event.cause)

    def retried(self, event: ev.RetryScheduled) -> None:
        self._delays[event.frame] = event.due - event.at

    def lane(self, event: ev.BranchStarted | ev.MapIterationStarted) -> None:
        visit = self.at(event.frame)
        kind = "branch" if isinstance(event, ev.BranchStarted) else "iteration"
        lane = Lane(kind, event.number, len(visit.attempts) - 1)
        visit.lanes.append(lane)
        self._parents[event.seq] = event.frame
        self._paths[event.seq] = _Path(lane.visits, dict(self._paths[event.frame].variables))

    def aborted(self, event: ev.StateAborted) -> None:
        self.at(event.frame).aborted = True

    def ended_badly(self, event: ev.ExecutionFailed | ev.ExecutionTimedOut) -> None:
        """An error that no attempt had is the last state's own, such as that of a Fail state."""
        visit = self._root.visits[-1] if self._root.visits else None
        if visit is not None and not visit.exited and not (visit.attempts and visit.attempts[-1].failed):
            self._fail(0, event.error, event.cause)


_NOTES: dict[type[Any], Callable[[_Reader, Any], None]] = {
    ev.StateEntered: _Reader.entered,
    ev.StateExited: _Reader.exited,
    ev.TaskScheduled: _Reader.scheduled,
    ev.TaskScheduleFailed: _Reader.failed,
    ev.TaskFailed: _Reader.failed,
    ev.TaskTimedOut: _Reader.failed,
    ev.EvaluationFailed: _Reader.evaluation_failed,
    ev.RetryScheduled: _Reader.retried,
    ev.ParallelStateStarted: _Reader.forked,
    ev.MapStateStarted: _Reader.forked,
    ev.MapRunStarted: _Reader.map_run_started,
    ev.MapRunFailed: _Reader.failed,
    ev.BranchStarted: _Reader.lane,
    ev.MapIterationStarted: _Reader.lane,
    ev.BranchFailed: _Reader.child_failed,
    ev.MapIterationFailed: _Reader.child_failed,
    ev.StateAborted: _Reader.aborted,
    ev.ExecutionFailed: _Reader.ended_badly,
    ev.ExecutionTimedOut: _Reader.ended_badly,
}


def all_visits(visits: Iterable[Visit]) -> Iterator[Visit]:
    """Every visit, each followed by those within it."""
    for visit in visits:
        yield visit
        for lane in visit.lanes:
            yield from all_visits(lane.visits)
