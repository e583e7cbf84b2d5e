"""Names as the API refuses them."""

from __future__ import annotations

from asl_engine.names import is_name
from asl_engine.server.errors import ApiError

__all__ = ["checked_name"]


def checked_name(name: str) -> str:
    """Raises InvalidName."""
    if not is_name(name):
        raise ApiError("InvalidName", f"Invalid Name: '{name}'")
    return name
