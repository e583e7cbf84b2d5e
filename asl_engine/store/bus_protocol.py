"""The interface of a store to its event buses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from asl_engine.core.events import Event
    from asl_engine.core.execution import Identity
    from asl_engine.store.bus_records import (
        ArchiveRecord,
        Backlog,
        BusEvent,
        BusRecord,
        Delivery,
        DeliveryStatus,
        NewEvent,
        ReplayRecord,
        RuleRecord,
        TargetRecord,
    )

__all__ = ["Along", "Buses"]

# The events of a bus that go with an execution's, which has this ARN; a new one has its identity given.
Along: TypeAlias = "Callable[[str, Sequence[Event], Identity | None], Sequence[NewEvent]]"


class Buses(Protocol):
    """The event buses of a store.  Each call is one transaction.

    ``along``, where it is set, is asked what events of a bus are to be kept together with an execution's events.
    """

    along: Along | None

    async def claim(self) -> bool:
        """Whether this process is the one that delivers.  It becomes that where no living process is."""
        ...

    async def has_deliverer(self) -> bool:
        """Whether a living process delivers."""
        ...

    async def leave(self) -> None: ...

    async def buses(self) -> list[BusRecord]: ...

    async def put_bus(self, record: BusRecord) -> None: ...

    async def remove_bus(self, arn: str) -> None: ...

    async def rules(self) -> list[RuleRecord]: ...

    async def put_rule(self, record: RuleRecord, targets: Sequence[TargetRecord] | None = None) -> None:
        """Keep a rule; with ``targets``, these are all that it has from now on."""
        ...

    async def remove_rules(self, arns: Iterable[str]) -> None:
        """Remove rules with their targets and tags."""
        ...

    async def targets(self) -> list[TargetRecord]: ...

    async def put_targets(self, targets: Sequence[TargetRecord]) -> None: ...

    async def remove_targets(self, rule_arn: str, ids: Collection[str]) -> None: ...

    async def keep(self, events: Sequence[NewEvent]) -> None:
        """Keep events with their deliveries, in one transaction."""
        ...

    async def tick(self, rule: RuleRecord, events: Sequence[NewEvent]) -> None:
        """Keep the events of a schedule, and when it is due next."""
        ...

    async def lanes(self) -> list[tuple[str, str]]:
        """The rules and targets for which deliveries are pending."""
        ...

    async def pending(self, rule_arn: str, target: str, limit: int) -> list[Delivery]:
        """Deliveries for one target that are still to be made, the first due first."""
        ...

    async def settle(
        self,
        delivery: Delivery,
        status: DeliveryStatus,
        due: int,
        note: Mapping[str, Any],
        forwarded: Sequence[NewEvent] = (),
    ) -> None:
        """Keep what an attempt has come to; ``forwarded`` are events for another bus that come with it."""
        ...

    async def redrive(self, numbers: Collection[int] | None, now: int) -> list[int]:
        """Make failed deliveries pending again: those given, or all.  Returns their numbers."""
        ...

    async def events(self, after: int = 0, limit: int = 1000, *, bus_arn: str | None = None) -> list[BusEvent]:
        """Events in the order in which they were accepted, after the one of a number."""
        ...

    async def last_events(self, limit: int) -> list[BusEvent]:
        """The last events that were accepted, in this order."""
        ...

    async def deliveries_of(self, numbers: Collection[int]) -> list[Delivery]:
        """The deliveries of events, by their numbers."""
        ...

    async def failed(self, limit: int) -> list[Delivery]:
        """The last dead letters, in the order in which they were accepted."""
        ...

    async def origin(self, number: int) -> str | None:
        """What has put an event, where that is known: the key of a task, or the event of an execution."""
        ...

    async def backlog(self) -> list[Backlog]:
        """What is pending and what has failed, by target."""
        ...

    async def archives(self) -> list[ArchiveRecord]: ...

    async def put_archive(self, record: ArchiveRecord) -> None: ...

    async def remove_archive(self, arn: str) -> None: ...

    async def archive_size(self, arn: str) -> tuple[int, int]:
        """How many events an archive has, and how many bytes they are."""
        ...

    async def archived(self, archive_arn: str, after: tuple[int, int], before: int, limit: int) -> list[BusEvent]:
        """The events of an archive after a place, by time and number, and before a time."""
        ...

    async def replays(self) -> list[ReplayRecord]: ...

    async def put_replay(self, record: ReplayRecord, events: Sequence[NewEvent] = ()) -> None:
        """Keep a replay, with the events that it has replayed since."""
        ...

    async def tidy(self, before: int, retained: Mapping[str, int]) -> int:
        """Remove events accepted before a time that nothing holds any more.  Returns their number.

        ``retained`` are archives with the time from which they keep events.
        """
        ...
