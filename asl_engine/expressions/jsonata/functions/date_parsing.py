"""$toMillis with a picture: reading an instant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from asl_engine.expressions.jsonata.failures import JsonataError
from asl_engine.expressions.jsonata.functions.calendars import MILLIS_PER_DAY, Moment, day_number
from asl_engine.expressions.jsonata.functions.date_pictures import DAYS, MONTHS, Marker, parse_picture
from asl_engine.expressions.jsonata.functions.integers import parse_integer
from asl_engine.expressions.jsonata.functions.words import NUMBER_WORDS
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.expressions.jsonata.functions.integers import IntegerPicture

__all__ = ["parse_moment"]

Reader = tuple[str, "Callable[[str], int | None]"]
WORD_PATTERN: Final = f"(?:{'|'.join(sorted([*NUMBER_WORDS, 'and', '[-, ]'], key=len, reverse=True))})+"
# The components that together make a date or a time of day, from the largest to the smallest.
WEEK_DATES: Final = ("XxwF", "XWF")
DATES: Final = ("YMD", "Yd", *WEEK_DATES)
CLOCKS: Final = ("Hmsf", "Phmsf")
# The largest number of a component, so that arithmetic with it stays small.
MAX_DIGITS: Final = 9


def parse_moment(timestamp: str, picture: str, now: int) -> Any:
    """The instant in milliseconds, or MISSING if the text does not match the picture.

    A fraction of a second is a number of milliseconds, however many digits it has: so it is in JSONata 2.0.6.

    Components larger than the largest given one come from ``now``; components smaller than the
    smallest given one take their first value.  Raises ``JsonataError`` D3136 for a gap in between.
    """
    markers: list[tuple[str, Reader]] = []
    pattern = ""
    for part in parse_picture(picture):
        if isinstance(part, str):
            pattern += re.escape(part)
        else:
            reader = _reader(part)
            pattern += f"({reader[0]})"
            markers.append((part.component, reader))
    match = re.fullmatch(pattern, timestamp, re.IGNORECASE)
    if match is None or not markers:
        return MISSING
    found: dict[str, int] = {}
    for (component, (_, read)), text in zip(markers, match.groups(), strict=True):
        value = read(text)
        if value is not None:
            found[component] = value
    return _instant(found, now) if found else MISSING


def _reader(marker: Marker) -> Reader:
    if marker.component in "Zz":
        return _offset_reader(marker)
    if marker.component == "f":
        return f"[0-9]{{1,{MAX_DIGITS}}}", int
    if marker.integer is not None:
        integer = marker.integer
        return _integer_pattern(integer), lambda text: parse_integer(text, integer)
    names = {"M": MONTHS, "x": MONTHS, "F": DAYS}.get(marker.component)
    if names is not None:
        values = {name[: marker.max_width].lower(): value for value, name in enumerate(names, 1)}
        return "[a-zA-Z]+", lambda text: values.get(text.lower())
    if marker.component == "P":
        return "[a-zA-Z]+", lambda text: {"am": 0, "pm": 1}.get(text.lower())
    raise JsonataError("D3133", value=marker.component)


def _integer_pattern(picture: IntegerPicture) -> str:
    if picture.form == "sequence":
        raise JsonataError("D3130", value=picture.presentation)
    if picture.form == "letters":
        return "[A-Za-z]{1,6}"
    if picture.form == "roman":
        return "[MDCLXVImdclxvi]+"
    if picture.form == "words":
        return WORD_PATTERN
    digits = f"{{{picture.width}}}" if picture.width else f"{{1,{MAX_DIGITS}}}"
    return f"[0-9]{digits}{'(?:th|st|nd|rd)' if picture.ordinal else ''}"


def _offset_reader(marker: Marker) -> Reader:
    separator = marker.integer.separator if marker.integer is not None and marker.integer.interval else ""
    pattern = "[-+][0-9]{1,4}" + (f"{re.escape(separator)}[0-9]{{1,2}}" if separator else "")

    def read(text: str) -> int:
        text = text.removeprefix("GMT").removeprefix("gmt")
        if separator:
            hours, _, minutes = text.partition(separator)
        else:
            hours, minutes = (text, "0") if len(text) <= 3 else (text[:3], text[3:])
        # The reference does not carry the sign over to the minutes.
        return int(hours) * 60 + int(minutes)

    return ("GMT" if marker.component == "z" else "") + pattern, read


def _instant(found: dict[str, int], now: int) -> int:
    given = {letter for letter, value in found.items() if value}
    date = _fitting(DATES, given & set("YXMxWwdD"), "YMD")
    clock = _fitting(CLOCKS, given & set("PHhmsf"), "Hmsf")
    if date in WEEK_DATES:
        raise JsonataError("D3136")
    values = _completed(found, date + clock, now)
    year = values["Y"] + (1900 if 0 <= values["Y"] <= 99 else 0)  # as ECMAScript's Date.UTC
    month, day = (1, values["d"]) if date == "Yd" else (max(values["M"], 1), values["D"])
    hour = values["H"] if clock == "Hmsf" else values["h"] % 12 + (12 if values["P"] == 1 else 0)
    of_day = ((hour * 60 + values["m"]) * 60 + values["s"]) * 1000 + values["f"]
    offset = found.get("Z") or found.get("z") or 0
    return day_number(year, month, day) * MILLIS_PER_DAY + of_day - offset * 60_000


def _fitting(choices: tuple[str, ...], given: set[str], default: str) -> str:
    """The first choice that has all components that are given."""
    return next((choice for choice in choices if given <= set(choice)), default)


def _completed(found: dict[str, int], components: str, now: int) -> dict[str, int]:
    values: dict[str, int] = {}
    moment = Moment(now)
    started = ended = False
    for letter in components:
        if letter in found:
            if ended:
                raise JsonataError("D3136")
            started = True
            values[letter] = found[letter]
        elif started:
            ended = True
            values[letter] = 1 if letter in "MDd" else 0
        else:
            values[letter] = 0 if letter == "P" else moment.component(letter)
    return values
