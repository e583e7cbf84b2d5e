"""Numbers that a field's path selects: as numbers, or as texts, which AWS parses.

Recorded from AWS for SecondsPath and for what a Map state computes (MaxConcurrencyPath, ToleratedFailureCountPath,
ToleratedFailurePercentagePath, MaxItemsPath).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from asl_engine.json_values import Json

__all__ = ["integer_of", "number_of"]

INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}")
NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


def integer_of(value: Json) -> int | None:
    """The integer that a value is, or is the text of; None for any other."""
    if isinstance(value, str):
        return int(value) if INTEGER.fullmatch(value) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def number_of(value: Json) -> float | None:
    """The number that a value is, or is the text of; None for any other."""
    if isinstance(value, str):
        return integer_of(value) if INTEGER.fullmatch(value) else float(value) if NUMBER.fullmatch(value) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
