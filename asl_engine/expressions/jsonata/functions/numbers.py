"""The functions on numbers.  JSONata documentation: "Numeric functions" and "Numeric aggregation functions"."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final

from asl_engine.expressions.jsonata.failures import JsonataError
from asl_engine.expressions.jsonata.number_text import number_text
from asl_engine.expressions.jsonata.values import whole
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from asl_engine.expressions.jsonata.runtime import Evaluation

__all__ = ["FUNCTIONS", "rounded"]

DECIMAL: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[Ee][-+]?[0-9]+)?")
PREFIXED: Final = re.compile(r"0[xX][0-9A-Fa-f]+|0[oO][0-7]+|0[bB][01]+")
DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
MAX_DECIMAL_LENGTH: Final = 4_000  # characters; more digits than any double has


def number(_: Evaluation, value: Any) -> Any:
    if value is MISSING or value.__class__ in {int, float}:
        return value
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and len(value) <= MAX_DECIMAL_LENGTH:
        if DECIMAL.fullmatch(value) and math.isfinite(float(value)):
            return whole(float(value))
        if PREFIXED.fullmatch(value):
            return whole(float(int(value, 0)))
    raise JsonataError("D3030", value=value)


def absolute(_: Evaluation, value: Any) -> Any:
    return MISSING if value is MISSING else abs(value)


def floor(_: Evaluation, value: Any) -> Any:
    return value if value is MISSING or not math.isfinite(value) else whole(float(math.floor(value)))


def ceil(_: Evaluation, value: Any) -> Any:
    return value if value is MISSING or not math.isfinite(value) else whole(float(math.ceil(value)))


def round_(_: Evaluation, value: Any, precision: Any = MISSING) -> Any:
    return MISSING if value is MISSING else rounded(value, 0 if precision is MISSING else precision)


def rounded(value: float, precision: float = 0) -> float:
    """Round to the nearest, halves to even.  The point is moved in the text, so that 1.005 counts as a half."""
    if not math.isfinite(value):
        return value
    shifted = _shifted(value, precision) if precision else value
    if not math.isfinite(shifted):
        return value  # there is nothing left to round off
    nearest = float(round(shifted))
    return whole(_shifted(nearest, -precision) if precision else nearest) + 0


def _shifted(value: float, places: float) -> float:
    mantissa, _, power = number_text(value).partition("e")
    exponent = float(power or 0) + places
    return float(f"{mantissa}e{int(exponent)}") if exponent.is_integer() else math.nan


def sqrt(_: Evaluation, value: Any) -> Any:
    if value is MISSING:
        return MISSING
    if value < 0:
        raise JsonataError("D3060", value=value)
    return whole(math.sqrt(value))


def power(_: Evaluation, base: Any, exponent: Any) -> Any:
    if base is MISSING:
        return MISSING
    try:
        result = math.nan if exponent is MISSING else math.pow(base, exponent)
    except (OverflowError, ValueError):
        result = math.nan
    if not math.isfinite(result):
        raise JsonataError("D3061", value=base, exp=exponent)
    return whole(result)


def format_base(_: Evaluation, value: Any, radix: Any = MISSING) -> Any:
    if value is MISSING:
        return MISSING
    base = 10 if radix is MISSING else rounded(radix)
    if not 2 <= base <= 36:
        raise JsonataError("D3100", value=base)
    nearest = rounded(value)
    if base == 10 or not math.isfinite(nearest):
        return number_text(nearest)
    rest = abs(int(nearest))
    digits = ""
    while rest:
        rest, digit = divmod(rest, int(base))
        digits = DIGITS[digit] + digits
    return ("-" if nearest < 0 else "") + (digits or "0")


def sum_(_: Evaluation, values: Any) -> Any:
    if values is MISSING:
        return MISSING
    total = 0.0
    for value in values:
        total += value
    return whole(total)


def maximum(_: Evaluation, values: Any) -> Any:
    return MISSING if values is MISSING or not values else max(values)


def minimum(_: Evaluation, values: Any) -> Any:
    return MISSING if values is MISSING or not values else min(values)


def average(evaluation: Evaluation, values: Any) -> Any:
    if values is MISSING or not values:
        return MISSING
    return whole(sum_(evaluation, values) / len(values))


FUNCTIONS: Final = {
    "number": (number, "<(nsb)-:n>", 1),
    "abs": (absolute, "<n-:n>", 1),
    "floor": (floor, "<n-:n>", 1),
    "ceil": (ceil, "<n-:n>", 1),
    "round": (round_, "<n-n?:n>", 2),
    "sqrt": (sqrt, "<n-:n>", 1),
    "power": (power, "<n-n:n>", 2),
    "formatBase": (format_base, "<n-n?:s>", 2),
    "sum": (sum_, "<a<n>:n>", 1),
    "max": (maximum, "<a<n>:n>", 1),
    "min": (minimum, "<a<n>:n>", 1),
    "average": (average, "<a<n>:n>", 1),
}
