"""Tags in the database, by the ARN of their resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from asl_engine.store.sqlite.connection import Fetch, Statement, Write

__all__ = ["DELETE_TAGS", "TagTable", "tagging"]

SELECT = "SELECT key, value FROM tags WHERE arn = ? ORDER BY key"
PUT = "INSERT OR REPLACE INTO tags (arn, key, value) VALUES (?, ?, ?)"
DELETE = "DELETE FROM tags WHERE arn = ? AND key = ?"
DELETE_TAGS = "DELETE FROM tags WHERE arn = ?"


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
