"""Numbers as JavaScript writes them, which is how JSONata casts them to strings."""

from __future__ import annotations

import math
from typing import Final

__all__ = ["EXACT", "number_text"]

EXACT: Final = 2**53  # up to here a double holds every integer


def number_text(value: float) -> str:
    """A number as JavaScript writes it: 1e+21, 1e-7, 0.000001, 100."""
    if isinstance(value, int):
        if abs(value) <= EXACT:
            return str(value)
        try:
            value = float(value)
        except OverflowError:
            return "Infinity" if value > 0 else "-Infinity"
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "0"
    mantissa, _, power = f"{abs(value)!r}".partition("e")
    before, _, after = mantissa.partition(".")
    digits = (before + after).lstrip("0")
    point = len(before) + int(power or 0) if before != "0" else int(power or 0) - len(after) + len(digits)
    digits = digits.rstrip("0")
    return ("-" if value < 0 else "") + _placed(digits, point)


def _placed(digits: str, point: int) -> str:
    """The digits with the decimal point after the first ``point`` of them."""
    count = len(digits)
    if 0 < point <= 21:
        return digits.ljust(point, "0") if count <= point else f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    power = f"e{'+' if point > 0 else '-'}{abs(point - 1)}"
    return f"{digits[0]}{'.' if count > 1 else ''}{digits[1:]}{power}"
