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
from asl_engine.core.decision import Decision, HistoryFull
from asl_engine.core.editing import edit
from asl_engine.core.execution import OpenMapRun, OpenTask, Phase
from asl_engine.core.failing import abort_map_runs, fail
from asl_engine.core.gate import StepHeld
from asl_engine.core.redrive import not_redrivable
from asl_engine.core.stimuli import (
    ClockSetReported,
    EditRequested,
    Heartbeat,
    MachineDeletionReported,
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

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.core.execution import Execution
    from asl_engine.core.gate import Gate
    from asl_engine.core.machine import StateMachine
    from asl_engine.core.state import State
    from asl_engine.expressions.effort import Effort

__all__ = [
    "MACHINE_TIMER",
    "advance",
    "defect_cause",
    "lifetime_end",
    "machine_deadline",
]

# The key of the timer that ends the execution: the sequence number of its ExecutionStarted event.
MACHINE_TIMER = 1
# A loop without a task or a wait would never let go: after so many events the shell stores them and
# comes back with Resumed.
MAX_DECISION_EVENTS = 5_000
# How often a decision asks for the time: each time for each state makes a loop 4 % slower.
EVENTS_PER_READING = 16


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
    make_decision: Callable[[Execution, int, Limits, Callable[[str], bool]], Decision] = Decision,
    report_defect: Callable[[Exception], None] | None = None,
    effort: Effort | None = None,
    passing: Callable[[], int] | None = None,
    pace: int = EVENTS_PER_READING,
    gate: Gate | None = None,
) -> list[ev.Event]:
    """The events that follow from ``stimulus``, already applied to ``execution``.

    ``activity_exists`` says whether a task can be scheduled for the activity of this ARN; ``make_decision`` is
    for a decision that lets expressions see something else; ``passing`` tells the time as it goes on from
    ``stimulus.at``, and is asked after so many events (``pace``); ``gate`` may hold the execution between two
    steps, until it is resumed.  An exception that nobody here is prepared for
    is a defect of ours: it is reported, and fails the execution; without ``report_defect`` it is raised.
    Where storing the events fails, the execution is to be thrown away and read again.  So it is where ``effort``
    does not suffice for the expressions: that raises ``EffortSpent``.
    """
    if execution.status != "RUNNING" and type(stimulus) is not RedriveRequested:
        return []
    # A stimulus may have waited until later events were made: they do not make this one's older.
    decision = make_decision(execution, max(stimulus.at, execution.at - execution.ahead), limits, activity_exists)
    decision.effort = effort
    decision.passing, decision.pace, decision.look_at = passing, pace, execution.seq + pace
    try:
        _TAKE[type(stimulus)](decision, machine, stimulus)
        if decision.events:
            decision.mark_ready(decision.frame)
        if gate is None:
            run_ready(decision, machine)
        else:
            run_gated(decision, machine, gate)
        if not decision.ready and is_full(decision):
            raise HistoryFull  # whatever it waits for could not be shown any more
    except HistoryFull:
        decision.frame = execution.frames[0]
        cause = f"The execution reached the maximum number of history events ({limits.history_events})."
        fail(decision, "States.Runtime", cause)
    except Exception as defect:
        if report_defect is None or execution.seq == 0:
            raise
        report_defect(defect)
        decision.frame = execution.frames[0]
        fail(decision, "States.Runtime", defect_cause(defect))
    return decision.events


def defect_cause(defect: Exception) -> str:
    """What an execution tells of the defect that has ended it."""
    text = f"{type(defect).__name__}: {defect}".encode("utf-8", "backslashreplace").decode()
    return f"A defect of asl-engine ended the execution. {text}"


def is_full(decision: Decision) -> bool:
    """Whether the history of a running execution has room for its end only."""
    x, room = decision.execution, decision.most
    return room is not None and x.status == "RUNNING" and x.history_length >= room - 1


def run_ready(decision: Decision, machine: StateMachine) -> None:
    """Take every ready frame as far as it gets without the world, or until the decision is long enough."""
    ready = decision.ready
    frames = decision.execution.frames  # emptied when the execution ends
    while ready:
        frame = frames.get(ready[0])
        step = None if frame is None else STEPS.get(frame.phase)
        if frame is None or step is None:
            heappop(ready)
        elif len(decision.events) >= MAX_DECISION_EVENTS:
            return
        else:
            decision.frame = frame
            step(decision, machine)


