"""Where time comes from.  The core never asks; the engine asks one of these.

All times are integers: milliseconds since the epoch.

This machine has two clocks.  The wall clock tells what time it is, and can be set.  The steady clock tells how
much time has passed: it counts on while the machine is suspended, and nobody can set it.  An engine stamps with
the first and counts seconds with the second: ``now`` is the wall clock's time, but where that was set, it goes on
as before until ``step`` says how far, so that what is due after some seconds can be moved with it.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Protocol

from asl_engine.errors import InvalidInput, Parameter
from asl_engine.resources.steady import steady_ns

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "MIN_STEP",
    "REAL",
    "SKIP",
    "Clock",
    "ScaledClock",
    "SkippingClock",
    "SystemClock",
    "VirtualClock",
    "checked_time",
    "clock_of",
    "scaled",
]

NS = 1_000_000  # nanoseconds in a millisecond
# Milliseconds.  A smaller difference between the clocks is one running faster than the other: the wall clock is
# followed, which a time server corrects.
MIN_STEP = 1_000
# Nanoseconds between which two readings count as one.
TOGETHER_NS = 50 * NS
READINGS = 3
STEP_NS = MIN_STEP * NS


class Clock(Protocol):
    """``skips`` says that waiting is pointless: where nothing runs, time may jump to the next timer."""

    @property
    def skips(self) -> bool: ...

    def now(self) -> int: ...

    def passing(self, since: int) -> Callable[[], int]:
        """What is called for the time as it goes on from ``since``, now, however the clock is set meanwhile."""
        ...

    def seconds_until(self, moment: int) -> float:
        """How long the engine has to sleep until ``moment``; 0 where it has come."""
        ...

    def jump(self, moment: int) -> None:
        """Make it ``moment``, if it is not later already.  Only where ``skips``."""
        ...

    def catch_up(self, moment: int) -> None:
        """A log has reached ``moment``: where time is not this machine's, do not fall behind it."""
        ...

    def step(self) -> int:
        """How far the wall clock was set since the last call, in milliseconds; ``now`` follows it from here on."""
        ...

    def set_back_since(self, moment: int) -> int:
        """How far the wall clock must have been set back since it was ``moment``: 0, or less."""
        ...


class SystemClock:
    """The time of this machine.  ``wall`` and ``steady`` are its clocks, in nanoseconds."""

    skips = False

    def __init__(self, wall: Callable[[], int] = time.time_ns, steady: Callable[[], int] = steady_ns) -> None:
        self._wall = wall
        self._steady = steady
        self._offset = wall() - steady()  # of the wall clock, where it was not set

    def now(self) -> int:
        wall = self._wall()
        by = wall - self._steady() - self._offset
        if -STEP_NS < by < STEP_NS:
            self._offset += by
            return wall // NS
        return (wall - by) // NS

    def passing(self, since: int) -> Callable[[], int]:
        steady, begun = self._steady, self._steady() - since * NS
        return lambda: (steady() - begun) // NS

    def seconds_until(self, moment: int) -> float:
        return max(0.0, (moment - self.now()) / 1000)

    def jump(self, moment: int) -> None:
        raise NotImplementedError("the time of this machine does not jump")

    def catch_up(self, moment: int) -> None:
        """The time of this machine is what it is."""

    def step(self) -> int:
        for _ in range(READINGS):
            before = self._steady()
            offset = self._wall() - before
            if self._steady() - before < TOGETHER_NS:
                break
        else:  # the process was stopped between the readings, each time
            return 0
        by = offset - self._offset
        if -STEP_NS < by < STEP_NS:
            return 0
        self._offset = offset
        return by // NS

    def set_back_since(self, moment: int) -> int:
        behind = self.now() - moment
        return behind if behind <= -MIN_STEP else 0


class _OwnTime:
    """What the clocks have in common whose time is not this machine's: nobody sets them."""

    def step(self) -> int:
        return 0

    def set_back_since(self, moment: int) -> int:
        del moment
        return 0


