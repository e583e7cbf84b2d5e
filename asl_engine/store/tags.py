"""Tags in the database, by the ARN of what they are attached to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from asl_engine.store.machines import Fetch, Statement, Write

__all__ = ["DELETE_TAGS", "TagTable", "Tags", "tagging"]

SELECT = "SELECT key, value FROM tags WHERE arn = ? ORDER BY key"
PUT = "INSERT OR REPLACE INTO tags (arn, key, value) VALUES (?, ?, ?)"
DELETE = "DELETE FROM tags WHERE arn = ? AND key = ?"
DELETE_TAGS = "DELETE FROM tags WHERE arn = ?"


class Tags(Protocol):
    """The tags of a store.  Each call is one transaction."""

    async def get(self, arn: str) -> dict[str, str]:
        """By key, in the order of the keys."""
        ...

    async def put(self, arn: str, tags: Mapping[str, str]) -> None:
        """Add tags, or replace the values of those that are there."""
        ...

    async def remove(self, arn: str, keys: Iterable[str]) -> None: ...


class TagTable:
    """``Tags`` in SQLite."""

    def __init__(self, fetch: Fetch, write: Write) -> None:
        self._fetch = fetch
        self._write = write

    async def get(self, arn: str) -> dict[str, str]:
        return {str(key): str(value) for key, value in await self._fetch(SELECT, (arn,))}

    async def put(self, arn: str, tags: Mapping[str, str]) -> None:
        await self._write(*tagging(arn, tags))

    async def remove(self, arn: str, keys: Iterable[str]) -> None:
        await self._write(*((DELETE, (arn, key)) for key in keys))


def tagging(arn: str, tags: Mapping[str, str]) -> tuple[Statement, ...]:
    """The statements that add tags."""
    return tuple((PUT, (arn, key, value)) for key, value in tags.items())
