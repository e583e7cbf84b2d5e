"""The files that stand for a catalogue and a bank."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

FOLDER = Path(os.environ.get("SHOP_FOLDER") or Path(__file__).parents[1] / ".asl")
PRODUCTS = {"widget": 1250, "gadget": 4900}


def catalogue() -> sqlite3.Connection:
    """A connection to the catalogue, which any thread may use."""
    FOLDER.mkdir(exist_ok=True)
    db = sqlite3.connect(FOLDER / "catalogue.db", timeout=30, check_same_thread=False)
    with db:
        db.execute("CREATE TABLE IF NOT EXISTS products (name TEXT PRIMARY KEY, cents INTEGER)")
        db.executemany("INSERT OR IGNORE INTO products VALUES (?, ?)", PRODUCTS.items())
    return db


def charge(invoice: str, cents: int) -> str:
    """Charge a card.  This bank knows no keys: asked twice, it charges twice."""
    FOLDER.mkdir(exist_ok=True)
    with closing(sqlite3.connect(FOLDER / "bank.db", timeout=30)) as db, db:
        db.execute("CREATE TABLE IF NOT EXISTS charges (id INTEGER PRIMARY KEY, invoice TEXT, cents INTEGER)")
        number = db.execute("INSERT INTO charges (invoice, cents) VALUES (?, ?)", (invoice, cents)).lastrowid
    return f"pay_{number}"


def send(payment: str) -> bool:
    """Send a receipt, unless there is one for the payment."""
    FOLDER.mkdir(exist_ok=True)
    with closing(sqlite3.connect(FOLDER / "receipts.db", timeout=30)) as db, db:
        db.execute("CREATE TABLE IF NOT EXISTS receipts (payment TEXT PRIMARY KEY)")
        return db.execute("INSERT OR IGNORE INTO receipts VALUES (?)", (payment,)).rowcount == 1
