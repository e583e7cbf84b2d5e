"""The pictures of dates: XPath's fn:format-dateTime, with X and x for the year and month of an ISO week."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from asl_engine.expressions.jsonata.failures import JsonataError
from asl_engine.expressions.jsonata.functions.integers import IntegerPicture

__all__ = ["DAYS", "MONTHS", "Marker", "Part", "parse_picture"]

DEFAULTS: Final = {
    **dict.fromkeys("YMDdWwXxHhf", "1"),
    **dict.fromkeys("FPCE", "n"),
    **dict.fromkeys("ms", "01"),
    **dict.fromkeys("Zz", "01:01"),
}
NUMBERS: Final = "YMDdFWwXxHhmsf"
MONTHS: Final = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
DAYS: Final = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


@dataclass(slots=True)
class Marker:
    """``[component presentation, width]``; a component is written as a number or by its name."""

    component: str
    presentation: str
    traditional: bool = False
    names: str | None = None  # lower, title, upper
    integer: IntegerPicture | None = None
    max_width: int | None = None
    year_digits: int | None = None


Part = str | Marker


@lru_cache(maxsize=64)
def parse_picture(picture: str) -> tuple[Part, ...]:
    """Literal texts and markers.  Raises ``JsonataError`` D3132 or D3135."""
    parts: list[Part] = []
    position = 0
    literal = ""
    while position < len(picture):
        if picture.startswith(("[[", "]]"), position):
            literal += picture[position]
            position += 2
        elif picture[position] == "[":
            end = picture.find("]", position)
            if end < 0:
                raise JsonataError("D3135")
            parts.extend([literal] if literal else [])
            literal = ""
            marker = _marker("".join(picture[position + 1 : end].split()))
            _bound_previous(parts, marker)
            parts.append(marker)
            position = end + 1
        else:
            literal += picture[position]
            position += 1
    return (*parts, literal) if literal else tuple(parts)


def _bound_previous(parts: list[Part], marker: Marker) -> None:
    """A number right before a number ends where its digits say."""
    previous = parts[-1] if parts else None
    if isinstance(previous, Marker) and previous.integer is not None and marker.integer is not None:
        previous.integer.width = previous.integer.mandatory


def _marker(text: str) -> Marker:
    component, modifiers = text[:1], text[1:]
    presentation, comma, width = modifiers.rpartition(",")
    if not comma:
        presentation, width = modifiers, ""
    second = presentation[-1] if len(presentation) > 1 and presentation[-1] in "atco" else ""
    presentation = presentation.removesuffix(second) if second else presentation
    presentation = presentation or DEFAULTS.get(component, "")
    if not presentation or component not in DEFAULTS:
        raise JsonataError("D3132", value=component)
    marker = Marker(component, presentation, traditional=second == "t")
    low, _, high = width.partition("-")
    marker.max_width = _width(high)
    if presentation[0] in "nN":
        marker.names = "lower" if presentation[0] == "n" else "title" if presentation[1:2] == "n" else "upper"
    elif component in NUMBERS:
        marker.integer = IntegerPicture.parse(f"{presentation};{second}" if second else presentation)
        marker.integer.mandatory = max(marker.integer.mandatory, _width(low) or 0)
        if component == "Y":
            _set_year_digits(marker, marker.integer)
    if component in "Zz":
        marker.integer = IntegerPicture.parse(presentation)
    return marker


def _width(text: str) -> int | None:
    return int(text[:2]) if text.isdecimal() else None


def _set_year_digits(marker: Marker, integer: IntegerPicture) -> None:
    if marker.max_width is not None:
        marker.year_digits = integer.mandatory = marker.max_width
    elif integer.mandatory + integer.optional >= 2:
        marker.year_digits = integer.mandatory + integer.optional
