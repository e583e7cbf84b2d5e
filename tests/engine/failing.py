"""A disk that fails at will, under a real database, and time that passes only where the engine pauses."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING, Any

from asl_engine.store.sqlite import writer
from asl_engine.store.sqlite.appends import insert
from asl_engine.store.sqlite.lookup import Lookup
from asl_engine.store.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pytest

    from asl_engine.store.sqlite.appends import Append

__all__ = ["FULL", "Disk", "Pauses"]

FULL = sqlite3.OperationalError("database or disk is full")


class Disk:
    """``fails`` says of a write, by its number from 1 on, whether it fails, and ``cannot_read`` of a read.

    ``keeps``: what is said to have failed is on disk all the same.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.writes = 0
        self.error: sqlite3.Error = FULL
        self.fails: Callable[[int], bool] = lambda _: False
        self.reads = 0
        self.cannot_read: Callable[[int], bool] = lambda _: False
        self.keeps = False
        fetch = SqliteStore.fetch

        def insert_or_fail(db: sqlite3.Connection, appends: Sequence[Append]) -> None:
            self.writes += 1
            fails = self.fails(self.writes)
            if self.keeps or not fails:
                insert(db, appends)
            if fails:
                if self.keeps:
                    db.commit()
                raise self.error

        async def fetch_or_fail(store: SqliteStore, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
            self.reads += 1
            if self.cannot_read(self.reads):
                raise store._place.explained(self.error)
            return await fetch(store, query, values)

        monkeypatch.setattr(Lookup, "rows", lambda *_: None)  # then all is fetched
        monkeypatch.setattr(writer, "insert", insert_or_fail)
        monkeypatch.setattr(SqliteStore, "fetch", fetch_or_fail)

    def is_readable(self, readable: bool = True) -> None:
        self.cannot_read = lambda _: not readable

    def is_full(self, full: bool = True) -> None:
        self.fails = lambda _: full


class Pauses:
    """An engine's ``sleep``: what it has slept for, and what happens then."""

    def __init__(self, then: Callable[[int], None] = lambda _: None) -> None:
        self.seconds: list[float] = []
        self.then = then

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)
        self.then(len(self.seconds))
