"""Numbers and truths among settings, which templates often write as texts.

Those of functions have Lambda's bounds: "Lambda quotas" in its Developer Guide.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from asl_engine.templates.functions import as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from asl_engine.json_values import Json

__all__ = ["MAX_MEGABYTES", "MAX_SECONDS", "number", "typed", "whole"]

WHOLE: Final = re.compile(r"-?[0-9]{1,18}")
TRUTHS: Final = {"true": True, "false": False}
MAX_SECONDS: Final = 900.0
MAX_MEGABYTES: Final = 10_240


def number(value: Json, largest: float, default: float) -> float:
    """The number that a value is or is written as; the default for another, and for one that is out of bounds."""
    try:
        found = float(value) if isinstance(value, int | float | str) else default
    except ValueError:
        return default
    return found if 0 < found <= largest else default


def typed(value: Json, integers: Container[str], booleans: Container[str], tell: Callable[[str], None]) -> Json:
    """A value whose members of these names are numbers and truths, which templates often write as texts.

    ``tell`` is told of one that is neither.
    """
    if isinstance(value, list):
        return [typed(one, integers, booleans, tell) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: _member(name, one, integers, booleans, tell) for name, one in value.items()}


def _member(
    name: str, value: Json, integers: Container[str], booleans: Container[str], tell: Callable[[str], None]
) -> Json:
    if name in integers and not isinstance(value, dict | list):
        found = whole(value)
        if found is None:
            tell(f"{name} has to be a whole number; it is {as_text(value)}")
        return value if found is None else found
    if name in booleans and not isinstance(value, dict | list):
        truth = TRUTHS.get(as_text(value).lower())
        if truth is None:
            tell(f"{name} has to be true or false; it is {as_text(value)}")
        return value if truth is None else truth
    return typed(value, integers, booleans, tell)


def whole(value: Json) -> int | None:
    """The whole number that a value is or is written as; None for another."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value) if value == int(value) else None
    return int(value) if isinstance(value, str) and WHOLE.fullmatch(value.strip()) else None
