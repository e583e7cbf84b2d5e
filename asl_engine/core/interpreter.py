"""The pure heart: what follows from a stimulus.

``advance`` takes an execution and something that happened outside, and answers with the events that
follow; it has applied them already.  It loops along the states and never recurses, reads no clock and
no randomness, and stops where every frame waits for the world.  No events means that the stimulus came
late or twice and is to be ignored.
"""

from __future__ import annotations

from heapq import heappop
from typing import TYPE_CHECKING

from asl_engine.core import events as ev
from asl_engine.core.decision import HistoryFull, Turn, abort_map_runs
from asl_engine.core.execution import RUNNABLE, OpenMapRun, OpenTask, Phase
from asl_engine.core.redrive import not_redrivable
from asl_engine.core.stimuli import (
    Heartbeat,
    MapRunReported,
    RedriveRequested,
    Resumed,
    Started,
    Stimulus,
    StopRequested,
    SubmissionReported,
    TaskReported,
    TimerReported,
    WorkerReported,
)
from asl_engine.errors import MISSED_HEARTBEAT, EvaluationError, QueryFailure, StatesError
from asl_engine.json_text import TooDeep
from asl_engine.limits import AWS_LIMITS, Limits
from asl_engine.payload import Payload

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.core.execution import Execution
    from asl_engine.core.machine import StateMachine
    from asl_engine.core.state import State

__all__ = [
    "MACHINE_TIMER",
    "Heartbeat",
    "MapRunReported",
    "RedriveRequested",
    "Resumed",
    "Started",
    "Stimulus",
    "StopRequested",
    "SubmissionReported",
    "TaskReported",
    "TimerReported",
    "WorkerReported",
    "advance",
    "lifetime_end",
    "machine_deadline",
]

# The key of the timer that ends the execution: the sequence number of its ExecutionStarted event.
MACHINE_TIMER = 1
# A loop without a task or a wait would never let go: after so many events the shell stores them and
# comes back with Resumed.
MAX_TURN_EVENTS = 5_000


def any_activity(resource: str) -> bool:
    """The world in which every activity exists."""
    del resource
    return True


def advance(
    machine: StateMachine,
    execution: Execution,
    stimulus: Stimulus,
    limits: Limits = AWS_LIMITS,
    activity_exists: Callable[[str], bool] = any_activity,
    *,
    make_turn: Callable[[Execution, int, Limits, Callable[[str], bool]], Turn] = Turn,
) -> list[ev.Event]:
    """The events that follow from ``stimulus``, already applied to ``execution``.

    ``activity_exists`` says whether a task can be scheduled for the activity of this ARN; ``make_turn`` is
    for a turn that lets expressions see something else.
    Where storing them fails, the execution is to be thrown away and read again.
    """
    if execution.status != "RUNNING" and type(stimulus) is not RedriveRequested:
        return []
    # A clock that was set back does not make events older than those before them.
    turn = make_turn(execution, max(stimulus.at, execution.at), limits, activity_exists)
    try:
        _TAKE[type(stimulus)](turn, machine, stimulus)
        if turn.events:
            turn.wake(turn.frame)
        settle(turn, machine)
        if not turn.ready and is_full(execution, limits):
            raise HistoryFull  # whatever it waits for could not be shown any more
    except HistoryFull:
        turn.frame = execution.frames[0]
        cause = f"The execution reached the maximum number of history events ({limits.history_events})."
        turn.fail("States.Runtime", cause)
    return turn.events


def is_full(execution: Execution, limits: Limits) -> bool:
    """Whether the history of a running execution has room for its end only."""
    room = limits.history_events
    return room is not None and execution.status == "RUNNING" and execution.history_length >= room - 1


def settle(turn: Turn, machine: StateMachine) -> None:
    """Take every ready frame as far as it gets without the world, or until the turn is long enough."""
    ready = turn.ready
    frames = turn.execution.frames  # emptied when the execution ends
    while ready:
        frame = frames.get(ready[0])
        if frame is None or frame.phase not in RUNNABLE:
            heappop(ready)
        elif len(turn.events) >= MAX_TURN_EVENTS:
            return
        else:
            turn.frame = frame
            _STEP[frame.phase](turn, machine)


# -- what a stimulus means --------------------------------------------------------------------------


def start(turn: Turn, machine: StateMachine, stimulus: Started) -> None:
    del machine
    if turn.execution.seq == 0:
        turn.begin(own(stimulus.input), stimulus.salt)


def own(payload: Payload) -> Payload:
    """The execution's own copy: another execution may be given the same payload, and stores it elsewhere."""
    return Payload.of_text(payload.text)


def resume(turn: Turn, machine: StateMachine, stimulus: Resumed) -> None:
    """Every frame that the log has left able to go on does so."""
    del machine
    x = turn.execution
    for work in x.open.values() if stimulus.restarted else ():
        if isinstance(work, OpenTask) and begins_anew(work):
            turn.frame = work.frame
            turn.emit_internal(ev.TaskRestarted, work.key)
    for frame in x.frames.values():
        turn.wake(frame)


