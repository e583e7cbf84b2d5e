"""What things cost."""

import logging
import sqlite3
from functools import cache
from threading import Lock

from asl_engine import task

from ._ledger import catalogue

logger = logging.getLogger(__name__)
_lock = Lock()


class UnknownProduct(Exception):
    """It is not in the catalogue."""


@task("priceLine")
def price_line(event: dict) -> dict:
    return {**event, "cents": price(event["product"]) * event["quantity"]}


@cache
def price(product: str) -> int:
    """Asked for once in a process: prices change with the next one."""
    with _lock:
        row = connection().execute("SELECT cents FROM products WHERE name = ?", (product,)).fetchone()
    if row is None:
        raise UnknownProduct(product)
    return row[0]


@cache
def connection() -> sqlite3.Connection:
    """One for all calls of a process; opened by the first that needs it, and not by the import."""
    logger.info("the catalogue is opened")
    return catalogue()
