"""Deleting what ended long ago: what goes, what stays, what a kill in the middle leaves, and the file's size."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.core import events as ev
from asl_engine.core.execution import Identity
from asl_engine.errors import StoreError
from asl_engine.payload import Payload
from asl_engine.store.records import Child, MachineRecord, Record
from asl_engine.store.sqlite import pruning
from asl_engine.store.sqlite.lease import Lease
from asl_engine.store.sqlite.pruning import Prunable, Pruned, Pruning, prunable, prune, vacuum
from asl_engine.store.sqlite.schema import APPLICATION_ID, MIGRATIONS
from asl_engine.store.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from asl_engine.core.execution import Status

LONG_AGO, NOW = 1_000, 9_000


def arn(name: str, machine: str = "m") -> str:
    return f"arn:{machine}:{name}"


async def add(
    store: SqliteStore,
    name: str,
    at: int = LONG_AGO,
    *,
    machine: str = "m",
    status: Status = "SUCCEEDED",
    text: str = "{}",
    child: Child | None = None,
    map_run: str | None = None,
    size: int = 10,
) -> str:
    """Put an execution into the store: one that ended at that moment, unless its status is RUNNING."""
    who = Identity(arn(name, machine), name, f"arn:{machine}", machine, "arn:role", at)
    events: list[ev.Event] = [ev.ExecutionStarted(1, 1, 0, at, 0, Payload("x" * size))]
    if map_run is not None:
        events.append(ev.MapRunStarted(2, 2, 1, at, 0, map_run, Payload({})))
        events.append(ev.MapRunSucceeded(3, 3, 2, at, 0, 2, Payload([])))
    await store.create(Record(who, f"digest of {text}"), text, events, child)
    seq = len(events) + 1
    if status == "SUCCEEDED":
        await store.append(who.arn, [ev.ExecutionSucceeded(seq, seq, seq - 1, at, 0, Payload(1))])
    elif status == "FAILED":
        await store.append(who.arn, [ev.ExecutionFailed(seq, seq, seq - 1, at, 0, "E", "c")])
    return who.arn


async def family(
    store: SqliteStore, name: str, children: int, *, last: Status = "SUCCEEDED", size: int = 10
) -> None:
    """An execution whose Map Run has children; that of the first child has one of its own."""
    await add(store, name, map_run=f"run:{name}")
    for number in range(children):
        child = Child(f"run:{name}", number, 1)
        status: Status = last if number == children - 1 else "SUCCEEDED"
        inner = f"run:{name}:inner" if number == 0 else None
        await add(
            store, f"{name}-{number}", machine="m/each", child=child, status=status, map_run=inner, size=size
        )
    if children:
        await add(store, f"{name}-inner", machine="m/each/in", child=Child(f"run:{name}:inner", 0, 1))


def names(path: Path) -> set[str]:
    return {str(row[0]) for row in rows(path, "SELECT name FROM executions")}


def rows(path: Path, query: str) -> list[Any]:
    with sqlite3.connect(path) as db:
        found = db.execute(query).fetchall()
    db.close()
    return found


def sizes(path: Path) -> dict[str, int]:
    tables = ("executions", "events", "map_runs", "children", "definitions")
    return {table: rows(path, f"SELECT count(*) FROM {table}")[0][0] for table in tables}  # noqa: S608  our own


def bytes_of(path: Path) -> int:
    return path.stat().st_size


async def at_once(_seconds: float) -> None:
    """No pause between transactions."""


def run(path: Path, scenario: Callable[[SqliteStore], Awaitable[None]]) -> None:
    async def main() -> None:
        store = await SqliteStore.open(path, synchronous="OFF")
        try:
            await scenario(store)
        finally:
            await store.close()

    asyncio.run(main())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "asl.db"


CHOICES = {
    "age": (Pruning(5000), {"a", "b", "failed", "n"}),
    "the very moment is not before it": (Pruning(LONG_AGO), set()),
    "any that has ended": (Pruning(None), {"a", "b", "c", "failed", "n"}),
    "a status": (Pruning(5000, status="FAILED"), {"failed"}),
    "a machine": (Pruning(5000, machine="n"), {"n"}),
    "but the newest of each": (Pruning(5000, keep_last=3), {"a", "b"}),  # of c, failed, still: 3
    "but the newest of each, of any age": (Pruning(None, keep_last=1), {"a", "b", "c", "failed"}),
    "but more than there are": (Pruning(None, keep_last=9), set()),
}


@pytest.mark.parametrize(("what", "gone"), CHOICES.values(), ids=CHOICES)
def test_what_goes(path: Path, what: Pruning, gone: set[str]) -> None:
    async def scenario(store: SqliteStore) -> None:
        for name in ("a", "b"):
            await add(store, name)
        await add(store, "n", machine="n")
        await add(store, "c", NOW)
        await add(store, "failed", status="FAILED")
        await add(store, "still", status="RUNNING")
        planned = await prunable(store, what)
        done = await prune(store, what, pause=at_once)
        assert planned.executions.total() == done.executions == len(gone)
        assert planned.definitions == done.definitions == 0  # the one that runs uses it

    run(path, scenario)
    assert names(path) == {"a", "b", "c", "n", "failed", "still"} - gone
    assert sizes(path)["events"] == len(rows(path, "SELECT 1 FROM events JOIN executions USING (execution)"))


def test_a_map_run_goes_with_its_children_and_theirs(path: Path) -> None:
    async def scenario(store: SqliteStore) -> None:
        await family(store, "a", 3)
        await add(store, "b", NOW)
        assert await prunable(store, Pruning(5000)) == Prunable({"m": 1}, 4, 0)  # type: ignore[arg-type]  # equal to a Counter
        done = await prune(store, Pruning(5000), pause=at_once)
        assert done[:3] == (1, 4, 0)

    run(path, scenario)
    assert names(path) == {"b"}
    assert sizes(path) == {"executions": 1, "events": 2, "map_runs": 0, "children": 0, "definitions": 1}


@pytest.mark.parametrize("what", [Pruning(None), Pruning(None, status="SUCCEEDED")])
def test_nothing_of_a_family_goes_while_one_of_it_runs(path: Path, what: Pruning) -> None:
    async def scenario(store: SqliteStore) -> None:
        await family(store, "a", 3, last="RUNNING")
        before = sizes(path)
        assert (await prunable(store, what)).executions.total() == 0
        assert (await prune(store, what, pause=at_once)).executions == 0
        assert sizes(path) == before

    run(path, scenario)


def test_a_child_goes_by_itself_only_where_no_map_run_knows_it(path: Path) -> None:
    """A redrive starts an Express child anew, and the new one takes the old one's place."""

    async def scenario(store: SqliteStore) -> None:
        await add(store, "a", NOW, map_run="run:a")
        await add(store, "old", machine="m/each", child=Child("run:a", 0, 1))
        await add(store, "new", machine="m/each", child=Child("run:a", 0, 1))
        await prune(store, Pruning(None, keep_last=5), pause=at_once)
        assert names(path) == {"a", "old", "new"}
        await prune(store, Pruning(5000), pause=at_once)

    run(path, scenario)
    assert names(path) == {"a", "new"}


