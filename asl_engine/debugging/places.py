"""Where an execution can be looked at: before a state, at the end of a path, at an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from asl_engine.core import events as ev
from asl_engine.core.execution import Phase
from asl_engine.core.frames import BETWEEN_STATES
from asl_engine.errors import shown_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from asl_engine.core.execution import Execution, Frame
    from asl_engine.core.machine import StateMachine
    from asl_engine.json_values import Json
    from asl_engine.payload import Payload

__all__ = [
    "Failure",
    "FreshStart",
    "Kind",
    "Standpoint",
    "Thread",
    "View",
    "chain",
    "frame_title",
    "leaves",
    "recorded_places",
    "somewhere",
]

# Before a state that is entered next; at the end of a path whose last state was left; at an error that has not
# been handled; at a state whose work is under way; behind the end of the execution.
Kind: TypeAlias = Literal["before", "end", "error", "within", "ended"]


class Failure(NamedTuple):
    error: str | None
    cause: str | None


class Standpoint(NamedTuple):
    """What a frame of an execution is about to do after its first ``seq`` events."""

    execution: str
    seq: int
    frame: int
    kind: Kind
    failure: Failure | None = None


class FreshStart(NamedTuple):
    """The execution that a session begins with, and that a restart begins again."""

    machine_name: str
    name: str
    input: Payload


class Thread(NamedTuple):
    """A path that an execution is on: a branch, an iteration, or the execution itself."""

    execution: str
    frame: int

    @classmethod
    def of(cls, place: Standpoint) -> Thread:
        return cls(place.execution, place.frame)


class View(NamedTuple):
    """An execution as it stands at a place.  ``live``: it can go on from here; else it is a past of it."""

    machine: StateMachine
    execution: Execution
    place: Standpoint
    live: bool

    @property
    def frame(self) -> Frame | None:
        """None where the execution has ended."""
        return self.execution.frames.get(self.place.frame)

    @property
    def state(self) -> str:
        """The state that is entered next, or that the frame is in or has left last; "" for none."""
        frame = self.frame
        if frame is None:
            return ""
        if self.place.kind == "before":
            return frame.next or self.machine.start_at
        return frame.state or self.machine.start_at

    @property
    def left(self) -> str:
        """The state that the frame has just left, "" for none."""
        frame = self.frame
        return "" if frame is None or frame.phase not in BETWEEN_STATES else frame.state

    @property
    def data(self) -> Payload | None:
        """The state's input; at the end of a path its output; None where there is none."""
        frame = self.frame
        return self.execution.output if frame is None else frame.input

    @property
    def variables(self) -> dict[str, Json]:
        frame = self.frame
        return {} if frame is None else dict(frame.variables)

    @property
    def can_be_edited(self) -> bool:
        return self.place.kind in {"before", "end"}


def chain(frame: Frame | None) -> Iterator[Frame]:
    """The frame, and those around it, the innermost first."""
    while frame is not None:
        yield frame
        frame = frame.parent


def frame_title(frame: Frame) -> str:
    """``iteration 2 of ShipItems``; "" for the execution's own frame."""
    if frame.parent is None:
        return ""
    kind = "iteration" if frame.parent.type == "Map" else "branch"
    return f"{kind} {frame.index} of {frame.parent.state}"


def kind_of(frame: Frame) -> Kind:
    if frame.phase is Phase.NEXT:
        return "before"
    if frame.phase is Phase.ENDED:
        return "end"
    return "error" if frame.phase is Phase.FAILED else "within"


def leaves(execution: Execution) -> list[Frame]:
    """The frames that no other is within: each is a thread."""
    around = {frame.parent.id for frame in execution.frames.values() if frame.parent is not None}
    return [frame for frame in execution.frames.values() if frame.id not in around]


def somewhere(executions: Iterable[Execution]) -> Standpoint | None:
    """Where to look at executions that were stopped wherever they were; None where all have ended."""
    for one in executions:
        for frame in leaves(one):
            return Standpoint(one.identity.arn, one.seq, frame.id, kind_of(frame))
    return None


def recorded_places(arn: str, events: Sequence[ev.Event]) -> list[Standpoint]:
    """The places that a log goes through, in its order."""
    parents: dict[int, int] = {}
    failed: dict[int, int] = {}  # by frame, the event that its last failure was told by
    found: list[Standpoint] = []

    def at_error(event: Any, frame: int, seq: int) -> None:
        failed[frame] = event.seq
        found.append(Standpoint(arn, seq, frame, "error", Failure(shown_error(event.error), event.cause)))

    for event in events:
        if isinstance(event, ev.StateEntered):
            failed.pop(event.frame, None)
            found.append(Standpoint(arn, event.seq - 1, event.frame, "before"))
        elif isinstance(event, ev.BranchStarted | ev.MapIterationStarted):
            parents[event.seq] = event.frame
        elif isinstance(event, _FAILED):
            at_error(event, event.frame, event.seq)
        elif isinstance(event, ev.BranchFailed | ev.MapIterationFailed):
            if event.frame not in failed:
                at_error(event, event.frame, event.seq - 1)
            at_error(event, parents[event.frame], event.seq)
        elif isinstance(event, ev.ExecutionFailed):
            if event.frame not in failed:
                at_error(event, event.frame, event.seq - 1)
        elif isinstance(event, _SUCCEEDED):
            found.append(Standpoint(arn, event.seq - 1, event.frame, "end"))
    if events and isinstance(events[-1], _ENDED):
        failure = getattr(events[-1], "error", None), getattr(events[-1], "cause", None)
        told = Failure(*failure) if any(failure) else None
        found.append(Standpoint(arn, events[-1].seq, 0, "ended", told))
    return found


_FAILED = (ev.TaskFailed, ev.TaskTimedOut, ev.TaskScheduleFailed, ev.EvaluationFailed, ev.MapRunFailed)
_SUCCEEDED = (ev.BranchSucceeded, ev.MapIterationSucceeded, ev.ExecutionSucceeded)
_ENDED = (ev.ExecutionSucceeded, ev.ExecutionFailed, ev.ExecutionTimedOut, ev.ExecutionAborted)
