"""What has happened to an execution: the only language between the core and the world.

An event is a fact: frozen, in the past tense, numbered by ``seq`` within its execution.  ``at`` is in
milliseconds since the epoch, ``frame`` the path through the machine that it belongs to.  Most events are
also history events as GetExecutionHistory shows them: they carry a history ``id`` and, in ``previous``, the
one they follow from.  Those with the id 0 are ours alone (a timer was set, a heartbeat came).

The head of five fields is written out in each: named tuples cannot inherit it, and dataclasses that can
take ten times as long to define, at every start of the program.  An envelope around a fact, with the head in
one place, costs the loop of benchmarks/run.py at least 6 % (measured: one more tuple for each event).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias, get_args

from asl_engine.core.edit_events import ExecutionForked, HeldByDebugger, InputReplaced, VariablesReplaced
from asl_engine.core.map_events import (
    MapIterationAborted,
    MapIterationFailed,
    MapIterationStarted,
    MapIterationSucceeded,
    MapRunAborted,
    MapRunFailed,
    MapRunRedriven,
    MapRunStarted,
    MapRunSucceeded,
    MapStateFailed,
    MapStateStarted,
    MapStateSucceeded,
)

if TYPE_CHECKING:
    from asl_engine.payload import Payload

__all__ = [
    "EVENT_KINDS",
    "BranchAborted",
    "BranchFailed",
    "BranchStarted",
    "BranchSucceeded",
    "ClockSet",
    "EvaluationFailed",
    "Event",
    "ExecutionAborted",
    "ExecutionFailed",
    "ExecutionForked",
    "ExecutionRedriven",
    "ExecutionStarted",
    "ExecutionSucceeded",
    "ExecutionTimedOut",
    "HeldByDebugger",
    "InputReplaced",
    "MachineDeleted",
    "MapIterationAborted",
    "MapIterationFailed",
    "MapIterationStarted",
    "MapIterationSucceeded",
    "MapRunAborted",
    "MapRunFailed",
    "MapRunRedriven",
    "MapRunStarted",
    "MapRunSucceeded",
    "MapStateFailed",
    "MapStateStarted",
    "MapStateSucceeded",
    "ParallelStateFailed",
    "ParallelStateStarted",
    "ParallelStateSucceeded",
    "RetryScheduled",
    "StateAborted",
    "StateEntered",
    "StateExited",
    "TaskFailed",
    "TaskHeartbeatReceived",
    "TaskRestarted",
    "TaskScheduleFailed",
    "TaskScheduled",
    "TaskStarted",
    "TaskSubmitted",
    "TaskSucceeded",
    "TaskTimedOut",
    "VariablesReplaced",
    "WaitScheduled",
]


class ExecutionStarted(NamedTuple):
    """``salt`` is a random text that nobody outside knows: what the execution's task tokens are signed with."""

    seq: int
    id: int
    previous: int
    at: int
    frame: int
    input: Payload
    salt: str = ""


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


class ExecutionRedriven(NamedTuple):
    """The execution goes on from where it failed, timed out or was aborted, for the ``redrive_count``-th time.

    ``token`` is the clientToken of the request: whoever repeats it gets the same answer.
    """

    seq: int
    id: int
    previous: int
    at: int
    frame: int
    redrive_count: int
    token: str | None


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
    """``next`` is where the execution goes from here; None ends the frame.

    ``assigned`` is an object of the variables that Assign has set, None without Assign.
    """

    seq: int
    id: int
    previous: int
    at: int
    frame: int
    name: str
    type: str
    output: Payload
    next: str | None
    assigned: Payload | None = None


class TaskScheduled(NamedTuple):
    """An attempt at a task.  ``timeout`` and ``heartbeat`` are in seconds, None where none was set.

    ``role`` is the ARN in the state's Credentials, None without them.
    """

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
    role: str | None = None


class TaskScheduleFailed(NamedTuple):
    """An attempt that could not be scheduled: there is no such activity."""

    seq: int
    id: int
    previous: int
    at: int
    frame: int
    error: str | None
    cause: str | None


class TaskStarted(NamedTuple):
    """``task``, here and below, is the ``seq`` of the TaskScheduled event.

    An activity's task starts when a worker takes it; ``worker`` is the name it gave, if any.
    """

    seq: int
    id: int
    previous: int
    at: int
    frame: int
    task: int
    worker: str | None = None