def test_definitions_that_nothing_uses(path: Path) -> None:
    async def scenario(store: SqliteStore) -> None:
        for name, text in (("a", "1"), ("b", "1"), ("c", "2"), ("d", "3")):
            await add(store, name, text=text)
        await add(store, "e", NOW, text="3")
        machine = MachineRecord("arn:m", "m", "STANDARD", "arn:role", "digest of 2", 1, {})
        await store.machines.add(machine, "2")
        assert (await prunable(store, Pruning(5000))).definitions == 1
        assert (await prune(store, Pruning(5000), pause=at_once)).definitions == 1
        assert {row[0] for row in rows(path, "SELECT text FROM definitions")} == {"2", "3"}
        await store.machines.delete("arn:m")
        assert (await prunable(store, Pruning(5000))).definitions == 1
        assert (await prune(store, Pruning(5000), pause=at_once)).definitions == 1

    run(path, scenario)
    assert [row[0] for row in rows(path, "SELECT text FROM definitions")] == ["3"]


def test_more_than_one_page(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "PAGE", 3)

    async def scenario(store: SqliteStore) -> None:
        for number in range(10):
            await add(store, str(number), NOW if number % 2 else LONG_AGO)
        assert (await prune(store, Pruning(5000), pause=at_once)).executions == 5
        assert (await prune(store, Pruning(None, keep_last=2), pause=at_once)).executions == 3

    run(path, scenario)
    assert names(path) == {"7", "9"}


