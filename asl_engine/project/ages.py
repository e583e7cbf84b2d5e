"""Ages as they are typed and configured: a number and a unit, as in ``90d``."""

from __future__ import annotations

import re

from asl_engine.errors import InvalidInput

__all__ = ["DEFAULT_KEEP", "FORM", "checked_age", "is_age"]

FORM = "a whole number and a unit: s, min, h, d or w, such as 90d"
# Step Functions keeps an execution for 90 days after it has ended.
DEFAULT_KEEP = "90d"

_AGE = re.compile(r"(\d{1,9})(s|min|h|d|w)", re.ASCII)
_MILLISECONDS = {"s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def is_age(text: object) -> bool:
    return isinstance(text, str) and _AGE.fullmatch(text) is not None


def checked_age(text: str, where: str) -> int:
    """In milliseconds.  Raises ``InvalidInput``; ``where`` is what the text was given for."""
    match = _AGE.fullmatch(text)
    if match is None:
        raise InvalidInput(f"{where} {text}: it is {FORM}")
    return int(match[1]) * _MILLISECONDS[match[2]]
