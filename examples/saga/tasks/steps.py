"""Reserve, charge and ship an order; each leaves a row in the shop's database, and what undoes it takes it away.

A step may be called twice, and may be undone without having been done: a process can die at any moment, and a call
that timed out may have come through.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from asl_engine import task

SHOP = Path(__file__).parents[1] / ".asl" / "shop.db"


class OutOfStock(Exception):
    """It is of no use to try again."""


class CardDeclined(Exception):
    """It is of no use to try again."""


class NoTruck(Exception):
    """It is of no use to try again."""


class BankIsClosed(Exception):
    """Tomorrow is another day."""


PROBLEMS = {problem.__name__: problem for problem in (OutOfStock, CardDeclined, NoTruck, BankIsClosed)}


@task
def reserve(event: dict) -> dict:
    return _do(event, "reserve")


@task
def release(event: dict) -> dict:
    return _undo(event, "reserve", "release")


@task
def charge(event: dict) -> dict:
    return _do(event, "charge")


@task
def refund(event: dict) -> dict:
    return _undo(event, "charge", "refund")


@task
def ship(event: dict) -> dict:
    return _do(event, "ship")


@task("reportFailedUndo")
def report(event: dict) -> None:
    """What a person needs to know: the step, the order, and both errors."""
    about = f"{event['undo']}: {event['undoFailure']['Error']}"
    _write(
        "INSERT OR IGNORE INTO reports VALUES (?, ?, ?)", event["document"]["orderId"], about, event["execution"]
    )


def _do(event: dict, step: str) -> dict:
    _fail(event, step)
    _write("INSERT OR IGNORE INTO steps VALUES (?, ?)", event["orderId"], step)
    return {"done": step}


def _undo(event: dict, step: str, name: str) -> dict:
    _fail(event, name)
    _write("DELETE FROM steps WHERE order_id = ? AND step = ?", event["orderId"], step)
    return {"undone": step}


def _fail(event: dict, name: str) -> None:
    """An order can ask for trouble: {"trouble": {"ship": "NoTruck"}}."""
    problem = event.get("trouble", {}).get(name)
    if problem:
        raise PROBLEMS[problem](event["orderId"])


def _write(statement: str, *values: str) -> None:
    SHOP.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(SHOP, timeout=30)) as db, db:
        db.execute("CREATE TABLE IF NOT EXISTS steps (order_id TEXT, step TEXT, PRIMARY KEY (order_id, step))")
        db.execute(
            "CREATE TABLE IF NOT EXISTS reports "
            "(order_id TEXT, about TEXT, execution TEXT, PRIMARY KEY (execution, about))"
        )
        db.execute(statement, values)
