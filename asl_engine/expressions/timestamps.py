"""Timestamps as the Amazon States Language writes them (section "Timestamps": RFC 3339, with a capital T).

AWS reads them as "ISO-8601 extended offset date-time": without an offset they are refused.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

__all__ = ["format_timestamp", "parse_timestamp"]

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY: Final = EPOCH.toordinal()
LARGEST_OFFSET_MINUTES: Final = 18 * 60  # of java.time, which AWS's wording points to; real ones end at 14 hours

PATTERN: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:Z|([+-])(\d\d):(\d\d))", re.ASCII
)


def parse_timestamp(text: str) -> int | None:
    """The instant in nanoseconds since the epoch, exact; None if the text is not a timestamp.

    Digits of the fraction after the ninth are dropped.  A leap second (``:60``) is no valid second.
    """
    match = PATTERN.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, sign, offset_hour, offset_minute = match.groups()
    hours, minutes, seconds = int(hour), int(minute), int(second)
    offset = _offset_minutes(sign, offset_hour, offset_minute)
    if hours > 23 or minutes > 59 or seconds > 59 or offset is None:
        return None
    try:
        days = date(int(year), int(month), int(day)).toordinal() - EPOCH_DAY
    except ValueError:
        return None
    whole = ((days * 24 + hours) * 60 + minutes - offset) * 60 + seconds
    return whole * 1_000_000_000 + (int(fraction[:9].ljust(9, "0")) if fraction else 0)


def _offset_minutes(sign: str | None, hour: str | None, minute: str | None) -> int | None:
    if sign is None or hour is None or minute is None:
        return 0
    offset = int(hour) * 60 + int(minute)
    if int(minute) > 59 or offset > LARGEST_OFFSET_MINUTES:
        return None
    return -offset if sign == "-" else offset


def format_timestamp(milliseconds: int) -> str:
    """An instant in milliseconds since the epoch as the context object shows it: 2024-01-31T12:00:00.123Z."""
    moment = EPOCH + timedelta(milliseconds=milliseconds)
    return f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
