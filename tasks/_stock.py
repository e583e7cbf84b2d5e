"""The lines of an order on their way from the shelf to the customer, or back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._errors import OutOfStockError

if TYPE_CHECKING:
    import sqlite3

__all__ = ["lines", "release", "reserve", "ship"]

_LINES = """
    SELECT product_id, quantity, state, stock FROM order_lines JOIN products USING (product_id)
    WHERE purchase_id = ? ORDER BY product_id
"""


def lines(db: sqlite3.Connection, order: sqlite3.Row, state: str) -> list[dict[str, Any]]:
    """The order's lines in ``state``, each with what is left of the product to sell."""
    return [
        {"productId": line["product_id"], "quantity": line["quantity"], "stockLeft": line["stock"]}
        for line in db.execute(_LINES, (order["purchase_id"],))
        if line["state"] == state
    ]


def reserve(db: sqlite3.Connection, order: sqlite3.Row) -> None:
    """Take everything that was ordered off the shelf.  Raises ``OutOfStockError`` and takes nothing."""
    short = [
        f"{line['productId']} ({line['quantity']} ordered, {line['stockLeft']} left)"
        for line in lines(db, order, "REQUESTED")
        if line["quantity"] > line["stockLeft"]
    ]
    if short:
        raise OutOfStockError(f"order {order['order_id']}: out of stock: {', '.join(short)}")
    _move(db, order, "REQUESTED", "RESERVED", -1)


def release(db: sqlite3.Connection, order: sqlite3.Row) -> None:
    """Put back what is still reserved; what has been shipped is gone."""
    _move(db, order, "RESERVED", "RELEASED", +1)


def ship(db: sqlite3.Connection, order: sqlite3.Row) -> None:
    """Give away what is reserved."""
    _move(db, order, "RESERVED", "SHIPPED", 0)


def _move(db: sqlite3.Connection, order: sqlite3.Row, before: str, after: str, sign: int) -> None:
    moved = lines(db, order, before)
    db.executemany(
        "UPDATE products SET stock = stock + ? WHERE product_id = ?",
        [(sign * line["quantity"], line["productId"]) for line in moved],
    )
    db.execute(
        "UPDATE order_lines SET state = ? WHERE purchase_id = ? AND state = ?",
        (after, order["purchase_id"], before),
    )
