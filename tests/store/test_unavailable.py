"""A database that cannot be used for a while: for real, as far as that is possible without privileges."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from asl_engine.core import events as ev
from asl_engine.core.execution import Identity
from asl_engine.engine.clock import VirtualClock
from asl_engine.engine.engine import Engine
from asl_engine.errors import StoreError, StoreUnavailable
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.store.records import Driver, Orphan, Record
from asl_engine.store.run_options import RunOptions
from asl_engine.store.sqlite import lease as leases
from asl_engine.store.sqlite import opening
from asl_engine.store.sqlite.place import DamagedDatabase, explained
from asl_engine.store.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asl_engine.resources import TaskCall

ROOT = Path(__file__).parents[2]
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
LONG = "x" * 300


def play(scenario: Callable[[SqliteStore], Awaitable[None]], path: Path) -> None:
    async def main() -> None:
        store = await SqliteStore.open(path / "asl.db", synchronous="OFF")
        try:
            with anyio.fail_after(30):
                await scenario(store)
        finally:
            await store.close()

    anyio.run(main)


def record(name: str, machine: str = "m", **options: Any) -> Record:
    identity = Identity(f"arn:{machine}:{name}", name, f"arn:{machine}", machine, "arn:role", 1000)
    return Record(identity, "digest", options=RunOptions(**options))


def entered(seq: int, payload: Payload) -> ev.Event:
    return ev.StateEntered(seq, seq, 0, 1000, 0, "A", "Pass", payload)


async def created(store: SqliteStore, name: str, **options: Any) -> str:
    given = record(name, **options)
    await store.create(given, "{}", [ev.ExecutionStarted(1, 1, 0, 1000, 0, Payload({}))])
    return given.identity.arn


async def limit(store: SqliteStore, more_pages: int | None) -> None:
    """Let the database grow by so many pages; None: as far as it likes."""

    def change(db: sqlite3.Connection) -> None:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {2**30 if more_pages is None else pages + more_pages}")

    await store.write_alone(change)


KINDS: dict[str, tuple[sqlite3.Error, type[StoreError]]] = {
    "full": (sqlite3.OperationalError("database or disk is full"), StoreUnavailable),
    "locked": (sqlite3.OperationalError("database is locked"), StoreUnavailable),
    "read only": (sqlite3.OperationalError("attempt to write a readonly database"), StoreUnavailable),
    "input or output": (sqlite3.OperationalError("disk I/O error"), StoreUnavailable),
    "not to be opened": (sqlite3.OperationalError("unable to open database file"), StoreUnavailable),
    "damaged": (sqlite3.DatabaseError("database disk image is malformed"), DamagedDatabase),
    "another layout": (sqlite3.OperationalError("no such table: events"), DamagedDatabase),
    "no database": (sqlite3.DatabaseError("file is not a database"), StoreError),
    "too large": (sqlite3.DataError("string or blob too big"), StoreError),
    "closed": (sqlite3.ProgrammingError("Cannot operate on a closed database."), StoreError),
}


@pytest.mark.parametrize(("error", "kind"), KINDS.values(), ids=KINDS)
def test_what_may_pass_and_what_may_not(error: sqlite3.Error, kind: type[StoreError]) -> None:
    assert type(explained(Path("asl.db"), error)) is kind


def test_what_could_not_be_stored_can_be_stored_later(tmp_path: Path) -> None:
    """The same events, and other events with the same payloads: nothing refers to what is not there."""

    async def scenario(store: SqliteStore) -> None:
        arn = await created(store, "a")
        large, long = Payload("y" * 100_000), Payload(LONG)
        await limit(store, 1)
        with pytest.raises(StoreUnavailable, match=r"The disk with the database .* is full: make room there"):
            await store.append(arn, [entered(2, large), entered(3, long), entered(4, long)])
        await limit(store, None)
        assert len(await store.events(arn)) == 1
        await store.append(arn, [entered(2, long), entered(3, large), entered(4, long)])
        found: Any = await store.events(arn, after=1)
        assert [event.input for event in found] == [long, large, long]

    play(scenario, tmp_path)


def test_a_new_execution_that_could_not_be_stored_can_be_stored_later(tmp_path: Path) -> None:
    async def scenario(store: SqliteStore) -> None:
        await limit(store, 0)
        large = Payload("y" * 100_000)
        begun = [ev.ExecutionStarted(1, 1, 0, 1000, 0, large)]
        with pytest.raises(StoreUnavailable):
            await store.create(record("a"), "{}", begun)
        await limit(store, None)
        await store.create(record("a"), "{}", begun)
        assert await store.events("arn:m:a") == begun

    play(scenario, tmp_path)


def test_all_that_wait_for_a_lock_are_told_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each would wait for the lock as long as the first one has."""
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.2)

    async def scenario(store: SqliteStore) -> None:
        arns = [await created(store, f"e{number}") for number in range(50)]
        other = sqlite3.connect(store.path)
        other.execute("BEGIN IMMEDIATE")
        begin = time.monotonic()
        events = [entered(2, Payload(1))]
        told = await asyncio.gather(*(store.append(arn, events) for arn in arns), return_exceptions=True)
        assert {type(one) for one in told} == {StoreUnavailable}
        assert time.monotonic() - begin < 5  # not fifty times as long
        other.close()
        await asyncio.gather(*(store.append(arn, events) for arn in arns))

    play(scenario, tmp_path)


