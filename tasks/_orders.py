"""Orders as the shop has them: placing one, finding one, moving one on."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from ._errors import OrderStateError, ValidationError
from ._shop import identifier
from ._validation import is_order_id, problems

if TYPE_CHECKING:
    import sqlite3

__all__ = ["at", "find", "place", "purchase_of", "set_status"]

_PLACE = """
    INSERT INTO orders (purchase_id, order_id, execution_arn, document, payment_token, total_cents, status)
    VALUES (?, ?, ?, ?, ?, ?, 'VALIDATED')
"""
_ADD_LINE = "INSERT INTO order_lines (purchase_id, product_id, quantity, state) VALUES (?, ?, ?, 'REQUESTED')"


def purchase_of(order_id: str, execution_arn: str) -> str:
    """The id of the purchase that an execution makes of an order."""
    return identifier("p", execution_arn, order_id)


def place(db: sqlite3.Connection, document: Any, execution_arn: str) -> str:
    """Take an order; the id of the purchase.  Placing it once more in the same execution changes nothing.

    Raises ``ValidationError`` with everything that is wrong with it.
    """
    prices = dict(db.execute("SELECT product_id, price_cents FROM products").fetchall())
    wrong = problems(document, prices)
    if wrong:
        raise ValidationError(f"order {_name(document)}: {'; '.join(wrong)}")
    purchase, text = purchase_of(document["orderId"], execution_arn), json.dumps(document, sort_keys=True)
    placed = find(db, purchase)
    if placed is None:
        _insert(db, purchase, document, text, execution_arn)
    elif placed["document"] != text:
        raise ValidationError(f"order {_name(document)}: this execution has another order of that id")
    return purchase


def _name(document: Any) -> str:
    order_id = document.get("orderId") if isinstance(document, dict) else None
    return str(order_id) if is_order_id(order_id) else "?"


def _insert(db: sqlite3.Connection, purchase: str, document: Any, text: str, execution_arn: str) -> None:
    token, total = document["paymentToken"], document["totalCents"]
    db.execute(_PLACE, (purchase, document["orderId"], execution_arn, text, token, total))
    quantities: Counter[str] = Counter()
    for item in document["items"]:
        quantities[item["productId"]] += item["quantity"]
    db.executemany(_ADD_LINE, [(purchase, product, quantity) for product, quantity in quantities.items()])


def find(db: sqlite3.Connection, purchase: object) -> sqlite3.Row | None:
    """The order of a purchase, None if there is none (or if that is not an id at all)."""
    if not isinstance(purchase, str):
        return None
    row: sqlite3.Row | None = db.execute("SELECT * FROM orders WHERE purchase_id = ?", (purchase,)).fetchone()
    return row


def at(db: sqlite3.Connection, event: dict[str, Any], *statuses: str) -> sqlite3.Row:
    """The order that ``event`` carries.  Raises ``OrderStateError`` unless it has one of ``statuses``."""
    order = find(db, event.get("purchaseId"))
    if order is None:
        raise OrderStateError(f"order {_name(event)}: it has not been validated")
    if order["status"] not in statuses:
        wanted = " or ".join(statuses)
        raise OrderStateError(f"order {order['order_id']}: it is {order['status']}, not {wanted}")
    return order


def set_status(db: sqlite3.Connection, order: sqlite3.Row, status: str) -> None:
    """Move an order on."""
    db.execute("UPDATE orders SET status = ? WHERE purchase_id = ?", (status, order["purchase_id"]))
