"""The state of one execution, as its events have made it.

``Execution.apply`` is the only mutator and takes no decision: fold the log and you have the execution
as it stood, which is recovery, replay and time travel at once.  The aggregate is mutable on purpose:
copying frames at every event would make a Map quadratic.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from asl_engine import events as ev

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from asl_engine.jsontypes import Payload

__all__ = ["RUNNABLE", "Execution", "Frame", "Identity", "OpenTask", "OpenTimer", "Phase", "Status", "fold"]

Status: TypeAlias = Literal["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]


class Phase(Enum):
    """Where a frame stands between two events.  The first six are the interpreter's turn."""

    NEXT = auto()  # a state is to be entered
    ENTERED = auto()  # the state's work is to begin
    SCHEDULED = auto()  # a task is to be started
    SUCCEEDED = auto()  # the work's result is to be handled
    FAILED = auto()  # the work's failure is to be handled
    ENDED = auto()  # the last state has been left
    WORKING = auto()  # a task is running
    WAITING = auto()  # a Wait state is waiting
    BACKOFF = auto()  # a retry is waiting


RUNNABLE = frozenset({Phase.NEXT, Phase.ENTERED, Phase.SCHEDULED, Phase.SUCCEEDED, Phase.FAILED, Phase.ENDED})


class Identity(NamedTuple):
    """Who an execution is; given when it is created and never changed.

    ``started_at`` is in milliseconds since the epoch.
    """

    arn: str
    name: str
    machine_arn: str
    machine_name: str
    role_arn: str
    started_at: int


@dataclass(eq=False, repr=False)
class OpenTask:
    """A task that has been scheduled and has not ended.  Dues in milliseconds, the others in seconds."""

    key: int
    frame: Frame
    resource: str
    parameters: Payload
    attempt: int
    timeout: int | None
    heartbeat: int | None
    timeout_due: int | None = None
    heartbeat_due: int | None = None
    started: bool = False

    def begin_at(self, moment: int) -> None:
        self.timeout_due = None if self.timeout is None else moment + self.timeout * 1000
        self.beat_at(moment)

    def beat_at(self, moment: int) -> None:
        self.heartbeat_due = None if self.heartbeat is None else moment + self.heartbeat * 1000

    @property
    def due(self) -> int | None:
        """The next moment at which this task times out, in one way or the other."""
        dues = [due for due in (self.timeout_due, self.heartbeat_due) if due is not None]
        return min(dues) if dues else None


class OpenTimer(NamedTuple):
    """A wait or a retry that has not come due."""

    key: int
    frame: Frame
    due: int


class Frame:
    """One path through the states of a machine: the execution itself (a branch, an iteration)."""

    __slots__ = (
        "cause",
        "entered_at",
        "entered_id",
        "error",
        "id",
        "input",
        "last_id",
        "next",
        "phase",
        "result",
        "retries",
        "retry_count",
        "state",
        "type",
        "work",
    )

    def __init__(self, frame_id: int, input: Payload) -> None:  # noqa: A002  the specification's own term
        self.id = frame_id
        self.phase = Phase.NEXT
        self.next: str | None = None  # None: StartAt
        self.state = ""
        self.type = ""
        self.input = input
        self.entered_id = 0
        self.entered_at = 0
        self.last_id = 0
        self.retries: dict[int, int] = {}  # tries by index of the Retry entry
        self.retry_count = 0
        self.work = 0  # the key of the open task or timer
        self.result: Payload | None = None
        self.error: str | None = None
        self.cause: str | None = None


class Execution:
    """An execution as of its event number ``seq``."""

    __slots__ = (
        "cause",
        "error",
        "frames",
        "history_length",
        "identity",
        "input",
        "open",
        "output",
        "seq",
        "status",
        "stopped_at",
    )

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.seq = 0
        self.history_length = 0
        self.status: Status = "RUNNING"
        self.input: Payload | None = None
        self.output: Payload | None = None
        self.error: str | None = None
        self.cause: str | None = None
        self.stopped_at: int | None = None
        self.frames: dict[int, Frame] = {}
        self.open: dict[int, OpenTask | OpenTimer] = {}

    def apply(self, event: ev.Event) -> None:
        """Take the event in.  Events come in the order of their ``seq``, each exactly once."""
        if event.seq != self.seq + 1:
            raise ValueError(f"event {event.seq} cannot follow event {self.seq}")
        self.seq = event.seq
        if event.id:
            self.history_length = event.id
        _APPLY[type(event)](self, event)


def fold(identity: Identity, events: Iterable[ev.Event]) -> Execution:
    """The execution that these events have made."""
    execution = Execution(identity)
    for event in events:
        execution.apply(event)
    return execution


def turn(frame: Frame, phase: Phase, event: ev.Event) -> None:
    frame.phase = phase
    if event.id:
        frame.last_id = event.id