def test_a_redrive_before_it_keeps_an_execution_and_one_behind_it_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "BITE_SECONDS", 0.0)

    async def scenario(store: SqliteStore) -> None:
        first, second, third = [await add(store, name, status="FAILED") for name in "abc"]
        again = ev.ExecutionRedriven(3, 3, 2, NOW, 0, 1, None)

        async def redrive_the_second(_seconds: float) -> None:
            if names(path) == {"b", "c"} and len(await store.events(second)) == 2:  # chosen, and not deleted yet
                await store.append(second, [again])

        assert (await prune(store, Pruning(5000), pause=redrive_the_second)).executions == 2
        assert names(path) == {"b"}
        events = await store.events(second)
        assert [type(event).__name__ for event in events][-1] == "ExecutionRedriven"
        # The process that redrives has read the log before: it must not write behind one that is gone.
        other = await SqliteStore.open(path)
        other._keys[third] = other._last_key = 1
        with pytest.raises(StoreError):
            await other.append(third, [again])
        with pytest.raises(StoreError, match="There is no execution"):
            await other.append(first, [again])
        await other.close()

    run(path, scenario)
    assert sizes(path)["events"] == 3


def test_killed_in_the_middle_nothing_is_half_done(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After every transaction: what is there is whole, and what is gone can be seen nowhere."""
    monkeypatch.setattr(pruning, "BITE_SECONDS", 0.0)  # one deletion each
    count = 0

    async def kill_at(wanted: int, _seconds: float) -> None:
        nonlocal count
        count += 1
        if count == wanted:
            raise KeyboardInterrupt

    async def scenario(store: SqliteStore) -> None:
        nonlocal count
        wanted = 0
        while True:
            wanted += 1
            count = 0
            await family(store, "a", 4)
            await add(store, "b")
            try:
                await prune(store, Pruning(5000), pause=partial(kill_at, wanted))
                break
            except KeyboardInterrupt:
                pass
            there = names(path)
            assert await store.map_runs.page(arn("a"), "", 9) or "a" not in there
            whole = {"a", "a-0", "a-1", "a-2", "a-3", "a-inner"} <= there
            assert whole == ("a" in there)
            assert not rows(path, "SELECT 1 FROM events WHERE execution NOT IN (SELECT execution FROM executions)")
            if not whole:
                assert await store.map_runs.get("run:a") is None
            left = await prune(store, Pruning(0), pause=at_once)  # finishes what was begun, whatever is asked for
            assert left.executions == 0
            if not whole:
                assert names(path) <= {"b"}
            await prune(store, Pruning(5000), pause=at_once)
            assert sizes(path) == dict.fromkeys(sizes(path), 0)
        assert wanted > 6

    run(path, scenario)
    assert names(path) == set()


def test_others_write_in_between(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BITE_SECONDS", 0.0)

    async def scenario(store: SqliteStore) -> None:
        server = await SqliteStore.open(path, synchronous="OFF")
        for number in range(20):
            await add(store, str(number))
        written = 0

        async def write(_seconds: float) -> None:
            nonlocal written
            written += 1
            await add(server, f"new-{written}", NOW)

        done = await prune(store, Pruning(5000), pause=write)
        await server.close()
        assert done.executions == 20
        assert written > 20

    run(path, scenario)
    assert all(name.startswith("new-") for name in names(path))


def test_a_transaction_ends_when_its_time_is_over(path: Path) -> None:
    """Many small deletions share one, so that the disk is not waited for each time."""
    pauses = 0

    async def count(_seconds: float) -> None:
        nonlocal pauses
        pauses += 1

    async def scenario(store: SqliteStore) -> None:
        for number in range(100):
            await add(store, str(number))
        await prune(store, Pruning(5000), pause=count)

    run(path, scenario)
    assert pauses < 50


# -- the file -----------------------------------------------------------------------------------------


def older_layout(path: Path) -> None:
    """A database as it was made before files could shrink."""
    with sqlite3.connect(path) as db:
        for migration in MIGRATIONS[:4]:
            for statement in migration:
                db.execute(statement)
        db.execute("PRAGMA user_version = 4")
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.close()


async def fill(store: SqliteStore) -> None:
    for number in range(40):
        await add(store, str(number), size=100_000)
    await add(store, "kept", NOW)


def test_the_file_shrinks(path: Path) -> None:
    done = Pruned()

    async def scenario(store: SqliteStore) -> None:
        nonlocal done
        await fill(store)
        done = await prune(store, Pruning(5000), pause=at_once)
        assert bytes_of(path) < 500_000  # at once, not when the last process closes the database

    run(path, scenario)
    assert done.executions == 40
    assert done.freed_bytes > 3_900_000
    assert done.unused_bytes == 0
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    assert names(path) == {"kept"}


def test_an_older_file_shrinks_only_when_it_is_written_anew(path: Path) -> None:
    older_layout(path)

    async def scenario(store: SqliteStore) -> None:
        await fill(store)
        done = await prune(store, Pruning(5000), pause=at_once)
        assert done.freed_bytes == 0
        assert done.unused_bytes > 3_900_000
        assert bytes_of(path) > 3_900_000
        freed = await vacuum(store)
        assert freed > 3_900_000
        assert bytes_of(path) < 500_000
        await fill_again(store)
        assert (await prune(store, Pruning(5000), pause=at_once)).freed_bytes > 3_900_000

    async def fill_again(store: SqliteStore) -> None:
        for number in range(40):
            await add(store, f"again-{number}", size=100_000)

    run(path, scenario)
    assert rows(path, "PRAGMA auto_vacuum") == [(2,)]
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    assert names(path) == {"kept"}


def test_a_file_is_not_written_anew_while_others_drive_executions(path: Path) -> None:
    async def scenario(store: SqliteStore) -> None:
        await add(store, "a")  # our own lease is no hindrance
        lease = Lease(path.with_name("asl.db-leases"))
        with pytest.raises(StoreError, match="Another process drives executions in"):
            await vacuum(store)
        lease.release()
        await vacuum(store)

    run(path, scenario)


def test_the_log_of_a_detached_run_goes_too(path: Path) -> None:
    logs = path.with_name("asl.db-logs")
    logs.mkdir()
    for name in ("m.a", "m.b", "else"):
        (logs / f"{name}.log").write_text("said")

    async def scenario(store: SqliteStore) -> None:
        await add(store, "a")
        await add(store, "b", NOW)
        await prune(store, Pruning(5000), pause=at_once)

    run(path, scenario)
    assert sorted(file.name for file in logs.iterdir()) == ["else.log", "m.b.log"]


# -- its folder ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("there", [False, True])
def test_the_folder_is_ours_alone_unless_it_was_there(tmp_path: Path, there: bool) -> None:
    folder = tmp_path / "project" / ".asl"
    if there:
        folder.mkdir(parents=True, mode=0o755)
        folder.chmod(0o755)

    async def nothing(_store: SqliteStore) -> None:
        """It is opened, and closed again."""

    run(folder / "asl.db", nothing)
    assert stat.S_IMODE(folder.stat().st_mode) == (0o755 if there else 0o700)
    assert (folder / ".gitignore").exists() != there
    if not there:
        assert (folder / ".gitignore").read_text() == "*\n"
        (folder / ".gitignore").unlink()
        run(folder / "asl.db", nothing)
        assert not (folder / ".gitignore").exists()


def test_another_folder_gets_no_ignore_file(tmp_path: Path) -> None:
    async def nothing(_store: SqliteStore) -> None:
        """It is opened, and closed again."""

    run(tmp_path / "data" / "my.db", nothing)
    assert not (tmp_path / "data" / ".gitignore").exists()
