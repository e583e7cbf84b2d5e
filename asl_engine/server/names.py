"""The names of state machines and executions, as CreateStateMachine and StartExecution allow them."""

from __future__ import annotations

import re

from asl_engine.limits import MAX_NAME_LENGTH
from asl_engine.server.errors import ApiError

__all__ = ["checked_name"]

# White space, brackets, wildcards, special and control characters; halves of surrogate pairs.
_FORBIDDEN = re.compile(r"[\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def checked_name(name: str) -> str:
    """Raises InvalidName."""
    if not 0 < len(name) <= MAX_NAME_LENGTH or _FORBIDDEN.search(name):
        raise ApiError("InvalidName", f"Invalid Name: '{name}'")
    return name