def test_a_transaction_that_cannot_be_rolled_back_is_rolled_back_later(tmp_path: Path) -> None:
    """Nothing of it is written together with what comes next, and the thread that writes goes on."""

    async def scenario(store: SqliteStore) -> None:
        arn = await created(store, "a")

        def begin(db: sqlite3.Connection) -> None:
            db.execute("UPDATE executions SET name = 'spoilt'")

        await store.write_alone(begin)
        await store.append(arn, [entered(2, Payload(1))])
        (found,) = await store.executions()
        assert found.identity.name == "a"

    play(scenario, tmp_path)


def test_an_execution_waits_for_the_lock_of_another_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.01)

    async def scenario(store: SqliteStore) -> None:
        other = sqlite3.connect(store.path)
        calls: list[str] = []
        pauses: list[float] = []

        async def lock(call: TaskCall) -> Payload:
            calls.append(call.key)
            other.execute("BEGIN IMMEDIATE")
            return call.input

        async def sleep(seconds: float) -> None:
            pauses.append(seconds)
            driver = await store.driver(run.arn)
            assert driver == Driver(os.getpid(), f"The database {store.path} is locked by another program")
            if len(pauses) == 3:
                other.rollback()

        machine = load(json.dumps({"StartAt": "T", "States": {"T": TASK}}))
        async with Engine(store, {FUNCTION: lock}, clock=VirtualClock(), sleep=sleep) as engine:
            run = await engine.start(machine, "m", Payload(LONG), "n")
            assert (await run.wait()).output == Payload(LONG)
        other.close()
        assert len(calls) == 1
        assert pauses == [0.1, 0.2, 0.4]

    play(scenario, tmp_path)
    assert [record.getMessage().partition(" ")[0] for record in caplog.records] == [ARN, "the"]


TASK = {"Type": "Task", "Resource": FUNCTION, "End": True}
ARN = "arn:aws:states:us-east-1:123456789012:execution:m:n"

