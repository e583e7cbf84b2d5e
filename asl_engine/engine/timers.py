"""The timers of all executions, behind one alarm for the earliest.

Where the clock skips, time jumps to the earliest timer as soon as nothing is under way: a wait that
nothing competes with takes no time, but work is always given its own.  Whoever moves time by hand sets a
horizon, which it does not jump past.
"""

from __future__ import annotations

import asyncio
import math
import warnings
from contextlib import contextmanager
from heapq import heapify, heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Generic, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from asl_engine.engine.clock import Clock

__all__ = ["Busy", "Timers"]

Owner = TypeVar("Owner")

# A longer sleep is cut: the machine may be suspended, or its clock set, meanwhile.
MAX_SLEEP_SECONDS = 1.0
# Timers of what has ended stay until they come due, or until there are too many of them.
MIN_SWEPT = 1000
# It is quiet when nothing was under way for so many turns of the event loop: whoever waits for a future that waits
# for another hears of it some turns later.
QUIET_TURNS = 8


class Busy:
    """Something that is under way, until it is closed: time does not jump meanwhile.

    As a context where it begins and ends in one place.  Closing it twice raises an error, as it would let time
    jump past somebody else's work; dropping it unclosed warns, as it would stop time for ever.
    """

    __slots__ = ("_dropped", "_end")

    def __init__(self, end: Callable[[], None], dropped: Callable[[], None]) -> None:
        self._end: Callable[[], None] | None = end
        self._dropped = dropped

    def close(self) -> None:
        end, self._end = self._end, None
        if end is None:
            raise RuntimeError("What was under way has ended already")
        end()

    def __del__(self) -> None:
        if self._end is not None:
            self._dropped()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class _Sleeper:
    """Work that waits for a moment.  ``rung`` means that it has come."""

    __slots__ = ("rung", "woken")

    def __init__(self, woken: asyncio.Future[None]) -> None:
        self.woken = woken
        self.rung = False


