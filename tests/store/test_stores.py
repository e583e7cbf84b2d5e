"""One suite for every store."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

import anyio
import pytest

from asl_engine.core import events as ev
from asl_engine.core.execution import Identity
from asl_engine.errors import Conflict, ExecutionAlreadyExists, ExecutionBusy, StoreError
from asl_engine.payload import Payload
from asl_engine.store.memory.store import MemoryStore
from asl_engine.store.protocol import Store
from asl_engine.store.records import ActivityRecord, MachineRecord, Place, Record
from asl_engine.store.run_options import RunOptions
from asl_engine.store.sqlite.lease import Lease, is_held
from asl_engine.store.sqlite.store import SqliteStore

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from pathlib import Path

Open: TypeAlias = Callable[[], Awaitable[Store]]

DEFINITION = '{"StartAt": "A"}'


def identity(name: str, machine: str = "machine", started_at: int = 1000) -> Identity:
    return Identity(f"arn:{machine}:{name}", name, f"arn:{machine}", machine, "arn:role", started_at)


OPTIONS = RunOptions(time="skip", started_by="a:1", endpoints=("sqs=http://localhost:1",))


def record(name: str, machine: str = "machine") -> Record:
    return Record(identity(name, machine), "digest", options=OPTIONS)


LARGE = Payload({"large": "x" * 1000})
SMALL = Payload({"small": "é ☃ \U0001f600"})


def started() -> list[ev.Event]:
    large = Payload(LARGE.value)
    return [
        ev.ExecutionStarted(1, 1, 0, 1000, 0, large),
        ev.StateEntered(2, 2, 0, 1000, 0, "A", "Task", large),
        ev.TaskScheduled(3, 3, 2, 1000, 0, "arn:aws:lambda:::function:f", large, 10, None, 0),
        ev.TaskStarted(4, 4, 3, 1000, 0, 3),
    ]


def ended() -> list[ev.Event]:
    small = Payload(SMALL.value)
    return [
        ev.TaskHeartbeatReceived(5, 0, 4, 1500, 0, 3),
        ev.TaskFailed(6, 5, 4, 2000, 0, 3, None, "cause ☃"),
        ev.RetryScheduled(7, 0, 5, 2000, 0, 3000, 1),
        ev.StateExited(8, 6, 5, 3000, 0, "A", "Task", small, None),
        ev.ExecutionSucceeded(9, 7, 6, 3000, 0, small),
    ]


@pytest.fixture(params=["memory", "sqlite"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    async def memory() -> Store:
        return MemoryStore()

    async def sqlite() -> Store:
        return await SqliteStore.open(tmp_path / "deep" / "asl.db")

    return memory if request.param == "memory" else sqlite


def run(open_store: Open, scenario: Callable[[Store], Awaitable[None]]) -> None:
    async def main() -> None:
        store = await open_store()
        try:
            await scenario(store)
        finally:
            await store.close()

    anyio.run(main)


def test_gives_back_what_it_was_given(open_store: Open) -> None:
    async def scenario(store: Store) -> None:
        await store.create(record("a"), DEFINITION, started())
        await store.append("arn:machine:a", ended())
        events = await store.events("arn:machine:a")
        assert events == started() + ended()
        assert await store.events("arn:machine:a", after=7) == ended()[3:]
        found = await store.record("arn:machine:a")
        assert found is not None
        assert (found.identity, found.status, found.stopped_at) == (identity("a"), "SUCCEEDED", 3000)
        assert found.options == OPTIONS
        assert await store.definition("digest") == DEFINITION

    run(open_store, scenario)


def test_a_part_of_a_log(open_store: Open) -> None:
    """A text that an event before the part has carried is found; what history does not show is left out."""
    arn = "arn:machine:a"

    async def scenario(store: Store) -> None:
        await store.create(record("a"), DEFINITION, started())
        large = Payload(LARGE.value)
        large.origin = 1
        last = [*ended()[:-2], ev.StateExited(8, 6, 5, 3000, 0, "A", "Task", large, None), ended()[-1]]
        await store.append(arn, last)
        log = started() + last
        shown = [event for event in log if event.id]
        for after in range(len(log) + 1):
            assert await store.events(arn, after) == log[after:]
            behind = [event for event in shown if event.seq > after]
            before = [event for event in reversed(shown) if event.seq < (after or 100)]
            for limit in (1, 3, 100):
                assert await store.history(arn, after, limit) == behind[:limit]
                assert await store.history(arn, after, limit, backwards=True) == before[:limit]
        assert await store.events_at(arn, {8, 3, 4}) == [log[2], log[3], log[7]]
        assert await store.events_at(arn, set()) == []

    run(open_store, scenario)


def test_a_part_of_a_log_does_not_read_the_rest(tmp_path: Path) -> None:
    """What stands before it is damaged here."""

    async def main() -> None:
        store = await SqliteStore.open(tmp_path / "asl.db")
        await store.create(record("a"), DEFINITION, started())
        await store.append("arn:machine:a", ended())
        with sqlite3.connect(tmp_path / "asl.db") as db:
            db.execute("UPDATE events SET kind = 'Damaged' WHERE seq < 5")
        db.close()
        assert await store.events("arn:machine:a", after=4) == ended()
        assert [event.seq for event in await store.history("arn:machine:a", 4, 2)] == [6, 8]
        assert [event.seq for event in await store.history("arn:machine:a", 0, 2, backwards=True)] == [9, 8]
        await store.close()

    anyio.run(main)


def test_a_name_is_taken_once(open_store: Open) -> None:
    async def scenario(store: Store) -> None:
        await store.create(record("a"), DEFINITION, started())
        with pytest.raises(ExecutionAlreadyExists):
            await store.create(record("a"), DEFINITION, started())
        assert await store.events("arn:machine:a") == started()

    run(open_store, scenario)


def test_an_append_that_does_not_fit_is_a_conflict_and_leaves_nothing(open_store: Open) -> None:
    async def scenario(store: Store) -> None:
        await store.create(record("a"), DEFINITION, started())
        await store.append("arn:machine:a", ended()[:2])
        with pytest.raises(Conflict):
            await store.append("arn:machine:a", ended()[1:])
        assert await store.events("arn:machine:a") == started() + ended()[:2]
        found = await store.record("arn:machine:a")
        assert found is not None
        assert found.status == "RUNNING"

    run(open_store, scenario)


def test_a_conflict_does_not_hurt_its_neighbours(open_store: Open) -> None:
    async def scenario(store: Store) -> None:
        for name in "abc":
            await store.create(record(name), DEFINITION, started())
        conflicts: list[str] = []

        async def append(name: str, events: list[ev.Event]) -> None:
            try:
                await store.append(f"arn:machine:{name}", events)
            except Conflict:
                conflicts.append(name)

        async with anyio.create_task_group() as group:
            group.start_soon(append, "a", ended())
            group.start_soon(append, "b", started())
            group.start_soon(append, "c", ended())
        assert conflicts == ["b"]
        assert len(await store.events("arn:machine:a")) == len(await store.events("arn:machine:c")) == 9
        assert len(await store.events("arn:machine:b")) == 4

    run(open_store, scenario)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("abc", ["abc"]),  # a whole name wins over the beginning of another
        ("ab", ["ab_x", "abc", "abcd"]),
        ("arn:machine:abcd", ["abcd"]),
        ("ab_", ["ab_x"]),
        ("a%", []),
        ("", []),
        ("zzz", []),
    ],
)
def test_find(open_store: Open, text: str, names: list[str]) -> None:
    async def scenario(store: Store) -> None:
        for name in ("abc", "abcd", "ab_x"):
            await store.create(record(name), DEFINITION, started())
        assert sorted(found.identity.name for found in await store.find(text)) == names

    run(open_store, scenario)


def test_executions_are_listed_newest_first(open_store: Open) -> None:
    async def scenario(store: Store) -> None:
        for name, machine in (("a", "one"), ("b", "two"), ("c", "one")):
            await store.create(record(name, machine), DEFINITION, started())
        await store.append("arn:one:a", ended())

        async def names(*arguments: object, **options: object) -> list[str]:
            return [r.identity.name for r in await store.executions(*arguments, **options)]  # type: ignore[arg-type]  # one table of calls

        assert await names() == ["c", "b", "a"]
        assert await names("one") == ["c", "a"]
        assert await names(None, "RUNNING") == ["c", "b"]
        assert await names("one", "SUCCEEDED") == ["a"]
        assert await names(limit=1) == ["c"]

    run(open_store, scenario)


def test_what_is_not_there(open_store: Open) -> None:
    async def scenario(store: Store) -> None:
        assert await store.record("arn:nobody") is None
        assert await store.changed() is False

    run(open_store, scenario)


# -- SQLite alone ----------------------------------------------------------------------------------


def test_a_large_text_is_stored_once(tmp_path: Path) -> None:
    async def main() -> None:
        store = await SqliteStore.open(tmp_path / "asl.db")
        await store.create(record("a"), DEFINITION, started())
        await store.close()

    anyio.run(main)
    with sqlite3.connect(tmp_path / "asl.db") as db:
        payloads = [row[0] for row in db.execute("SELECT payload FROM events ORDER BY seq")]
    db.close()
    assert payloads == [LARGE.text, 1, 1, None]


def test_two_processes_cannot_drive_one_execution(tmp_path: Path) -> None:
    async def main() -> None:
        one = await SqliteStore.open(tmp_path / "asl.db")
        two = await SqliteStore.open(tmp_path / "asl.db")
        await one.create(record("a"), DEFINITION, started())
        await one.claim("arn:machine:a")
        with pytest.raises(ExecutionBusy):
            await two.claim("arn:machine:a")
        assert await two.changed() is False
        await one.append("arn:machine:a", ended()[:1])
        assert await two.changed() is True
        assert await two.changed() is False
        assert await two.abandoned(["arn:machine:a"]) == set()
        await one.close()
        assert await two.abandoned(["arn:machine:a", "arn:machine:b"]) == {"arn:machine:a"}
        await two.claim("arn:machine:a")
        await two.append("arn:machine:a", ended()[1:])
        await two.close()
        three = await SqliteStore.open(tmp_path / "asl.db")
        assert await three.abandoned(["arn:machine:a"]) == set()  # it has ended
        await three.close()

    anyio.run(main)
    assert list((tmp_path / "asl.db-leases").iterdir()) == []


def test_a_process_that_ends_in_good_order_leaves_its_executions(tmp_path: Path) -> None:
    """Whoever claims an execution is told whether its last owner died."""
    arn = "arn:machine:a"

    async def main() -> None:
        async def opened() -> SqliteStore:
            return await SqliteStore.open(tmp_path / "asl.db")

        first = await opened()
        await first.create(record("a"), DEFINITION, started())
        assert await first.claim(arn) is False  # our own
        await first.leave([arn, "arn:machine:none"])
        second = await opened()
        assert await second.claim(arn) is False  # although the first still lives
        await second.append(arn, ended()[:1])
        await second.close()  # it does not say that it leaves: as one that died
        for _ in range(2):
            looking = await opened()
            assert await looking.claim(arn) is True
            await looking.close()  # it did nothing with it: the next is told the same
        third = await opened()
        assert await third.claim(arn) is True
        assert await third.claim(arn) is True  # until it goes on with it
        await third.append(arn, ended()[1:2])
        assert await third.claim(arn) is False
        with pytest.raises(ExecutionBusy):
            await first.claim(arn)
        await third.leave([arn])
        await first.leave([arn])  # which is not its own any more
        await third.close()
        assert await first.claim(arn) is False
        await first.close()

    anyio.run(main)


def test_a_lease_outlives_nobody(tmp_path: Path) -> None:
    lease = Lease(tmp_path)
    assert is_held(tmp_path, lease.token)
    lease.release()
    assert not is_held(tmp_path, lease.token)
    (tmp_path / "left-behind").touch()
    assert not is_held(tmp_path, "left-behind")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="there are no shared locks there")
def test_who_looks_at_a_lease_does_not_hold_it(tmp_path: Path) -> None:
    (tmp_path / "left-behind").touch()
    with (tmp_path / "left-behind").open() as other:
        fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)  # as somebody who looks at the same moment
        assert not is_held(tmp_path, "left-behind")


def broken(tmp_path: Path, damage: str) -> Path:
    path = tmp_path / "asl.db"
    if damage == "newer":
        anyio.run(open_and_close, path)
        with sqlite3.connect(path) as db:
            db.execute("PRAGMA user_version = 999")
        db.close()
    elif damage == "other program":
        with sqlite3.connect(path) as db:
            db.execute("CREATE TABLE theirs (x)")
        db.close()
    elif damage == "not a database":
        path.write_text("This is a text file, and a rather long one at that.\n" * 100)
    elif damage == "folder":
        path.mkdir()
    elif damage == "under a file":
        path.write_text("")
        path = path / "asl.db"
    return path


async def open_and_close(path: Path) -> None:
    await (await SqliteStore.open(path)).close()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("newer", "written by a newer version of asl-engine (layout 999"),
        ("other program", "is a SQLite database of another program"),
        ("not a database", "is not a SQLite database"),
        ("folder", "is a folder, not a database"),
        ("under a file", "Cannot make the folder"),
    ],
)
def test_databases_that_cannot_be_used(tmp_path: Path, damage: str, message: str) -> None:
    path = broken(tmp_path, damage)
    with pytest.raises(StoreError) as refused:
        anyio.run(open_and_close, path)
    assert message in str(refused.value)
    assert str(tmp_path) in str(refused.value)


def test_a_missing_database_is_made_only_where_asked(tmp_path: Path) -> None:
    async def main() -> None:
        await SqliteStore.open(tmp_path / "asl.db", create=False)

    with pytest.raises(StoreError, match="There is no database"):
        anyio.run(main)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("at_exit", [False, True], ids=["cancelled", "end of the loop"])
def test_opening_can_be_cancelled_at_any_moment(tmp_path: Path, at_exit: bool) -> None:
    before = set(threading.enumerate())

    async def main(steps: int) -> None:
        opening = asyncio.create_task(SqliteStore.open(tmp_path / f"{steps}.db"))
        for _ in range(steps):
            await asyncio.sleep(0)
        if opening.done():
            await (await opening).close()
        elif not at_exit:
            opening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await opening

    for steps in (*range(40), *range(40, 2000, 50)):
        asyncio.run(main(steps))
    assert all(thread.daemon for thread in set(threading.enumerate()) - before)


def test_a_cancelled_opening_leaves_no_connection(tmp_path: Path) -> None:
    path = tmp_path / "asl.db"

    async def main() -> None:
        opening = asyncio.create_task(SqliteStore.open(path))
        while not path.with_name("asl.db-wal").exists():  # noqa: ASYNC110  a moment in the middle
            await asyncio.sleep(0)
        opening.cancel()
        await asyncio.sleep(0)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        assert not path.with_name("asl.db-wal").exists()  # the last to close removes it

    asyncio.run(main())


def test_a_cancelled_opening_may_have_failed(tmp_path: Path) -> None:
    path = broken(tmp_path, "folder")

    async def main() -> None:
        opening = asyncio.create_task(SqliteStore.open(path))
        await asyncio.sleep(0)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening

    asyncio.run(main())


def test_the_thread_of_a_store_does_not_keep_the_process(tmp_path: Path) -> None:
    async def main() -> None:
        before = set(threading.enumerate())
        store = await SqliteStore.open(tmp_path / "asl.db")
        assert [thread.daemon for thread in set(threading.enumerate()) - before] == [True]
        await store.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE theirs (x)"],
        ["CREATE TABLE theirs (x)", "PRAGMA user_version = 999"],
        ["PRAGMA application_id = 7"],
        ["PRAGMA user_version = 1"],
    ],
)
def test_a_database_of_another_program_is_left_as_it_is(tmp_path: Path, statements: list[str]) -> None:
    path = tmp_path / "theirs.db"
    theirs = sqlite3.connect(path)
    for statement in statements:
        theirs.execute(statement)
    theirs.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="of another program"):
        anyio.run(open_and_close, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_holds_no_lease(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"Cannot keep .*; check its permissions, or name"):
        Lease(tmp_path / "file")
    assert not is_held(tmp_path / "file", "token")

    def refuse(_file: int) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("asl_engine.store.sqlite.lease._lock", refuse)
    with pytest.raises(StoreError, match="Permission denied"):
        Lease(tmp_path / "leases")
    assert list((tmp_path / "leases").iterdir()) == []


def test_a_lease_of_another_user_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> int:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "theirs").touch()
    monkeypatch.setattr("asl_engine.store.sqlite.lease.os.open", refuse)
    assert is_held(tmp_path, "theirs")


@pytest.mark.skipif(os.name == "nt", reason="an open file cannot be removed")
@pytest.mark.parametrize("replaced", [False, True])
def test_a_database_that_is_removed_while_in_use(tmp_path: Path, replaced: bool) -> None:
    path = tmp_path / "asl.db"

    async def main() -> None:
        store = await SqliteStore.open(path)
        await store.create(record("a"), DEFINITION, started())
        path.rename(tmp_path / "elsewhere")
        if replaced:
            path.touch()
        with pytest.raises(StoreError, match="was removed or replaced while it was in use"):
            await store.changed()
        with pytest.raises(StoreError, match="was removed or replaced while it was in use"):
            await store.append("arn:machine:a", ended())
        with pytest.raises(StoreError, match="was removed or replaced while it was in use"):
            await store.create(record("b"), DEFINITION, started())
        with pytest.raises(StoreError, match="was removed or replaced while it was in use"):
            await store.machines.add(a_machine("m"), DEFINITION)
        await store.close()

    anyio.run(main)


def test_a_database_is_found_again_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    async def main() -> None:
        from pathlib import Path

        store = await SqliteStore.open(Path("asl.db"))
        (tmp_path / "sub").mkdir()
        monkeypatch.chdir(tmp_path / "sub")
        await store.create(record("a"), DEFINITION, [*started(), *ended()])
        assert await store.changed() is False
        await store.close()

    anyio.run(main)
    assert list((tmp_path / "sub").iterdir()) == []


# -- state machines --------------------------------------------------------------------------------------

MACHINES = "arn:aws:states:r:a:stateMachine:"


def a_machine(name: str, **fields: object) -> MachineRecord:
    made = MachineRecord(MACHINES + name, name, "STANDARD", "arn:role", "digest", 1000, {"none": None})
    return made._replace(**fields)  # type: ignore[arg-type]  # a stand-in of the test


def test_machines_are_kept_until_they_are_removed(open_store: Open) -> None:
    async def scenario(store: Store) -> None:
        first = a_machine("m")
        assert await store.machines.add(first, DEFINITION) == first
        assert await store.machines.add(a_machine("m", definition="other"), "other") == first
        assert await store.machines.get(first.arn) == first
        assert await store.definition("digest") == DEFINITION
        assert await store.machines.delete(first.arn)
        assert await store.machines.get(first.arn) is None
        assert await store.machines.delete(first.arn)

    run(open_store, scenario)


def test_machines_are_paged_by_arn(open_store: Open) -> None:
    async def scenario(store: Store) -> None:
        for name in ("b", "a", "c%"):
            await store.machines.add(a_machine(name), DEFINITION)
        await store.machines.add(a_machine("x", arn="arn:aws:states:s:a:stateMachine:x"), DEFINITION)

        async def names(after: str = "", limit: int = 10) -> list[str]:
            return [one.name for one in await store.machines.page(MACHINES, after, limit)]

        assert await names() == ["a", "b", "c%"]
        assert await names(limit=2) == ["a", "b"]
        assert await names(after=MACHINES + "b") == ["c%"]

    run(open_store, scenario)


def test_executions_are_paged_by_machine(open_store: Open) -> None:
    async def scenario(store: Store) -> None:
        for name, machine in (("a", "m"), ("b", "m"), ("c", "n"), ("d", "m")):
            await store.create(record(name, machine), DEFINITION, started())

        async def names(**arguments: object) -> list[str]:
            found = await store.page("arn:m", **arguments)  # type: ignore[arg-type]  # a stand-in of the test
            return [one.identity.name for one in found]

        assert await names() == ["d", "b", "a"]  # of one moment: the one that was created last comes first
        assert await names(limit=1) == ["d"]
        await store.append("arn:m:b", ended())
        assert await names() == ["b", "d", "a"]  # when it ended counts
        kept = await store.record("arn:m:d")
        assert kept is not None
        assert await names(after=kept.place) == ["a"]
        assert await names(status="RUNNING") == ["d", "a"]
        assert await names(status="RUNNING", after=kept.place) == ["a"]
        assert await names(status="SUCCEEDED") == ["b"]
        assert await names(after=Place(kept.place.at, "arn:gone")) == []  # of its moment nothing is shown twice
        assert await names(after=Place(kept.place.at + 1, "arn:gone")) == ["d", "a"]

    run(open_store, scenario)


def test_a_foreign_database_is_left_as_it_is(tmp_path: Path) -> None:
    path = broken(tmp_path, "other program")
    before = path.read_bytes()
    with pytest.raises(StoreError):
        anyio.run(open_and_close, path)
    assert path.read_bytes() == before


def test_an_opening_that_is_cancelled_leaves_nothing_behind(tmp_path: Path) -> None:
    async def main() -> None:
        for steps in range(40):
            opening = asyncio.ensure_future(SqliteStore.open(tmp_path / "asl.db"))
            for _ in range(steps):
                await asyncio.sleep(0)
            opening.cancel()
            with suppress(asyncio.CancelledError):
                await (await opening).close()
        await open_and_close(tmp_path / "asl.db")

    anyio.run(main)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_does_not_hold_its_parents_lease(tmp_path: Path) -> None:
    lease = Lease(tmp_path)
    reader, writer = os.pipe()
    alive, begun = os.pipe()
    child = os.fork()
    if child == 0:
        lease.release()  # its parent's: nothing happens
        os.write(begun, b".")
        os.read(reader, 1)  # live until told
        os._exit(0)
    os.read(alive, 1)
    assert (tmp_path / lease.token).exists()
    lease.abandon()  # as if the parent had been killed
    try:
        assert not is_held(tmp_path, lease.token)
    finally:
        os.write(writer, b".")
        os.waitpid(child, 0)
        for end in (reader, writer, alive, begun):
            os.close(end)


def test_a_lease_that_cannot_be_taken(tmp_path: Path) -> None:
    (tmp_path / "asl.db-leases").write_text("in the way")

    async def main() -> None:
        store = await SqliteStore.open(tmp_path / "asl.db")
        try:
            await store.create(record("a"), DEFINITION, started())
        finally:
            await store.close()

    with pytest.raises(StoreError, match="check its permissions"):
        anyio.run(main)


def test_a_redrive_opens_an_execution_again(open_store: Open) -> None:
    async def main() -> None:
        store = await open_store()
        log: list[ev.Event] = [*started(), ev.ExecutionFailed(5, 5, 4, 1500, 0, "E", None)]
        again = ev.ExecutionRedriven(6, 6, 5, 2000, 0, 1, "token")
        await store.create(record("a"), DEFINITION, log)
        await store.append("arn:machine:a", [again])
        kept = await store.record("arn:machine:a")
        assert kept is not None
        assert (kept.status, kept.stopped_at, kept.redrive_count, kept.redriven_at) == ("RUNNING", None, 1, 2000)
        with pytest.raises(Conflict):
            await store.append("arn:machine:a", [again])
        assert await store.events("arn:machine:a") == [*log, again]
        # What fails again at once is one batch.
        await store.append("arn:machine:a", [ev.ExecutionAborted(7, 7, 6, 2500, 0, None, None)])
        once_more: list[ev.Event] = [
            ev.ExecutionRedriven(8, 8, 7, 3000, 0, 2, None),
            ev.ExecutionFailed(9, 9, 8, 3000, 0, "E", None),
        ]
        await store.append("arn:machine:a", once_more)
        kept = await store.record("arn:machine:a")
        assert kept is not None
        assert (kept.status, kept.stopped_at, kept.redrive_count, kept.redriven_at) == ("FAILED", 3000, 2, 3000)
        await store.close()

    anyio.run(main)


def test_who_redrives_owns(tmp_path: Path) -> None:
    async def main() -> None:
        first = await SqliteStore.open(tmp_path / "asl.db")
        second = await SqliteStore.open(tmp_path / "asl.db")
        await first.create(record("a"), DEFINITION, [*started(), ev.ExecutionFailed(5, 5, 4, 1500, 0, "E", None)])
        await second.append("arn:machine:a", [ev.ExecutionRedriven(6, 6, 5, 2000, 0, 1, None)])
        await second.claim("arn:machine:a")
        with pytest.raises(ExecutionBusy):
            await first.claim("arn:machine:a")
        await first.close()
        await second.close()

    anyio.run(main)


# -- activities ------------------------------------------------------------------------------------------

ACTIVITIES = "arn:aws:states:r:a:activity:"


def an_activity(name: str, created_at: int = 1000) -> ActivityRecord:
    return ActivityRecord(ACTIVITIES + name, name, created_at, {"none": None})


def test_activities_are_kept_until_they_are_removed(open_store: Open) -> None:
    async def scenario(store: Store) -> None:
        first = an_activity("paint")
        assert await store.activities.add(first, {"team": "blue"}) == first
        assert await store.activities.add(an_activity("paint", 2000), {"team": "red"}) == first
        assert await store.tags.get(first.arn) == {"team": "blue"}
        assert await store.activities.get(first.arn) == first
        for _ in range(2):
            await store.activities.remove(first.arn)
        assert await store.activities.get(first.arn) is None
        assert await store.tags.get(first.arn) == {}

    run(open_store, scenario)


def test_activities_are_paged_by_arn(open_store: Open) -> None:
    async def scenario(store: Store) -> None:
        for name in ("b", "a", "c%"):
            await store.activities.add(an_activity(name))
        other = an_activity("x")._replace(arn="arn:aws:states:s:a:activity:x")
        await store.activities.add(other)
        assert [one.name for one in await store.activities.page(ACTIVITIES, "", 2)] == ["a", "b"]
        assert [one.name for one in await store.activities.page(ACTIVITIES, ACTIVITIES + "b", 9)] == ["c%"]
        assert [arn.rpartition(":")[2] for arn in await store.activities.arns(ACTIVITIES)] == ["a", "b", "c%"]
        assert other.arn in await store.activities.arns()

    run(open_store, scenario)
