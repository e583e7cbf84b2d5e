"""What has happened to an execution: the only language between the core and the world.

An event is a fact: frozen, in the past tense, numbered by ``seq`` within its execution.  ``at`` is in
milliseconds since the epoch, ``frame`` the path through the machine that it belongs to.  Most events are
also history events as GetExecutionHistory shows them: they carry a history ``id`` and, in ``previous``, the
one they follow from.  Those with the id 0 are ours alone (a timer was set, a heartbeat came).

The head of five fields is written out in each: named tuples cannot inherit it, and dataclasses that can
take ten times as long to define, at every start of the program.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from asl_engine.jsontypes import Payload

__all__ = [
    "EVENT_KINDS",
    "Event",
    "ExecutionAborted",
    "ExecutionFailed",
    "ExecutionStarted",
    "ExecutionSucceeded",
    "ExecutionTimedOut",
    "RetryScheduled",
    "StateEntered",
    "StateExited",
    "TaskFailed",
    "TaskHeartbeatReceived",
    "TaskRestarted",
    "TaskScheduled",
    "TaskStarted",
    "TaskSucceeded",
    "TaskTimedOut",
    "WaitScheduled",
]


class ExecutionStarted(NamedTuple):
    seq: int
    id: int
    previous: int
    at: int
    frame: int
    input: Payload


class ExecutionSucceeded(NamedTuple):
    seq: int
    id: int
    previous: int
    at: int
    frame: int
    output: Payload


class ExecutionFailed(NamedTuple):
    seq: int
    id: int
    previous: int
    at: int
    frame: int
    error: str | None
    cause: str | None


class ExecutionTimedOut(NamedTuple):
    seq: int
    id: int
    previous: int
    at: int
    frame: int
    error: str | None
    cause: str | None


class ExecutionAborted(NamedTuple):
    seq: int
    id: int
    previous: int
    at: int
    frame: int
    error: str | None
    cause: str | None


class StateEntered(NamedTuple):
    seq: int
    id: int
    previous: int
    at: int
    frame: int
    name: str
    type: str
    input: Payload


class StateExited(NamedTuple):
    """``next`` is where the execution goes from here; None ends the frame."""

    seq: int
    id: int
    previous: int
    at: int
    frame: int
    name: str
    type: str
    output: Payload
    next: str | None


class TaskScheduled(NamedTuple):
    """An attempt at a task.  ``timeout`` and ``heartbeat`` are in seconds, None where none was set."""

    seq: int
    id: int
    previous: int
    at: int
    frame: int
    resource: str
    parameters: Payload
    timeout: int | None
    heartbeat: int | None
    attempt: int


class TaskStarted(NamedTuple):
    """``task``, here and below, is the ``seq`` of the TaskScheduled event."""

    seq: int
    id: int
    previous: int
    at: int
    frame: int
    task: int


class TaskSucceeded(NamedTuple):
    seq: int
    id: int
    previous: int
    at: int
    frame: int
    task: int
    output: Payload


class TaskFailed(NamedTuple):
    seq: int
    id: int
    previous: int
    at: int
    frame: int
    task: int
    error: str | None
    cause: str | None


class TaskTimedOut(NamedTuple):
    seq: int
    id: int
    previous: int
    at: int
    frame: int
    task: int
    error: str | None
    cause: str | None


class TaskHeartbeatReceived(NamedTuple):
    seq: int
    id: int
    previous: int
    at: int
    frame: int
    task: int


class TaskRestarted(NamedTuple):
    """The process that ran the task is gone; the attempt begins anew, and so do its timeouts."""

    seq: int
    id: int
    previous: int
    at: int
    frame: int
    task: int


class WaitScheduled(NamedTuple):
    """A Wait state will end at ``due``, in milliseconds since the epoch."""

    seq: int
    id: int
    previous: int
    at: int
    frame: int
    due: int


class RetryScheduled(NamedTuple):
    """The failed work will be tried again at ``due``, as the state's ``retrier``-th Retry entry says."""

    seq: int
    id: int
    previous: int
    at: int
    frame: int
    due: int
    retrier: int


Event: TypeAlias = (
    ExecutionStarted
    | ExecutionSucceeded
    | ExecutionFailed
    | ExecutionTimedOut
    | ExecutionAborted
    | StateEntered
    | StateExited
    | TaskScheduled
    | TaskStarted
    | TaskSucceeded
    | TaskFailed
    | TaskTimedOut
    | TaskHeartbeatReceived
    | TaskRestarted
    | WaitScheduled
    | RetryScheduled
)

EVENT_KINDS: dict[str, type[Event]] = {
    kind.__name__: kind
    for kind in (
        ExecutionStarted,
        ExecutionSucceeded,
        ExecutionFailed,
        ExecutionTimedOut,
        ExecutionAborted,
        StateEntered,
        StateExited,
        TaskScheduled,
        TaskStarted,
        TaskSucceeded,
        TaskFailed,
        TaskTimedOut,
        TaskHeartbeatReceived,
        TaskRestarted,
        WaitScheduled,
        RetryScheduled,
    )
}
