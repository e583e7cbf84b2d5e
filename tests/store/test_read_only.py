"""Databases that may be read and not written."""

from __future__ import annotations

import shutil
import sqlite3
from typing import TYPE_CHECKING

import anyio
import pytest

from asl_engine.errors import StoreError
from asl_engine.store.sqlite import opening
from asl_engine.store.sqlite.schema import MIGRATIONS
from asl_engine.store.sqlite.store import SqliteStore
from tests.store.test_stores import DEFINITION, ended, open_and_close, record, started

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a database will be; permissions do not stop root, so the system's answer is replaced."""
    monkeypatch.setattr(opening.os, "access", lambda *_: False)  # type: ignore[attr-defined]  # not re-exported
    return tmp_path / "a folder" / "100%?.db"


async def filled(path: Path) -> SqliteStore:
    store = await SqliteStore.open(path)
    await store.create(record("a"), DEFINITION, started())
    return store


async def to_read(path: Path) -> SqliteStore:
    return await SqliteStore.open(path, create=False, reading=True)


def test_one_that_nobody_has_open_is_read_and_left_as_it_is(path: Path) -> None:
    async def main() -> None:
        await (await filled(path)).close()
        before = sorted(file.name for file in path.parent.iterdir())
        store = await to_read(path)
        assert await store.events("arn:machine:a") == started()
        assert not await store.changed()
        assert sorted(file.name for file in path.parent.iterdir()) == before
        with pytest.raises(StoreError, match="cannot be written: check its permissions"):
            await store.append("arn:machine:a", ended())
        await store.close()

    anyio.run(main)


def test_one_that_is_in_use_is_followed(path: Path) -> None:
    async def main() -> None:
        writer = await filled(path)
        reader = await to_read(path)
        await reader.changed()
        assert await reader.events("arn:machine:a") == started()
        await writer.append("arn:machine:a", ended())
        assert await reader.changed()
        assert await reader.events("arn:machine:a") == started() + ended()
        await reader.close()
        await writer.close()

    anyio.run(main)


def test_one_that_is_opened_meanwhile_is_not_read_without_locks(path: Path) -> None:
    async def main() -> None:
        await (await filled(path)).close()
        reader = await to_read(path)
        writer = await SqliteStore.open(path)
        await writer.append("arn:machine:a", ended())
        for read in (reader.changed(), reader.record("arn:machine:a")):
            with pytest.raises(StoreError, match="is being written by another process: run the command again"):
                await read
        await writer.close()
        with pytest.raises(StoreError, match="is being written"):  # it has been
            await reader.record("arn:machine:a")
        await reader.close()
        again = await to_read(path)
        assert await again.events("arn:machine:a") == started() + ended()
        await again.close()

    anyio.run(main)


def test_a_link_to_one_that_is_in_use(path: Path, tmp_path: Path) -> None:
    """SQLite keeps the log beside the database, not beside the link."""
    link = tmp_path / "link.db"

    async def main() -> None:
        writer = await filled(path)
        link.symlink_to(path)
        reader = await to_read(link)
        assert await reader.events("arn:machine:a") == started()
        await reader.close()
        await writer.close()

    anyio.run(main)


def older(path: Path) -> None:
    anyio.run(open_and_close, path)
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) - 1}")
    db.close()


def empty(path: Path) -> None:
    path.parent.mkdir()
    path.touch()


def newer(path: Path) -> None:
    anyio.run(open_and_close, path)
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 999")
    db.close()


def foreign(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE theirs (x)")
    db.close()


UNREADABLE = {
    "older": (older, "was written by an older version of asl-engine .* cannot be written to bring it up to date"),
    "empty": (empty, "is empty"),
    "newer": (newer, "by a newer version of asl-engine"),
    "of another program": (foreign, "is a SQLite database of another program"),
}


@pytest.mark.parametrize(("make", "said"), UNREADABLE.values(), ids=UNREADABLE)
def test_one_that_is_not_as_it_has_to_be(path: Path, make: object, said: str) -> None:
    assert callable(make)
    make(path)
    with pytest.raises(StoreError, match=said):
        anyio.run(to_read, path)


def test_a_log_that_a_crash_has_left_needs_who_may_write(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its index is gone: SQLite has to make another, and says so in one of several ways."""

    async def main() -> None:
        writer = await filled(path)
        copy = path.with_name("copy.db")
        for suffix in ("", "-wal"):
            shutil.copy(path.with_name(path.name + suffix), copy.with_name(copy.name + suffix))
        await writer.close()

        def refuse(*_: object) -> int:
            raise sqlite3.OperationalError("unable to open database file")

        monkeypatch.setattr(opening, "_checked", refuse)
        with pytest.raises(StoreError, match=r"copy\.db-wal beside it: let who may write it"):
            await to_read(copy)

    anyio.run(main)
