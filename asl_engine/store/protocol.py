"""The interface of a store.  A store takes events and gives them back; it decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from asl_engine.core.events import Event
    from asl_engine.core.execution import Status
    from asl_engine.errors import AslError
    from asl_engine.json_values import Json
    from asl_engine.store.bus_protocol import Buses
    from asl_engine.store.mapping_protocol import Mappings
    from asl_engine.store.records import (
        ActivityRecord,
        AliasRecord,
        Child,
        ExecutionSearch,
        MachineRecord,
        MapRunChild,
        MapRunRecord,
        NewExecution,
        Orphan,
        Place,
        Record,
        SearchPage,
        SearchPosition,
        Tally,
        VersionRecord,
    )
    from asl_engine.store.watch_protocol import Watch

__all__ = ["Activities", "Aliases", "Machines", "MapRuns", "Store", "Tags", "Versions"]


class Store(Protocol):
    """One writer per execution, optimistic: an append that does not fit raises ``Conflict``."""

    @property
    def machines(self) -> Machines: ...

    @property
    def versions(self) -> Versions: ...

    @property
    def aliases(self) -> Aliases: ...

    @property
    def tags(self) -> Tags: ...

    @property
    def activities(self) -> Activities: ...

    @property
    def map_runs(self) -> MapRuns: ...

    @property
    def mappings(self) -> Mappings | None:
        """Event source mappings; None for a store that keeps none, as one in memory."""
        ...

    @property
    def watch(self) -> Watch | None:
        """What watches over executions; None for a store that does not, as one in memory."""
        ...

    @property
    def bus(self) -> Buses | None:
        """Event buses; None for a store that keeps none, as one in memory."""
        ...

    @property
    def driven(self) -> set[str]:
        """The ARNs of the executions that engines on this store drive: never two of them the same."""
        ...

    async def create(
        self, record: Record, definition: str, events: Sequence[Event], child: Child | None = None
    ) -> None:
        """Keep a new execution, the text of its definition and its first events, in one transaction.

        The creator owns the execution.  What the events before an ExecutionForked have begun is its origin's.
        ``child`` names the Map Run that the execution belongs to, if any.
        Raises ``ExecutionAlreadyExists`` if the ARN is taken.
        """
        ...

    async def create_many(self, new: Sequence[NewExecution], definition: str) -> list[AslError | None]:
        """As ``create``, for executions of one definition that share a commit: what kept each from being kept."""
        ...

    async def append(self, arn: str, events: Sequence[Event]) -> None:
        """Keep the next events, in one transaction.  Raises ``Conflict`` if the log has grown meanwhile.

        Events that begin with a redrive make the writer the owner of the execution.
        """
        ...

    async def events(self, arn: str, after: int = 0) -> list[Event]:
        """The events with a ``seq`` above ``after``, in order."""
        ...

    async def history(
        self, arn: str, after: int = 0, limit: int = 1000, *, backwards: bool = False
    ) -> list[Event]:
        """At most ``limit`` of the events that GetExecutionHistory shows, starting behind the event ``after``.

        ``after`` is a ``seq``.  Backwards, the newest events come first and "behind" means earlier in the log;
        0 stands for all events.
        """
        ...

    async def events_at(self, arn: str, numbers: Collection[int]) -> list[Event]:
        """The events with these ``seq``, in order."""
        ...

    async def logs(self, arns: Collection[str]) -> dict[str, list[Event]]:
        """The events of many executions, read together.

        Long logs are missing, and those that cannot be read: ``events`` reads them, or tells what is wrong.
        """
        ...

    async def record(self, arn: str) -> Record | None: ...

    async def records(self, arns: Collection[str]) -> list[Record]:
        """Those of the executions that exist, the oldest first."""
        ...

    async def definition(self, digest: str) -> str: ...

    async def find(self, text: str) -> list[Record]:
        """The executions that ``text`` may mean: an ARN, a name, or the beginning of a name."""
        ...

    async def executions(
        self, machine: str | None = None, status: Status | None = None, limit: int = 1000
    ) -> list[Record]:
        """The newest executions first, without the children of Map Runs."""
        ...

    async def running(self) -> list[str]:
        """The executions that run, the oldest first, without the children of Map Runs."""
        ...

    async def page(
        self,
        machine_arn: str,
        status: Status | None = None,
        after: Place | None = None,
        limit: int = 100,
        qualified: str | None = None,
    ) -> list[Record]:
        """The executions of one state machine in the order of ``Place``, starting behind ``after``.

        ``qualified`` is the version or alias through which they were started.
        """
        ...

    async def search(
        self, wanted: ExecutionSearch, after: SearchPosition | None = None, limit: int = 50, window: int = 2000
    ) -> SearchPage:
        """At most ``limit`` of the executions that are wanted, the newest first, from behind ``after`` on.

        Those of one machine come in the order of ``Place``, all others in that of their creation.  At most
        ``window`` executions are looked at, so a page may have fewer, or none, and there may be more behind it.
        """
        ...

    async def tally(self, home: str, machine_arn: str | None = None, most: int = 1000) -> dict[Status, Tally]:
        """The number of executions by status, up to ``most`` of each; children of Map Runs apart.

        ``home`` is what the ARN of their machine begins with.
        """
        ...

    async def claim(self, arn: str) -> bool:
        """Own the execution until this process ends.

        Returns whether the process that owned it died: one that ends in good order leaves its executions.
        Raises ``ExecutionBusy`` if a live process owns it.
        """
        ...

    async def claim_many(self, arns: Collection[str]) -> dict[str, bool]:
        """As ``claim``, for those of the executions that run and that no other living process owns.

        Returns for each of them whether the process that owned it died.
        """
        ...

    async def leave(self, arns: Collection[str]) -> None:
        """Give up executions in good order: nothing that they were doing was the end of this process."""
        ...

    async def unclaim(self, arn: str) -> None:
        """Give an execution back to whom it was claimed from, if nothing has been done with it since."""
        ...

    def other_leases(self) -> dict[str, bool]:
        """The leases of other processes that drive executions, and whether they live."""
        ...

    async def orphans(self) -> list[Orphan]:
        """The executions, but for the children of Map Runs, that run and that no process drives."""
        ...

    def note(self, waits_for: str | None) -> None:
        """Tell other processes what keeps this one from going on, None where nothing does any more.

        It is not written to the store, which may be what cannot be written.
        """
        ...

    async def changed(self) -> bool:
        """Whether another process may have written since the last call."""
        ...

    async def close(self) -> None: ...


class Machines(Protocol):
    """The state machines of a store.  Each call is one transaction."""

    async def add(
        self,
        record: MachineRecord,
        definition: str,
        tags: Mapping[str, str] | None = None,
        version: VersionRecord | None = None,
    ) -> MachineRecord:
        """Keep a new machine, the text of its definition, its tags and a version, unless its ARN is taken.

        What a deleted machine of that ARN has left of its executions is deleted: its names are free.
        Returns the machine that has the ARN now: the first one created.
        """
        ...

    async def update(
        self, record: MachineRecord, definition: str | None = None, version: VersionRecord | None = None
    ) -> None:
        """Replace the mutable fields of a machine; keep the text of a new definition, and a new version.

        Raises ``Conflict`` if a version of that number exists.
        """
        ...

    async def get(self, arn: str) -> MachineRecord | None: ...

    async def page(self, prefix: str, after: str, limit: int) -> list[MachineRecord]:
        """The machines whose ARN begins with ``prefix`` and comes after ``after``, by ARN."""
        ...

    async def count(self, prefix: str) -> int:
        """The number of machines whose ARN begins with ``prefix``."""
        ...

    async def being_deleted(self) -> set[str]:
        """The ARNs of the machines with the status DELETING."""
        ...

    async def delete(self, arn: str) -> bool:
        """Delete a machine, its versions, aliases, tags and executions.  Returns whether it is gone.

        While one of its executions runs, it only gets the status DELETING.  The executions are those that a
        server has started, with their Map Runs and children.
        """
        ...

    async def finish_deletion(self, arn: str) -> bool:
        """Delete a machine with the status DELETING whose last execution has ended.  Returns whether it is gone.

        Its executions stay until a machine of that ARN is created: their end can be looked at.
        """
        ...


class MapRuns(Protocol):
    """The Map Runs of a store."""

    async def get(self, arn: str) -> MapRunRecord | None: ...

    async def page(self, execution: str, after: str, limit: int) -> list[MapRunRecord]:
        """The Map Runs that an execution has started, the newest first, starting behind ``after`` (an ARN)."""
        ...

    async def configure(self, arn: str, configuration: dict[str, Json]) -> None: ...

    async def count(self, arn: str, counts: dict[str, Json]) -> None:
        """Keep the final counts of a Map Run."""
        ...

    async def kinship(self, execution: str) -> tuple[str, int] | None:
        """The ARN of the Map Run that has started an execution, and its number of items; None for any other."""
        ...

    async def children(self, arn: str, after: int, limit: int) -> list[MapRunChild]:
        """The children from behind the number ``after`` on, in their order."""
        ...

    async def child_page(
        self, arn: str, status: Status | None, after: Place | None, limit: int
    ) -> list[tuple[Record, int, int]]:
        """The children in the order of ``Place``, starting behind ``after``.

        Each comes with its number of items and the number of its restarts.
        """
        ...

    async def sums(self, arn: str) -> dict[str, tuple[int, int]]:
        """The number of children and of their items, by status."""
        ...

    async def unsettled(self) -> list[str]:
        """The Map Runs that have ended but may still have running children: their counts are not kept yet."""
        ...


class Activities(Protocol):
    """The activities of a store."""

    async def add(self, record: ActivityRecord, tags: Mapping[str, str] | None = None) -> ActivityRecord:
        """Keep a new activity and its tags, unless its ARN is taken.  Returns the one that has the ARN now."""
        ...

    async def get(self, arn: str) -> ActivityRecord | None: ...

    async def page(self, prefix: str, after: str, limit: int) -> list[ActivityRecord]:
        """The activities whose ARN begins with ``prefix`` and comes after ``after``, by ARN."""
        ...

    async def arns(self, prefix: str = "") -> list[str]:
        """The ARNs that begin with ``prefix``."""
        ...

    async def remove(self, arn: str) -> None:
        """Forget an activity and its tags."""
        ...


class Aliases(Protocol):
    """The aliases of a store's state machines: at most a hundred per machine."""

    async def add(self, record: AliasRecord) -> None:
        """Keep a new alias.  Raises ``Conflict`` if the machine has one of that name."""
        ...

    async def get(self, machine_arn: str, name: str) -> AliasRecord | None: ...

    async def of_machine(self, machine_arn: str) -> list[AliasRecord]:
        """The oldest first."""
        ...

    async def update(self, record: AliasRecord) -> None:
        """Replace the mutable fields of an alias."""
        ...

    async def remove(self, machine_arn: str, name: str) -> None: ...


class Tags(Protocol):
    """The tags of a store.  Each call is one transaction."""

    async def get(self, arn: str) -> dict[str, str]:
        """The tags of a resource, sorted by key."""
        ...

    async def put(self, arn: str, tags: Mapping[str, str]) -> None:
        """Add tags, or replace the values of existing ones."""
        ...

    async def remove(self, arn: str, keys: Iterable[str]) -> None: ...


class Versions(Protocol):
    """The versions of a store's state machines.  ``Machines`` publishes them, together with their machine."""

    async def get(self, machine_arn: str, number: int) -> VersionRecord | None: ...

    async def of_revision(self, machine_arn: str, revision_id: str | None) -> VersionRecord | None:
        """The newest version published from this revision."""
        ...

    async def page(self, machine_arn: str, before: int | None, limit: int) -> list[VersionRecord]:
        """The newest first, starting before the number ``before``."""
        ...

    async def count(self, machine_arn: str) -> int: ...

    async def remove(self, machine_arn: str, number: int) -> None: ...