def steady_time() -> Callable[[], int]:
    """What is called for this machine's time, from now on by the steady clock."""
    return SystemClock().passing(time.time_ns() // NS)


class SkippingClock(_OwnTime):
    """The time of this machine, but waits, backoffs and timeouts that nothing competes with are skipped.

    ``begin`` is when it starts, in milliseconds since the epoch: now, unless given.
    """

    skips = True

    def __init__(self, begin: int | None = None) -> None:
        self._machine = steady_time()
        self._ahead = 0 if begin is None else begin - self._machine()

    def now(self) -> int:
        return self._machine() + self._ahead

    def passing(self, since: int) -> Callable[[], int]:
        machine, begun = self._machine, self._machine() - since
        return lambda: machine() - begun

    def seconds_until(self, moment: int) -> float:
        return max(0.0, (moment - self.now()) / 1000)

    def jump(self, moment: int) -> None:
        self._ahead += max(0, moment - self.now())

    def catch_up(self, moment: int) -> None:
        self.jump(moment)


class ScaledClock(_OwnTime):
    """Every second takes ``scale`` seconds of this machine's: with 0.1, time passes ten times as fast.

    ``machine`` is this machine's time, in milliseconds since the epoch.
    """

    skips = False

    def __init__(self, scale: float, machine: Callable[[], int] | None = None) -> None:
        self._scale = scale
        self._machine = steady_time() if machine is None else machine
        self._since = self._machine()
        self._begin = self._since

    def now(self) -> int:
        return self._begin + int((self._machine() - self._since) / self._scale)

    def passing(self, since: int) -> Callable[[], int]:
        machine, scale, begun = self._machine, self._scale, self._machine()
        return lambda: since + int((machine() - begun) / scale)

    def seconds_until(self, moment: int) -> float:
        return max(0.0, (moment - self.now()) / 1000) * self._scale

    def jump(self, moment: int) -> None:
        raise NotImplementedError("a time that is scaled does not jump")

    def catch_up(self, moment: int) -> None:
        self._begin += max(0, moment - self.now())


class VirtualClock(_OwnTime):
    """Time that stands still until it jumps: for tests."""

    skips = True

    def __init__(self, now: int = 1_700_000_000_000) -> None:
        self._now = now

    def now(self) -> int:
        return self._now

    def passing(self, since: int) -> Callable[[], int]:
        """Within a decision it stands still."""
        return lambda: since

    def seconds_until(self, moment: int) -> float:
        """No real sleep brings ``moment`` closer: only a jump does."""
        return 0.0 if moment <= self._now else float("inf")

    def jump(self, moment: int) -> None:
        self._now = max(self._now, moment)

    def catch_up(self, moment: int) -> None:
        self.jump(moment)


REAL, SKIP = "real", "skip"


SCALE = "scale="


def checked_time(text: str) -> str:
    """The text itself.  Raises ``InvalidInput``."""
    if text not in {REAL, SKIP}:
        _scale(text)
    return text


def scaled(text: str, where: str) -> str:
    """The text for a factor alone: 0 skips, 1 is real."""
    factor = _number(text)
    if factor is None or factor < 0:
        raise InvalidInput(f"{where}{text}: it is a number from 0 on; 0.1 makes a tenth of every second")
    return SKIP if factor == 0 else f"{SCALE}{factor}"


def clock_of(text: str, since: int = 0) -> Clock:
    """A clock that is not before ``since`` (milliseconds), where its time is not this machine's own.

    Raises ``InvalidInput`` for a text that is none of these.
    """
    if text == REAL:
        return SystemClock()
    clock = SkippingClock() if text == SKIP else ScaledClock(_scale(text))
    clock.catch_up(since)
    return clock


def _scale(text: str) -> float:
    factor = _number(text.removeprefix(SCALE)) if text.startswith(SCALE) else None
    if factor is None or factor <= 0:
        raise InvalidInput(
            Parameter("time", text),
            ": it is real, skip or scale=N, such as scale=0.1 for a tenth of every second",
        )
    return factor


def _number(text: str) -> float | None:
    try:
        factor = float(text)
    except ValueError:
        return None
    return factor if math.isfinite(factor) else None
