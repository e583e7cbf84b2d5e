"""A bus at work in a process: deliveries, schedules and replays, by one process of all that share the database."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from asl_engine.engine.together import until_one_ends
from asl_engine.errors import StoreError
from asl_engine.events.delivering import Deliverer
from asl_engine.events.replaying import Replayer
from asl_engine.events.ticking import Ticker

if TYPE_CHECKING:
    from asl_engine.engine.clock import Clock
    from asl_engine.engine.timers import Timers
    from asl_engine.events.bus import EventBus
    from asl_engine.events.delivering import Sender

__all__ = ["BusRunner"]

log = logging.getLogger("asl_engine.events")

LOOK_SECONDS: Final = 0.5  # how soon the end of another process that delivers is noticed
DAY_MS: Final = 86_400_000
KEPT_MS: Final = DAY_MS  # how long an event stays in the log once it is delivered


class BusRunner:
    """Runs until it is cancelled."""

    def __init__(
        self,
        bus: EventBus,
        timers: Timers[Any],
        clock: Clock,
        send: Sender,
        send_dead: Sender | None = None,
        *,
        jumps: bool = False,
    ) -> None:
        self._bus = bus
        self._timers = timers
        self._deliverer = Deliverer(bus, timers, send, send_dead)
        ticker, replayer = Ticker(bus, timers, clock, jumps=jumps), Replayer(bus, timers)
        self._works = (self._deliverer.run, ticker.run, replayer.run)
        self._delivers = False

    async def run(self) -> None:
        while True:
            with self._timers.busy():  # time must not jump past what is to be done
                self._delivers = await self._claimed()
                if self._delivers:
                    tasks = [asyncio.ensure_future(work()) for work in self._works]
                    await asyncio.sleep(0)  # they have begun, and see to it themselves
                    break
            await asyncio.sleep(LOOK_SECONDS)
        try:
            await until_one_ends(tasks)
        finally:
            with suppress(StoreError):  # then this process counts as one that died
                await self._bus.buses.leave()

    async def _claimed(self) -> bool:
        try:
            return await self._bus.buses.claim()
        except StoreError as error:
            log.warning("%s", error)
            return False

    async def others_have_written(self) -> None:
        """Another process may have changed the rules, or put events."""
        await self._bus.changed()
        if self._delivers:
            await self._deliverer.look_at_all()

    async def tidy(self, now: int) -> None:
        """Forget events that were delivered a day ago, and what archives need not keep any longer."""
        book = await self._bus.book()
        retained = {
            arn: now - days * DAY_MS
            for arn, archive in book.archives.items()
            if (days := int(archive.configuration.get("RetentionDays") or 0))
        }
        await self._bus.buses.tidy(now - KEPT_MS, retained)
