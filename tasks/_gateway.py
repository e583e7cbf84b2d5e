"""The payment gateway: test cards that behave, and what it knows of every purchase.

As real gateways do, it authorises an amount before it asks for the money: a card that is declined then
leaves the amount on hold until somebody gives it back.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ._errors import PaymentError, PaymentRetryableError
from ._shop import identifier

if TYPE_CHECKING:
    import sqlite3

__all__ = ["charge", "receipt", "refund"]

_CARDS = {"tok_visa": "CAPTURED", "tok_mastercard": "CAPTURED", "tok_declined": "HELD"}
_FLAKY = re.compile(r"tok_flaky_([0-9]{1,4})")  # that many attempts get no answer

_FAILURES = {
    "UNANSWERED": (PaymentRetryableError, "the card network did not answer attempt {attempts}"),
    "HELD": (PaymentError, "the card was declined with {amount_cents} cents on hold"),
    "REFUSED": (PaymentError, "the card token is unknown"),
}
_GIVEN_BACK = {"HELD": "RELEASED", "CAPTURED": "REFUNDED"}

_CHARGE = """
    INSERT INTO payments (purchase_id, charge_id, amount_cents, attempts, status)
    VALUES (:purchase_id, :charge_id, :amount_cents, :attempts, :status)
    ON CONFLICT (purchase_id) DO UPDATE SET attempts = excluded.attempts, status = excluded.status
"""
_REFUND = "INSERT INTO refunds (refund_id, purchase_id, charge_id, amount_cents) VALUES (?, ?, ?, ?)"


def charge(db: sqlite3.Connection, order: sqlite3.Row) -> None:
    """Make the next attempt at charging the order's total.

    Raises ``PaymentRetryableError`` if there is no answer, ``PaymentError`` if the card is refused.
    """
    payment = _row(db, "SELECT * FROM payments WHERE purchase_id = ?", order)
    attempts = 1 if payment is None else payment["attempts"] + 1
    status = _answer(order["payment_token"], attempts)
    facts = {
        "purchase_id": order["purchase_id"],
        "charge_id": identifier("ch", order["purchase_id"]),
        "amount_cents": order["total_cents"],
        "attempts": attempts,
        "status": status,
    }
    db.execute(_CHARGE, facts)
    if status in _FAILURES:
        failure, text = _FAILURES[status]
        raise failure(f"order {order['order_id']}: {text.format_map(facts)}")


def receipt(db: sqlite3.Connection, order: sqlite3.Row) -> dict[str, Any]:
    """What was charged for an order that is paid for."""
    payment = db.execute("SELECT * FROM payments WHERE purchase_id = ?", (order["purchase_id"],)).fetchone()
    return {
        "chargeId": payment["charge_id"],
        "amountCents": payment["amount_cents"],
        "attempts": payment["attempts"],
    }


def refund(db: sqlite3.Connection, order: sqlite3.Row) -> dict[str, Any] | None:
    """Give back what is charged or on hold, if anything is; the order's refund, None if there is none."""
    payment = _row(db, "SELECT * FROM payments WHERE purchase_id = ?", order)
    if payment is not None and payment["status"] in _GIVEN_BACK:
        purchase = order["purchase_id"]
        db.execute(
            "UPDATE payments SET status = ? WHERE purchase_id = ?", (_GIVEN_BACK[payment["status"]], purchase)
        )
        db.execute(_REFUND, (identifier("re", purchase), purchase, payment["charge_id"], payment["amount_cents"]))
    row = _row(db, "SELECT * FROM refunds WHERE purchase_id = ?", order)
    if row is None:
        return None
    return {"refundId": row["refund_id"], "chargeId": row["charge_id"], "amountCents": row["amount_cents"]}


def _row(db: sqlite3.Connection, query: str, order: sqlite3.Row) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(query, (order["purchase_id"],)).fetchone()
    return row


def _answer(token: str, attempt: int) -> str:
    """The status that a payment with this card gets on its ``attempt``, counted from 1."""
    flaky = _FLAKY.fullmatch(token)
    if flaky:
        return "CAPTURED" if attempt > int(flaky[1]) else "UNANSWERED"
    return _CARDS.get(token, "REFUSED")
