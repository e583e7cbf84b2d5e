"""The state of one execution, as its events have made it.

``apply`` is the only mutator and takes no decision: fold the log and you have the execution as it stood,
which is recovery, replay and time travel at once.  The aggregate is mutable on purpose: copying frames
at every event would make a Map quadratic.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from asl_engine.arn import is_express, unlabelled
from asl_engine.core.frames import (
    RUNNABLE,
    Frame,
    OpenMapRun,
    OpenTask,
    OpenTimer,
    Phase,
)

if TYPE_CHECKING:
    from asl_engine.payload import Payload

__all__ = [
    "RUNNABLE",
    "Execution",
    "Frame",
    "Identity",
    "OpenMapRun",
    "OpenTask",
    "OpenTimer",
    "OpenWork",
    "Phase",
    "Status",
]

Status: TypeAlias = Literal["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]

OpenWork: TypeAlias = OpenTask | OpenTimer | OpenMapRun
# How many client tokens are remembered (RedriveExecution's documentation of clientToken).
REDRIVES_REMEMBERED = 10
# When what has been assigned is more than this, it is counted what there is: as much as AWS allows.
RECOUNT_BYTES = 10_485_760


class Identity(NamedTuple):
    """Who an execution is; given when it is created and never changed.

    ``started_at`` is in milliseconds since the epoch.  ``version_arn`` and ``alias_arn`` are the state
    machine's version and alias that it was started through, None where it was the machine itself.
    """

    arn: str
    name: str
    machine_arn: str
    machine_name: str
    role_arn: str
    started_at: int
    version_arn: str | None = None
    alias_arn: str | None = None

    @property
    def type(self) -> Literal["STANDARD", "EXPRESS"]:
        """That of its state machine, or for a Map Run's child the ExecutionType of the Map state."""
        return "EXPRESS" if is_express(self.arn) else "STANDARD"

    @property
    def map_run(self) -> str | None:
        """The label of the Map state whose Map Run started it; None where no Map Run did."""
        return unlabelled(self.machine_name)[1]


class Execution:
    """An execution as of its event number ``seq``.

    ``root`` is what an execution that did not succeed can be redriven from, with all below it.  ``redriven_at``
    is the moment of the last redrive (milliseconds, None if never), ``redrives`` those of the last ones by the
    client's token.  ``boundary`` is the history id of the last event of no frame: an end or a redrive.
    ``machine_deleted``: the state machine is no more, and no further state is entered.
    ``ahead`` is how far ``at`` is ahead of the wall clock, in milliseconds: more than 0 once that was set back.
    ``shifted`` is how far the wall clock was set since the start, back and forth; TimeoutSeconds count from
    ``timed_from``, plus ``shifted``.
    ``deaths`` counts the processes that died while a task of a state ran, by the state's name.
    ``origin`` is the ARN of the execution that it is a fork of, None of none.
    ``assigned_bytes`` is the most that all variables can have together, until it is counted at ``recount_at``.
    """

    __slots__ = (
        "ahead",
        "assigned_bytes",
        "at",
        "boundary",
        "cause",
        "deaths",
        "error",
        "frames",
        "history_length",
        "identity",
        "input",
        "machine_deleted",
        "open",
        "origin",
        "output",
        "recount_at",
        "redrive_count",
        "redriven_at",
        "redrives",
        "root",
        "salt",
        "seq",
        "shifted",
        "status",
        "stopped_at",
        "timed_from",
    )

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.seq = 0
        self.at = 0
        self.ahead = 0
        self.shifted = 0
        self.timed_from = identity.started_at
        self.history_length = 0
        self.status: Status = "RUNNING"
        self.salt = ""
        self.input: Payload | None = None
        self.origin: str | None = None
        self.output: Payload | None = None
        self.error: str | None = None
        self.cause: str | None = None
        self.stopped_at: int | None = None
        self.frames: dict[int, Frame] = {}
        self.open: dict[int, OpenWork] = {}
        self.root: Frame | None = None
        self.redrive_count = 0
        self.redriven_at: int | None = None
        self.assigned_bytes = 0
        self.recount_at = RECOUNT_BYTES
        self.boundary = 0
        self.machine_deleted = False
        self.redrives: dict[str, int] = {}
        self.deaths: dict[str, int] = {}

    @property
    def id(self) -> str:
        """What no other execution has, even of the same name: nothing of the salt can be told from it."""
        return blake2b(self.salt.encode(), digest_size=16).hexdigest() if self.salt else ""

    def follow_clock(self, by: int, ahead: int) -> None:
        """The wall clock was set: see ``ClockSet``."""
        self.ahead = ahead
        self.shifted += by
        for work in list(self.open.values()):
            if isinstance(work, OpenTask):
                work.shift(by)
            elif isinstance(work, OpenTimer) and not work.absolute:
                self.open[work.key] = work._replace(due=work.due + by)
