"""Look-ups of single rows, in the thread that asks.

Such a query takes some 20 microseconds.  Handing it to a thread takes ten times as long, since each thread waits
for Python's lock, and there it would wait behind others' long lists.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Lookup"]


class Lookup:
    """Reads a database that this process has open to write as well.  It is opened when it is first asked."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None

    def rows(self, query: str, values: tuple[Any, ...]) -> list[Any] | None:
        """None where that is not possible at once, as where another program has the database locked."""
        try:
            if self._db is None:
                self._db = _connection_to(self._path)
            return self._db.execute(query, values).fetchall()
        except sqlite3.Error:
            return None

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None


def _connection_to(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=0)  # waiting would hold up the event loop
    try:
        db.execute("PRAGMA query_only = ON")
    except sqlite3.Error:
        db.close()
        raise
    return db