# A process that may write no file beyond a size, until it has paused a few times.
LIMITED = """
import asyncio, json, resource, sys
from pathlib import Path
from asl_engine.engine.clock import VirtualClock
from asl_engine.engine.engine import Engine
from asl_engine.language.loader import load
from asl_engine.payload import Payload
from asl_engine.store.sqlite.store import SqliteStore

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
STATE = {"Type": "Task", "Resource": FUNCTION}
states = {f"T{number}": STATE | {"Next": f"T{number + 1}"} for number in range(5)} | {"T5": STATE | {"End": True}}
calls, pauses = [], []

def allow(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

async def sleep(seconds):
    pauses.append(seconds)
    if len(pauses) % 3 == 0:
        allow(resource.RLIM_INFINITY)

async def larger(call):
    calls.append(call.key)
    if len(calls) == 3:
        allow(Path("asl.db-wal").stat().st_size)
    return Payload("x" * 20_000 * len(calls))

async def main():
    store = await SqliteStore.open(Path("asl.db"))
    machine = load(json.dumps({"StartAt": "T0", "States": states}))
    async with Engine(store, {FUNCTION: larger}, clock=VirtualClock(), sleep=sleep) as engine:
        run = await engine.start(machine, "m", Payload({}), "n")
        execution = await run.wait()
    print(execution.status, len(execution.output.value), len(calls), len(set(calls)), len(pauses) >= 3)
    await store.close()

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no limits for a process on Windows")
def test_an_execution_waits_for_room(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "SUCCEEDED 120000 6 6 True\n", done.stderr
    first, last = done.stderr.splitlines()
    assert first.startswith(f"{ARN} waits: The d")
    assert last.startswith(f"the database can be used again: {ARN} goes on after ")


def test_a_database_that_is_emptied_while_it_is_in_use(tmp_path: Path) -> None:
    """It is said to be that, as when it is opened, and not tried again."""

    async def scenario(store: SqliteStore) -> None:
        await created(store, "a")
        assert not await store.changed()
        store.path.write_bytes(b"")
        told = r"The database .* was emptied \(0 bytes\) while it was in use: stop what uses it, and put a backup"
        with pytest.raises(StoreError, match=told) as caught:
            await store.changed()
        assert not isinstance(caught.value, StoreUnavailable)
        with pytest.raises(StoreError, match=told):
            await created(store, "b")

    play(scenario, tmp_path)


# -- who drives an execution, and what has been left behind -------------------------------------------


def test_a_lease_says_whose_it_is_and_what_is_waited_for(tmp_path: Path) -> None:
    lease = leases.Lease(tmp_path)
    assert leases.driver_of(tmp_path, lease.token) == Driver(os.getpid())
    size = (tmp_path / lease.token).stat().st_size
    for waits_for in ("the disk is full", "☃" * 5000, None):
        lease.note(waits_for)
        found = leases.driver_of(tmp_path, lease.token)
        assert found is not None
        assert found.process == os.getpid()
        assert found.waits_for == (waits_for and waits_for[: leases.MAX_REASON])
        assert (tmp_path / lease.token).stat().st_size == size  # so it can be written where nothing can grow
    lease.release()
    assert leases.driver_of(tmp_path, lease.token) is None


@pytest.mark.parametrize("content", [b"", b"\0{", b"\0[]", b'\0{"pid": "x"}', b"\0\xff"])
def test_a_lease_of_somebody_who_does_not_tell(tmp_path: Path, content: bytes) -> None:
    """As an earlier version made it, or where its note could not be written."""
    lease = leases.Lease(tmp_path)
    (tmp_path / lease.token).write_bytes(content)
    assert leases.is_held(tmp_path, lease.token)
    assert leases.driver_of(tmp_path, lease.token) is None
    lease.release()


def test_what_has_been_left_behind(tmp_path: Path) -> None:
    """By those who died, or left in good order; not what others drive, what has ended, or a Map Run's child."""

    async def scenario(store: SqliteStore) -> None:
        others = {name: await SqliteStore.open(store.path) for name in ("dead", "left", "alive")}
        await created(store, "mine")
        for name, other in others.items():
            await created(other, name, served=name == "left")
            await created(other, "child", machine="m/" + name)
            arn = await created(other, "ended", machine=name)
            await other.append(arn, [ev.ExecutionSucceeded(2, 2, 1, 1000, 0, Payload(1))])
        dead = others["dead"]._own_lease()
        assert store.other_leases() == {other._own_lease(): True for other in others.values()}
        assert await store.orphans() == []
        await others["left"].leave(["arn:m:left"])
        lease = others["dead"]._lease
        assert lease is not None
        lease.abandon()  # as the operating system does when a process ends
        assert await store.orphans() == [Orphan("arn:m:dead", dead, False), Orphan("arn:m:left", "", True)]
        assert store.other_leases() == {others[name]._own_lease(): True for name in ("left", "alive")}
        assert await store.claim("arn:m:dead")
        assert await store.orphans() == [Orphan("arn:m:left", "", True)]
        await store.unclaim("arn:m:dead")
        assert await store.orphans() == [Orphan("arn:m:dead", dead, False), Orphan("arn:m:left", "", True)]
        for other in others.values():
            await other.close()

    play(scenario, tmp_path)
