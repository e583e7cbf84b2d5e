"""Where time comes from.  The core never asks; the engine asks one of these.

All times are integers: milliseconds since the epoch.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Protocol

from asl_engine.errors import InvalidInput, Parameter

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
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


class Clock(Protocol):
    """``skips`` says that waiting is pointless: where nothing runs, time may jump to the next timer."""

    skips: bool

    def now(self) -> int: ...

    def seconds_until(self, moment: int) -> float:
        """How long the engine has to sleep until ``moment``; 0 where it has come."""
        ...

    def jump(self, moment: int) -> None:
        """Make it ``moment``, if it is not later already.  Only where ``skips``."""
        ...

    def catch_up(self, moment: int) -> None:
        """A log has reached ``moment``: where time is not this machine's, do not fall behind it."""
        ...


class SystemClock:
    """The time of this machine."""

    skips = False

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def seconds_until(self, moment: int) -> float:
        return max(0.0, (moment - self.now()) / 1000)

    def jump(self, moment: int) -> None:
        raise NotImplementedError("the time of this machine does not jump")

    def catch_up(self, moment: int) -> None:
        """The time of this machine is what it is."""


class SkippingClock(SystemClock):
    """The time of this machine, but waits, backoffs and timeouts that nothing competes with are skipped.

    ``begin`` is when it starts, in milliseconds since the epoch: now, unless given.
    """

    skips = True

    def __init__(self, begin: int | None = None) -> None:
        self._ahead = 0 if begin is None else begin - super().now()

    def now(self) -> int:
        return super().now() + self._ahead

    def jump(self, moment: int) -> None:
        self._ahead += max(0, moment - self.now())

    def catch_up(self, moment: int) -> None:
        self.jump(moment)


class ScaledClock(SystemClock):
    """Every second takes ``scale`` seconds of this machine's: with 0.1, time passes ten times as fast.

    ``machine`` is this machine's time, in milliseconds since the epoch.
    """

    def __init__(self, scale: float, machine: Callable[[], int] | None = None) -> None:
        self._scale = scale
        self._machine = super().now if machine is None else machine
        self._since = self._machine()
        self._begin = self._since

    def now(self) -> int:
        return self._begin + int((self._machine() - self._since) / self._scale)

    def seconds_until(self, moment: int) -> float:
        return super().seconds_until(moment) * self._scale

    def catch_up(self, moment: int) -> None:
        self._begin += max(0, moment - self.now())


class VirtualClock:
    """Time that stands still until it jumps: for tests."""

    skips = True

    def __init__(self, now: int = 1_700_000_000_000) -> None:
        self._now = now

    def now(self) -> int:
        return self._now

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