def begins_anew(task: OpenTask) -> bool:
    """Whether a task's timeouts, or its heartbeats, are counted from now on when its process was replaced."""
    due = task.heartbeat_due if task.is_outside else task.due
    return task.started and due is not None


def stop(turn: Turn, machine: StateMachine, stimulus: StopRequested) -> None:
    del machine
    abort_map_runs(turn)
    turn.frame = turn.execution.frames[0]
    turn.emit_end(ev.ExecutionAborted, stimulus.error, stimulus.cause)


def redrive(turn: Turn, machine: StateMachine, stimulus: RedriveRequested) -> None:
    """Every frame that had not succeeded goes on from the state it was in."""
    del machine
    x = turn.execution
    if not_redrivable(x, turn.at, turn.limits) is None:
        turn.frame = x.root or x.frames[0]
        turn.emit_end(ev.ExecutionRedriven, x.redrive_count + 1, stimulus.token)
        for frame in x.frames.values():
            turn.wake(frame)


def open_task(turn: Turn, key: int) -> OpenTask | None:
    task = turn.execution.open.get(key)
    return task if isinstance(task, OpenTask) and task.started else None


def report(turn: Turn, machine: StateMachine, stimulus: TaskReported) -> None:
    del machine
    task = open_task(turn, stimulus.task)
    if task is None:
        return
    turn.frame = task.frame
    if timeout_of(task, turn.at) is not None:  # the answer comes too late, whichever was noticed first
        turn.emit(ev.TaskTimedOut, task.key, timeout_of(task, turn.at), None)
        return
    if stimulus.output is None:
        turn.emit(ev.TaskFailed, task.key, *turn.cut(stimulus.error, stimulus.cause))
        return
    try:
        turn.within_limit(stimulus.output)
    except StatesError as too_large:
        turn.emit(ev.TaskFailed, task.key, too_large.error, too_large.cause)
    else:
        turn.emit(ev.TaskSucceeded, task.key, own(stimulus.output))


def submit(turn: Turn, machine: StateMachine, stimulus: SubmissionReported) -> None:
    del machine
    task = open_task(turn, stimulus.task)
    if task is None or task.submitted is not None:
        return
    turn.frame = task.frame
    try:
        turn.within_limit(stimulus.output)
    except StatesError as too_large:
        turn.emit(ev.TaskFailed, task.key, too_large.error, too_large.cause)
    else:
        turn.emit(ev.TaskSubmitted, task.key, own(stimulus.output))


def take(turn: Turn, machine: StateMachine, stimulus: WorkerReported) -> None:
    del machine
    task = turn.execution.open.get(stimulus.task)
    if not isinstance(task, OpenTask) or task.started or not task.is_activity:
        return
    turn.frame = task.frame
    if timeout_of(task, turn.at) is not None:
        turn.emit(ev.TaskTimedOut, task.key, timeout_of(task, turn.at), None)
    else:
        turn.emit(ev.TaskStarted, task.key, stimulus.worker)


def report_map_run(turn: Turn, machine: StateMachine, stimulus: MapRunReported) -> None:
    del machine
    work = turn.execution.open.get(stimulus.map_run)
    if not isinstance(work, OpenMapRun):
        return
    turn.frame = work.frame
    error, cause = stimulus.error, stimulus.cause
    if stimulus.output is not None:
        try:
            turn.within_limit(stimulus.output)
        except StatesError as too_large:
            error, cause = too_large.error, too_large.cause
        else:
            turn.emit(ev.MapRunSucceeded, work.key, own(stimulus.output))
            return
    turn.emit(ev.MapRunFailed, work.key, *turn.cut(error, cause))


def timeout_of(task: OpenTask, at: int) -> str | None:
    """The error of a task that has run, or been silent, for too long; None for one that has not."""
    if task.timeout_due is not None and at >= task.timeout_due:
        return "States.Timeout"
    if task.heartbeat_due is not None and at >= task.heartbeat_due:
        return MISSED_HEARTBEAT
    return None


def beat(turn: Turn, machine: StateMachine, stimulus: Heartbeat) -> None:
    del machine
    task = open_task(turn, stimulus.task)
    if task is None:
        return
    turn.frame = task.frame
    error = timeout_of(task, turn.at if stimulus.heard is None else stimulus.heard)
    if error is not None:
        turn.emit(ev.TaskTimedOut, task.key, error, None)
    elif task.heartbeat is not None:
        turn.emit_internal(ev.TaskHeartbeatReceived, task.key, stimulus.heard)


def fire(turn: Turn, machine: StateMachine, stimulus: TimerReported) -> None:
    x = turn.execution
    if stimulus.timer == MACHINE_TIMER:
        deadlines = (machine_deadline(machine, x), lifetime_end(x, turn.limits))
        if any(deadline is not None and turn.at >= deadline for deadline in deadlines):
            abort_map_runs(turn)
            turn.frame = x.frames[0]
            turn.emit_end(ev.ExecutionTimedOut, "States.Timeout", None)
        return
    work = x.open.get(stimulus.timer)
    if work is None or work.due is None or turn.at < work.due:
        return
    turn.frame = frame = work.frame
    if isinstance(work, OpenTask):
        turn.emit(ev.TaskTimedOut, work.key, timeout_of(work, turn.at), None)
    else:
        state = machine.states[frame.state]
        guarded(turn, state, state.waited if frame.phase is Phase.WAITING else state.enter)