class Timers(Generic[Owner]):
    """Timers by owner and key, due in milliseconds since the epoch.

    ``is_pending(owner, key, due)`` says whether a timer still means something; those whose work is done or
    has moved on are dropped.  ``ring(owner, key)`` is told of those that are due.  ``clock_set(by)`` is told that
    the wall clock was set, by how many milliseconds: all timers are gone then, and it is to set them anew.
    """

    def __init__(
        self,
        clock: Clock,
        is_pending: Callable[[Owner, int, int], bool],
        ring: Callable[[Owner, int], None],
        clock_set: Callable[[int], None] | None = None,
        *,
        await_outside: bool = True,
    ) -> None:
        self._clock = clock
        self._clock_set = clock_set
        self._is_pending = is_pending
        self._ring = ring
        self._await_outside = await_outside
        self._horizon: float = math.inf  # milliseconds since the epoch
        self._heap: list[tuple[int, int, Owner | _Sleeper, int]] = []  # due, tie-break, owner, key
        self._sweep_at = MIN_SWEPT
        self._ticket = count()
        self._alarm: asyncio.TimerHandle | asyncio.Handle | None = None
        self._busy = 0  # work under way: while there is any, time does not jump
        self._changed: asyncio.Future[None] | None = None  # who waits for quiet
        self._closed = False

    def start(self) -> None:
        """From now on, notice when the clock is set."""
        self._set_alarm()

    def set(self, due: int, owner: Owner, key: int) -> None:
        self._push(due, owner, key)

    def _push(self, due: int, owner: Owner | _Sleeper, key: int) -> None:
        entry = (due, next(self._ticket), owner, key)
        heappush(self._heap, entry)
        if len(self._heap) > self._sweep_at:
            self._sweep()
        if self._heap and self._heap[0] is entry:
            self._set_alarm()

    def busy(self) -> Busy:
        """Something is under way from now on, until what this returns is closed."""
        self._begin()
        return Busy(self._end, self._warn)

    def outside(self) -> Busy:
        """As ``busy``, for what somebody outside is to do, whom no call waits for."""
        return self.busy() if self._await_outside else Busy(_nothing, self._warn)

    def _begin(self) -> None:
        self._busy += 1

    def _end(self) -> None:
        """Where time jumps, perhaps it can now."""
        self._busy -= 1
        if self._clock.skips:
            self._set_alarm()
        if self._changed is not None:
            self._notify()

    def _notify(self) -> None:
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)

    def _warn(self) -> None:
        if not self._closed:
            warnings.warn(
                "Something was left under way, and time will not jump again", ResourceWarning, stacklevel=2
            )

    @contextmanager
    def idle(self) -> Iterator[None]:
        """Within work that is under way: it only waits for what has timers of its own."""
        self._end()
        try:
            yield
        finally:
            self._begin()

    def set_horizon(self, moment: float) -> None:
        """Where the clock skips, time jumps to no timer that is due later than this, in milliseconds."""
        self._horizon = moment
        self._set_alarm()

    async def sleep_until(self, moment: int) -> None:
        """Let time come to this moment (milliseconds since the epoch), within work that is under way."""
        if moment <= self._clock.now():
            return
        sleeper = _Sleeper(asyncio.get_running_loop().create_future())
        self._push(moment, sleeper, 0)
        self._end()
        try:
            await sleeper.woken
        finally:
            if not sleeper.rung:  # it was cancelled; otherwise ``_sound`` has begun again, before time could jump
                self._begin()

    async def quiet(self) -> None:
        """Return when nothing is under way, and time does not jump any further."""
        turns = 0
        while turns < QUIET_TURNS:
            if self._busy or (self._clock.skips and self._heap and self._heap[0][0] <= self._horizon):
                turns = 0
                self._changed = asyncio.get_running_loop().create_future()
                await self._changed
            turns += 1
            await asyncio.sleep(0)

    def close(self) -> None:
        """Ring no more; what is under way may be dropped."""
        self._closed = True
        if self._alarm is not None:
            self._alarm.cancel()

    def _set_alarm(self) -> None:
        """Wake up when the first timer is due; at once, where time may jump and nothing runs."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._closed or (self._clock.skips and not self._heap):
            return
        loop = asyncio.get_running_loop()
        if self._clock.skips and not self._busy and self._heap[0][0] <= self._horizon:
            self._alarm = loop.call_soon(self._wake)
            return
        seconds = self._clock.seconds_until(self._heap[0][0]) if self._heap else MAX_SLEEP_SECONDS
        if seconds != float("inf"):
            self._alarm = loop.call_later(min(seconds, MAX_SLEEP_SECONDS), self._wake)

    def _sweep(self) -> None:
        self._heap[:] = [entry for entry in self._heap if self._is_live(entry[2], entry[3], entry[0])]
        heapify(self._heap)
        self._sweep_at = max(MIN_SWEPT, 2 * len(self._heap))

    def _wake(self) -> None:
        self._alarm = None
        if by := self._clock.step():
            self._follow_clock(by)
        timers = self._heap
        while timers:
            due, _, owner, key = timers[0]
            if not self._is_live(owner, key, due):
                heappop(timers)
                continue
            if due > self._clock.now():
                if not self._clock.skips or self._busy or due > self._horizon:
                    break
                self._clock.jump(due)
            heappop(timers)
            self._sound(owner, key)
        self._set_alarm()
        self._notify()

    def _follow_clock(self, by: int) -> None:
        self._heap[:] = [
            (due + by, ticket, owner, key) for due, ticket, owner, key in self._heap if isinstance(owner, _Sleeper)
        ]
        if self._clock_set is not None:
            self._clock_set(by)

    def _is_live(self, owner: Owner | _Sleeper, key: int, due: int) -> bool:
        return not owner.woken.done() if isinstance(owner, _Sleeper) else self._is_pending(owner, key, due)

    def _sound(self, owner: Owner | _Sleeper, key: int) -> None:
        if isinstance(owner, _Sleeper):
            owner.rung = True
            owner.woken.set_result(None)
            self._begin()
        else:
            self._ring(owner, key)


def _nothing() -> None:
    """What is not counted does not end."""
