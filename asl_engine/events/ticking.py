"""Schedules: an event for the rule's own targets, each time it is due."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from asl_engine.arn import Arn
from asl_engine.errors import StoreError
from asl_engine.events.entries import whole_seconds
from asl_engine.events.language.schedules import compile_schedule
from asl_engine.events.waiting import LOOK_SECONDS, NextMoment
from asl_engine.json_text import dumps
from asl_engine.store.bus_records import BusEvent, NewEvent

if TYPE_CHECKING:
    from asl_engine.engine.clock import Clock
    from asl_engine.engine.timers import Timers
    from asl_engine.events.bus import EventBus
    from asl_engine.store.bus_records import RuleRecord

__all__ = ["Ticker", "next_tick"]

log = logging.getLogger("asl_engine.events")


def next_tick(rule: RuleRecord, now: int) -> int | None:
    """When a rule's schedule is due next after a moment; None without one, and while it is disabled."""
    text = rule.configuration.get("ScheduleExpression")
    return compile_schedule(text)(rule.created_at, now) if text and rule.is_enabled else None


class Ticker:
    """Runs until it is cancelled.

    An event and the next time are kept in one transaction, so no time is lost or doubled.  Of the times that
    nobody was there for, one is made up for.  ``jumps``: where the clock skips, time may jump to the next
    schedule; it would never stop jumping.
    """

    def __init__(self, bus: EventBus, timers: Timers[Any], clock: Clock, *, jumps: bool = False) -> None:
        self._bus = bus
        self._timers = timers
        self._waiting = NextMoment(timers, clock, jumps=jumps)
        self._told = ""

    async def run(self) -> None:
        self._bus.on_change.append(self._waiting.changed.set)
        with self._timers.busy():
            while True:
                self._waiting.changed.clear()
                try:
                    due = await self.tick()
                except StoreError as error:
                    if str(error) != self._told:
                        self._told = str(error)
                        log.error("%s", error)  # noqa: TRY400  the message says it all
                    await asyncio.sleep(LOOK_SECONDS)
                    continue
                await self._waiting.until(due)

    async def tick(self) -> int | None:
        """Keep the events that are due; when the next one is."""
        with self._timers.busy():
            book = await self._bus.book()
            now = self._bus.now()
            rules = {arn: rule for arn, rule in book.rules.items() if rule.is_enabled and rule.next_at is not None}
            for arn, rule in rules.items():
                if rule.next_at is not None and rule.next_at <= now:
                    event = _event(self._bus, rule, rule.next_at)
                    new = NewEvent(event, tuple(book.lanes(arn)))
                    moved = rule._replace(next_at=next_tick(rule, now))
                    await self._bus.buses.tick(moved, [new])
                    rules[arn] = book.rules[arn] = moved
                    self._bus.tell([new])
        return min((rule.next_at for rule in rules.values() if rule.next_at is not None), default=None)


def _event(bus: EventBus, rule: RuleRecord, due: int) -> BusEvent:
    """The event of a schedule: "Scheduled Event" of the source ``aws.events``."""
    region, account = Arn.of(rule.arn).home
    identifier = str(uuid4())
    event: dict[str, Any] = {
        "version": "0",
        "id": identifier,
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": account,
        "time": whole_seconds(due),
        "region": region,
        "resources": [rule.arn],
        "detail": {},
    }
    return BusEvent(bus.number(), identifier, rule.bus_arn, bus.now(), due, dumps(event))
