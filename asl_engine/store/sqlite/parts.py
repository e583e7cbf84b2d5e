"""Parts that one process plays of all that share a database: who delivers events, who polls sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.store.sqlite.connection import Fetch, Write

__all__ = ["Part"]


class Part:
    """A part, with a table of one row, whose ``owner`` is the lease of the process that plays it.

    ``lease`` is this process's token; ``is_held`` says whether the process of another still lives.
    """

    def __init__(
        self, table: str, fetch: Fetch, write: Write, lease: Callable[[], str], is_held: Callable[[str], bool]
    ) -> None:
        self._table = table
        self._fetch = fetch
        self._write = write
        self._lease = lease
        self._is_held = is_held

    async def claim(self) -> bool:
        """Whether this process plays it, from now on where no living process does."""
        mine = self._lease()
        owner = await self._owner()
        if owner == mine:
            return True
        if self._is_held(owner):
            return False
        await self._write((f"UPDATE {self._table} SET owner = ? WHERE owner = ?", (mine, owner)))
        return await self._owner() == mine

    async def is_played(self) -> bool:
        """Whether a living process plays it."""
        owner = await self._owner()
        return owner == self._lease() or self._is_held(owner)

    async def leave(self) -> None:
        await self._write((f"UPDATE {self._table} SET owner = '' WHERE owner = ?", (self._lease(),)))

    async def _owner(self) -> str:
        ((owner,),) = await self._fetch(f"SELECT owner FROM {self._table}", ())
        return str(owner)
