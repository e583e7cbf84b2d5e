"""What happens outside of an execution and is told to the core: the other language between core and shell.

A stimulus carries the only time there is, ``at``, in milliseconds since the epoch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from asl_engine.payload import Payload

__all__ = [
    "ClockSetReported",
    "EditRequested",
    "Heartbeat",
    "MachineDeletionReported",
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
]


class Started(NamedTuple):
    """Begin the execution with this input.  ``at``, here and below, is in milliseconds since the epoch.

    ``salt`` is what its task tokens will be signed with: a random text.
    """

    at: int
    input: Payload
    salt: str = ""


class TaskReported(NamedTuple):
    """The task has ended: with an output, or failed with an error."""

    at: int
    task: int
    output: Payload | None = None
    error: str | None = None
    cause: str | None = None


class SubmissionReported(NamedTuple):
    """The task has started work elsewhere; ``output`` is the answer to that request."""

    at: int
    task: int
    output: Payload


class WorkerReported(NamedTuple):
    """A worker has taken the task of an activity."""

    at: int
    task: int
    worker: str | None = None


class MapRunReported(NamedTuple):
    """The Map Run has ended: with an output, or failed with an error."""

    at: int
    map_run: int
    output: Payload | None = None
    error: str | None = None
    cause: str | None = None


class Heartbeat(NamedTuple):
    """The task is alive, or was when it was ``heard``, if that is not now."""

    at: int
    task: int
    heard: int | None = None


class TimerReported(NamedTuple):
    """The time has come that the event ``timer`` had set."""

    at: int
    timer: int


class StopRequested(NamedTuple):
    """Abort the execution."""

    at: int
    error: str | None = None
    cause: str | None = None


class MachineDeletionReported(NamedTuple):
    """The execution's state machine was deleted."""

    at: int


class ClockSetReported(NamedTuple):
    """The wall clock, which says ``at`` now, went forward ``by`` milliseconds at once, or back."""

    at: int
    by: int


class RedriveRequested(NamedTuple):
    """Go on with an execution that has ended unsuccessfully.  ``token`` is the client's, None without one."""

    at: int
    token: str | None = None


class EditRequested(NamedTuple):
    """Give a frame between two states another ``input``, or other ``variables``: an object of all that it has."""

    at: int
    frame: int
    input: Payload | None = None
    variables: Payload | None = None


class Resumed(NamedTuple):
    """Go on from where the log ends.

    ``restarted`` says that the tasks which had been running are gone, ``died`` that they are because their
    process died: it did not leave them in good order.
    """

    at: int
    restarted: bool = False
    died: bool = False


Stimulus: TypeAlias = (
    Started
    | TaskReported
    | SubmissionReported
    | WorkerReported
    | MapRunReported
    | Heartbeat
    | TimerReported
    | StopRequested
    | MachineDeletionReported
    | ClockSetReported
    | RedriveRequested
    | EditRequested
    | Resumed
)