def run_gated(decision: Decision, machine: StateMachine, gate: Gate) -> None:
    """As ``run_ready``, but the gate is asked before each step."""
    decision.failing = gate.failing
    ready, frames = decision.ready, decision.execution.frames
    while ready and len(decision.events) < MAX_DECISION_EVENTS:
        frame = frames.get(ready[0])
        step = None if frame is None else STEPS.get(frame.phase)
        if frame is None or step is None:
            heappop(ready)
            continue
        decision.frame = frame
        try:
            if not gate.holds(decision, machine):
                step(decision, machine)
                continue
        except StepHeld:
            pass
        decision.frame = frames[0]
        decision.emit_internal(ev.HeldByDebugger)
        return


# -- what a stimulus means --------------------------------------------------------------------------


def start(decision: Decision, machine: StateMachine, stimulus: Started) -> None:
    del machine
    if decision.execution.seq == 0:
        decision.begin(stimulus.input.apart(), stimulus.salt)


def resume(decision: Decision, machine: StateMachine, stimulus: Resumed) -> None:
    """Every frame that the log has left able to go on does so."""
    del machine
    x = decision.execution
    for work in x.open.values() if stimulus.restarted else ():
        if isinstance(work, OpenTask):
            died = stimulus.died and work.started and not work.is_outside
            if died or begins_anew(work):
                decision.frame = work.frame
                decision.emit_internal(ev.TaskRestarted, work.key, died)
    for frame in x.frames.values():
        decision.mark_ready(frame)


def begins_anew(task: OpenTask) -> bool:
    """Whether a task's timeouts, or its heartbeats, are counted from now on when its process was replaced."""
    due = task.heartbeat_due if task.is_outside else task.due
    return task.started and due is not None


def follow_clock(decision: Decision, machine: StateMachine, stimulus: ClockSetReported) -> None:
    """Count seconds on from what the clock says now.

    The events' time goes forward with it, and goes on as before where the clock went back.  It catches up again
    with a clock that goes forward, or that has reached it when the execution is resumed, for which ``by`` is 0.
    """
    del machine
    x = decision.execution
    decision.now = now = max(stimulus.at, x.at - x.ahead + stimulus.by)
    ahead = max(0, x.ahead - stimulus.by if stimulus.by else x.at - now)
    if stimulus.by or ahead != x.ahead:
        decision.at = now + ahead
        decision.frame = x.frames[0]
        decision.emit_internal(ev.ClockSet, stimulus.by, ahead)


def stop(decision: Decision, machine: StateMachine, stimulus: StopRequested) -> None:
    del machine
    abort_map_runs(decision)
    decision.frame = decision.execution.frames[0]
    # Recorded from AWS: it follows from nothing that the execution did.
    decision.emit_end(ev.ExecutionAborted, stimulus.error, stimulus.cause, previous=0)


def delete_machine(decision: Decision, machine: StateMachine, stimulus: MachineDeletionReported) -> None:
    """The work that is under way goes on; the next state is not entered any more."""
    del machine, stimulus
    decision.frame = decision.execution.frames[0]
    if not decision.execution.machine_deleted:
        decision.emit_internal(ev.MachineDeleted)


def redrive(decision: Decision, machine: StateMachine, stimulus: RedriveRequested) -> None:
    """Every frame that had not succeeded goes on from the state it was in."""
    del machine
    x = decision.execution
    if not_redrivable(x, decision.at, decision.limits) is None:
        decision.frame = x.root or x.frames[0]
        decision.emit_end(ev.ExecutionRedriven, x.redrive_count + 1, stimulus.token)
        for frame in x.frames.values():
            decision.mark_ready(frame)


def open_task(decision: Decision, key: int) -> OpenTask | None:
    task = decision.execution.open.get(key)
    return task if isinstance(task, OpenTask) and task.started else None


def report(decision: Decision, machine: StateMachine, stimulus: TaskReported) -> None:
    del machine
    task = open_task(decision, stimulus.task)
    if task is None:
        return
    decision.frame = task.frame
    if timeout_of(task, decision.now) is not None:  # the answer comes too late, whichever was noticed first
        decision.emit(ev.TaskTimedOut, task.key, timeout_of(task, decision.now), None)
        return
    if stimulus.output is None:
        decision.emit(ev.TaskFailed, task.key, *decision.cut(stimulus.error, stimulus.cause))
        return
    try:
        decision.within_limit(stimulus.output)
    except StatesError as too_large:
        decision.emit(ev.TaskFailed, task.key, too_large.error, too_large.cause)
    else:
        decision.emit(ev.TaskSucceeded, task.key, stimulus.output.apart())


