"""The timers of all executions, behind one alarm for the earliest.

Where the clock skips, time jumps to the earliest timer as soon as nothing is under way: a wait that
nothing competes with takes no time, but work is always given its own.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from heapq import heapify, heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from asl_engine.engine.clock import Clock

__all__ = ["Alarms"]

Owner = TypeVar("Owner")

# A longer sleep is cut: the machine may be suspended, or its clock set, meanwhile.
LONGEST_SLEEP_SECONDS = 60.0
# Timers of what has ended stay until they come due, or until there are too many of them.
FEW_TIMERS = 1000


class Alarms(Generic[Owner]):
    """Timers by owner and key, due in milliseconds since the epoch.

    ``is_pending(owner, key, due)`` says whether a timer still means something; those whose work is done or
    has moved on are dropped.  ``ring(owner, key)`` is told of those that are due.
    """

    def __init__(
        self,
        clock: Clock,
        is_pending: Callable[[Owner, int, int], bool],
        ring: Callable[[Owner, int], None],
    ) -> None:
        self._clock = clock
        self._is_pending = is_pending
        self._ring = ring
        self._timers: list[tuple[int, int, Owner, int]] = []  # due, tie-break, owner, key
        self._sweep_at = FEW_TIMERS
        self._ticket = count()
        self._alarm: asyncio.TimerHandle | asyncio.Handle | None = None
        self._busy = 0  # work under way: while there is any, time does not jump
        self._closed = False

    def set(self, due: int, owner: Owner, key: int) -> None:
        entry = (due, next(self._ticket), owner, key)
        heappush(self._timers, entry)
        if len(self._timers) > self._sweep_at:
            self._sweep()
        if self._timers and self._timers[0] is entry:
            self._set_alarm()

    def begin(self) -> None:
        """Something is under way, until ``rest``."""
        self._busy += 1

    def rest(self) -> None:
        """Something has finished; where time jumps, perhaps it can now, or has."""
        self._busy -= 1
        if self._clock.skips:
            self._set_alarm()

    @contextmanager
    def idle(self) -> Iterator[None]:
        """Within work that is under way: it only waits for what has timers of its own."""
        self.rest()
        try:
            yield
        finally:
            self.begin()

    def close(self) -> None:
        """Ring no more."""
        self._closed = True
        if self._alarm is not None:
            self._alarm.cancel()

    def _set_alarm(self) -> None:
        """Wake up when the first timer is due; at once, where time may jump and nothing runs."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if not self._timers or self._closed:
            return
        loop = asyncio.get_running_loop()
        if self._clock.skips and not self._busy:
            self._alarm = loop.call_soon(self._wake)
            return
        seconds = self._clock.seconds_until(self._timers[0][0])
        if seconds != float("inf"):
            self._alarm = loop.call_later(min(seconds, LONGEST_SLEEP_SECONDS), self._wake)

    def _sweep(self) -> None:
        self._timers[:] = [entry for entry in self._timers if self._is_pending(entry[2], entry[3], entry[0])]
        heapify(self._timers)
        self._sweep_at = max(FEW_TIMERS, 2 * len(self._timers))

    def _wake(self) -> None:
        self._alarm = None
        timers = self._timers
        while timers:
            due, _, owner, key = timers[0]
            if not self._is_pending(owner, key, due):
                heappop(timers)
                continue
            if due > self._clock.now():
                if not self._clock.skips or self._busy:
                    break
                self._clock.jump(due)
            heappop(timers)
            self._ring(owner, key)
        self._set_alarm()
