"""Moments and durations in the forms that AWS JSON has, and that people and the AWS CLI read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

__all__ = ["iso", "moment", "seconds", "utc"]

# Seconds and name of a unit and of the next smaller one.
_UNITS: Final = ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))


def moment(milliseconds: int) -> float:
    """A timestamp of AWS JSON: seconds since the epoch."""
    return milliseconds / 1000


def iso(moment: int) -> str:
    """Milliseconds since the epoch as the AWS CLI writes a timestamp: ISO 8601 with the offset, in UTC."""
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="microseconds")


def utc(moment: int) -> str:
    """The same moment for people: ``2024-01-31 12:00:00.123``, in UTC."""
    return datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S") + f".{moment % 1000:03}"


def seconds(milliseconds: float) -> str:
    """A duration for people: ``0.05 s``, ``12.3 s``, ``4 min 7 s``, ``3 h 0 min``, ``2 d 5 h``."""
    value = max(0.0, milliseconds / 1000)
    if value < 59.95:
        return f"{value:.2f} s" if value < 9.995 else f"{value:.1f} s"
    whole = round(value)
    size, unit, below, smaller = next(unit for unit in _UNITS if whole >= unit[0])
    return f"{whole // size} {unit} {whole % size // below} {smaller}"
