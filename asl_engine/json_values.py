"""JSON as Python values, and the difference between absent and null."""

from __future__ import annotations

import json
from enum import Enum
from typing import Final, TypeAlias

__all__ = ["MAX_DEPTH", "MISSING", "Json", "Missing", "canonical_text"]


Json: TypeAlias = dict[str, "Json"] | list["Json"] | str | int | float | bool | None


# How many levels of arrays and objects there may be.  Python's own bound depends on who calls: what was accepted
# at one place could not be read at another.
MAX_DEPTH: Final = 500


class Missing(Enum):
    """The type of ``MISSING``: absent, which is not null."""

    MISSING = "MISSING"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing.MISSING


def canonical_text(value: Json) -> str:
    """A text that is equal for equal values, whatever the order of members; 1 and true differ."""
    return json.dumps(value, sort_keys=True)
