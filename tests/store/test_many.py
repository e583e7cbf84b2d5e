"""What is asked of a store for many executions at once: over every store, and what only SQLite can get wrong."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import anyio
import pytest

from asl_engine.core import events as ev
from asl_engine.errors import ExecutionAlreadyExists, ExecutionBusy, StoreError
from asl_engine.payload import Payload
from asl_engine.store.records import Child, NewExecution
from asl_engine.store.sqlite.rows import SHORT_EVENTS, SHORT_LENGTH
from asl_engine.store.sqlite.store import SqliteStore
from tests.store.test_stores import DEFINITION, ended, open_store, record, run, started

if TYPE_CHECKING:
    from pathlib import Path

    from asl_engine.store.protocol import Store
    from tests.store.test_stores import Open

__all__ = ["open_store"]  # the fixture

A, B, C, NONE = (f"arn:machine:{name}" for name in ("a", "b", "c", "none"))


def test_executions_are_created_together_and_fail_alone(open_store: Open) -> None:
    new = [
        NewExecution(record("a"), started()),
        NewExecution(record("b"), started()),
        NewExecution(record("c"), [*started(), *ended()]),
    ]

    async def scenario(store: Store) -> None:
        await store.create(record("b"), DEFINITION, started())
        first, second, third = await store.create_many(new, DEFINITION)
        assert first is None
        assert isinstance(second, ExecutionAlreadyExists)
        assert third is None
        assert await store.create_many([], DEFINITION) == []
        await store.append(A, ended())
        for arn in (A, C):
            assert await store.events(arn) == [*started(), *ended()]
            found = await store.record(arn)
            assert found is not None
            assert (found.status, found.stopped_at) == ("SUCCEEDED", 3000)
        running = await store.record(B)
        assert running is not None
        assert running.status == "RUNNING"

    run(open_store, scenario)


def test_records_and_logs_of_many(open_store: Open) -> None:
    async def scenario(store: Store) -> None:
        for name in ("c", "a", "b"):
            await store.create(record(name), DEFINITION, started())
        await store.append(A, ended())
        found = await store.records([A, B, C, NONE])
        assert [one.identity.arn for one in found] == [C, A, B]  # the oldest first
        assert [one.status for one in found] == ["RUNNING", "SUCCEEDED", "RUNNING"]
        assert [await store.record(arn) for arn in (C, A, B)] == found
        assert await store.logs([A, B, NONE]) == {A: [*started(), *ended()], B: started()}
        assert await store.running() == [C, B]
        assert await store.claim_many([A, B]) == {B: False}  # our own, and A has ended
        assert await store.claim_many([]) == {}
        assert await store.logs([]) == {}

    run(open_store, scenario)


def test_children_of_map_runs_are_not_among_those_that_run(open_store: Open) -> None:
    async def scenario(store: Store) -> None:
        parameters = Payload({})
        beginning = ev.MapRunStarted(5, 5, 4, 1000, 0, "arn:map-run", parameters)
        await store.create(record("a"), DEFINITION, [*started(), beginning])
        child = record("b", "machine/M")
        assert await store.create_many(
            [NewExecution(child, started(), Child("arn:map-run", 0, 1))], DEFINITION
        ) == [None]
        assert [one.arn for one in await store.map_runs.children("arn:map-run", -1, 10)] == [child.identity.arn]
        assert await store.running() == [A]

    run(open_store, scenario)


def test_many_are_claimed_of_the_dead_alone(tmp_path: Path) -> None:
    async def main() -> None:
        async def opened() -> SqliteStore:
            return await SqliteStore.open(tmp_path / "asl.db")

        living, dead, leaving = await opened(), await opened(), await opened()
        await living.create(record("a"), DEFINITION, started())
        await dead.create(record("b"), DEFINITION, started())
        await leaving.create(record("c"), DEFINITION, started())
        await leaving.leave([C])
        await leaving.close()
        await dead.close()  # without leaving what it drives
        for _ in range(2):
            looking = await opened()
            assert await looking.claim_many([A, B, C, NONE]) == {B: True, C: False}
            assert await looking.claim_many([A, B, C]) == {B: True, C: False}  # until something is done with them
            await looking.close()  # nothing was: the next is told the same
        next_one = await opened()
        await next_one.claim_many([B, C])
        with pytest.raises(ExecutionBusy):
            await living.claim(B)
        await next_one.append(B, ended()[:1])
        assert await next_one.claim_many([B]) == {B: False}
        await next_one.leave([B, C])
        assert await living.claim_many([A, B, C]) == {A: False, B: False, C: False}
        await living.close()
        await next_one.close()

    anyio.run(main)


def test_of_two_that_claim_the_same_one_gets_it(tmp_path: Path) -> None:
    names = [f"{number}" for number in range(20)]

    async def main() -> None:
        async def opened() -> SqliteStore:
            return await SqliteStore.open(tmp_path / "asl.db")

        dead = await opened()
        for name in names:
            await dead.create(record(name), DEFINITION, started())
        await dead.close()
        arns = [f"arn:machine:{name}" for name in names]
        two = [await opened(), await opened()]
        claimed: list[dict[str, bool]] = [{}, {}]

        async def claim(index: int) -> None:
            claimed[index] = await two[index].claim_many(arns)

        async with anyio.create_task_group() as group:
            group.start_soon(claim, 0)
            group.start_soon(claim, 1)
        assert sorted([*claimed[0], *claimed[1]]) == sorted(arns)
        for store in two:
            await store.close()

    anyio.run(main)


def long_log() -> list[ev.Event]:
    log = started()
    at = len(log)
    return [*log, *(ev.TaskHeartbeatReceived(seq, 0, 4, 1500, 0, 3) for seq in range(at + 1, SHORT_EVENTS + 2))]


def test_long_large_and_damaged_logs_are_read_alone(tmp_path: Path) -> None:
    large = [ev.ExecutionStarted(1, 1, 0, 1000, 0, Payload("x" * SHORT_LENGTH))]

    async def main() -> None:
        store = await SqliteStore.open(tmp_path / "asl.db")
        for name, log in (("short", started()), ("long", long_log()), ("large", large)):
            await store.create(record(name), DEFINITION, log)
        for name in ("gap", "nonsense"):
            await store.create(record(name), DEFINITION, started())
        with sqlite3.connect(tmp_path / "asl.db") as db:
            keys = dict(db.execute("SELECT name, execution FROM executions"))
            db.execute("DELETE FROM events WHERE seq = 2 AND execution = ?", (keys["gap"],))
            nonsense = (keys["nonsense"],)
            db.execute("UPDATE events SET kind = 'Nothing' WHERE seq = 2 AND execution = ?", nonsense)
        db.close()
        names = ("short", "long", "large", "gap", "nonsense")
        assert await store.logs([f"arn:machine:{name}" for name in names]) == {"arn:machine:short": started()}
        assert await store.events("arn:machine:long") == long_log()
        assert await store.events("arn:machine:large") == large
        for name in ("gap", "nonsense"):
            with pytest.raises(StoreError):
                await store.events(f"arn:machine:{name}")
        await store.close()

    anyio.run(main)
