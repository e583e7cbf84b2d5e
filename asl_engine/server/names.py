"""Names as the API refuses them."""

from __future__ import annotations

from asl_engine.limits import MAX_NAME_LENGTH
from asl_engine.names import is_name
from asl_engine.server.errors import ApiError

__all__ = ["checked_name"]


def checked_name(name: str, longest: int | None = MAX_NAME_LENGTH) -> str:
    """Raises InvalidName."""
    if not is_name(name, longest):
        raise ApiError("InvalidName", f"Invalid Name: '{name}'")
    return name