def submit(decision: Decision, machine: StateMachine, stimulus: SubmissionReported) -> None:
    del machine
    task = open_task(decision, stimulus.task)
    if task is None or task.submitted is not None:
        return
    decision.frame = task.frame
    try:
        decision.within_limit(stimulus.output)
    except StatesError as too_large:
        decision.emit(ev.TaskFailed, task.key, too_large.error, too_large.cause)
    else:
        decision.emit(ev.TaskSubmitted, task.key, stimulus.output.apart())


def take(decision: Decision, machine: StateMachine, stimulus: WorkerReported) -> None:
    del machine
    task = decision.execution.open.get(stimulus.task)
    if not isinstance(task, OpenTask) or task.started or not task.is_activity:
        return
    decision.frame = task.frame
    if timeout_of(task, decision.now) is not None:
        decision.emit(ev.TaskTimedOut, task.key, timeout_of(task, decision.now), None)
    else:
        decision.emit(ev.TaskStarted, task.key, stimulus.worker)


def report_map_run(decision: Decision, machine: StateMachine, stimulus: MapRunReported) -> None:
    del machine
    work = decision.execution.open.get(stimulus.map_run)
    if not isinstance(work, OpenMapRun):
        return
    decision.frame = work.frame
    error, cause = stimulus.error, stimulus.cause
    if stimulus.output is not None:
        try:
            decision.within_limit(stimulus.output)
        except StatesError as too_large:
            error, cause = too_large.error, too_large.cause
        else:
            decision.emit(ev.MapRunSucceeded, work.key, stimulus.output.apart())
            return
    decision.emit(ev.MapRunFailed, work.key, *decision.cut(error, cause))


def timeout_of(task: OpenTask, at: int) -> str | None:
    """The error of a task that has run, or been silent, for too long; None for one that has not."""
    if task.timeout_due is not None and at >= task.timeout_due:
        return "States.Timeout"
    if task.heartbeat_due is not None and at >= task.heartbeat_due:
        return MISSED_HEARTBEAT
    return None


def beat(decision: Decision, machine: StateMachine, stimulus: Heartbeat) -> None:
    del machine
    task = open_task(decision, stimulus.task)
    if task is None:
        return
    decision.frame = task.frame
    error = timeout_of(task, decision.now if stimulus.heard is None else stimulus.heard)
    if error is not None:
        decision.emit(ev.TaskTimedOut, task.key, error, None)
    elif task.heartbeat is not None:
        decision.emit_internal(ev.TaskHeartbeatReceived, task.key, stimulus.heard)


def fire(decision: Decision, machine: StateMachine, stimulus: TimerReported) -> None:
    x = decision.execution
    if stimulus.timer == MACHINE_TIMER:
        deadlines = (machine_deadline(machine, x), lifetime_end(x, decision.limits))
        if any(deadline is not None and decision.now >= deadline for deadline in deadlines):
            abort_map_runs(decision)
            decision.frame = x.frames[0]
            decision.emit_end(ev.ExecutionTimedOut, "States.Timeout", None)
        return
    work = x.open.get(stimulus.timer)
    if work is None or work.due is None or decision.now < work.due:
        return
    decision.frame = frame = work.frame
    if isinstance(work, OpenTask):
        decision.emit(ev.TaskTimedOut, work.key, timeout_of(work, decision.now), None)
    else:
        state = machine.states[frame.state]
        guarded(decision, state, state.waited if frame.phase is Phase.WAITING else state.enter)


def machine_deadline(machine: StateMachine, execution: Execution) -> int | None:
    """When TimeoutSeconds end the execution, in milliseconds since the epoch.  A redrive counts them anew."""
    if machine.timeout is None:
        return None
    return execution.timed_from + execution.shifted + machine.timeout * 1000


def lifetime_end(execution: Execution, limits: Limits) -> int | None:
    """When the service ends every execution, in milliseconds since the epoch; None without that limit."""
    who = execution.identity
    seconds = limits.express_seconds if who.type == "EXPRESS" else limits.execution_seconds
    return None if seconds is None else who.started_at + execution.shifted + seconds * 1000


