"""The names of state machines, activities and executions.  "name" of CreateStateMachine and StartExecution."""

from __future__ import annotations

import re
from typing import Final

from asl_engine.limits import MAX_NAME_LENGTH

__all__ = ["ALLOWED_IN_NAMES", "is_name", "name_from"]

# White space, brackets, wildcards, special and control characters; halves of surrogate pairs; no characters.
_FORBIDDEN: Final = re.compile(
    r"[\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\U0010ffff]"
)
ALLOWED_IN_NAMES: Final = (
    f"1 to {MAX_NAME_LENGTH} characters, but no white space, no control characters, "
    'and none of < > { } [ ] ? * " # % \\ ^ | ~ ` $ & , ; : /'
)


def is_name(text: str, longest: int | None = MAX_NAME_LENGTH) -> bool:
    """Whether the text can be a name; without ``longest``, of any length."""
    return text != "" and (longest is None or len(text) <= longest) and not _FORBIDDEN.search(text)


def name_from(text: str) -> str:
    """``text`` as a name: what a name may not have becomes ``_``, and what is too long is cut."""
    return _FORBIDDEN.sub("_", text)[:MAX_NAME_LENGTH]
