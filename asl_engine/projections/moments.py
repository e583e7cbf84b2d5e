"""Moments in the forms that AWS JSON has, and that people and the AWS CLI read."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["iso", "moment", "utc"]


def moment(milliseconds: int) -> float:
    """A timestamp of AWS JSON: seconds since the epoch."""
    return milliseconds / 1000


def iso(moment: int) -> str:
    """Milliseconds since the epoch as the AWS CLI writes a timestamp: ISO 8601 with the offset, in UTC."""
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="microseconds")


def utc(moment: int) -> str:
    """The same moment for people: ``2024-01-31 12:00:00.123``, in UTC."""
    return datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S") + f".{moment % 1000:03}"
