"""What each event makes of an execution: the only code that changes one.  It takes no decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.core import events as ev
from asl_engine.core.execution import RECOUNT_BYTES, REDRIVES_REMEMBERED, Execution, Identity
from asl_engine.core.frames import (
    BETWEEN_STATES,
    Fork,
    Frame,
    OpenMapRun,
    OpenTask,
    OpenTimer,
    Phase,
    variables_bytes,
)
from asl_engine.errors import EXIT_ERROR
from asl_engine.limits import utf8_length

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from asl_engine.core.execution import Status

__all__ = ["apply", "fold", "shared"]


def fold(identity: Identity, events: Iterable[ev.Event]) -> Execution:
    """The execution that these events have made."""
    execution = Execution(identity)
    for event in events:
        apply(execution, event)
    return execution


def shared(events: Sequence[ev.Event]) -> int:
    """How many events at the beginning of a log are those of the execution that it is a fork of."""
    forks = [position for position, event in enumerate(events) if isinstance(event, ev.ExecutionForked)]
    return forks[-1] if forks else 0


def apply(execution: Execution, event: ev.Event) -> None:
    """Take the event in.  Events come in the order of their ``seq``, each exactly once."""
    if event.seq != execution.seq + 1:
        raise ValueError(f"event {event.seq} cannot follow event {execution.seq}")
    execution.seq = event.seq
    execution.at = event.at
    if event.id:
        execution.history_length = event.id
    _APPLY[type(event)](execution, event)


def _move(frame: Frame, phase: Phase, event: ev.Event) -> None:
    frame.phase = phase
    if event.id:
        frame.last_id = event.id


def _execution_started(x: Execution, event: ev.ExecutionStarted) -> None:
    x.input = event.input
    x.salt = event.salt
    frame = x.frames[event.frame] = Frame(event.frame, event.input)
    _move(frame, Phase.NEXT, event)
    # The first state's previousEventId is 0, as if ExecutionStarted were not there.
    frame.last_id = 0


def _state_entered(x: Execution, event: ev.StateEntered) -> None:
    frame = x.frames[event.frame]
    frame.state = event.name
    frame.type = event.type
    frame.input = event.input
    frame.entered_id = event.id
    frame.entered_from = event.previous
    frame.entered_at = event.at
    frame.retries = {}
    frame.retry_count = 0
    frame.deaths = 0
    frame.outcome_shown = False
    _move(frame, Phase.ENTERED, event)


def _state_exited(x: Execution, event: ev.StateExited) -> None:
    frame = x.frames[event.frame]
    x.open.pop(frame.work, None)  # the wait that has ended
    frame.next = event.next
    frame.input = event.output
    frame.result = frame.fork = frame.map_run = None
    if event.assigned is not None:
        assigned: Any = event.assigned.value
        frame.variables = {**frame.variables, **assigned}
        x.assigned_bytes += utf8_length(event.assigned.text)
        if x.assigned_bytes > x.recount_at:  # among them are some that have been overwritten, or are gone
            x.assigned_bytes = variables_bytes(x.frames.values())
            x.recount_at = RECOUNT_BYTES if x.assigned_bytes <= RECOUNT_BYTES else 2 * x.assigned_bytes
    _move(frame, Phase.ENDED if event.next is None else Phase.NEXT, event)


def _task_scheduled(x: Execution, event: ev.TaskScheduled) -> None:
    frame = x.frames[event.frame]
    x.open.pop(frame.work, None)  # the backoff that has ended
    frame.work = event.seq
    task = x.open[event.seq] = OpenTask(
        event.seq, frame, event.resource, event.parameters, event.attempt, event.timeout, event.heartbeat
    )
    task.role = event.role
    task.begin_at(event.at - x.ahead)
    _move(frame, Phase.WORKING if task.is_activity else Phase.SCHEDULED, event)


def _task_schedule_failed(x: Execution, event: ev.TaskScheduleFailed) -> None:
    frame = x.frames[event.frame]
    x.open.pop(frame.work, None)  # the backoff that has ended
    _evaluation_failed(x, event)


def _open_task(x: Execution, key: int) -> OpenTask:
    task = x.open[key]
    assert isinstance(task, OpenTask)  # noqa: S101  the key of a TaskScheduled event
    return task


def _task_started(x: Execution, event: ev.TaskStarted) -> None:
    task = _open_task(x, event.task)
    task.started = True
    if task.is_activity:
        task.begin_at(event.at - x.ahead)
    _move(task.frame, Phase.WORKING, event)


def _task_submitted(x: Execution, event: ev.TaskSubmitted) -> None:
    task = _open_task(x, event.task)
    task.submitted = event.output
    _move(task.frame, Phase.WORKING, event)


def _task_restarted(x: Execution, event: ev.TaskRestarted) -> None:
    task = _open_task(x, event.task)
    if event.died:
        task.frame.deaths += 1
        _died(x, task.frame.state)
    if task.is_outside:
        task.beat_at(event.at - x.ahead)
    else:
        task.begin_at(event.at - x.ahead)


def _task_heartbeat(x: Execution, event: ev.TaskHeartbeatReceived) -> None:
    _open_task(x, event.task).beat_at(event.at - x.ahead if event.heard is None else event.heard)


def _task_succeeded(x: Execution, event: ev.TaskSucceeded) -> None:
    frame = x.open.pop(event.task).frame
    frame.result = event.output
    _move(frame, Phase.SUCCEEDED, event)


def _died(x: Execution, state: str) -> None:
    x.deaths[state] = x.deaths.get(state, 0) + 1


def _task_failed(x: Execution, event: ev.TaskFailed | ev.TaskTimedOut) -> None:
    frame = x.open.pop(event.task).frame
    if event.error == EXIT_ERROR:
        _died(x, frame.state)
    _failed(frame, event)


def _failed(frame: Frame, event: Any) -> None:
    frame.error = event.error
    frame.cause = event.cause
    _move(frame, Phase.FAILED, event)


def _wait_scheduled(x: Execution, event: ev.WaitScheduled) -> None:
    frame = x.frames[event.frame]
    frame.work = event.seq
    x.open[event.seq] = OpenTimer(event.seq, frame, event.due, event.absolute)
    _move(frame, Phase.WAITING, event)


def _retry_scheduled(x: Execution, event: ev.RetryScheduled) -> None:
    frame = x.frames[event.frame]
    x.open.pop(frame.work, None)  # the backoff after which the work could not even begin
    frame.work = event.seq
    frame.retries[event.retrier] = frame.retries.get(event.retrier, 0) + 1
    frame.retry_count += 1
    x.open[event.seq] = OpenTimer(event.seq, frame, event.due)
    _move(frame, Phase.BACKOFF, event)


def _evaluation_failed(x: Execution, event: ev.EvaluationFailed | ev.TaskScheduleFailed) -> None:
    _failed(x.frames[event.frame], event)


def _parallel_started(x: Execution, event: ev.ParallelStateStarted) -> None:
    _fork(x, event, Fork(event.length, event.length, None, event.id))


def _map_started(x: Execution, event: ev.MapStateStarted) -> None:
    _fork(x, event, None if event.distributed else Fork(event.length, event.concurrency, event.items, event.id))
    frame = x.frames[event.frame]
    frame.items = event.items if event.distributed else None
    frame.map_run = None


def _fork(x: Execution, event: ev.ParallelStateStarted | ev.MapStateStarted, fork: Fork | None) -> None:
    frame = x.frames[event.frame]
    x.open.pop(frame.work, None)  # the backoff that has ended
    frame.fork = fork
    frame.outcome_shown = False
    _move(frame, Phase.SCHEDULED if fork is None else fork.phase, event)


def _fork_of(frame: Frame) -> Fork:
    assert frame.fork is not None  # noqa: S101  what a child's event says of its parent
    return frame.fork


def _child_started(x: Execution, event: ev.BranchStarted | ev.MapIterationStarted) -> None:
    parent = x.frames[event.frame]
    fork = _fork_of(parent)
    child = x.frames[event.seq] = Frame(event.seq, event.input, parent, event.number, event.start_at)
    child.last_id = event.id or parent.last_id
    fork.children[event.number] = child
    fork.started += 1
    parent.phase = fork.phase


def _child_succeeded(x: Execution, event: ev.BranchSucceeded | ev.MapIterationSucceeded) -> None:
    child = x.frames.pop(event.frame)
    parent = _parent_of(child)
    fork = _fork_of(parent)
    fork.results[child.index] = child.input
    fork.chain = child.last_id
    parent.last_id = event.id or child.last_id
    del fork.children[child.index]
    parent.phase = fork.phase


def _child_failed(x: Execution, event: ev.BranchFailed | ev.MapIterationFailed) -> None:
    child = x.frames[event.frame]
    parent = _parent_of(child)
    parent.error = event.error
    parent.cause = event.cause
    parent.last_id = child.last_id
    parent.phase = Phase.FAILED
    child.error = event.error
    _drop(x, child)


def _child_aborted(x: Execution, event: ev.BranchAborted | ev.MapIterationAborted) -> None:
    _drop(x, x.frames[event.frame])


def _parent_of(child: Frame) -> Frame:
    assert child.parent is not None  # noqa: S101  a branch or an iteration
    return child.parent


def _drop(x: Execution, child: Frame) -> None:
    """Give up a child, with the work it had open."""
    x.open.pop(child.work, None)
    del x.frames[child.id]
    fork = _fork_of(_parent_of(child))
    fork.fallen[child.index] = fork.children.pop(child.index)


def _state_aborted(x: Execution, event: ev.StateAborted) -> None:
    """The state's branch or iteration has been given up already."""
    forks = [frame.fork for frame in x.frames.values() if frame.fork is not None]
    for child in [child for fork in forks for child in fork.fallen.values() if child.id == event.frame]:
        child.outcome_shown = True


