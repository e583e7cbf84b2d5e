"""How time passes: as on this machine, skipped, or scaled.  The texts of ``--time`` and the clocks they mean."""

from __future__ import annotations

import math

from asl_engine.clock import Clock, ScaledClock, SkippingClock, SystemClock
from asl_engine.errors import InvalidInput

__all__ = ["REAL", "SKIP", "checked_time", "clock_of", "scaled"]

REAL, SKIP = "real", "skip"
SCALE = "scale="


def checked_time(text: str, where: str = "--time ") -> str:
    """The text itself.  Raises ``InvalidInput``, which begins with ``where``."""
    if text not in {REAL, SKIP}:
        _scale(text, where)
    return text


def scaled(text: str, where: str) -> str:
    """The text of --time for a factor alone: 0 skips, 1 is real."""
    factor = _number(text)
    if factor is None or factor < 0:
        raise InvalidInput(f"{where}{text}: it is a number from 0 on; 0.1 makes a tenth of every second")
    return SKIP if factor == 0 else f"{SCALE}{factor}"


def clock_of(text: str, since: int = 0) -> Clock:
    """A clock that is not before ``since`` (milliseconds), where its time is not this machine's own.

    Raises ``InvalidInput`` for a text that is none of --time's.
    """
    if text == REAL:
        return SystemClock()
    clock = SkippingClock() if text == SKIP else ScaledClock(_scale(text, "--time "))
    clock.catch_up(since)
    return clock


def _scale(text: str, where: str) -> float:
    factor = _number(text.removeprefix(SCALE)) if text.startswith(SCALE) else None
    if factor is None or factor <= 0:
        raise InvalidInput(
            f"{where}{text}: it is real, skip or scale=N, such as scale=0.1 for a tenth of every second"
        )
    return factor


def _number(text: str) -> float | None:
    try:
        factor = float(text)
    except ValueError:
        return None
    return factor if math.isfinite(factor) else None
