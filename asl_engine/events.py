"""What has happened to an execution: the only language between the core and the world.

An event is a fact: frozen, in the past tense, numbered by ``seq`` within its execution.  Most events
are also history events as GetExecutionHistory shows them and then carry a history ``id``; those with
``internal = True`` are ours (a timer was set, a heartbeat came) and have the id 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

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


@dataclass(frozen=True, slots=True)
class Event:
    """``at`` is in milliseconds since the epoch; ``previous`` is the history id this event follows from."""

    internal: ClassVar[bool] = False

    seq: int
    id: int
    previous: int
    at: int
    frame: int


@dataclass(frozen=True, slots=True)
class ExecutionStarted(Event):
    input: Payload


@dataclass(frozen=True, slots=True)
class ExecutionSucceeded(Event):
    output: Payload


@dataclass(frozen=True, slots=True)
class ExecutionFailed(Event):
    error: str | None
    cause: str | None


@dataclass(frozen=True, slots=True)
class ExecutionTimedOut(Event):
    error: str | None
    cause: str | None


@dataclass(frozen=True, slots=True)
class ExecutionAborted(Event):
    error: str | None
    cause: str | None


@dataclass(frozen=True, slots=True)
class StateEntered(Event):
    name: str
    type: str
    input: Payload


@dataclass(frozen=True, slots=True)
class StateExited(Event):
    """``next`` is where the execution goes from here; None ends the frame."""

    name: str
    type: str
    output: Payload
    next: str | None


@dataclass(frozen=True, slots=True)
class TaskScheduled(Event):
    """An attempt at a task.  ``timeout`` and ``heartbeat`` are in seconds, None where none was set."""

    resource: str
    parameters: Payload
    timeout: int | None
    heartbeat: int | None
    attempt: int


@dataclass(frozen=True, slots=True)
class TaskStarted(Event):
    """``task``, here and below, is the ``seq`` of the TaskScheduled event."""

    task: int


@dataclass(frozen=True, slots=True)
class TaskSucceeded(Event):
    task: int
    output: Payload


@dataclass(frozen=True, slots=True)
class TaskFailed(Event):
    task: int
    error: str | None
    cause: str | None


@dataclass(frozen=True, slots=True)
class TaskTimedOut(Event):
    task: int
    error: str | None
    cause: str | None


@dataclass(frozen=True, slots=True)
class TaskHeartbeatReceived(Event):
    internal: ClassVar[bool] = True

    task: int


@dataclass(frozen=True, slots=True)
class TaskRestarted(Event):
    """The process that ran the task is gone; the attempt begins anew, and so do its timeouts."""

    internal: ClassVar[bool] = True

    task: int


@dataclass(frozen=True, slots=True)
class WaitScheduled(Event):
    """A Wait state will end at ``due``, in milliseconds since the epoch."""

    internal: ClassVar[bool] = True

    due: int


@dataclass(frozen=True, slots=True)
class RetryScheduled(Event):
    """The failed work will be tried again at ``due``, as the state's ``retrier``-th Retry entry says."""

    internal: ClassVar[bool] = True

    due: int
    retrier: int


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
