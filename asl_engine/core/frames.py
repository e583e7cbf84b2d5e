"""What an execution is made of between two events: frames, and the work they wait for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, auto
from typing import TYPE_CHECKING, NamedTuple

from asl_engine.arn import is_activity
from asl_engine.json_text import dumps
from asl_engine.limits import utf8_length

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from asl_engine.json_values import Json
    from asl_engine.payload import Payload

__all__ = [
    "BETWEEN_STATES",
    "RUNNABLE",
    "Fork",
    "Frame",
    "OpenMapRun",
    "OpenTask",
    "OpenTimer",
    "Phase",
    "variables_bytes",
]


class Phase(IntEnum):
    """Where a frame stands between two events.  Those in ``RUNNABLE`` are the interpreter's turn."""

    NEXT = auto()  # a state is to be entered
    ENTERED = auto()  # the state's work is to begin
    SCHEDULED = auto()  # a task, or a Map Run, is to be started
    FORKING = auto()  # branches or iterations are to be started
    SUCCEEDED = auto()  # the work's result is to be handled
    FAILED = auto()  # the work's failure is to be handled
    ENDED = auto()  # the last state has been left
    WORKING = auto()  # a task, or a Map Run, is running
    WAITING = auto()  # a Wait state is waiting
    BACKOFF = auto()  # a retry is waiting
    JOINING = auto()  # branches or iterations are running


BETWEEN_STATES = frozenset({Phase.NEXT, Phase.ENDED})
RUNNABLE = frozenset(
    {Phase.NEXT, Phase.ENTERED, Phase.SCHEDULED, Phase.FORKING, Phase.SUCCEEDED, Phase.FAILED, Phase.ENDED}
)


@dataclass(eq=False, repr=False)
class OpenTask:
    """A task that has been scheduled and has not ended.  Dues in milliseconds, the others in seconds.

    ``role`` is the ARN of the role to call the resource with, None for the execution's own.
    ``submitted`` is the answer to the request that started work elsewhere, None where there is none yet.
    """

    key: int
    frame: Frame
    resource: str
    parameters: Payload
    attempt: int
    timeout: int | None
    heartbeat: int | None
    timeout_due: int | None = None
    heartbeat_due: int | None = None
    started: bool = False
    submitted: Payload | None = None
    role: str | None = None

    def begin_at(self, moment: int) -> None:
        """Recorded from AWS: an activity's time is that of the worker who has taken the task."""
        counts = self.timeout is not None and self.is_taken
        self.timeout_due = moment + (self.timeout or 0) * 1000 if counts else None
        self.beat_at(moment)

    def beat_at(self, moment: int) -> None:
        expected = self.heartbeat is not None and self.is_taken
        self.heartbeat_due = moment + (self.heartbeat or 0) * 1000 if expected else None

    def shift(self, by: int) -> None:
        """The clock was set: seconds are counted on from what it says now."""
        self.timeout_due = None if self.timeout_due is None else self.timeout_due + by
        self.heartbeat_due = None if self.heartbeat_due is None else self.heartbeat_due + by

    @property
    def is_taken(self) -> bool:
        return self.started or not self.is_activity

    @property
    def is_activity(self) -> bool:
        return is_activity(self.resource)

    @property
    def is_outside(self) -> bool:
        """Whether the work goes on without the process that drives the execution."""
        return self.submitted is not None or self.is_activity

    @property
    def due(self) -> int | None:
        """The next moment at which this task times out, in one way or the other."""
        dues = [due for due in (self.timeout_due, self.heartbeat_due) if due is not None]
        return min(dues) if dues else None


class OpenTimer(NamedTuple):
    """A wait or a retry that has not come due.  ``absolute``: the definition or the input names that moment."""

    key: int
    frame: Frame
    due: int
    absolute: bool = False