class TaskSubmitted(NamedTuple):
    """The request was made, with ``output`` as its answer; the task's own result will come later."""

    seq: int
    id: int
    previous: int
    at: int
    frame: int
    task: int
    output: Payload


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
    """The task was alive when it was ``heard``, None where that is ``at``."""

    seq: int
    id: int
    previous: int
    at: int
    frame: int
    task: int
    heard: int | None = None


class ClockSet(NamedTuple):
    """The wall clock was set: it went forward ``by`` milliseconds at once, or back.

    What is due after a number of seconds is due that much later, or sooner.  From here on ``at`` is ``ahead``
    milliseconds ahead of the wall clock, so that it does not go back with it.
    """

    seq: int
    id: int
    previous: int
    at: int
    frame: int
    by: int
    ahead: int


class MachineDeleted(NamedTuple):
    """The state machine of the execution was deleted: no further state is entered."""

    seq: int
    id: int
    previous: int
    at: int
    frame: int


class TaskRestarted(NamedTuple):
    """The process that ran the task is gone; the attempt begins anew, and so do its timeouts.

    Where the work goes on outside, nobody could be heard meanwhile: only its heartbeats begin anew.
    ``died`` says that the process did not leave the task in good order: the task may be why it ended.
    """

    seq: int
    id: int
    previous: int
    at: int
    frame: int
    task: int
    died: bool = False


class WaitScheduled(NamedTuple):
    """A Wait state will end at ``due``, in milliseconds since the epoch.

    ``absolute``: the state names that moment, so it stays the same when the clock is set.
    """

    seq: int
    id: int
    previous: int
    at: int
    frame: int
    due: int
    absolute: bool = False


class RetryScheduled(NamedTuple):
    """The failed work will be tried again at ``due``, as the state's ``retrier``-th Retry entry says."""

    seq: int
    id: int
    previous: int
    at: int
    frame: int
    due: int
    retrier: int


class EvaluationFailed(NamedTuple):
    """A JSONata expression of the state, at ``location``, had no usable value."""

    seq: int
    id: int
    previous: int
    at: int
    frame: int
    state: str
    error: str | None
    cause: str | None
    location: str | None


class StateAborted(NamedTuple):
    """The state was given up because its branch or iteration was."""

    seq: int
    id: int
    previous: int
    at: int
    frame: int
    name: str
    type: str


class ParallelStateStarted(NamedTuple):
    """``length`` is the number of branches."""

    seq: int
    id: int
    previous: int
    at: int
    frame: int
    length: int


class ParallelStateSucceeded(NamedTuple):
    seq: int
    id: int
    previous: int
    at: int
    frame: int


class ParallelStateFailed(NamedTuple):
    seq: int
    id: int
    previous: int
    at: int
    frame: int


class BranchStarted(NamedTuple):
    """A branch of the Parallel state in ``frame`` begins; its own frame goes by this event's ``seq``."""

    seq: int
    id: int
    previous: int
    at: int
    frame: int
    number: int
    start_at: str
    input: Payload


class BranchSucceeded(NamedTuple):
    """Here and below, ``frame`` is the branch's or the iteration's own."""

    seq: int
    id: int
    previous: int
    at: int
    frame: int


class BranchFailed(NamedTuple):
    seq: int
    id: int
    previous: int
    at: int
    frame: int
    error: str | None
    cause: str | None


class BranchAborted(NamedTuple):
    seq: int
    id: int
    previous: int
    at: int
    frame: int


Event: TypeAlias = (
    ExecutionStarted
    | ExecutionSucceeded
    | ExecutionFailed
    | ExecutionTimedOut
    | ExecutionAborted
    | MachineDeleted
    | ClockSet
    | ExecutionRedriven
    | ExecutionForked
    | HeldByDebugger
    | InputReplaced
    | VariablesReplaced
    | StateEntered
    | StateExited
    | TaskScheduled
    | TaskScheduleFailed
    | TaskStarted
    | TaskSubmitted
    | TaskSucceeded
    | TaskFailed
    | TaskTimedOut
    | TaskHeartbeatReceived
    | TaskRestarted
    | WaitScheduled
    | RetryScheduled
    | EvaluationFailed
    | StateAborted
    | ParallelStateStarted
    | ParallelStateSucceeded
    | ParallelStateFailed
    | BranchStarted
    | BranchSucceeded
    | BranchFailed
    | BranchAborted
    | MapStateStarted
    | MapStateSucceeded
    | MapStateFailed
    | MapIterationStarted
    | MapIterationSucceeded
    | MapIterationFailed
    | MapIterationAborted
    | MapRunStarted
    | MapRunRedriven
    | MapRunSucceeded
    | MapRunFailed
    | MapRunAborted
)

EVENT_KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}