def machine_deadline(machine: StateMachine, execution: Execution) -> int | None:
    """When TimeoutSeconds end the execution, in milliseconds since the epoch.  A redrive counts them anew."""
    if machine.timeout is None:
        return None
    began = execution.identity.started_at if execution.redriven_at is None else execution.redriven_at
    return began + machine.timeout * 1000


def lifetime_end(execution: Execution, limits: Limits) -> int | None:
    """When the service ends every execution, in milliseconds since the epoch; None without that limit."""
    who = execution.identity
    seconds = limits.express_seconds if who.type == "EXPRESS" else limits.execution_seconds
    return None if seconds is None else who.started_at + seconds * 1000


_TAKE: dict[type[Stimulus], Callable[..., None]] = {
    Started: start,
    TaskReported: report,
    SubmissionReported: submit,
    WorkerReported: take,
    MapRunReported: report_map_run,
    Heartbeat: beat,
    TimerReported: fire,
    StopRequested: stop,
    RedriveRequested: redrive,
    Resumed: resume,
}


# -- what a frame does next, by its phase -------------------------------------------------------------


def enter_next(turn: Turn, machine: StateMachine) -> None:
    frame = turn.frame
    state = machine.states[frame.next or machine.start_at]
    given = Payload(frame.input.value) if state.rewrites_input else frame.input
    turn.emit(ev.StateEntered, state.name, state.type, given)


def end(turn: Turn, machine: StateMachine) -> None:
    del machine
    frame, parent = turn.frame, turn.frame.parent
    if parent is None:
        turn.emit_end(ev.ExecutionSucceeded, frame.input)
        return
    if parent.type == "Map":
        turn.emit(ev.MapIterationSucceeded, parent.state, frame.index)
    else:
        turn.emit_internal(ev.BranchSucceeded)
    turn.wake(parent)


def begin_work(turn: Turn, machine: StateMachine) -> None:
    state = machine.states[turn.frame.state]
    guarded(turn, state, state.enter)


def start_work(turn: Turn, machine: StateMachine) -> None:
    state = machine.states[turn.frame.state]
    guarded(turn, state, state.scheduled)


def fork_work(turn: Turn, machine: StateMachine) -> None:
    state = machine.states[turn.frame.state]
    guarded(turn, state, state.fork)


def handle_result(turn: Turn, machine: StateMachine) -> None:
    state = machine.states[turn.frame.state]
    guarded(turn, state, state.succeeded)


def handle_failure(turn: Turn, machine: StateMachine) -> None:
    frame = turn.frame
    recover_or_fail(turn, machine.states[frame.state], StatesError(frame.error, frame.cause))


def guarded(turn: Turn, state: State, act: Callable[[Turn], None]) -> None:
    """Let the frame's state act; what it raises is a failure of that state."""
    turn.takes_token = state.takes_token
    try:
        act(turn)
    except StatesError as error:
        if error.location is None:
            recover_or_fail(turn, state, error)
        else:
            evaluation_failed(turn, error, error.location)
    except QueryFailure as error:
        evaluation_failed(turn, turn.failure(error.detail, error.error), error.location)
    except EvaluationError as error:
        recover_or_fail(turn, state, turn.failure(error.detail, error.error))
    except RecursionError:
        recover_or_fail(turn, state, turn.failure(str(TooDeep())))


def evaluation_failed(turn: Turn, failure: StatesError, location: str | None) -> None:
    """Show a JSONata field's failure in the history; handling it is the frame's next step."""
    frame = turn.frame
    # Recorded from AWS: what fails as the state is entered follows from what the entry followed from, but
    # for Wait, whose fields are looked at a step later.
    entered = frame.entered_id
    as_entered = frame.last_id == entered > turn.execution.boundary and frame.type != "Wait"
    fields = (frame.state, *turn.cut(failure.error, failure.cause), location)
    turn.emit(ev.EvaluationFailed, *fields, previous=frame.entered_from if as_entered else None)


def recover_or_fail(turn: Turn, state: State, error: StatesError) -> None:
    """Retry, Catch or fail."""
    turn.takes_token = state.takes_token
    try:
        state.failed(turn, error.error, error.cause)
    except StatesError as second:  # the catcher itself cannot be followed
        turn.fail(second.error, second.cause)
    except EvaluationError as second:
        failure = turn.failure(second.detail, second.error)
        turn.fail(failure.error, failure.cause)


_STEP: dict[Phase, Callable[[Turn, StateMachine], None]] = {
    Phase.NEXT: enter_next,
    Phase.ENTERED: begin_work,
    Phase.SCHEDULED: start_work,
    Phase.FORKING: fork_work,
    Phase.SUCCEEDED: handle_result,
    Phase.FAILED: handle_failure,
    Phase.ENDED: end,
}