def _execution_started(x: Execution, event: ev.ExecutionStarted) -> None:
    x.input = event.input
    frame = x.frames[event.frame] = Frame(event.frame, event.input)
    turn(frame, Phase.NEXT, event)
    # The first state's previousEventId is 0, as if ExecutionStarted were not there.
    frame.last_id = 0


def _state_entered(x: Execution, event: ev.StateEntered) -> None:
    frame = x.frames[event.frame]
    frame.state = event.name
    frame.type = event.type
    frame.input = event.input
    frame.entered_id = event.id
    frame.entered_at = event.at
    frame.retries = {}
    frame.retry_count = 0
    turn(frame, Phase.ENTERED, event)


def _state_exited(x: Execution, event: ev.StateExited) -> None:
    frame = x.frames[event.frame]
    x.open.pop(frame.work, None)  # the wait that has ended
    frame.next = event.next
    frame.input = event.output
    frame.result = None
    turn(frame, Phase.ENDED if event.next is None else Phase.NEXT, event)


def _task_scheduled(x: Execution, event: ev.TaskScheduled) -> None:
    frame = x.frames[event.frame]
    x.open.pop(frame.work, None)  # the backoff that has ended
    frame.work = event.seq
    task = x.open[event.seq] = OpenTask(
        event.seq, frame, event.resource, event.parameters, event.attempt, event.timeout, event.heartbeat
    )
    task.begin_at(event.at)
    turn(frame, Phase.SCHEDULED, event)


def _open_task(x: Execution, key: int) -> OpenTask:
    task = x.open[key]
    assert isinstance(task, OpenTask)  # noqa: S101  the key of a TaskScheduled event
    return task


def _task_started(x: Execution, event: ev.TaskStarted) -> None:
    task = _open_task(x, event.task)
    task.started = True
    turn(task.frame, Phase.WORKING, event)


def _task_restarted(x: Execution, event: ev.TaskRestarted) -> None:
    _open_task(x, event.task).begin_at(event.at)


def _task_heartbeat(x: Execution, event: ev.TaskHeartbeatReceived) -> None:
    _open_task(x, event.task).beat_at(event.at)


def _task_succeeded(x: Execution, event: ev.TaskSucceeded) -> None:
    frame = x.open.pop(event.task).frame
    frame.result = event.output
    turn(frame, Phase.SUCCEEDED, event)


def _task_failed(x: Execution, event: ev.TaskFailed | ev.TaskTimedOut) -> None:
    frame = x.open.pop(event.task).frame
    frame.error = event.error
    frame.cause = event.cause
    turn(frame, Phase.FAILED, event)


def _wait_scheduled(x: Execution, event: ev.WaitScheduled) -> None:
    frame = x.frames[event.frame]
    frame.work = event.seq
    x.open[event.seq] = OpenTimer(event.seq, frame, event.due)
    turn(frame, Phase.WAITING, event)


def _retry_scheduled(x: Execution, event: ev.RetryScheduled) -> None:
    frame = x.frames[event.frame]
    frame.work = event.seq
    frame.retries[event.retrier] = frame.retries.get(event.retrier, 0) + 1
    frame.retry_count += 1
    x.open[event.seq] = OpenTimer(event.seq, frame, event.due)
    turn(frame, Phase.BACKOFF, event)


def _end(x: Execution, event: ev.Event, status: Status) -> None:
    x.status = status
    x.stopped_at = event.at
    x.frames.clear()
    x.open.clear()


def _execution_succeeded(x: Execution, event: ev.ExecutionSucceeded) -> None:
    x.output = event.output
    _end(x, event, "SUCCEEDED")


def _ended_badly(
    status: Status,
) -> Callable[[Execution, ev.ExecutionFailed | ev.ExecutionTimedOut | ev.ExecutionAborted], None]:
    def apply(x: Execution, event: ev.ExecutionFailed | ev.ExecutionTimedOut | ev.ExecutionAborted) -> None:
        x.error = event.error
        x.cause = event.cause
        _end(x, event, status)

    return apply


_APPLY: dict[type[ev.Event], Callable[..., None]] = {
    ev.ExecutionStarted: _execution_started,
    ev.ExecutionSucceeded: _execution_succeeded,
    ev.ExecutionFailed: _ended_badly("FAILED"),
    ev.ExecutionTimedOut: _ended_badly("TIMED_OUT"),
    ev.ExecutionAborted: _ended_badly("ABORTED"),
    ev.StateEntered: _state_entered,
    ev.StateExited: _state_exited,
    ev.TaskScheduled: _task_scheduled,
    ev.TaskStarted: _task_started,
    ev.TaskRestarted: _task_restarted,
    ev.TaskHeartbeatReceived: _task_heartbeat,
    ev.TaskSucceeded: _task_succeeded,
    ev.TaskFailed: _task_failed,
    ev.TaskTimedOut: _task_failed,
    ev.WaitScheduled: _wait_scheduled,
    ev.RetryScheduled: _retry_scheduled,
}
