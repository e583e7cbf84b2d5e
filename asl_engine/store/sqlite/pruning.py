"""Deletes executions that ended long ago, with their Map Runs and children, and definitions that nothing uses.

Every transaction is short: other writers, of this process and of others, get their turn in between.  Killed at
any moment, nothing is half done.  An execution goes together with its log, in one transaction.  The children of
its Map Runs follow in the same transaction or in later ones; until then their Map Run has no execution, which
is how the next prune finds and finishes what an interrupted one has left.

What runs stays, and so does an execution of whose Map Runs a child runs.  Each transaction looks for itself: an
execution that has been redriven since it was chosen runs again.  A redrive that comes too late is refused
(``appends``).
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from asl_engine.errors import Parameter, StoreError
from asl_engine.store.sqlite.place import log_path

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from asl_engine.core.execution import Status
    from asl_engine.store.sqlite.store import SqliteStore

__all__ = ["Prunable", "Pruned", "Pruning", "prunable", "prune", "vacuum"]

BITE_SECONDS = 0.02  # how long a transaction may go on deleting
PAGE = 1000  # executions that are looked through at once
FEW_DEFINITIONS = 50  # a definition may have a megabyte
FEW_PAGES = 250  # of the file, given back at once

Pause: TypeAlias = "Callable[[float], Awaitable[object]]"

# The executions by themselves, and the children that no Map Run knows any more: where a redrive starts an Express
# child anew, the new one takes the old one's place.
PAGE_OF_EXECUTIONS = """
    SELECT execution, machine_arn, instr(machine_name, '/') = 0,
        status <> 'RUNNING' AND (?2 IS NULL OR stopped_at < ?2) AND (?3 IS NULL OR status = ?3)
        AND (?4 IS NULL OR machine_name = ?4 OR substr(machine_name, 1, length(?4) + 1) = ?4 || '/')
    FROM executions
    WHERE execution > ?1 AND (
        instr(machine_name, '/') = 0 OR NOT EXISTS (
            SELECT 1 FROM children WHERE children.execution = executions.execution
        )
    )
    ORDER BY execution LIMIT ?5
"""
TOTALS = "SELECT machine_arn, count(*) FROM executions GROUP BY machine_arn"
# An execution and all the children of its Map Runs, and of theirs.
FAMILY = """
    WITH RECURSIVE family (execution) AS (
        SELECT ?1 UNION
        SELECT children.execution
        FROM family JOIN map_runs USING (execution) JOIN children USING (map_run)
    )
"""
RUNS = f"SELECT EXISTS ({FAMILY} SELECT 1 FROM family JOIN executions USING (execution) WHERE status = 'RUNNING')"
FAMILY_DEFINITIONS = f"{FAMILY} SELECT definition FROM family JOIN executions USING (execution)"
MAP_RUNS_WITHOUT_EXECUTION = """
    SELECT map_run FROM map_runs
    WHERE NOT EXISTS (SELECT 1 FROM executions WHERE executions.execution = map_runs.execution)
"""
ENDED_CHILD = """
    SELECT number, children.execution FROM children LEFT JOIN executions USING (execution)
    WHERE map_run = ? AND status IS NOT 'RUNNING' LIMIT 1
"""
DELETE_MAP_RUN = """
    DELETE FROM map_runs WHERE map_run = ?1 AND NOT EXISTS (SELECT 1 FROM children WHERE map_run = ?1)
"""
OF_MACHINES = "SELECT definition FROM state_machines UNION SELECT definition FROM state_machine_versions"
UNUSED = f"""
    SELECT digest FROM definitions
    WHERE NOT EXISTS (SELECT 1 FROM executions WHERE definition = digest)
    AND digest NOT IN ({OF_MACHINES})
