"""What an execution has used of all that AWS charges for, by its log."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.arn import function_name, function_reference, invokes_function, is_activity, is_submitted
from asl_engine.core import events as ev
from asl_engine.costing.transitions import Transitions, transitions_in
from asl_engine.resources.concurrency import THROTTLED
from asl_engine.visits.reading import Attempt, Visit, read_visits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asl_engine.testing.executions import ExecutionLog

__all__ = ["Call", "FunctionFigures", "FunctionTable", "Usage", "usage_of"]

ENDINGS: Final = (ev.TaskSucceeded, ev.TaskFailed, ev.TaskTimedOut)
LANES: Final = (ev.BranchStarted, ev.MapIterationStarted)


class FunctionFigures(NamedTuple):
    """How long a Lambda function takes, in milliseconds, and its memory in MB; None for what is not known."""

    milliseconds: int | None = None
    memory: int | None = None
    arm: bool = False


class FunctionTable(NamedTuple):
    """The figures of functions by name; ``others`` are those of the functions that are not named.

    ``measured``: durations in logs are those of real work, and not of virtual time; ``local``: on this machine.
    """

    named: Mapping[str, FunctionFigures] = {}
    others: FunctionFigures = FunctionFigures()
    measured: bool = True
    local: bool = True

    def figures(self, name: str) -> FunctionFigures:
        return self.named.get(name, self.others)

    def took(self, name: str, seen: int) -> int | None:
        """How long a call takes that took so many milliseconds in the log."""
        given = self.figures(name).milliseconds
        if given is not None:
            return given
        return seen if self.measured or seen else None


class Call(NamedTuple):
    """A call of a Lambda function: how long it takes in milliseconds, None where nobody knows."""

    function: str
    milliseconds: int | None


@dataclass
class Usage:
    """Quantities of one execution.

    ``duration`` is in milliseconds, with the given durations of functions; ``lane_bytes`` the sizes of what
    branches and iterations were given, together.  ``steps`` are attempts at tasks, ``pauses`` waits and delays of
    retries, ``callbacks`` tasks that wait for others, ``contexts`` branches, iterations and their states.
    ``written`` is in bytes: what a durable function would checkpoint.  ``unseen``: what it did is not kept.
    """

    log: ExecutionLog
    transitions: Transitions
    history_events: int
    duration: int
    lane_bytes: int = 0
    steps: int = 0
    pauses: int = 0
    callbacks: int = 0
    contexts: int = 0
    written: int = 0
    calls: list[Call] = field(default_factory=list)
    unseen: bool = False

    @property
    def is_express(self) -> bool:
        return self.log.identity.type == "EXPRESS"

    @property
    def operations(self) -> int:
        """Durable operations: the execution, each attempt at a step, each wait, each callback, each context."""
        return 1 + self.steps + self.pauses + self.callbacks + self.contexts

    @property
    def invocations(self) -> int:
        """How often a durable function is invoked at most: it is left for every wait."""
        return 1 + self.pauses + self.callbacks


def usage_of(log: ExecutionLog, functions: FunctionTable) -> Usage:
    """What one execution used; not what its children did."""
    events, identity = log.events, log.identity
    found = Usage(
        log,
        transitions_in(events),
        history_events=max((event.id for event in events), default=0),
        duration=_took(log) + _added(read_visits(events, {}), functions),
        unseen=identity.type == "EXPRESS" and not any(isinstance(event, ev.StateEntered) for event in events),
    )
    tasks: dict[int, ev.TaskScheduled] = {}
    started: dict[int, int] = {}
    for event in events:
        if isinstance(event, ev.TaskScheduled):
            tasks[event.seq] = event
            found.steps += 1
            found.callbacks += is_submitted(event.resource) or is_activity(event.resource)
        elif isinstance(event, ev.TaskStarted):
            started[event.task] = event.at
        elif isinstance(event, ENDINGS):
            task = tasks[event.task]
            name = called_function(task.resource, task.parameters.value)
            if name is not None and not _is_throttled(event):
                seen = event.at - started.get(event.task, task.at)
                found.calls.append(Call(name, functions.took(name, seen)))
            if isinstance(event, ev.TaskSucceeded):
                found.written += event.output.size
        elif isinstance(event, LANES):
            found.contexts += 1
            found.lane_bytes += event.input.size
        elif isinstance(event, ev.ParallelStateStarted | ev.MapStateStarted):
            found.contexts += 1
        elif isinstance(event, ev.WaitScheduled | ev.RetryScheduled):
            found.pauses += 1
        elif isinstance(event, ev.ExecutionStarted):
            found.written += event.input.size
        elif isinstance(event, ev.ExecutionSucceeded):
            found.written += event.output.size
    return found


def _is_throttled(event: ev.Event) -> bool:
    """Whether a call did not get to its function, and so costs nothing."""
    return isinstance(event, ev.TaskFailed) and event.error == THROTTLED


def _took(log: ExecutionLog) -> int:
    """Milliseconds, without the time between a failure and its redrive, and between an origin and its fork."""
    idle = (ev.ExecutionForked, ev.ExecutionRedriven)
    took = sum(after.at - before.at for before, after in pairwise(log.events) if not isinstance(after, idle))
    last = log.events[-1].at if log.events else log.identity.started_at
    return took + max(0, (log.stopped_at or 0) - last)


def called_function(resource: str, parameters: Any) -> str | None:
    """The name of the Lambda function that a task calls, None where it calls none."""
    name = function_name(resource)
    if name is not None or not invokes_function(resource):
        return name
    given = parameters.get("FunctionName") if isinstance(parameters, dict) else None
    reference = function_reference(given) if isinstance(given, str) else None
    return None if reference is None else reference.name


def _added(visits: Sequence[Visit], functions: FunctionTable) -> int:
    """How many milliseconds longer it takes with the given durations; of lanes side by side, the longest."""
    total = 0
    for visit in visits:
        total += sum(_longer(attempt, functions) for attempt in visit.attempts)
        total += max((_added(lane.visits, functions) for lane in visit.lanes), default=0)
    return total


def _longer(attempt: Attempt, functions: FunctionTable) -> int:
    if attempt.parameters is None or attempt.resource is None or attempt.ended is None:
        return 0
    name = called_function(attempt.resource, attempt.parameters.value)
    if name is None:
        return 0
    seen = attempt.ended - (attempt.scheduled if attempt.started is None else attempt.started)
    return (functions.took(name, seen) or 0) - seen