_TAKE: dict[type[Stimulus], Callable[..., None]] = {
    Started: start,
    TaskReported: report,
    SubmissionReported: submit,
    WorkerReported: take,
    MapRunReported: report_map_run,
    Heartbeat: beat,
    TimerReported: fire,
    StopRequested: stop,
    MachineDeletionReported: delete_machine,
    ClockSetReported: follow_clock,
    RedriveRequested: redrive,
    EditRequested: edit,
    Resumed: resume,
}


# -- what a frame does next, by its phase -------------------------------------------------------------


def enter_next(decision: Decision, machine: StateMachine) -> None:
    frame = decision.frame
    if decision.execution.machine_deleted:  # in the words that AWS's knowledge center quotes
        name = decision.execution.identity.machine_name
        fail(decision, "States.Runtime", f"State machine {name} has been deleted.")
        return
    state = machine.states[frame.next or machine.start_at]
    if decision.execution.seq >= decision.look_at:
        decision.let_time_pass()
    given = frame.input.compact if state.rewrites_input else frame.input
    decision.emit(ev.StateEntered, state.name, state.type, given)


def end(decision: Decision, machine: StateMachine) -> None:
    del machine
    frame, parent = decision.frame, decision.frame.parent
    if parent is None:
        decision.emit_end(ev.ExecutionSucceeded, frame.input)
        return
    if parent.type == "Map":
        decision.emit(ev.MapIterationSucceeded, parent.state, frame.index)
    else:
        decision.emit_internal(ev.BranchSucceeded)
    decision.mark_ready(parent)


def begin_work(decision: Decision, machine: StateMachine) -> None:
    state = machine.states[decision.frame.state]
    guarded(decision, state, state.enter)


def start_work(decision: Decision, machine: StateMachine) -> None:
    state = machine.states[decision.frame.state]
    guarded(decision, state, state.scheduled)


def fork_work(decision: Decision, machine: StateMachine) -> None:
    state = machine.states[decision.frame.state]
    guarded(decision, state, state.fork)


def handle_result(decision: Decision, machine: StateMachine) -> None:
    state = machine.states[decision.frame.state]
    guarded(decision, state, state.succeeded)


def handle_failure(decision: Decision, machine: StateMachine) -> None:
    frame = decision.frame
    recover_or_fail(decision, machine.states[frame.state], StatesError(frame.error, frame.cause))


def guarded(decision: Decision, state: State, act: Callable[[Decision], None]) -> None:
    """Let the frame's state act; what it raises is a failure of that state."""
    decision.takes_token = state.takes_token
    try:
        act(decision)
    except StatesError as error:
        if error.location is None:
            recover_or_fail(decision, state, error)
        else:
            evaluation_failed(decision, error, error.location)
    except QueryFailure as error:
        evaluation_failed(decision, decision.failure(error.detail, error.error), error.location)
    except EvaluationError as error:
        recover_or_fail(decision, state, decision.failure(error.detail, error.error))
    except RecursionError:
        recover_or_fail(decision, state, decision.failure(str(TooDeep())))


def evaluation_failed(decision: Decision, failure: StatesError, location: str | None) -> None:
    """Show a JSONata field's failure in the history; handling it is the frame's next step."""
    frame = decision.frame
    # Recorded from AWS: what fails as the state is entered follows from what the entry followed from, but
    # for Wait, whose fields are looked at a step later.
    entered = frame.entered_id
    as_entered = frame.last_id == entered > decision.execution.boundary and frame.type != "Wait"
    fields = (frame.state, *decision.cut(failure.error, failure.cause), location)
    decision.emit(ev.EvaluationFailed, *fields, previous=frame.entered_from if as_entered else None)


def recover_or_fail(decision: Decision, state: State, error: StatesError) -> None:
    """Retry, Catch or fail."""
    decision.takes_token = state.takes_token
    if decision.failing is not None:
        decision.failing(decision, error)
    try:
        state.failed(decision, error.error, error.cause)
    except StatesError as second:  # the catcher itself cannot be followed
        fail(decision, second.error, second.cause)
    except EvaluationError as second:
        failure = decision.failure(second.detail, second.error)
        fail(decision, failure.error, failure.cause)


# Whether a frame can go on depends on its phase alone: the others wait for the world.
STEPS: dict[Phase, Callable[[Decision, StateMachine], None]] = {
    Phase.NEXT: enter_next,
    Phase.ENTERED: begin_work,
    Phase.SCHEDULED: start_work,
    Phase.FORKING: fork_work,
    Phase.SUCCEEDED: handle_result,
    Phase.FAILED: handle_failure,
    Phase.ENDED: end,
}
