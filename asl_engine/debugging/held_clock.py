"""The clock of a debugged execution: time stands still while the execution is held."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from asl_engine.engine.clock import REAL, SKIP, SystemClock
from asl_engine.errors import InvalidInput, Parameter

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["HeldClock"]

SCALE = "scale="


class HeldClock:
    """``how`` is skip, real or scale=N, as for any execution.

    Where waits are skipped, time stands still otherwise, too: it only jumps, so that a session can be repeated.
    It begins at ``begin``, in milliseconds since the epoch, now by default; ``machine`` is this machine's steady
    time, in milliseconds.  ``awaits_somebody`` says that a task waits for an answer from outside: nothing is
    skipped then.  Raises ``InvalidInput``.
    """

    def __init__(self, how: str, begin: int | None = None, machine: Callable[[], int] | None = None) -> None:
        self._virtual = how == SKIP
        self._scale = 1.0 if how in {REAL, SKIP} else _scale(how)
        wall = time.time_ns() // 1_000_000
        self._machine = SystemClock().passing(wall) if machine is None else machine
        self._now = wall if begin is None else begin
        self._since = self._machine()
        self.is_held = False
        self.awaits_somebody: Callable[[], bool] = lambda: False

    @property
    def is_skipping(self) -> bool:
        """Whether waits are skipped, though not at this moment, perhaps."""
        return self._virtual

    @property
    def skips(self) -> bool:
        return self._virtual and not self.is_held and not self.awaits_somebody()

    def hold(self) -> None:
        self._now = self.now()
        self.is_held = True

    def release(self) -> None:
        self._since = self._machine()
        self.is_held = False

    def now(self) -> int:
        if self._virtual or self.is_held:
            return self._now
        return self._now + int((self._machine() - self._since) / self._scale)

    def passing(self, since: int) -> Callable[[], int]:
        if self._virtual:
            return lambda: since
        machine, scale, begun = self._machine, self._scale, self._machine()
        return lambda: since + int((machine() - begun) / scale)

    def seconds_until(self, moment: int) -> float:
        now = self.now()
        if moment <= now:
            return 0.0
        return float("inf") if self._virtual or self.is_held else (moment - now) / 1000 * self._scale

    def jump(self, moment: int) -> None:
        self._now = max(self._now, moment)

    def catch_up(self, moment: int) -> None:
        self._now += max(0, moment - self.now())

    def step(self) -> int:
        """Nobody sets this clock."""
        return 0

    def set_back_since(self, moment: int) -> int:
        del moment
        return 0


def _scale(how: str) -> float:
    try:
        factor = float(how.removeprefix(SCALE)) if how.startswith(SCALE) else 0.0
    except ValueError:
        factor = 0.0
    if not 0 < factor < float("inf"):
        raise InvalidInput(Parameter("time", how), ": it is skip, real or scale=N, such as scale=0.1")
    return factor
