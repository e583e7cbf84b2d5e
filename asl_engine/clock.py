"""Where time comes from.  The core never asks; the engine asks one of these.

All times are integers: milliseconds since the epoch.
"""

from __future__ import annotations

import time
from typing import Protocol

__all__ = ["Clock", "SkippingClock", "SystemClock", "VirtualClock"]


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


class SystemClock:
    """The time of this machine."""

    skips = False

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def seconds_until(self, moment: int) -> float:
        return max(0.0, (moment - self.now()) / 1000)

    def jump(self, moment: int) -> None:
        raise NotImplementedError("the time of this machine does not jump")


class SkippingClock(SystemClock):
    """The time of this machine, but waits, backoffs and timeouts that nothing competes with are skipped."""

    skips = True

    def __init__(self) -> None:
        self._ahead = 0

    def now(self) -> int:
        return super().now() + self._ahead

    def jump(self, moment: int) -> None:
        self._ahead += max(0, moment - self.now())


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
