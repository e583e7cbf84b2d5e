"""Decide a recorded execution again, without calling any task.

Everything that came from outside is in the log: inputs, results, failures, the moments at which timers
fired.  Fed to the same definition, the core must come to the same events; fed to an edited one, the
first event that differs is where the edit would have made itself felt.  What a fork shares with its origin is
its past, and not decided again; what somebody has edited is a fact like any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from asl_engine.core import events as ev
from asl_engine.core.apply import apply, fold, shared
from asl_engine.core.execution import RUNNABLE, Execution, Identity, OpenTimer
from asl_engine.core.interpreter import MACHINE_TIMER, advance
from asl_engine.core.stimuli import (
    ClockSetReported,
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
from asl_engine.limits import AWS_LIMITS, Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from asl_engine.core.decision import Decision
    from asl_engine.core.machine import StateMachine
    from asl_engine.errors import StatesError

__all__ = ["Difference", "as_of", "replay"]

EDITS = (ev.ExecutionForked, ev.InputReplaced, ev.VariablesReplaced)


class Difference(NamedTuple):
    """Where a replay leaves the record: None on one side means that it ends there."""

    recorded: ev.Event | None
    replayed: ev.Event | None


def replay(
    machine: StateMachine, identity: Identity, recorded: Sequence[ev.Event], limits: Limits = AWS_LIMITS
) -> Difference | None:
    """The first difference between the record and what ``machine`` makes of it; None if there is none."""
    position = shared(recorded)
    execution = fold(identity, recorded[:position])
    missing = {event.seq for event in recorded if isinstance(event, ev.TaskScheduleFailed)}

    def activity_exists(_resource: str) -> bool:
        return execution.seq + 1 not in missing

    def passing() -> int:
        """When the next event was recorded: what follows from it was counted from there."""
        at = recorded[execution.seq].at if execution.seq < len(recorded) else 0
        return at - execution.ahead

    gate = _AsRecorded(recorded)
    while position < len(recorded):
        if isinstance(recorded[position], EDITS):
            apply(execution, recorded[position])
            position += 1
            continue
        stimulus = stimulus_before(execution, telling(recorded, position))
        replayed = advance(
            machine,
            execution,
            stimulus,
            limits,
            activity_exists,
            report_defect=_expect_its_failure,
            passing=passing,
            pace=0,
            gate=gate,
        )
        if not replayed:
            return Difference(recorded[position], None)
        for event in replayed:
            before = recorded[position] if position < len(recorded) else None
            if before is None or not same(before, event):
                return Difference(before, event)
            position += 1
    return None


class _AsRecorded:
    """Holds the execution where a debugger has held it."""

    def __init__(self, recorded: Sequence[ev.Event]) -> None:
        self._recorded = recorded

    def holds(self, decision: Decision, machine: StateMachine) -> bool:
        del machine
        following = decision.execution.seq
        return following < len(self._recorded) and isinstance(self._recorded[following], ev.HeldByDebugger)

    def failing(self, decision: Decision, error: StatesError) -> None:
        """What was held there did not fail."""


def _expect_its_failure(_defect: Exception) -> None:
    """The record shows the failure that a defect led to, or else differs from the replay there."""


def as_of(identity: Identity, recorded: Sequence[ev.Event], history_id: int) -> Execution:
    """The execution as it stood when the history event ``history_id`` had happened."""
    last = _seq_of(recorded, history_id)
    return fold(identity, (event for event in recorded if event.seq <= last))


def _seq_of(recorded: Sequence[ev.Event], history_id: int) -> int:
    return next((event.seq for event in recorded if event.id == history_id), 0)


def telling(recorded: Sequence[ev.Event], position: int) -> ev.Event:
    """The event that says why the one at ``position`` has happened: itself, or one of those with it.

    That is another one where a Map Run is aborted, and where several tasks are restarted together: only those
    that the process itself ran say that it died.
    """
    if isinstance(recorded[position], ev.TaskRestarted):
        return next((event for event in _restarted_together(recorded, position) if event.died), recorded[position])
    return next((event for event in recorded[position:] if not isinstance(event, ev.MapRunAborted)), recorded[-1])


def _restarted_together(recorded: Sequence[ev.Event], position: int) -> Iterator[ev.TaskRestarted]:
    """The restarts from ``position`` on that are of one new process: it restarts each task once."""
    seen: set[int] = set()
    for number in range(position, len(recorded)):
        event = recorded[number]
        if not isinstance(event, ev.TaskRestarted) or event.task in seen:
            return
        seen.add(event.task)
        yield event


def stimulus_before(execution: Execution, event: ev.Event) -> Stimulus:
    """What must have come from outside for ``event`` to be the next."""
    known = _stimulus_before(execution, event)
    ahead = execution.ahead  # of the clock, which is what a stimulus has
    if isinstance(event, ev.ClockSet):
        ahead = event.ahead
    return known._replace(at=known.at - ahead) if ahead else known


def _stimulus_before(execution: Execution, event: ev.Event) -> Stimulus:
    if isinstance(event, ev.TaskStarted) and execution.frames[event.frame].phase not in RUNNABLE:
        return WorkerReported(event.at, event.task, event.worker)  # an activity's task: the others just go on
    known = _STIMULUS.get(type(event))
    if known is not None:
        return known(event)
    frame = execution.frames.get(event.frame)
    timer = None if frame is None else execution.open.get(frame.work)
    if isinstance(timer, OpenTimer):
        return TimerReported(event.at, timer.key)
    return Resumed(event.at)


def same(one: ev.Event, other: ev.Event) -> bool:
    """Equal but for the moment: an interrupted decision is taken in two parts, at two moments."""
    return type(one) is type(other) and one._replace(at=0) == other._replace(at=0)


def _started(event: ev.ExecutionStarted) -> Stimulus:
    return Started(event.at, event.input, event.salt)


def _succeeded(event: ev.TaskSucceeded) -> Stimulus:
    return TaskReported(event.at, event.task, event.output)


def _failed(event: ev.TaskFailed) -> Stimulus:
    return TaskReported(event.at, event.task, None, event.error, event.cause)


def _submitted(event: ev.TaskSubmitted) -> Stimulus:
    return SubmissionReported(event.at, event.task, event.output)


def _map_run_succeeded(event: ev.MapRunSucceeded) -> Stimulus:
    return MapRunReported(event.at, event.map_run, event.output)


def _map_run_failed(event: ev.MapRunFailed) -> Stimulus:
    return MapRunReported(event.at, event.map_run, None, event.error, event.cause)


def _aborted(event: ev.ExecutionAborted) -> Stimulus:
    return StopRequested(event.at, event.error, event.cause)


_STIMULUS: dict[type[ev.Event], Callable[..., Stimulus]] = {
    ev.ExecutionStarted: _started,
    ev.TaskSucceeded: _succeeded,
    ev.TaskFailed: _failed,
    ev.TaskSubmitted: _submitted,
    ev.MapRunSucceeded: _map_run_succeeded,
    ev.MapRunFailed: _map_run_failed,
    ev.TaskTimedOut: lambda event: TimerReported(event.at, event.task),
    ev.TaskHeartbeatReceived: lambda event: Heartbeat(event.at, event.task, event.heard),
    ev.TaskRestarted: lambda event: Resumed(event.at, restarted=True, died=event.died),
    ev.ClockSet: lambda event: ClockSetReported(event.at, event.by),
    ev.MachineDeleted: lambda event: MachineDeletionReported(event.at),
    ev.ExecutionTimedOut: lambda event: TimerReported(event.at, MACHINE_TIMER),
    ev.ExecutionAborted: _aborted,
    ev.ExecutionRedriven: lambda event: RedriveRequested(event.at, event.token),
}
