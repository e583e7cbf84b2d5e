"""How rows reach the database."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from asl_engine.core import events as ev
from asl_engine.core.execution import Identity
from asl_engine.payload import Payload
from asl_engine.store.records import Record
from asl_engine.store.sqlite.lookup import Lookup
from asl_engine.store.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from pathlib import Path

EVENTS = 200
EXECUTIONS = 100


def log(length: int) -> list[ev.Event]:
    states = [ev.StateEntered(seq, seq, 0, 1000, 0, "A", "Pass", Payload(seq)) for seq in range(2, length)]
    end = ev.ExecutionSucceeded(length, length, 0, 1000, 0, Payload({}))
    return [ev.ExecutionStarted(1, 1, 0, 1000, 0, Payload({})), *states, end]


def record(number: int) -> Record:
    return Record(Identity(f"arn:{number}", f"e{number}", "arn:machine", "machine", "arn:role", 1000), "digest")


def test_many_rows_share_a_statement(tmp_path: Path) -> None:
    """After each statement the thread has to wait for Python's lock, for milliseconds where the loop is busy."""

    async def scenario() -> None:
        store = await SqliteStore.open(tmp_path / "test.db")
        statements: list[str] = []
        await store.write_alone(lambda db: db.set_trace_callback(statements.append))
        stop = threading.Event()
        blocked = asyncio.create_task(store.write_alone(lambda _: stop.wait(10)))
        await asyncio.sleep(0)
        executions = [
            asyncio.create_task(store.create(record(number), "{}", log(EVENTS if number == 0 else 3)))
            for number in range(EXECUTIONS)
        ]
        await asyncio.sleep(0)
        stop.set()
        await blocked
        await asyncio.gather(*executions)
        await store.write_alone(lambda db: db.set_trace_callback(None))
        kinds = [" ".join(statement.split()[:3]) for statement in statements]
        rows = EVENTS + 3 * (EXECUTIONS - 1)
        assert kinds.count("INSERT INTO events") == rows // 64 + (rows % 64).bit_count()
        assert kinds.count("INSERT INTO executions") == 1 + (EXECUTIONS - 64).bit_count()
        assert kinds.count("UPDATE executions SET") == 0  # each was inserted with its end
        assert await store.events("arn:0") == log(EVENTS)
        assert await store.events(f"arn:{EXECUTIONS - 1}") == log(3)
        await store.close()

    asyncio.run(scenario())


def test_what_finds_one_row_needs_no_thread(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = await SqliteStore.open(tmp_path / "test.db")
        await store.create(record(0), "{}", log(3))
        found = await store.record("arn:0")
        assert found is not None
        assert found.identity == record(0).identity
        assert [event.seq for event in await store.history("arn:0", limit=1, backwards=True)] == [3]
        assert await store.record("arn:1") is None
        assert store._reader is None
        await store.close()

    asyncio.run(scenario())


def test_what_cannot_be_looked_up_at_once_is_left_to_a_thread(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = await SqliteStore.open(tmp_path / "test.db")
        await store.create(record(0), "{}", log(3))
        lookup = Lookup(tmp_path / "missing.db")
        assert lookup.rows("SELECT 1", ()) is None
        store._lookup = lookup
        assert await store.record("arn:0") is not None
        assert store._reader is not None
        await store.close()

    asyncio.run(scenario())
