"""What a store returns: records of executions, state machines, activities and Map Runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, TypedDict

from asl_engine.arn import qualified_arn
from asl_engine.store.run_options import NO_OPTIONS, RunOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asl_engine.core.events import Event
    from asl_engine.core.execution import Identity, Status
    from asl_engine.json_values import Json


__all__ = [
    "ActivityRecord",
    "AliasRecord",
    "Child",
    "Driver",
    "ExecutionSearch",
    "FoundExecution",
    "MachineRecord",
    "MachineStatus",
    "MachineType",
    "MapRunChild",
    "MapRunRecord",
    "MapRunStatus",
    "NewExecution",
    "Orphan",
    "Place",
    "Record",
    "Route",
    "SearchPage",
    "SearchPosition",
    "Tally",
    "VersionRecord",
]


class Record(NamedTuple):
    """An execution, without its events.

    ``definition`` is the digest of the definition it runs; ``options`` are those it was started with,
    for the process that resumes it.  Times are in milliseconds since the epoch.
    """

    identity: Identity
    definition: str
    status: Status = "RUNNING"
    stopped_at: int | None = None
    options: RunOptions = NO_OPTIONS
    redrive_count: int = 0
    redriven_at: int | None = None

    @property
    def place(self) -> Place:
        """Where ListExecutions has it."""
        began = self.identity.started_at if self.redriven_at is None else self.redriven_at
        return Place(began if self.stopped_at is None else self.stopped_at, self.identity.arn)


class Driver(NamedTuple):
    """The process that drives an execution.  ``waits_for`` is what keeps it from going on, None if nothing."""

    process: int
    waits_for: str | None = None


class Orphan(NamedTuple):
    """An execution that runs and that no process drives.

    ``owner`` is the lease of the process that died, empty where it has left in good order.  ``served``: a server
    has started it.
    """

    arn: str
    owner: str
    served: bool


class Place(NamedTuple):
    """A place in the order of ListExecutions: the newest first.

    ``at`` is when the execution ended, or while it runs when it began or was redriven last; in milliseconds since
    the epoch.  Of two with the same moment the one that was created later comes first.
    """

    at: int
    arn: str


class ExecutionSearch(NamedTuple):
    """What executions to look for; without the children of Map Runs.

    ``home`` is what the ARN of their machine begins with.  ``name`` and ``error`` are parts of the execution's
    name and of the error's, whatever the case of ASCII letters.  It began at ``begin`` or later and before
    ``end``, in milliseconds since the epoch.
    """

    home: str = ""
    machine_arn: str | None = None
    status: Status | None = None
    name: str = ""
    error: str = ""
    begin: int | None = None
    end: int | None = None


class FoundExecution(NamedTuple):
    """``error`` and ``cause`` are those it has ended with, None where it has not, or without any."""

    record: Record
    error: str | None = None
    cause: str | None = None


class SearchPosition(NamedTuple):
    """How far a search has come.  ``key`` is the store's own number of an execution: later ones are larger."""

    at: int
    key: int


class SearchPage(NamedTuple):
    """``position`` is where the search goes on, None where it has seen everything."""

    found: list[FoundExecution]
    position: SearchPosition | None


class Tally(NamedTuple):
    """``more``: there are more than were counted."""

    number: int
    more: bool


MachineStatus: TypeAlias = Literal["ACTIVE", "DELETING"]


MachineType: TypeAlias = Literal["STANDARD", "EXPRESS"]


class MachineRecord(NamedTuple):
    """A state machine as it stands: its latest revision.

    ``definition`` is the digest of its text, ``configuration`` the creator's other settings
    (logging, tracing, encryption).  Times are in milliseconds since the epoch.  ``revision_id`` is None
    until the first update; ``last_version`` is the number of the last published version, 0 if there is none.
    """

    arn: str
    name: str
    type: MachineType
    role_arn: str
    definition: str
    created_at: int
    configuration: dict[str, Json]
    status: MachineStatus = "ACTIVE"
    revision_id: str | None = None
    updated_at: int = 0
    last_version: int = 0


MapRunStatus: TypeAlias = Literal["RUNNING", "SUCCEEDED", "FAILED", "ABORTED"]


class Child(NamedTuple):
    """The Map Run that a new execution belongs to, its number there, and how many items it processes."""

    map_run: str
    number: int
    items: int


class NewExecution(NamedTuple):
    """An execution to be kept with its first events.  ``child``: of which Map Run it is, if of any."""

    record: Record
    events: Sequence[Event]
    child: Child | None = None


class MapRunChild(NamedTuple):
    """A child as the Map Run knows it; ``round`` is the redrive of the Map Run in which it last began."""

    number: int
    items: int
    arn: str
    status: Status
    round: int


class MapRunRecord(NamedTuple):
    """A Map Run.

    ``execution`` and ``machine_arn`` are those of the execution that started it, ``seq`` is the event.
    ``configuration`` is a ``distributed_map.Configuration``.  ``counts`` is set once the Map Run has ended:
    the number of children and of their items, by status.
    """

    arn: str
    execution: str
    machine_arn: str
    seq: int
    status: MapRunStatus
    started_at: int
    stopped_at: int | None
    redrive_count: int
    redriven_at: int | None
    configuration: dict[str, Json]
    counts: dict[str, Json] | None


class ActivityRecord(NamedTuple):
    """An activity.

    ``created_at`` is in milliseconds since the epoch, ``configuration`` holds the creator's other settings
    (encryption).
    """

    arn: str
    name: str
    created_at: int
    configuration: dict[str, Json]


class Route(TypedDict):
    """One of the API's RoutingConfigurationListItems.  ``weight`` is a percentage."""

    stateMachineVersionArn: str
    weight: int


class AliasRecord(NamedTuple):
    """A name for one or two versions of a state machine.  Times are in milliseconds since the epoch."""

    machine_arn: str
    name: str
    description: str | None
    routing: list[Route]
    created_at: int
    updated_at: int

    @property
    def arn(self) -> str:
        return qualified_arn(self.machine_arn, self.name)


class VersionRecord(NamedTuple):
    """A numbered revision of a state machine.

    ``definition`` is the digest of its text, ``created_at`` in milliseconds since the epoch,
    ``configuration`` the machine's at that time.
    """

    machine_arn: str
    number: int
    revision_id: str | None
    role_arn: str
    definition: str
    created_at: int
    description: str | None
    configuration: dict[str, Json]

    @property
    def arn(self) -> str:
        return qualified_arn(self.machine_arn, str(self.number))
