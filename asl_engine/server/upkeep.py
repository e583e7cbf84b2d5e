"""What a server does now and then: delete executions that ended long ago."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from asl_engine.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asl_engine.engine.clock import Clock

__all__ = ["Upkeep"]

log = logging.getLogger("asl_engine.server")

EVERY = 3_600_000  # milliseconds
LOOK_SECONDS = 1.0
MIN_SET = 60_000  # milliseconds: less makes nothing old
SET = "the clock was set %s by %.0f s; nothing that ended long ago is deleted for an hour"


class Upkeep:
    """Calls ``work`` with the time at the start, and then every hour by the engine's ``clock``.

    It sets no timer: where time jumps to the next one as soon as nothing runs, it would jump for ever.  Where the
    wall clock is set, the next time is an hour later: whoever has set it to a wrong year can put that right before
    everything is old.
    """

    def __init__(self, clock: Clock, work: Callable[[int], Awaitable[object]]) -> None:
        self._clock = clock
        self._work = work
        self._due = clock.now()
        self._expected = clock.passing(self._due)  # what the time would be, had nobody set the clock
        self._told = ""

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Do the work if it is due.  If the database cannot be used, log the reason once and try in an hour."""
        now = self._clock.now()
        by = 0 if self._clock.skips else now - self._expected()
        self._expected = self._clock.passing(now)
        if abs(by) >= MIN_SET:
            log.warning(SET, "forward" if by > 0 else "back", abs(by) / 1000)
            self._due = now + EVERY
        if now < self._due:
            return
        self._due = now + EVERY
        try:
            await self._work(now)
        except StoreError as error:
            if str(error) != self._told:
                self._told = str(error)
                log.error("%s", self._told)  # noqa: TRY400  the message says it all
        else:
            self._told = ""
