"""The shop's database, and doing a piece of work in it once.

The file is named by SHOP_DB, or else is ``.asl/shop.db`` in the project; it is made and stocked on first
use.  Tasks run in threads and processes side by side, so each opens a connection of its own, for one
transaction, and has the write lock from the start: nothing it has read can change before it writes.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeAlias

from ._errors import ORDER_FAILURES, OrderFailure, ShopDatabaseError
from ._schema import APPLICATION_ID, PRODUCTS, TABLES, VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine import TaskContext

__all__ = ["Result", "identifier", "once", "path"]

Result: TypeAlias = dict[str, Any]

_ROOT = Path(__file__).parents[1]
_PATIENCE = 30.0  # seconds to wait for other writers
_kept: dict[Path, sqlite3.Connection] = {}
_lock = Lock()


def path() -> Path:
    """Where the database is."""
    named = os.environ.get("SHOP_DB")
    return Path(named) if named else _ROOT / ".asl" / "shop.db"


def identifier(prefix: str, *parts: str) -> str:
    """An id that follows from ``parts``: the same whenever, and wherever, it is made again."""
    return f"{prefix}-{sha256(json.dumps(parts).encode()).hexdigest()[:12]}"


def once(task: str, context: TaskContext, event: object, work: Callable[[sqlite3.Connection], Result]) -> Result:
    """The result of ``work(db)``, done in one transaction and at most once for the context's key.

    A call whose key was served before gets what the first one got, be it a result or an
    ``OrderFailure``: outcome and work are committed together, so that a crash leaves both or neither.
    Without a key (a call by hand) the work is simply done.

    Raises what ``work`` raises, and ``ShopDatabaseError`` where the key came with another event before.
    """
    with closing(_connect()) as db, db:  # the inner one commits, or rolls back
        db.execute("BEGIN IMMEDIATE")
        outcome = _recall(db, task, context, event)
        if outcome is None:
            outcome = _attempt(work, db)
            _remember(db, task, context, event, outcome)
    if isinstance(outcome, OrderFailure):
        raise outcome
    return outcome


def _attempt(work: Callable[[sqlite3.Connection], Result], db: sqlite3.Connection) -> Result | OrderFailure:
    try:
        return work(db)
    except OrderFailure as failure:
        return failure


def _recall(
    db: sqlite3.Connection, task: str, context: TaskContext, event: object
) -> Result | OrderFailure | None:
    key = context.idempotency_key
    row = db.execute("SELECT * FROM outcomes WHERE task = ? AND key = ?", (task, key)).fetchone()
    if row is None:
        return None
    if row["event"] != _digest(event):
        raise ShopDatabaseError(
            f"{task} was called with the key {key!r} and another event before; "
            f"if the engine's database was started anew, remove {path()} too"
        )
    if row["error"] is not None:
        return ORDER_FAILURES[row["error"]](row["outcome"])
    result: Result = json.loads(row["outcome"])
    return result


def _remember(
    db: sqlite3.Connection, task: str, context: TaskContext, event: object, outcome: Result | OrderFailure
) -> None:
    if not context.idempotency_key:
        return
    error, text = (
        (type(outcome).__name__, str(outcome))
        if isinstance(outcome, OrderFailure)
        else (None, json.dumps(outcome))
    )
    row = (task, context.idempotency_key, _digest(event), error, text)
    db.execute("INSERT INTO outcomes (task, key, event, error, outcome) VALUES (?, ?, ?, ?, ?)", row)


def _digest(event: object) -> str:
    return sha256(json.dumps(event, sort_keys=True).encode()).hexdigest()


def _connect() -> sqlite3.Connection:
    file = path()
    file.parent.mkdir(parents=True, exist_ok=True)
    db = _open(file)
    try:
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA foreign_keys = ON")
        _prepare(db, file)
        _keep_open(file)
    except BaseException:
        db.close()
        raise
    return db


def _open(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(file, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)


def _keep_open(file: Path) -> None:
    """Hold one idle connection: SQLite folds its log into the file, slowly, whenever the last one closes."""
    with _lock:
        if file not in _kept:
            while _kept:
                _kept.popitem()[1].close()
            _kept[file] = _open(file)
            _kept[file].execute("SELECT 1 FROM products").fetchone()


def _prepare(db: sqlite3.Connection, file: Path) -> None:
    if _layout(db) != (APPLICATION_ID, VERSION):
        with db:
            db.execute("BEGIN IMMEDIATE")
            _create(db, file)
    # Two that change the mode of a new file at once refuse each other without waiting.  It does no harm:
    # the file works in either mode, and the next connection asks again.
    with suppress(sqlite3.OperationalError):
        db.execute("PRAGMA journal_mode = WAL")


def _layout(db: sqlite3.Connection) -> tuple[int, int]:
    application, version = (
        db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
    )
    return application, version


def _create(db: sqlite3.Connection, file: Path) -> None:
    layout = _layout(db)
    if layout == (APPLICATION_ID, VERSION):
        return  # somebody else was faster
    if layout != (0, 0):
        raise ShopDatabaseError(f"{file} is no shop database of version {VERSION}; remove it, or set SHOP_DB")
    for statement in TABLES:
        db.execute(statement)
    db.executemany("INSERT INTO products (product_id, name, price_cents, stock) VALUES (?, ?, ?, ?)", PRODUCTS)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {VERSION}")
