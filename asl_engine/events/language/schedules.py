"""Schedule expressions: ``rate(5 minutes)``, ``cron(0 12 ? * MON-FRI *)``, ``at(2030-01-01T00:00:00)``.

Pure: a schedule is asked for the first time after a moment.  All times are in UTC, in milliseconds since the
epoch.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from asl_engine.events.language.cron import UNIX_FIELDS, compile_cron
from asl_engine.events.language.faults import InvalidSchedule

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["compile_schedule"]

FORM: Final = re.compile(r"(rate|cron|at)\((.*)\)")
RATE: Final = re.compile(r"(\d+) (minute|hour|day)(s?)")
UNITS: Final = {"minute": 60_000, "hour": 3_600_000, "day": 86_400_000}
NO_SCHEDULE: Final = "Parameter ScheduleExpression is not valid"


def compile_schedule(text: str) -> Callable[[int, int], int | None]:
    """What tells when a schedule is next due: of when it began, and of a moment; None where it never is again.

    Raises ``InvalidSchedule``.
    """
    form = FORM.fullmatch(text)
    if form is None and len(text.split()) == UNIX_FIELDS:
        compile_cron(text, text)  # which says what is different
    if form is None:
        raise InvalidSchedule(
            f"{NO_SCHEDULE}: {text}: it is rate(5 minutes), cron(0 12 ? * MON-FRI *) or at(2030-01-01T00:00:00)"
        )
    kind, body = form[1], form[2]
    if kind == "rate":
        return _rate(text, body)
    if kind == "at":
        return _at(text, body)
    cron = compile_cron(text, body)

    def due(_began: int, after: int) -> int | None:
        found = cron.after(datetime.fromtimestamp(after / 1000, UTC))
        return None if found is None else int(found.timestamp() * 1000)

    return due


def _rate(text: str, body: str) -> Callable[[int, int], int | None]:
    form = RATE.fullmatch(body)
    if form is None or int(form[1]) == 0:
        raise InvalidSchedule(
            f"{NO_SCHEDULE}: {text}: a rate is a number from 1 on and a unit "
            "(minute, hour or day), as in rate(5 minutes)"
        )
    number, unit, plural = int(form[1]), form[2], form[3]
    if (number == 1) == bool(plural):
        right = unit if number == 1 else f"{unit}s"
        raise InvalidSchedule(f"{NO_SCHEDULE}: {text}: with {number} it is {right}: rate({number} {right})")
    period = number * UNITS[unit]
    return lambda began, after: began + (max(0, after - began) // period + 1) * period


def _at(text: str, body: str) -> Callable[[int, int], int | None]:
    try:
        moment = datetime.strptime(body, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise InvalidSchedule(
            f"{NO_SCHEDULE}: {text}: it is at(yyyy-mm-ddThh:mm:ss), in UTC, as in at(2030-01-01T00:00:00)"
        ) from None
    due = int(moment.timestamp() * 1000)
    return lambda _began, after: due if after < due else None
