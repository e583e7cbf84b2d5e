"""The thread that writes to a database: appends which wait at the same moment share one transaction.

While the disk is busy with one transaction, the next one gathers ("group commit").  The thread has a
connection of its own, so no reader waits for it, and it never waits for the event loop.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeAlias, TypeVar

from asl_engine.store.sqlite.appends import Append, insert
from asl_engine.store.sqlite.opening import connection_to

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

__all__ = ["Writer"]

Result = TypeVar("Result")
# What an append has come to: None where it is on disk.
Outcome: TypeAlias = tuple[Append, Exception | None]


class Job(NamedTuple):
    """Something to do with the connection that writes; ``answer`` is resolved with what it returns."""

    function: Callable[[sqlite3.Connection], Any]
    answer: asyncio.Future[Any]


class Writer:
    """Open it with ``Writer.open``; close it when done.  Its thread does not keep the process alive."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[Append | Job | None] = SimpleQueue()
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self.since: float | None = None  # when it began to write, where it is writing

    @classmethod
    async def open(cls, path: Path, synchronous: str) -> Self:
        """Open the database at ``path``; make it or bring it up to date if necessary.

        Raises ``StoreError``; a cancelled caller leaves no connection behind.
        """
        writer = cls()
        threading.Thread(target=writer._run, args=(path, synchronous), name="asl-writer", daemon=True).start()
        try:
            await asyncio.shield(writer._opened)
        except asyncio.CancelledError:
            writer._queue.put(None)
            while not writer._closed.done():  # no matter how often the caller is cancelled meanwhile
                with suppress(asyncio.CancelledError):
                    await asyncio.shield(writer._closed)
            raise
        return writer

    def write(self, append: Append) -> None:
        """Write an append soon: its ``done`` tells when it is on disk, or what has gone wrong."""
        self._queue.put(append)

    async def do(self, function: Callable[[sqlite3.Connection], Result]) -> Result:
        """Call a function in the thread, once everything before it has been written: what it returns or raises.

        It begins and ends its own transactions.
        """
        answer: asyncio.Future[Result] = self._loop.create_future()
        self._queue.put(Job(function, answer))
        return await answer

    async def close(self) -> None:
        """Write what waits, then close the connection."""
        self._queue.put(None)
        await asyncio.shield(self._closed)

    # -- in the thread --------------------------------------------------------------------------------

    def _run(self, path: Path, synchronous: str) -> None:
        try:
            db = connection_to(path, synchronous)
        except Exception as error:  # noqa: BLE001  who opens it hears of it
            self._tell(_fail, self._opened, error)
            self._tell(_resolve, self._closed)
            return
        self._tell(_resolve, self._opened)
        try:
            while (first := self._queue.get()) is not None:
                more = self._serve(db, first)
                if not more:
                    break
        finally:
            db.close()
            self._tell(_resolve, self._closed)

    def _serve(self, db: sqlite3.Connection, first: Append | Job) -> bool:
        """Do all that waits; whether more may come."""
        waiting: list[Append | Job | None] = [first]
        with suppress(Empty):
            while waiting[-1] is not None:
                waiting.append(self._queue.get_nowait())
        appends = [one for one in waiting if isinstance(one, Append)]
        if appends:
            self.since = time.monotonic()
            self._tell(_settle, write_together(db, appends))
            self.since = None
        for one in waiting:
            if isinstance(one, Job):
                self._do(db, one)
        return waiting[-1] is not None

    def _do(self, db: sqlite3.Connection, job: Job) -> None:
        try:
            value = job.function(db)
        except Exception as error:  # noqa: BLE001  whatever it is, who waits must hear of it
            self._tell(_fail, job.answer, error)
        else:
            self._tell(_resolve, job.answer, value)

    def _tell(self, function: Callable[..., None], *arguments: Any) -> None:
        with suppress(RuntimeError):  # the loop has been closed: nobody waits any more
            self._loop.call_soon_threadsafe(function, *arguments)


def write_together(db: sqlite3.Connection, appends: Sequence[Append]) -> list[Outcome]:
    """Write in one transaction, or, where one of the appends may be at fault, each in its own."""
    try:
        if db.in_transaction:  # one that failed could not be rolled back: nothing of it may be written now
            db.rollback()
        insert(db, appends)
        db.commit()
    except Exception as error:  # noqa: BLE001  whatever it is, who waits must hear of it
        with suppress(sqlite3.Error):  # it is tried again before anything else is written
            db.rollback()
        if len(appends) == 1 or _is_locked(error):  # each would wait for the lock again
            return [(append, error) for append in appends]
        return [outcome for append in appends for outcome in write_together(db, [append])]
    return [(append, None) for append in appends]


def _is_locked(error: Exception) -> bool:
    return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)


# -- in the loop --------------------------------------------------------------------------------------


def _settle(outcomes: list[Outcome]) -> None:
    for append, failure in outcomes:
        append.resolve(failure)


def _resolve(waiting: asyncio.Future[Any], value: object = None) -> None:
    if not waiting.done():
        waiting.set_result(value)


def _fail(waiting: asyncio.Future[Any], error: BaseException) -> None:
    if not waiting.done():
        waiting.set_exception(error)
