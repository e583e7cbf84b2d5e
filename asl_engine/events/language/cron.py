"""AWS's cron expressions: ``minutes hours day-of-month month day-of-week year``, in UTC.

"Setting a schedule pattern for scheduled rules" in the EventBridge User Guide.
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from asl_engine.events.language.faults import InvalidSchedule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["UNIX_FIELDS", "Cron", "compile_cron"]

FIRST_YEAR, LAST_YEAR = 1970, 2199
MONTHS: Final = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
DAYS: Final = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
SIX: Final = "cron(minutes hours day-of-month month day-of-week year)"
UNIX_FIELDS: Final = 5


class CronField(NamedTuple):
    """A field: its name, its bounds, and the names of its values."""

    name: str
    low: int
    high: int
    names: dict[str, int]


MINUTES = CronField("minutes", 0, 59, {})
HOURS = CronField("hours", 0, 23, {})
DAY_OF_MONTH = CronField("day-of-month", 1, 31, {})
MONTH = CronField("month", 1, 12, MONTHS)
DAY_OF_WEEK = CronField("day-of-week", 1, 7, DAYS)
YEAR = CronField("year", FIRST_YEAR, LAST_YEAR, {})


class Cron(NamedTuple):
    """A compiled expression.  ``days`` lists the days of a month on which it is due."""

    minutes: list[int]
    hours: list[int]
    months: list[int]
    years: list[int]
    days: Callable[[int, int], list[int]]

    def after(self, moment: datetime) -> datetime | None:
        """The first time it is due after a moment in UTC; None where there is none."""
        start = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        for day in self._dates(start.date()):
            least = start if day == start.date() else None
            for hour in self.hours:
                for minute in self.minutes:
                    due = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
                    if least is None or due >= least:
                        return due
        return None

    def _dates(self, since: date) -> Iterator[date]:
        for year in self.years:
            for month in self.months:
                if (year, month) >= (since.year, since.month):
                    for day in self.days(year, month):
                        if (found := date(year, month, day)) >= since:
                            yield found


def compile_cron(text: str, body: str) -> Cron:
    """``body`` is what stands within the parentheses of ``text``.  Raises ``InvalidSchedule``."""
    fields = body.split()
    if len(fields) == UNIX_FIELDS:
        raise InvalidSchedule(
            f"Parameter ScheduleExpression is not valid: {text}: these are the five fields of Unix; AWS has six, "
            f"{SIX}. Add the year (*), put ? for the day of the month or of the week, and count days of the "
            f"week from SUN = 1: {_translated(fields)}"
        )
    if len(fields) != UNIX_FIELDS + 1:
        raise InvalidSchedule(
            f"Parameter ScheduleExpression is not valid: {text}: {len(fields)} fields; it is {SIX}"
        )
    minutes, hours, of_month, months, of_week, years = fields
    if (of_month == "?") == (of_week == "?"):
        both = "both are ?" if of_month == "?" else f"they are {of_month} and {of_week}"
        raise InvalidSchedule(
            f"Parameter ScheduleExpression is not valid: {text}: one of day-of-month and day-of-week has to be "
            f"?, and the other not; {both}"
        )
    days = _days_of_month(text, of_month) if of_week == "?" else _days_of_week(text, of_week)
    return Cron(
        _values(text, minutes, MINUTES),
        _values(text, hours, HOURS),
        _values(text, months, MONTH),
        _values(text, years, YEAR),
        days,
    )


def _translated(fields: list[str]) -> str:
    """What a Unix expression would be here; a day of the week that is a number counts one more."""
    minutes, hours, of_month, month, of_week = fields
    if of_week == "*":
        of_week = "?"
    else:
        of_week = re.sub(r"(?<![/#\d])\d", lambda found: str(int(found[0]) % 7 + 1), of_week)
        of_month = "?" if of_month == "*" else of_month
    return f"cron({minutes} {hours} {of_month} {month} {of_week} *)"


def _refuse(text: str, field: CronField, part: str, reason: str) -> InvalidSchedule:
    return InvalidSchedule(f"Parameter ScheduleExpression is not valid: {text}: {field.name} {part!r}: {reason}")


def _values(text: str, part: str, field: CronField) -> list[int]:
    """The values of a field in order: ``*``, ``5``, ``MON-FRI``, ``0/15``, and lists of these."""
    found: set[int] = set()
    for one in part.split(","):
        span, slash, step = one.partition("/")
        stride = 1
        if slash:
            if not step.isdecimal() or int(step) == 0:
                raise _refuse(text, field, one, "after / there has to be a number from 1 on")
            stride = int(step)
        if span == "*":
            low, high = field.low, field.high
        elif "-" in span:
            first, _, last = span.partition("-")
            low, high = _number(text, first, field, one), _number(text, last, field, one)
        else:
            low = _number(text, span, field, one)
            high = field.high if slash else low
        if low > high:  # FRI-MON goes past the end of the week
            found.update(range(low, field.high + 1, stride), range(field.low, high + 1, stride))
        else:
            found.update(range(low, high + 1, stride))
    return sorted(found)


def _number(text: str, given: str, field: CronField, part: str) -> int:
    number = field.names.get(given.upper())
    if number is None:
        number = int(given) if given.isdecimal() and given.isascii() else -1
    if not field.low <= number <= field.high:
        names = f", or {', '.join(field.names)}" if field.names else ""
        raise _refuse(text, field, part, f"it takes numbers from {field.low} to {field.high}{names}")
    return number


def _days_of_month(text: str, part: str) -> Callable[[int, int], list[int]]:
    if part == "L":
        return lambda year, month: [_length(year, month)]
    if part == "LW":
        return lambda year, month: [_weekday_near(year, month, _length(year, month))]
    if part.endswith("W"):
        near = _number(text, part[:-1], DAY_OF_MONTH, part)
        return lambda year, month: [_weekday_near(year, month, near)] if near <= _length(year, month) else []
    days = _values(text, part, DAY_OF_MONTH)
    return lambda year, month: [day for day in days if day <= _length(year, month)]


def _days_of_week(text: str, part: str) -> Callable[[int, int], list[int]]:
    if "#" in part:
        name, _, count = part.partition("#")
        weekday = _number(text, name, DAY_OF_WEEK, part)
        if count not in {"1", "2", "3", "4", "5"}:
            raise _refuse(text, DAY_OF_WEEK, part, "after # there has to be a number from 1 to 5, as in FRI#2")
        nth = int(count)
        return lambda year, month: _on(year, month, {weekday})[nth - 1 : nth]
    if part == "L":
        return lambda year, month: _on(year, month, {DAYS["SAT"]})
    if part.upper().endswith("L"):
        weekday = _number(text, part[:-1], DAY_OF_WEEK, part)
        return lambda year, month: _on(year, month, {weekday})[-1:]
    weekdays = {*_values(text, part, DAY_OF_WEEK)}
    return lambda year, month: _on(year, month, weekdays)


def _length(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def _on(year: int, month: int, weekdays: set[int]) -> list[int]:
    """The days of a month that are these days of the week, from SUN = 1."""
    return [day for day in range(1, _length(year, month) + 1) if _day_of_week(year, month, day) in weekdays]


def _day_of_week(year: int, month: int, day: int) -> int:
    return date(year, month, day).isoweekday() % 7 + 1


def _weekday_near(year: int, month: int, day: int) -> int:
    """The day from Monday to Friday that is nearest to a day, within its month."""
    weekday = _day_of_week(year, month, day)
    if weekday == DAYS["SAT"]:
        return day - 1 if day > 1 else day + 2
    if weekday == DAYS["SUN"]:
        return day + 1 if day < _length(year, month) else day - 2
    return day