def _outcome_shown(x: Execution, event: ev.Event) -> None:
    """The history has shown how the work ended; the next event follows from the one before this."""
    x.frames[event.frame].outcome_shown = True


def _settled_badly(x: Execution, event: ev.Event) -> None:
    """The history has shown how the work ended; the next event follows from this."""
    frame = x.frames[event.frame]
    frame.outcome_shown = True
    frame.last_id = event.id


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
        x.boundary = event.id
        x.root = x.frames[0]
        x.root.error = event.error if status == "FAILED" else None
        _end(x, event, status)

    return apply


def _machine_deleted(x: Execution, event: ev.MachineDeleted) -> None:
    del event
    x.machine_deleted = True


def _execution_redriven(x: Execution, event: ev.ExecutionRedriven) -> None:
    assert x.root is not None  # noqa: S101  only what has ended unsuccessfully is redriven
    x.status = "RUNNING"
    x.error = x.cause = x.stopped_at = None
    x.redrive_count = event.redrive_count
    x.redriven_at = event.at
    x.timed_from = event.at - x.ahead - x.shifted
    x.boundary = event.id
    x.machine_deleted = False
    if event.token is not None:
        x.redrives[event.token] = event.at
        if len(x.redrives) > REDRIVES_REMEMBERED:
            del x.redrives[next(iter(x.redrives))]
    _restore(x, x.root)
    x.root = None


