"""Numbers among a function's settings, with Lambda's bounds: "Lambda quotas" in its Developer Guide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from asl_engine.json_values import Json

__all__ = ["MAX_MEGABYTES", "MAX_SECONDS", "number"]

MAX_SECONDS: Final = 900.0
MAX_MEGABYTES: Final = 10_240


def number(value: Json, largest: float, default: float) -> float:
    """The number that a value is or is written as; the default for another, and for one that is out of bounds."""
    try:
        found = float(value) if isinstance(value, int | float | str) else default
    except ValueError:
        return default
    return found if 0 < found <= largest else default
