"""The bus: accepts events, and keeps them with all that follows from them.

An event is on disk with its deliveries before whoever has put it hears that it was accepted.  What is to be
delivered is never kept in memory only, so a process that was killed at any moment is replaced by one that reads
the table.
"""

from __future__ import annotations

import asyncio
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from asl_engine.arn import uuid_text
from asl_engine.events.entries import DEFAULT_BUS, EntryRefused, Home, bus_arn_of, check_size, event_of
from asl_engine.events.rule_book import RuleBook
from asl_engine.json_text import dumps
from asl_engine.store.bus_records import BusEvent, NewEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from asl_engine.store.bus_protocol import Buses
    from asl_engine.store.bus_records import Delivery, DeliveryStatus

__all__ = ["EventBus"]


class EventBus:
    """The event buses of a database.  ``now`` tells the time in milliseconds since the epoch.

    ``on_lanes`` hears of the rules and targets for which there are new deliveries, once these are on disk;
    ``on_outcome`` of what has come of an attempt: the delivery, its status, and what was kept of it.
    """

    def __init__(self, buses: Buses, now: Callable[[], int], home: Home) -> None:
        self.buses = buses
        self.now = now
        self.home = home
        self.on_lanes: Callable[[Iterable[tuple[str, str]]], None] = _nobody
        self.on_change: list[Callable[[], None]] = []
        self.on_outcome: list[Callable[[Delivery, DeliveryStatus, Mapping[str, Any]], None]] = []
        self.changing = asyncio.Lock()  # held from reading rules or buses until they are written
        self.current: RuleBook | None = None  # the rules as they were last read
        self._read = 0  # at which change
        self._changes = 0
        self._last = 0
        self._reading = asyncio.Lock()

    # -- rules ------------------------------------------------------------------------------------

    async def book(self) -> RuleBook:
        """The rules as they are."""
        if self.current is not None and self._read == self._changes:
            return self.current
        async with self._reading:
            if self.current is None or self._read != self._changes:
                changes = self._changes
                self.current = RuleBook(
                    await self.buses.buses(),
                    await self.buses.rules(),
                    await self.buses.targets(),
                    await self.buses.archives(),
                )
                self._read = changes
            return self.current

    async def changed(self) -> None:
        """Buses, rules, targets, archives or replays may be others than before: read them anew."""
        self._changes += 1
        await self.book()
        for told in self.on_change:
            told()

    # -- events -----------------------------------------------------------------------------------

    async def put(
        self, entries: Sequence[Mapping[str, Any]], home: Home | None = None, origin: str | None = None
    ) -> list[dict[str, str]]:
        """PutEvents: for each entry its EventId, or ErrorCode and ErrorMessage; the accepted ones are on disk.

        ``origin`` names who puts them, where that must not happen twice: the key of a task.  Raises
        ``EventsTooLarge``, and ``StoreError`` where they could not be kept.
        """
        check_size(entries)
        home = home or self.home
        book = await self.book()
        results: list[dict[str, str]] = []
        kept: list[NewEvent] = []
        for number, entry in enumerate(entries):
            source = None if origin is None else f"{origin}/{number}"
            try:
                bus_arn = _existing(book, home, entry.get("EventBusName"))
                event, moment = event_of(entry, home, self.identifier(source), self.now())
            except EntryRefused as refused:
                results.append({"ErrorCode": refused.code, "ErrorMessage": refused.message})
                continue
            kept.append(self.made(book, bus_arn, event, moment, origin=source))
            results.append({"EventId": event["id"]})
        if kept:
            await self.keep(kept)
        return results

    def made(
        self,
        book: RuleBook,
        bus_arn: str,
        event: dict[str, Any],
        moment: int,
        *,
        hops: int = 0,
        origin: str | None = None,
        only: Collection[str] | None = None,
        archived: bool = True,
    ) -> NewEvent:
        """An event with what follows from it on a bus; ``moment`` is its own time."""
        follows = book.consequences(bus_arn, event, only, archived=archived)
        accepted = BusEvent(self.number(), event["id"], bus_arn, self.now(), moment, dumps(event), hops)
        return NewEvent(accepted, *follows, origin)

    def identifier(self, origin: str | None) -> str:
        """The id of a new event: the same whenever the same task puts it."""
        return str(uuid4()) if origin is None else uuid_text(sha256(origin.encode()).digest())

    def number(self) -> int:
        """The number of a new event: ordered by time, and unique across processes."""
        self._last = max(self._last + 1, time.time_ns())
        return self._last

    async def keep(self, events: Sequence[NewEvent]) -> None:
        """Keep events with what follows from them, and tell who delivers."""
        await self.buses.keep(events)
        self.tell(events)

    def tell(self, events: Iterable[NewEvent]) -> None:
        """There are new deliveries on disk."""
        self.on_lanes(lane for one in events for lane in one.deliveries)


def _existing(book: RuleBook, home: Home, name: str | None) -> str:
    bus_arn = bus_arn_of(home, name)
    if bus_arn != bus_arn_of(home, DEFAULT_BUS) and bus_arn not in book.buses:
        raise EntryRefused("ResourceNotFoundException", f"Event bus {name} does not exist.")
    return bus_arn


def _nobody(lanes: Iterable[tuple[str, str]]) -> None:
    """Nobody delivers in this process."""
    del lanes
