"""Where executions are kept.

A store takes events and gives them back; it decides nothing.  ``append`` returns once the events are
as durable as the store makes them, and only then may their effects become visible outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from asl_engine.events import Event
    from asl_engine.execution import Identity, Status
    from asl_engine.jsontypes import Json
    from asl_engine.store.activities import Activities
    from asl_engine.store.aliases import Aliases
    from asl_engine.store.machines import Machines
    from asl_engine.store.map_runs import Child, MapRuns
    from asl_engine.store.tags import Tags
    from asl_engine.store.versions import Versions

__all__ = ["Record", "Store"]


class Record(NamedTuple):
    """What is known of an execution besides its events.

    ``definition`` is the digest of the definition it runs; ``options`` is how it was asked to run, for
    whoever resumes it.  Times are in milliseconds since the epoch.
    """

    identity: Identity
    definition: str
    status: Status = "RUNNING"
    stopped_at: int | None = None
    options: dict[str, Json] = {}  # noqa: RUF012  JSON values are never changed
    redrive_count: int = 0
    redriven_at: int | None = None


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

    async def create(
        self, record: Record, definition: str, events: Sequence[Event], child: Child | None = None
    ) -> None:
        """Keep a new execution, the text of its definition and its first events, in one transaction.

        The creator owns the execution.  ``child`` says of which Map Run it is, if of any.
        Raises ``ExecutionAlreadyExists`` where the ARN is taken.
        """
        ...

    async def append(self, arn: str, events: Sequence[Event]) -> None:
        """Keep the next events, in one transaction.  Raises ``Conflict`` where the log has grown meanwhile.

        Events that begin with a redrive make the writer the owner of the execution.
        """
        ...

    async def events(self, arn: str, after: int = 0) -> list[Event]:
        """The events with a ``seq`` above ``after``, in order."""
        ...

    async def history(
        self, arn: str, after: int = 0, limit: int = 1000, *, backwards: bool = False
    ) -> list[Event]:
        """At most ``limit`` of the events that GetExecutionHistory shows: those behind the event ``after``.

        ``after`` is its ``seq``.  Backwards, the newest come first, and behind an event are those before it;
        behind 0 are all.
        """
        ...

    async def events_at(self, arn: str, numbers: Collection[int]) -> list[Event]:
        """The events with these ``seq``, in order."""
        ...

    async def record(self, arn: str) -> Record | None: ...

    async def definition(self, digest: str) -> str: ...

    async def find(self, text: str) -> list[Record]:
        """The executions that ``text`` may mean: an ARN, a name, or the beginning of a name."""
        ...

    async def executions(
        self, machine: str | None = None, status: Status | None = None, limit: int = 1000
    ) -> list[Record]:
        """The newest executions first, without the children of Map Runs."""
        ...

    async def page(
        self,
        machine_arn: str,
        status: Status | None = None,
        after: str = "",
        limit: int = 100,
        qualified: str | None = None,
    ) -> list[Record]:
        """The executions of one state machine, the newest first, from the one behind ``after`` (an ARN) on.

        ``qualified`` is the version or the alias that they were started through.
        """
        ...

    async def claim(self, arn: str) -> None:
        """Own the execution until this process ends.  Raises ``ExecutionBusy`` where a live process does."""
        ...

    async def changed(self) -> bool:
        """Whether somebody else may have written since the last call."""
        ...

    async def close(self) -> None: ...
