"""Durations as tests write them: ``"40s"``, ``"1h30m"``, a number of seconds, a ``timedelta``; and how often."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from typing import Final, TypeAlias

from asl_engine.errors import InvalidInput

__all__ = ["Duration", "how_often", "in_words", "milliseconds"]

Duration: TypeAlias = str | float | timedelta

UNITS: Final = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|d|h|m|s)")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")


def milliseconds(duration: Duration, what: str) -> int:
    """A duration that is not negative.  Raises ``InvalidInput``, which says that it is ``what``."""
    given: object = duration
    if isinstance(given, timedelta):
        found = given / timedelta(milliseconds=1)
    elif isinstance(given, str):
        text = given.replace(" ", "")
        parts = _PART.findall(text) if _WHOLE.fullmatch(text) else []
        found = sum(float(number) * UNITS[unit] for number, unit in parts) if parts else math.nan
    elif isinstance(given, int | float) and not isinstance(given, bool):
        found = given * 1000
    else:
        found = math.nan
    if not (math.isfinite(found) and found >= 0):
        raise InvalidInput(
            f"{what}: {given!r} is no duration: "
            'write "40s", "1h30m", "2d" or "250ms", a number of seconds, a timedelta'
        )
    return round(found)


def in_words(duration: int) -> str:
    """Milliseconds as ``1h 30m``, ``40s`` or ``2.5s``."""
    rest, parts = duration, []
    for unit in ("d", "h", "m"):
        count, rest = divmod(rest, UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    if rest or not parts:
        parts.append(f"{rest / 1000:g}s")
    return " ".join(parts)


def how_often(number: int) -> str:
    """``once``, ``twice``, ``3 times``."""
    return {1: "once", 2: "twice"}.get(number, f"{number} times")