"""
USES = f"SELECT count(*), ?1 IN ({OF_MACHINES}) FROM executions WHERE definition = ?1"
INCREMENTAL = 2  # the value of PRAGMA auto_vacuum


class Pruning(NamedTuple):
    """Which executions are to go: those that meet all of these.

    ``before``: it ended before this moment (milliseconds since the epoch), None for any that has ended.
    ``machine`` is the name of a state machine.  The newest ``keep_last`` executions of each machine stay.
    """

    before: int | None
    status: Status | None = None
    machine: str | None = None
    keep_last: int = 0


class Pruned(NamedTuple):
    """What has gone: executions, children of their Map Runs, definitions, and bytes of the file.

    ``unused_bytes`` of the file are empty: it does not shrink, but uses them before it grows.
    """

    executions: int = 0
    children: int = 0
    definitions: int = 0
    freed_bytes: int = 0
    unused_bytes: int = 0


class Prunable(NamedTuple):
    """What would go: the number of executions by the name of their machine, of children, of definitions."""

    executions: Counter[str]
    children: int
    definitions: int


class _Work:
    """What is still to be deleted: executions, and Map Runs whose execution is gone."""

    def __init__(self, map_runs: list[int]) -> None:
        self.executions: list[int] = []
        self.map_runs = map_runs
        self.gone = 0
        self.children_gone = 0
        self.logs: list[tuple[str, str]] = []  # machine and name of what is gone


async def prunable(store: SqliteStore, pruning: Pruning) -> Prunable:
    """What ``prune`` would delete now."""
    machines: Counter[str] = Counter()
    uses: Counter[str] = Counter()
    children = 0
    async for keys in _chosen(store, pruning):
        for key in keys:
            if not (await store.fetch(RUNS, (key,)))[0][0]:
                definitions = [str(row[0]) for row in await store.fetch(FAMILY_DEFINITIONS, (key,))]
                uses.update(definitions)
                children += len(definitions) - 1
                name = await store.fetch("SELECT machine_name FROM executions WHERE execution = ?", (key,))
                machines[str(name[0][0])] += 1
    unused = len(await store.fetch(UNUSED))
    for digest, number in uses.items():
        all_uses, kept = (await store.fetch(USES, (digest,)))[0]
        unused += int(all_uses) == number and not kept
    return Prunable(machines, children, unused)


async def prune(store: SqliteStore, pruning: Pruning, *, pause: Pause = asyncio.sleep) -> Pruned:
    """Delete them, and give the space back where the file can shrink.

    After each transaction ``pause`` is awaited, for as long as that took.  Raises ``StoreError``.
    """
    size = await store.write_alone(_size)
    work = _Work([int(row[0]) for row in await store.fetch(MAP_RUNS_WITHOUT_EXECUTION)])
    await _finish(store, pruning, work, pause)
    async for work.executions in _chosen(store, pruning):
        await _finish(store, pruning, work, pause)
    definitions = 0
    while some := await _bite(store, _delete_definitions, pause):
        definitions += some
    while await _bite(store, _shrink, pause):
        pass
    unused = await store.write_alone(_settled_size)
    freed = max(0, size - await store.write_alone(_size))
    return Pruned(work.gone, work.children_gone, definitions, freed, unused)


async def vacuum(store: SqliteStore) -> int:
    """Write the whole file anew, without empty space and able to shrink from now on; the bytes that this saves.

    Nobody else can write meanwhile, and for the moment there have to be three times as much space.
    Raises ``StoreError``, also where another process drives executions: it would wait for seconds, then fail.
    """
    if store.has_other_drivers():
        raise StoreError(
            f"Another process drives executions in {store.path}, and could not write while the file is written "
            "anew: stop it first; without ",
            Parameter("vacuum"),
            " there is no need to",
        )

    def rewrite(db: sqlite3.Connection) -> int:
        before = _size(db)
        db.execute(f"PRAGMA auto_vacuum = {INCREMENTAL}")
        db.execute("REINDEX")  # VACUUM copies an index as it is, also one that misses a row
        db.execute("VACUUM")
        _settled_size(db)
        return before - _size(db)

    return max(0, await store.write_alone(rewrite))


async def _chosen(store: SqliteStore, pruning: Pruning) -> AsyncIterator[list[int]]:
    """The keys of the executions to delete, the oldest first."""
    spare: Counter[str] = Counter()
    if pruning.keep_last:
        for machine, total in await store.fetch(TOTALS):
            spare[str(machine)] = int(total) - pruning.keep_last
    after = 0
    fitting = (pruning.before, pruning.status, pruning.machine, PAGE)
    while rows := await store.fetch(PAGE_OF_EXECUTIONS, (after, *fitting)):
        chosen = []
        for key, machine, by_itself, fits in rows:
            if not by_itself:  # it is not listed, so it is not among the newest of any machine
                kept = pruning.before is None
            else:
                spare[machine] -= 1
                kept = pruning.keep_last > 0 and spare[machine] < 0
            if fits and not kept:
                chosen.append(int(key))
        after = int(rows[-1][0])
        yield chosen


async def _finish(store: SqliteStore, pruning: Pruning, work: _Work, pause: Pause) -> None:
    """Do what there is to do, a bite at a time."""
    work.executions.reverse()  # taken from the end
    while work.executions or work.map_runs:
        await _bite(store, partial(_delete_some, pruning, work), pause)
        while work.logs:
            with suppress(OSError):  # there is none, or it is somebody else's
                log_path(store.path, *work.logs.pop()).unlink()


async def _bite(store: SqliteStore, function: Callable[[sqlite3.Connection], int], pause: Pause) -> int:
    began = time.monotonic()
    done = await store.write_alone(function)
    await pause(time.monotonic() - began)
    return done


# -- in the thread that writes ------------------------------------------------------------------------


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Whatever is read in it stays so until it ends: nobody else writes."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.commit()
    except BaseException:
        db.rollback()
        raise


def _delete_some(pruning: Pruning, work: _Work, db: sqlite3.Connection) -> int:
    """Delete for a while, in one transaction."""
    until = time.monotonic() + BITE_SECONDS
    with _transaction(db):
        while work.executions or work.map_runs:
            if work.map_runs:
                _delete_child(db, work)
            else:
                _delete_execution(db, work.executions.pop(), pruning, work)
            if time.monotonic() > until:
                break
    return 1


def _delete_execution(db: sqlite3.Connection, key: int, pruning: Pruning, work: _Work) -> None:
    row = db.execute(
        "SELECT machine_name, name FROM executions WHERE execution = ?1 AND status <> 'RUNNING'"
        " AND (?2 IS NULL OR stopped_at < ?2) AND (?3 IS NULL OR status = ?3)",
        (key, pruning.before, pruning.status),
    ).fetchone()
    if row is None or db.execute(RUNS, (key,)).fetchone()[0]:
        return
    _delete_rows(db, key, work)
    work.gone += 1
    work.logs.append(row)


def _delete_child(db: sqlite3.Connection, work: _Work) -> None:
    """One child of a Map Run whose execution is gone; after the last one, the Map Run."""
    map_run = work.map_runs[-1]
    child = db.execute(ENDED_CHILD, (map_run,)).fetchone()
    if child is None:
        db.execute(DELETE_MAP_RUN, (map_run,))
        work.map_runs.pop()
        return
    number, key = child
    _delete_rows(db, key, work)
    db.execute("DELETE FROM children WHERE map_run = ? AND number = ?", (map_run, number))
    work.children_gone += 1


def _delete_rows(db: sqlite3.Connection, key: int, work: _Work) -> None:
    db.execute("DELETE FROM events WHERE execution = ?", (key,))
    db.execute("DELETE FROM executions WHERE execution = ?", (key,))
    work.map_runs += [
        int(row[0]) for row in db.execute("SELECT map_run FROM map_runs WHERE execution = ?", (key,))
    ]


def _delete_definitions(db: sqlite3.Connection) -> int:
    """The number of those deleted.  Whoever starts to use one keeps its text in that same transaction."""
    with _transaction(db):
        done = db.execute(f"DELETE FROM definitions WHERE digest IN ({UNUSED} LIMIT {FEW_DEFINITIONS})")
    return done.rowcount


def _shrink(db: sqlite3.Connection) -> int:
    """Give free pages at the end of the file back; 0 where there are none, or where the file cannot shrink."""
    if _number(db, "PRAGMA auto_vacuum") != INCREMENTAL or not (free := _number(db, "PRAGMA freelist_count")):
        return 0
    # As a script: ``execute`` would stop after the first page.
    db.executescript(f"PRAGMA incremental_vacuum({FEW_PAGES})")
    return free - _number(db, "PRAGMA freelist_count")


def _size(db: sqlite3.Connection) -> int:
    return _number(db, "PRAGMA page_count") * _number(db, "PRAGMA page_size")


def _settled_size(db: sqlite3.Connection) -> int:
    """Bring what was written into the file itself, which shrinks only then; the bytes in it that are unused."""
    db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return _number(db, "PRAGMA freelist_count") * _number(db, "PRAGMA page_size")


def _number(db: sqlite3.Connection, query: str) -> int:
    return int(db.execute(query).fetchone()[0])
