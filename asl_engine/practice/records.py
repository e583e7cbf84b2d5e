"""What has been done already, by key, in a SQLite file of its own.

It is none of the engine's tables: a task writes it while the engine may be writing too, in whichever process the
task runs, and a backup of the engine's database does not have to agree with it.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from asl_engine.errors import AslError
from asl_engine.project.configuration import find_project
from asl_engine.store.sqlite.opening import make_room

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DoneRecord", "Records", "RecordsError", "records_of_project"]

BUSY_SECONDS: Final = 5.0
FILE: Final = "idempotency.db"  # beside the project's database
SWEPT_AFTER: Final = 500  # writes: what has expired is deleted then
SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS records (
        key TEXT PRIMARY KEY, status TEXT NOT NULL, answer TEXT NOT NULL, payload_hash TEXT NOT NULL,
        expires INTEGER, in_progress_until INTEGER
    ) WITHOUT ROWID
"""
# A record stands in the way of another unless it has expired, or whoever made it has had its time.
PUT: Final = """
    INSERT INTO records VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET
        status = excluded.status, answer = excluded.answer, payload_hash = excluded.payload_hash,
        expires = excluded.expires, in_progress_until = excluded.in_progress_until
    WHERE records.expires < ? OR (records.status = 'INPROGRESS' AND records.in_progress_until < ?)
"""
REPLACE: Final = "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?)"


class RecordsError(AslError):
    """The file of records cannot be used: nothing is known of what has been done, so nothing is done."""


class DoneRecord(NamedTuple):
    """``status`` is INPROGRESS or COMPLETED, ``answer`` JSON text.

    ``expires`` is in seconds since the epoch, ``in_progress_until`` in milliseconds; None for never.
    """

    key: str
    status: str
    answer: str = ""
    payload_hash: str = ""
    expires: int | None = None
    in_progress_until: int | None = None


class Records:
    """The records in a file, which is made when it is first written.  Any thread may use it.

    Every method raises ``RecordsError`` where the file cannot be used.  A write is on disk when it returns.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).absolute()
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._writes = 0

    def get(self, key: str) -> DoneRecord | None:
        with self._opened() as db:
            row = db.execute("SELECT * FROM records WHERE key = ?", (key,)).fetchone()
        return None if row is None else DoneRecord(*row)

    def put_new(self, record: DoneRecord, now: float) -> bool:
        """Write a record unless one stands in its way; ``now`` is in seconds since the epoch."""
        with self._opened() as db:
            written = db.execute(PUT, (*record, int(now), int(now * 1000))).rowcount
            self._sweep(db, now)
        return written > 0

    def put(self, record: DoneRecord, now: float) -> None:
        with self._opened() as db:
            db.execute(REPLACE, record)
            self._sweep(db, now)

    def delete(self, key: str) -> None:
        with self._opened() as db:
            db.execute("DELETE FROM records WHERE key = ?", (key,))

    def close(self) -> None:
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                if self._db is None:
                    self._db = self._open()
                with self._db:  # one transaction
                    yield self._db
            except sqlite3.Error as error:
                raise RecordsError(
                    f"The file {self.path} with what has been done cannot be used: {error}"
                ) from None

    def _open(self) -> sqlite3.Connection:
        make_room(self.path, create=True)
        db = sqlite3.connect(self.path, timeout=BUSY_SECONDS, check_same_thread=False)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute(SCHEMA)
        except sqlite3.Error:
            db.close()
            raise
        weakref.finalize(self, db.close)  # whoever drops the records has closed them
        return db

    def _sweep(self, db: sqlite3.Connection, now: float) -> None:
        if self._writes % SWEPT_AFTER == 0:
            db.execute("DELETE FROM records WHERE expires < ?", (int(now),))
        self._writes += 1


def records_of_project(start: Path) -> Records:
    """Those beside the database of the project that a file or a folder belongs to.  Raises ``ProjectError``."""
    return Records(find_project(start, os.environ).db.parent / FILE)
