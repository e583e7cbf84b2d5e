"""Instants as text and back: $fromMillis, $toMillis, $now and $millis.

The pictures are those of XPath's fn:format-dateTime, with X and x for the year and the month that an ISO
week belongs to.  JSONata documentation: "Date/Time processing".
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final

from asl_engine.expressions.jsonata.failures import JsonataError
from asl_engine.expressions.jsonata.functions.calendars import MILLIS_PER_DAY, Moment, day_number
from asl_engine.expressions.jsonata.functions.date_parsing import parse_moment
from asl_engine.expressions.jsonata.functions.date_pictures import DAYS, MONTHS, Marker, parse_picture
from asl_engine.expressions.jsonata.functions.integers import format_integer
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from asl_engine.expressions.jsonata.runtime import Evaluation

__all__ = ["FUNCTIONS"]

ISO: Final = "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z01:01t]"
ISO_PATTERN: Final = re.compile(
    r"([0-9]{4})(?:-([01][0-9]))?(?:-([0-3][0-9]))?(?:T([0-2][0-9]):([0-5][0-9]):([0-5][0-9]))?"
    r"(?:\.([0-9]+))?(?:([+-])([0-2][0-9]):?([0-5][0-9])|Z)?"
)
MAX_MILLIS: Final = 8_640_000_000_000_000  # ECMAScript: "Time Values and Time Range"
OFFSET: Final = re.compile(r"\s*([-+]?[0-9]+)")


def format_moment(millis: float, picture: str, timezone: Any) -> str:
    """The text of an instant as the clocks at ``timezone`` (``+hhmm``) show it."""
    if not abs(millis) <= MAX_MILLIS:
        raise JsonataError("D1001", value=millis)
    hours, minutes = _offset(timezone)
    moment = Moment(math.floor(millis) + (60 * hours + minutes) * 60_000)
    return "".join(
        part if isinstance(part, str) else _formatted(part, moment, hours, minutes)
        for part in parse_picture(picture)
    )


def _offset(timezone: Any) -> tuple[int, int]:
    match = None if timezone is MISSING else OFFSET.match(timezone)
    if match is None:
        return 0, 0
    offset = int(match[1][:6])
    # Hours round down, minutes keep their sign, as in the reference.
    return offset // 100, int(math.fmod(offset, 100))


def _formatted(marker: Marker, moment: Moment, hours: int, minutes: int) -> str:
    component = marker.component
    if component in "Zz":
        return _formatted_offset(marker, hours, minutes)
    if component in "CE":
        return "ISO"
    if component == "P":
        half = "pm" if moment.component("H") >= 12 else "am"
        return half.upper() if marker.names == "upper" else half
    value = moment.component(component)
    if component == "Y" and marker.year_digits is not None:
        value = int(math.fmod(value, 10**marker.year_digits))
    if marker.names is not None:
        return _name(marker, value)
    assert marker.integer is not None  # noqa: S101  a component is a name or a number
    return format_integer(value, marker.integer)


def _name(marker: Marker, value: int) -> str:
    if marker.component not in "MxF":
        raise JsonataError("D3133", value=marker.component)
    name = (DAYS if marker.component == "F" else MONTHS)[value - 1]
    name = {"upper": name.upper(), "lower": name.lower()}.get(marker.names or "", name)
    return name[: marker.max_width]


def _formatted_offset(marker: Marker, hours: int, minutes: int) -> str:
    offset = hours * 100 + minutes
    if offset == 0 and marker.traditional:
        return "Z"
    integer = marker.integer
    assert integer is not None  # noqa: S101  an offset is a number
    if integer.interval or 3 <= integer.mandatory <= 4:
        text = format_integer(offset, integer)
    elif 1 <= integer.mandatory <= 2:
        text = format_integer(hours, integer) + (f":{minutes:02}" if minutes else "")
    else:
        raise JsonataError("D3134", value=integer.mandatory)
    return ("GMT" if marker.component == "z" else "") + ("+" if offset >= 0 else "") + text


def from_millis(evaluation: Evaluation, millis: Any, picture: Any = MISSING, timezone: Any = MISSING) -> Any:
    if millis is MISSING:
        return MISSING
    if picture is MISSING:
        return format_moment(millis, ISO, timezone)
    evaluation.spend(len(picture))
    return format_moment(millis, picture, timezone)


def to_millis(evaluation: Evaluation, timestamp: Any, picture: Any = MISSING) -> Any:
    if timestamp is MISSING:
        return MISSING
    if picture is not MISSING:
        evaluation.spend(len(picture) + len(timestamp))
        return parse_moment(timestamp, picture, evaluation.now)
    match = ISO_PATTERN.fullmatch(timestamp)
    millis = None if match is None else _iso_millis(match)
    if millis is None:
        raise JsonataError("D3110", value=timestamp)
    return millis


def _iso_millis(match: re.Match[str]) -> int | None:
    """None if a part is out of range."""
    year, month, day, hour, minute, second, fraction, sign, off_hours, off_minutes = match.groups()
    months, days, hours = int(month or 1), int(day or 1), int(hour or 0)
    if not (1 <= months <= 12 and 1 <= days <= 31 and (hours < 24 or (hours == 24 and minute == second == "00"))):
        return None
    of_day = ((hours * 60 + int(minute or 0)) * 60 + int(second or 0)) * 1000
    of_day += int(fraction[:3].ljust(3, "0")) if fraction else 0
    offset = (int(off_hours) * 60 + int(off_minutes)) * 60_000 if sign else 0
    return day_number(int(year), months, days) * MILLIS_PER_DAY + of_day - (-offset if sign == "-" else offset)


def now(evaluation: Evaluation, picture: Any = MISSING, timezone: Any = MISSING) -> Any:
    return from_millis(evaluation, evaluation.now, picture, timezone)


def millis(evaluation: Evaluation) -> int:
    return evaluation.now


FUNCTIONS: Final = {
    "fromMillis": (from_millis, "<n-s?s?:s>", 3),
    "toMillis": (to_millis, "<s-s?:n>", 2),
    "now": (now, "<s?s?:s>", 2),
    "millis": (millis, "<:n>", 0),
}
