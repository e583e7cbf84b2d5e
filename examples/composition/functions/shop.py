"""The shop's data, in a SQLite file: orders, payments and what customers were told.

Each function may be called twice with the same: a delivery is repeated where a process has died before it was
written down that the first one had come through.  So all that is written has a key, and is there once.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

FOLDER = Path(__file__).parents[1] / ".asl"
TABLES = """
CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, total INTEGER, status TEXT, payment TEXT);
CREATE TABLE IF NOT EXISTS payments (order_id TEXT PRIMARY KEY, id TEXT, total INTEGER);
CREATE TABLE IF NOT EXISTS mails (order_id TEXT, text TEXT, PRIMARY KEY (order_id, text));
"""


class CardDeclined(Exception):
    """It is of no use to try again."""


class WarehouseClosed(Exception):
    """Tomorrow is another day."""


class UnknownOrder(Exception):
    """Nobody has accepted such an order."""


@contextmanager
def _database() -> Iterator[sqlite3.Connection]:
    """A transaction."""
    path = Path(os.environ.get("SHOP_DB") or FOLDER / "shop.db")
    path.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path, timeout=30)) as db:
        db.executescript(TABLES)
        with db:
            yield db


def accept(order: dict) -> bool:
    """Whether the order is new, or the same as before."""
    with _database() as db:
        db.execute("INSERT OR IGNORE INTO orders VALUES (?, ?, 'processing', NULL)", (order["id"], order["total"]))
        (total,) = db.execute("SELECT total FROM orders WHERE id = ?", (order["id"],)).fetchone()
        return total == order["total"]


def charge(order: dict) -> str:
    """The id of the order's payment.  A bank does the same: it takes a key, and charges once for it."""
    if order["paymentToken"] == "tok_declined":
        raise CardDeclined(order["id"])
    with _database() as db:
        payment = f"pay_{order['id']}"
        db.execute("INSERT OR IGNORE INTO payments VALUES (?, ?, ?)", (order["id"], payment, order["total"]))
        return payment


def fulfill(order_id: str, payment_id: str) -> None:
    """Ship it.  The warehouse is closed while there is a file of that name."""
    if (FOLDER / "warehouse-closed").exists():
        raise WarehouseClosed(order_id)
    with _database() as db:
        query = "UPDATE orders SET status = 'fulfilled', payment = ? WHERE id = ?"
        if db.execute(query, (payment_id, order_id)).rowcount == 0:
            raise UnknownOrder(order_id)


def reject(order_id: str) -> None:
    with _database() as db:
        db.execute("UPDATE orders SET status = 'rejected' WHERE id = ?", (order_id,))


def tell(order_id: str, text: str) -> None:
    """Send a mail; the same one for the same order is sent once."""
    with _database() as db:
        db.execute("INSERT OR IGNORE INTO mails VALUES (?, ?)", (order_id, text))


def find(order_id: str) -> dict | None:
    with _database() as db:
        row = db.execute("SELECT status, payment FROM orders WHERE id = ?", (order_id,)).fetchone()
        if row is None:
            return None
        mails = db.execute("SELECT text FROM mails WHERE order_id = ? ORDER BY rowid", (order_id,)).fetchall()
    return {"id": order_id, "status": row[0], "paymentId": row[1], "mails": [text for (text,) in mails]}
