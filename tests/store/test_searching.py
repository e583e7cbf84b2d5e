"""Searching: every store finds the same, and SQLite looks at a bounded number of rows, by an index."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from asl_engine.core import events as ev
from asl_engine.core.execution import Identity
from asl_engine.payload import Payload
from asl_engine.store.memory.store import MemoryStore
from asl_engine.store.records import ExecutionSearch, Record, SearchPosition
from asl_engine.store.sqlite.searching import statement
from asl_engine.store.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from pathlib import Path

    from asl_engine.store.protocol import Store

HOME = "arn:here:"
DEFINITION = '{"StartAt": "A"}'
MACHINES = ("alpha", "beta")


def log(number: int) -> list[ev.Event]:
    begun: list[ev.Event] = [ev.ExecutionStarted(1, 1, 0, 1000 + number, 0, Payload({}))]
    end: ev.Event = ev.ExecutionSucceeded(2, 2, 1, 2000 - number, 0, Payload({}))
    if number % 3 == 0:
        end = ev.ExecutionFailed(2, 2, 1, 2000 - number, 0, f"Error.{number % 2}", "because")
    return begun if number % 5 == 4 else [*begun, end]


async def fill(store: Store) -> None:
    for number in range(40):
        machine = MACHINES[number % 2]
        home = "arn:elsewhere:" if number % 10 == 7 else HOME
        label = "/label" if number % 10 == 8 else ""
        who = Identity(
            f"{home}{machine}{label}:e{number}",
            f"Run-{number}",
            f"{home}{machine}{label}",
            f"{machine}{label}",
            "arn:role",
            1000 + number,
        )
        await store.create(Record(who, "digest"), DEFINITION, log(number))


WANTED = {
    "all": ExecutionSearch(HOME),
    "a machine": ExecutionSearch(HOME, machine_arn=f"{HOME}alpha"),
    "a status": ExecutionSearch(HOME, status="RUNNING"),
    "both": ExecutionSearch(HOME, machine_arn=f"{HOME}beta", status="FAILED"),
    "a name": ExecutionSearch(HOME, name="RUN-1"),
    "an error": ExecutionSearch(HOME, error="error.1"),
    "an error of a machine": ExecutionSearch(HOME, machine_arn=f"{HOME}alpha", error="error.0"),
    "a time": ExecutionSearch(HOME, begin=1010, end=1020),
    "nothing": ExecutionSearch(HOME, name="nobody"),
}


async def everything(store: Store, wanted: ExecutionSearch, limit: int, window: int) -> list[Any]:
    found: list[Any] = []
    after: SearchPosition | None = None
    for _ in range(200):
        page = await store.search(wanted, after, limit, window)
        assert len(page.found) <= limit
        found += [(one.record.identity.name, one.record.status, one.error, one.cause) for one in page.found]
        after = page.position
        if after is None:
            return found
    raise AssertionError("it has no end")


@pytest.mark.parametrize(("limit", "window"), [(1, 2), (3, 3), (7, 1000), (100, 5)])
@pytest.mark.parametrize("wanted", WANTED.values(), ids=WANTED)
def test_both_stores_find_the_same(tmp_path: Path, wanted: ExecutionSearch, limit: int, window: int) -> None:
    async def check() -> None:
        memory = MemoryStore()
        sqlite = await SqliteStore.open(tmp_path / "asl.db", synchronous="OFF")
        try:
            await fill(memory)
            await fill(sqlite)
            found = await everything(sqlite, wanted, limit, window)
            assert found == await everything(memory, wanted, limit, window)
            assert len(found) == len({*found})
            assert not [name for name, *_ in found if name.endswith(("7", "8")) and len(name) == 5]
            for machine in (None, f"{HOME}alpha", f"{HOME}nobody"):
                for most in (3, 1000):
                    tally = await sqlite.tally(HOME, machine, most)
                    if most == 1000:
                        assert tally == await memory.tally(HOME, machine, most)
                    assert all(one.number <= most for one in tally.values())
        finally:
            await sqlite.close()

    anyio.run(check)


def test_what_they_find_is_right() -> None:
    async def check() -> None:
        store = MemoryStore()
        await fill(store)
        assert [name for name, *_ in await everything(store, WANTED["a time"], 3, 5)] == [
            "Run-19",
            "Run-16",
            "Run-15",
            "Run-14",
            "Run-13",
            "Run-12",
            "Run-11",
            "Run-10",
        ]
        assert {error for _, _, error, _ in await everything(store, WANTED["an error"], 3, 5)} == {"Error.1"}
        tally = await store.tally(HOME)
        assert sum(one.number for one in tally.values()) == 32
        assert (await store.tally(HOME, most=2))["RUNNING"] == (2, True)

    anyio.run(check)


PLACES = {"from the beginning": None, "behind a place": SearchPosition(1500, 10**9)}


@pytest.mark.parametrize("after", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("wanted", WANTED.values(), ids=WANTED)
def test_a_page_is_looked_up_by_an_index(
    tmp_path: Path, wanted: ExecutionSearch, after: SearchPosition | None
) -> None:
    """No table is read from its beginning to its end, and none is sorted before it is cut to the window."""

    async def make() -> None:
        store = await SqliteStore.open(tmp_path / "asl.db", synchronous="OFF")
        await fill(store)
        await store.close()

    anyio.run(make)
    query, values = statement(wanted, after, 50, 2000)
    db = sqlite3.connect(tmp_path / "asl.db")
    try:
        plan = [str(row[3]) for row in db.execute(f"EXPLAIN QUERY PLAN {query}", values)]
    finally:
        db.close()
    reads = [line for line in plan if line.startswith(("SCAN executions", "SEARCH executions", "SCAN events"))]
    scans = [line for line in reads if line.startswith("SCAN") and "USING" not in line]
    assert not scans, plan
    assert reads, plan
