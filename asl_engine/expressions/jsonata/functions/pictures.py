"""$formatNumber: a number by a picture.  XPath and XQuery Functions 3.1, section 4.7, with its error codes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from asl_engine.expressions.jsonata.failures import JsonataError
from asl_engine.expressions.jsonata.functions.integers import regular_interval
from asl_engine.expressions.jsonata.functions.numbers import rounded
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from asl_engine.expressions.jsonata.runtime import Evaluation

__all__ = ["FUNCTIONS"]

DEFAULTS: Final = {
    "decimal-separator": ".",
    "grouping-separator": ",",
    "exponent-separator": "e",
    "minus-sign": "-",
    "percent": "%",
    "per-mille": "\u2030",
    "zero-digit": "0",
    "digit": "#",
    "pattern-separator": ";",
}


# Properties that are matched as a whole; the others are characters.
SHOWN_AS_THEY_ARE: Final = frozenset({"minus-sign", "percent", "per-mille"})


class Properties:
    """The characters that mean something in a picture."""

    def __init__(self, options: Any) -> None:
        chosen = DEFAULTS if options is MISSING else {**DEFAULTS, **options}
        for name in DEFAULTS:
            text = chosen[name]
            if not isinstance(text, str) or not text or (len(text) > 1 and name not in SHOWN_AS_THEY_ARE):
                raise JsonataError("T0410", index=3)
        self.point: str = chosen["decimal-separator"]
        self.grouping: str = chosen["grouping-separator"]
        self.exponent: str = chosen["exponent-separator"]
        self.minus: str = chosen["minus-sign"]
        self.percent: str = chosen["percent"]
        self.per_mille: str = chosen["per-mille"]
        self.zero: str = chosen["zero-digit"]
        self.optional: str = chosen["digit"]
        self.pattern: str = chosen["pattern-separator"]
        self.digits = "".join(chr(ord(self.zero) + offset) for offset in range(10))
        self.places = set(self.digits) | {self.optional}
        self.active = self.places | {self.point, self.grouping, self.pattern}

    def count(self, part: str) -> int:
        """The minimum number of digits of a part."""
        return sum(character in self.digits for character in part)

    def count_places(self, part: str) -> int:
        """The maximum number of digits of a part."""
        return sum(character in self.places for character in part)


@dataclass(slots=True)
class NumberParts:
    text: str
    prefix: str
    suffix: str
    mantissa: str
    integer: str
    fraction: str
    exponent: str | None

    @property
    def active(self) -> str:
        return self.text[len(self.prefix) : len(self.text) - len(self.suffix)]


def _split(text: str, properties: Properties) -> NumberParts:
    places = [index for index, character in enumerate(text) if character in properties.active]
    start, end = (places[0], places[-1] + 1) if places else (0, len(text))
    mantissa, exponent = text[start:end], None
    at = text.find(properties.exponent, start)
    if 0 <= at <= end:
        mantissa, exponent = text[start:at], text[at + 1 : end]
    integer, point, fraction = mantissa.partition(properties.point)
    return NumberParts(
        text, text[:start], text[end:], mantissa, integer, fraction if point else text[end:], exponent
    )


def _check(parts: NumberParts, properties: Properties) -> None:
    """Raises ``JsonataError`` D3081 to D3093 for the last rule that is broken, as the reference does."""
    broken = [code for code, is_broken in _rules(parts, properties) if is_broken]
    if broken:
        raise JsonataError(broken[-1])


def _rules(parts: NumberParts, properties: Properties) -> list[tuple[str, bool]]:
    text, point, grouping = parts.text, properties.point, properties.grouping
    percent, per_mille = properties.percent in text, properties.per_mille in text
    active = properties.active | {properties.exponent}
    before, optional, _ = parts.integer.partition(properties.optional)
    _, last_optional, after = parts.fraction.rpartition(properties.optional)
    exponent = parts.exponent
    return [
        ("D3081", text.count(point) > 1),
        ("D3082", text.count(properties.percent) > 1),
        ("D3083", text.count(properties.per_mille) > 1),
        ("D3084", percent and per_mille),
        ("D3085", properties.count_places(parts.mantissa) == 0),
        ("D3086", any(character not in active for character in parts.active)),
        ("D3087", point + grouping in text or grouping + point in text),
        ("D3088", point not in text and parts.integer.endswith(grouping)),
        ("D3089", grouping * 2 in text),
        ("D3090", bool(optional) and properties.count(before) > 0),
        ("D3091", bool(last_optional) and properties.count(after) > 0),
        ("D3092", bool(exponent) and (percent or per_mille)),
        ("D3093", exponent is not None and (not exponent or properties.count(exponent) < len(exponent))),
    ]


@dataclass(slots=True)
class Layout:
    """The number of digits in each part."""

    prefix: str
    suffix: str
    text: str
    integer_groups: list[int]
    interval: int
    fraction_groups: list[int]
    integer: int
    scale: int
    fraction: int
    max_fraction: int
    exponent: int


def _lay_out(parts: NumberParts, properties: Properties) -> Layout:
    integer = scale = properties.count(parts.integer)
    fraction, max_fraction = properties.count(parts.fraction), properties.count_places(parts.fraction)
    if integer == 0 and max_fraction == 0:
        if parts.exponent is not None:
            fraction = max_fraction = 1
        else:
            integer = 1
    if parts.exponent is not None and integer == 0 and properties.optional in parts.integer:
        integer = 1
    if integer == 0 and fraction == 0:
        fraction = 1
    groups = _groups(parts.integer, properties, from_left=False)
    return Layout(
        prefix=parts.prefix,
        suffix=parts.suffix,
        text=parts.text,
        integer_groups=groups,
        interval=regular_interval(groups),
        fraction_groups=_groups(parts.fraction, properties, from_left=True),
        integer=integer,
        scale=scale,
        fraction=fraction,
        max_fraction=max_fraction,
        exponent=properties.count(parts.exponent or ""),
    )


def _groups(part: str, properties: Properties, *, from_left: bool) -> list[int]:
    """For each separator, how many places are between it and the decimal point."""
    return [
        properties.count_places(part[:index] if from_left else part[index:])
        for index, character in enumerate(part)
        if character == properties.grouping
    ]


def format_number(evaluation: Evaluation, value: Any, picture: Any, options: Any = MISSING) -> Any:
    if value is MISSING:
        return MISSING
    if not math.isfinite(value):
        raise JsonataError("D1001", value=value)
    text = "" if picture is MISSING else picture
    evaluation.spend(len(text))
    properties = Properties(options)
    sub_pictures = text.split(properties.pattern)
    if len(sub_pictures) > 2:
        raise JsonataError("D3080")
    parts = [_split(sub_picture, properties) for sub_picture in sub_pictures]
    for part in parts:
        _check(part, properties)
    layout = _lay_out(parts[-1] if value < 0 else parts[0], properties)
    if value < 0 and len(parts) == 1:
        layout.prefix = properties.minus + layout.prefix
    return layout.prefix + _number(value, layout, properties) + layout.suffix


def _number(value: float, layout: Layout, properties: Properties) -> str:
    factor = 100 if properties.percent in layout.text else 1000 if properties.per_mille in layout.text else 1
    mantissa, exponent = abs(value * factor), 0
    if layout.exponent and mantissa:
        least, most = 10.0 ** (layout.scale - 1), 10.0**layout.scale
        while mantissa < least:
            mantissa, exponent = mantissa * 10, exponent - 1
        while mantissa > most:
            mantissa, exponent = mantissa / 10, exponent + 1
    fixed = f"{rounded(mantissa, layout.max_fraction):.{layout.max_fraction}f}"
    integer, _, fraction = fixed.partition(".")
    integer = _localised(integer.lstrip("0").rjust(layout.integer, "0"), properties)
    fraction = _localised(fraction.rstrip("0").ljust(layout.fraction, "0"), properties)
    text = _grouped_integer(integer, layout, properties.grouping)
    if fraction and properties.point in layout.text:
        text += properties.point + _grouped_fraction(fraction, layout, properties.grouping)
    if layout.exponent:
        digits = _localised(str(abs(exponent)).rjust(layout.exponent, "0"), properties)
        text += properties.exponent + (properties.minus if exponent < 0 else "") + digits
    return text


def _localised(digits: str, properties: Properties) -> str:
    return digits if properties.zero == "0" else "".join(properties.digits[int(digit)] for digit in digits)


def _grouped_integer(digits: str, layout: Layout, separator: str) -> str:
    if layout.interval:
        positions = list(range(layout.interval, len(digits), layout.interval))
    else:
        positions = sorted(position for position in layout.integer_groups if position < len(digits))
    for position in reversed(positions):
        digits = digits[: len(digits) - position] + separator + digits[len(digits) - position :]
    return digits


def _grouped_fraction(digits: str, layout: Layout, separator: str) -> str:
    pieces, start = [], 0
    for position in layout.fraction_groups:
        if position < len(digits):
            pieces.append(digits[start:position])
            start = position
    return separator.join([*pieces, digits[start:]])


FUNCTIONS: Final = {"formatNumber": (format_number, "<n-so?:s>", 3)}
