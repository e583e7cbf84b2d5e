"""The shop's data, in a SQLite file: stock, reservations, payments, mails, points.

Events come at least once, and in no order.  So all that is written has a key, and is there once, and what has come
too late changes nothing.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

FILE = Path(__file__).parents[1] / ".asl" / "shop.db"
PRICES = {"prod_789": 1500, "prod_790": 80_000}
STOCK = 5
POOR = "user_13"  # whose card is always declined
TABLES = """
CREATE TABLE IF NOT EXISTS reservations
  (order_id TEXT, product TEXT, quantity INTEGER, PRIMARY KEY (order_id, product));
CREATE TABLE IF NOT EXISTS payments (order_id TEXT PRIMARY KEY, total INTEGER);
CREATE TABLE IF NOT EXISTS mails (order_id TEXT, user TEXT, text TEXT, PRIMARY KEY (order_id, text));
CREATE TABLE IF NOT EXISTS points (order_id TEXT PRIMARY KEY, user TEXT, points INTEGER);
"""


class OutOfStock(Exception):
    """There is not enough of a product."""

    def __init__(self, product: str) -> None:
        super().__init__(product)
        self.product = product


class CardDeclined(Exception):
    """It is of no use to try again."""


@contextmanager
def database() -> Iterator[sqlite3.Connection]:
    """A transaction.  It is begun at once, so that nothing changes between what it reads and what it writes."""
    path = Path(os.environ.get("SHOP_DB") or FILE)
    path.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path, timeout=30, isolation_level="IMMEDIATE")) as db:
        db.executescript(TABLES)
        with db:
            yield db


def reserve(order_id: str, items: list[dict]) -> int:
    """Reserve all items, or none; returns what they cost."""
    with database() as db:
        for item in items:
            product, quantity = item["productId"], item["quantity"]
            others = "SELECT coalesce(sum(quantity), 0) FROM reservations WHERE product = ? AND order_id <> ?"
            (taken,) = db.execute(others, (product, order_id)).fetchone()
            if product not in PRICES or taken + quantity > STOCK:
                raise OutOfStock(product)
            db.execute("INSERT OR IGNORE INTO reservations VALUES (?, ?, ?)", (order_id, product, quantity))
    return sum(PRICES[item["productId"]] * item["quantity"] for item in items)


def charge(order_id: str, user: str, total: int) -> None:
    if user == POOR:
        raise CardDeclined(user)
    with database() as db:
        db.execute("INSERT OR IGNORE INTO payments VALUES (?, ?)", (order_id, total))


def release(order_id: str) -> None:
    """Give back what is reserved, unless it is paid."""
    with database() as db:
        query = "DELETE FROM reservations WHERE order_id = ? AND order_id NOT IN (SELECT order_id FROM payments)"
        db.execute(query, (order_id,))


def tell(order_id: str, user: str, text: str) -> None:
    """Send a mail; the same one for the same order is sent once."""
    with database() as db:
        db.execute("INSERT OR IGNORE INTO mails VALUES (?, ?, ?)", (order_id, user, text))


def give_points(order_id: str, user: str, points: int) -> None:
    with database() as db:
        db.execute("INSERT OR IGNORE INTO points VALUES (?, ?, ?)", (order_id, user, points))
