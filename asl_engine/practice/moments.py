"""What happens in executions, as an operator counts it: they start and end, attempts end, retries are due.

An event names the frame that it happens in, and seldom the state; so this follows which state each frame is in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from asl_engine.core import events as ev
from asl_engine.core.execution import OpenTask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.engine.run import Run

__all__ = ["AttemptEnded", "Following", "Moment", "RetryDue", "RunEnded", "RunStarted"]

MILLISECONDS: Final = 1000
ENDS: Final[dict[type, str]] = {
    ev.ExecutionSucceeded: "SUCCEEDED",
    ev.ExecutionFailed: "FAILED",
    ev.ExecutionTimedOut: "TIMED_OUT",
    ev.ExecutionAborted: "ABORTED",
}
OUTCOMES: Final[dict[type, str]] = {
    ev.TaskSucceeded: "succeeded",
    ev.TaskFailed: "failed",
    ev.TaskTimedOut: "timed_out",
}


class RunStarted(NamedTuple):
    redriven: bool


class RunEnded(NamedTuple):
    """``seconds`` are from its start, whatever was between two redrives included."""

    status: str
    seconds: float
    error: str | None = None
    cause: str | None = None


class AttemptEnded(NamedTuple):
    """``seconds`` are from when the attempt was scheduled; ``outcome`` is succeeded, failed or timed_out."""

    state: str
    outcome: str
    seconds: float
    error: str | None = None
    cause: str | None = None


class RetryDue(NamedTuple):
    """The state will try again, so many ``seconds`` later."""

    state: str
    seconds: float


Moment: TypeAlias = RunStarted | RunEnded | AttemptEnded | RetryDue


class _Open:
    """The state that each frame of an execution is in, and when its open tasks were scheduled."""

    __slots__ = ("states", "tasks")

    def __init__(self, run: Run) -> None:
        self.states = {number: frame.state for number, frame in run.execution.frames.items()}
        self.tasks = {
            work.key: (work.frame.state, work.frame.entered_at)
            for work in run.execution.open.values()
            if isinstance(work, OpenTask)
        }


class Following:
    """Follows executions by the events that are told of them, from whichever event on."""

    def __init__(self) -> None:
        self._open: dict[str, _Open] = {}

    def moments(self, run: Run, events: list[ev.Event]) -> Iterator[Moment]:
        """What the events, which have just been stored, mean."""
        there = self._open.get(run.arn)
        if there is None:  # it is new, or was resumed: what it has begun before is in it
            there = self._open[run.arn] = _Open(run)
        for event in events:
            yield from _moments(run, there, event)
        if run.execution.status != "RUNNING":
            self._open.pop(run.arn, None)


def _moments(run: Run, there: _Open, event: ev.Event) -> Iterator[Moment]:
    kind = type(event)
    if isinstance(event, ev.StateEntered):
        there.states[event.frame] = event.name
    elif isinstance(event, ev.TaskScheduled):
        there.tasks[event.seq] = (there.states.get(event.frame, ""), event.at)
    elif isinstance(event, ev.TaskSucceeded | ev.TaskFailed | ev.TaskTimedOut):
        state, began = there.tasks.pop(event.task, (there.states.get(event.frame, ""), event.at))
        error, cause = (None, None) if isinstance(event, ev.TaskSucceeded) else (event.error, event.cause)
        yield AttemptEnded(state, OUTCOMES[kind], (event.at - began) / MILLISECONDS, error, cause)
    elif isinstance(event, ev.RetryScheduled):
        yield RetryDue(there.states.get(event.frame, ""), (event.due - event.at) / MILLISECONDS)
    elif isinstance(event, ev.ExecutionStarted | ev.ExecutionRedriven):
        yield RunStarted(redriven=isinstance(event, ev.ExecutionRedriven))
    elif kind in ENDS:
        seconds = (event.at - run.execution.identity.started_at) / MILLISECONDS
        yield RunEnded(ENDS[kind], seconds, getattr(event, "error", None), getattr(event, "cause", None))
