"""What the tables of the database need from their connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


__all__ = ["Fetch", "Statement", "Write"]


Statement: TypeAlias = tuple[str, tuple[Any, ...]]


Write: TypeAlias = "Callable[..., Awaitable[None]]"


Fetch: TypeAlias = "Callable[[str, tuple[Any, ...]], Awaitable[list[Any]]]"