def _execution_forked(x: Execution, event: ev.ExecutionForked) -> None:
    """The Map Runs of the origin stay its own, and so does the time that it took."""
    x.origin = event.origin
    x.ahead, x.shifted, x.timed_from = 0, 0, x.identity.started_at
    for frame in [*x.frames.values(), *_within(x.root)]:
        if frame.map_run is None:
            continue
        if x.open.pop(frame.map_run.key, None) is not None:
            frame.phase = Phase.ENTERED
            frame.last_id = frame.entered_id
        frame.map_run = None


def _within(frame: Frame | None) -> Iterable[Frame]:
    """A frame with all branches and iterations that are not over, none of None."""
    if frame is not None:
        yield frame
        fork = frame.fork
        for child in () if fork is None else (*fork.children.values(), *fork.fallen.values()):
            yield from _within(child)


def _held_by_debugger(x: Execution, event: ev.HeldByDebugger) -> None:
    """The frame stands where it stood."""


def _input_replaced(x: Execution, event: ev.InputReplaced) -> None:
    x.frames[event.frame].input = event.input


def _variables_replaced(x: Execution, event: ev.VariablesReplaced) -> None:
    variables: Any = event.variables.value
    x.frames[event.frame].variables = variables
    x.assigned_bytes = variables_bytes(x.frames.values())


def _restore(x: Execution, frame: Frame) -> None:
    """Let a frame go on from the state that it did not leave, and all its children that did not succeed."""
    x.frames[frame.id] = frame
    frame.work = 0
    if frame.phase in BETWEEN_STATES:
        return
    frame.retries = {}
    frame.retry_count = 0
    error, frame.error, frame.cause = frame.error, None, None
    fork = frame.fork
    if frame.map_run is not None and error != "States.DataLimitExceeded":
        frame.phase = Phase.SCHEDULED
        frame.last_id = frame.map_run.follows
        frame.result = None
        frame.outcome_shown = False
        return
    # Where the children have made more data than the state can hold, all of them begin anew.
    if fork is None or error == "States.DataLimitExceeded":
        frame.phase = Phase.ENTERED
        frame.last_id = frame.entered_id
        frame.result = frame.fork = None
        frame.outcome_shown = False
        return
    if fork.fallen:
        frame.outcome_shown = False
    # In the order of their indexes, so that what a redrive does is the same whoever fell first.
    fork.children = dict(sorted((fork.children | fork.fallen).items()))
    fork.fallen = {}
    for child in fork.children.values():
        _restore(x, child)
    frame.phase = fork.phase