class OpenMapRun(NamedTuple):
    """A Map Run that has not ended.  ``items`` are those of the state's input, empty where they are read.

    ``follows`` is the history id that it, and its redrives, follow from.
    """

    key: int
    frame: Frame
    arn: str
    parameters: Payload
    items: Payload
    follows: int
    redrives: int = 0
    due: None = None  # no timer of its own
    started: bool = True


class Fork:
    """The branches of a Parallel state, or the iterations of a Map state, that a frame waits for.

    ``results`` holds each one's output at its index, None until there is one.  ``chain`` is the history id
    that the next iteration follows from.  ``fallen`` are those that have failed or were aborted: a redrive
    goes on with them.
    """

    __slots__ = ("chain", "children", "concurrency", "fallen", "items", "results", "started")

    def __init__(self, length: int, concurrency: int, items: Payload | None, chain: int) -> None:
        self.items = items
        self.concurrency = concurrency
        self.started = 0
        self.children: dict[int, Frame] = {}  # those under way, by index
        self.fallen: dict[int, Frame] = {}
        self.results: list[Payload | None] = [None] * length
        self.chain = chain

    @property
    def phase(self) -> Phase:
        """What the frame is to do next, as long as nothing fails."""
        if self.started < len(self.results) and len(self.children) < self.concurrency:
            return Phase.FORKING
        return Phase.JOINING if self.children else Phase.SUCCEEDED


class Frame:
    """One path through the states of a machine: the execution itself, a branch or an iteration.

    ``next`` is the state to enter, None for the machine's first; ``item`` what the iteration is for.
    ``work`` is the key of the open task, timer or Map Run, ``retries`` counts the tries of each Retry entry.
    ``items`` are those that a Map Run is about to be started for; ``map_run`` is the state's, to be redriven.
    ``deaths`` counts the processes that died while a task of the state ran, since the state was entered.
    ``outcome_shown``: the history shows already how the state's work ended (it succeeded, failed or was aborted).
    """

    __slots__ = (
        "cause",
        "deaths",
        "entered_at",
        "entered_from",
        "entered_id",
        "error",
        "fork",
        "id",
        "index",
        "input",
        "items",
        "last_id",
        "map_run",
        "next",
        "outcome_shown",
        "parent",
        "phase",
        "result",
        "retries",
        "retry_count",
        "state",
        "type",
        "variables",
        "work",
    )

    def __init__(
        self,
        frame_id: int,
        input: Payload,  # noqa: A002  the specification's own term
        parent: Frame | None = None,
        index: int = 0,
        start_at: str | None = None,
    ) -> None:
        self.id = frame_id
        self.parent = parent
        self.index = index
        self.phase = Phase.NEXT
        self.next = start_at
        self.state = ""
        self.type = ""
        self.input = input
        self.variables: Mapping[str, Json] = {} if parent is None else parent.variables
        self.entered_id = 0
        self.entered_from = 0
        self.entered_at = 0
        self.last_id = 0
        self.retries: dict[int, int] = {}
        self.retry_count = 0
        self.deaths = 0
        self.outcome_shown = False
        self.work = 0
        self.fork: Fork | None = None
        self.items: Payload | None = None
        self.map_run: OpenMapRun | None = None
        self.result: Payload | None = None
        self.error: str | None = None
        self.cause: str | None = None


def variables_bytes(
    frames: Iterable[Frame], setting: Frame | None = None, values: Mapping[str, Json] | None = None
) -> int:
    """The bytes of all variables in all these scopes, once ``values`` are set in ``setting``."""
    return sum(
        utf8_length(dumps(value))
        for frame in frames
        for value in _own(frame, (values or {}) if frame is setting else {})
    )


def _own(frame: Frame, values: Mapping[str, Json]) -> Iterator[Json]:
    """The values of a scope's own variables: those of the scope around it are the same objects."""
    outer: Mapping[str, Json] = {} if frame.parent is None else frame.parent.variables
    for name, value in {**frame.variables, **values}.items():
        if name in values or name not in outer or outer[name] is not value:
            yield value
