"""Days, weeks and months of the proleptic Gregorian calendar, for any year; weeks are those of ISO 8601.

``datetime`` ends with the year 9999 and begins with the year 1; JSONata's dates do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["MILLIS_PER_DAY", "Moment", "day_number"]

MILLIS_PER_DAY: Final = 86_400_000


def day_number(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01; a month or a day beyond its end runs on into the next one."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    # A year that begins in March has its leap day at its end.
    shifted = year - (month <= 2)
    era, of_era = divmod(shifted, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year + day - 1 - 719_468


def _date(number: int) -> tuple[int, int, int]:
    """The year, month and day of a day number."""
    era, of_era = divmod(number + 719_468, 146_097)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    return year + era * 400 + (month <= 2), month, day


def _first_week(year: int, month: int) -> int:
    """The Monday of the first week: the one with the first Thursday of the year or month."""
    first = day_number(year, month, 1)
    weekday = (first + 3) % 7
    return first - weekday + (7 if weekday > 3 else 0)


@dataclass(slots=True)
class Moment:
    """An instant, in milliseconds since the epoch, taken apart."""

    millis: int

    @property
    def day(self) -> int:
        return self.millis // MILLIS_PER_DAY

    @property
    def date(self) -> tuple[int, int, int]:
        return _date(self.day)

    @property
    def of_day(self) -> int:
        return self.millis % MILLIS_PER_DAY

    def component(self, letter: str) -> int:
        """The component that a picture calls by this letter."""
        year, month, day = self.date
        hour = self.of_day // 3_600_000
        simple = {
            "Y": year,
            "M": month,
            "D": day,
            "d": self.day - day_number(year, 1, 1) + 1,
            "F": (self.day + 3) % 7 + 1,
            "H": hour,
            "h": (hour + 11) % 12 + 1,
            "m": self.of_day // 60_000 % 60,
            "s": self.of_day // 1000 % 60,
            "f": self.of_day % 1000,
        }
        if letter in simple:
            return simple[letter]
        return self._of_weeks(letter, year, month)

    def _of_weeks(self, letter: str, year: int, month: int) -> int:
        """W: week of the year, w: of the month; X: the year the week belongs to, x: the month."""
        yearly = letter in "WX"
        units = [(year + d, 1) if yearly else (year, month + d) for d in (-1, 0, 1)]
        starts = [_first_week(*unit) for unit in units]
        index = 0 if self.day < starts[1] else 1 if self.day < starts[2] else 2
        if letter == "X":
            return units[index][0]
        if letter == "x":
            return (units[index][1] - 1) % 12 + 1
        return (self.day - starts[index]) // 7 + 1
