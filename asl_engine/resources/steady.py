"""The time that passes, whoever sets the wall clock meanwhile."""

from __future__ import annotations

import sys
import time
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["steady_ns", "time_left"]

# In nanoseconds, suspension included.  time.monotonic() leaves that out on Linux and on macOS; elsewhere it is
# what there is (Windows counts it in).
steady_ns: Callable[[], int]
if sys.platform == "linux":
    steady_ns = partial(time.clock_gettime_ns, time.CLOCK_BOOTTIME)
elif sys.platform == "darwin":
    steady_ns = partial(time.clock_gettime_ns, time.CLOCK_MONOTONIC)
else:
    steady_ns = time.monotonic_ns


def time_left(
    deadline: int, wall: Callable[[], int] = time.time_ns, steady: Callable[[], int] = steady_ns
) -> Callable[[], int]:
    """What is called for the milliseconds until ``deadline``, which is in milliseconds since the epoch."""
    end = deadline * 1_000_000 - wall() + steady()
    return lambda: max(0, (end - steady()) // 1_000_000)