def _map_run_started(x: Execution, event: ev.MapRunStarted) -> None:
    frame = x.frames[event.frame]
    assert frame.items is not None  # noqa: S101  MapStateStarted comes first
    frame.work = event.seq
    work = OpenMapRun(event.seq, frame, event.arn, event.parameters, frame.items, event.previous)
    x.open[event.seq] = frame.map_run = work
    frame.items = None
    _move(frame, Phase.WORKING, event)


def _map_run_redriven(x: Execution, event: ev.MapRunRedriven) -> None:
    frame = x.frames[event.frame]
    assert frame.map_run is not None  # noqa: S101  it has run before
    work = frame.map_run._replace(redrives=event.redrive_count)
    x.open[work.key] = frame.map_run = work
    frame.work = work.key
    _move(frame, Phase.WORKING, event)


def _map_run_succeeded(x: Execution, event: ev.MapRunSucceeded) -> None:
    frame = x.open.pop(event.map_run).frame
    frame.result = event.output
    _move(frame, Phase.SUCCEEDED, event)


def _map_run_failed(x: Execution, event: ev.MapRunFailed) -> None:
    frame = x.open.pop(event.map_run).frame
    frame.error = event.error
    frame.cause = event.cause
    _move(frame, Phase.FAILED, event)


def _map_run_aborted(x: Execution, event: ev.MapRunAborted) -> None:
    x.open.pop(event.map_run).frame.last_id = event.id


_APPLY_MAP_RUN: dict[type[Any], Callable[..., None]] = {
    ev.MapRunStarted: _map_run_started,
    ev.MapRunRedriven: _map_run_redriven,
    ev.MapRunSucceeded: _map_run_succeeded,
    ev.MapRunFailed: _map_run_failed,
    ev.MapRunAborted: _map_run_aborted,
}


_APPLY: dict[type[ev.Event], Callable[..., None]] = {
    ev.ExecutionStarted: _execution_started,
    ev.ExecutionSucceeded: _execution_succeeded,
    ev.ExecutionFailed: _ended_badly("FAILED"),
    ev.ExecutionTimedOut: _ended_badly("TIMED_OUT"),
    ev.ExecutionAborted: _ended_badly("ABORTED"),
    ev.ExecutionRedriven: _execution_redriven,
    ev.ExecutionForked: _execution_forked,
    ev.HeldByDebugger: _held_by_debugger,
    ev.InputReplaced: _input_replaced,
    ev.VariablesReplaced: _variables_replaced,
    ev.StateEntered: _state_entered,
    ev.StateExited: _state_exited,
    ev.TaskScheduled: _task_scheduled,
    ev.TaskScheduleFailed: _task_schedule_failed,
    ev.TaskStarted: _task_started,
    ev.TaskSubmitted: _task_submitted,
    ev.ClockSet: lambda x, event: x.follow_clock(event.by, event.ahead),
    ev.MachineDeleted: _machine_deleted,
    ev.TaskRestarted: _task_restarted,
    ev.TaskHeartbeatReceived: _task_heartbeat,
    ev.TaskSucceeded: _task_succeeded,
    ev.TaskFailed: _task_failed,
    ev.TaskTimedOut: _task_failed,
    ev.WaitScheduled: _wait_scheduled,
    ev.RetryScheduled: _retry_scheduled,
    ev.EvaluationFailed: _evaluation_failed,
    ev.StateAborted: _state_aborted,
    ev.ParallelStateStarted: _parallel_started,
    ev.ParallelStateSucceeded: _outcome_shown,
    ev.ParallelStateFailed: _settled_badly,
    ev.BranchStarted: _child_started,
    ev.BranchSucceeded: _child_succeeded,
    ev.BranchFailed: _child_failed,
    ev.BranchAborted: _child_aborted,
    ev.MapStateStarted: _map_started,
    ev.MapStateSucceeded: _outcome_shown,
    ev.MapStateFailed: _settled_badly,
    ev.MapIterationStarted: _child_started,
    ev.MapIterationSucceeded: _child_succeeded,
    ev.MapIterationFailed: _child_failed,
    ev.MapIterationAborted: _child_aborted,
    **_APPLY_MAP_RUN,
}
