"""Waiting for a moment, or for news: what goes on beside the deliveries of a bus."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from asl_engine.engine.clock import Clock
    from asl_engine.engine.timers import Timers

__all__ = ["LOOK_SECONDS", "NextMoment"]

LOOK_SECONDS: Final = 1.0  # where time does not jump to the moment, and before the database is asked again


class NextMoment:
    """``jumps``: where the clock skips, time may jump to the moment.  Where that comes again and again, it would
    never stop jumping.
    """

    def __init__(self, timers: Timers[Any], clock: Clock, *, jumps: bool = False) -> None:
        self._timers = timers
        self._clock = clock
        self._jumps = jumps or not clock.skips
        self.changed = asyncio.Event()

    async def until(self, due: int | None) -> None:
        """Return at this moment (milliseconds since the epoch), or when something has changed.

        Whoever calls it is under way, as ``Timers.busy`` has it, and waits here: time may jump to what is due
        elsewhere, and no further than to this moment.
        """
        waits: set[asyncio.Future[Any]] = {asyncio.ensure_future(self.changed.wait())}
        held = None
        if due is not None and self._jumps:
            held = self._timers.busy()
            waits.add(asyncio.ensure_future(self._timers.sleep_until(due)))
        elif due is not None:
            waits.add(asyncio.ensure_future(self._look_for(due)))
        try:
            await asyncio.sleep(0)  # they have begun
            with self._timers.idle():
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()
            await asyncio.wait(waits)
            if held is not None:
                held.close()

    async def _look_for(self, due: int) -> None:
        while True:
            if self._clock.now() >= due:
                return
            await asyncio.sleep(min(LOOK_SECONDS, self._clock.seconds_until(due)))
