"""The tasks of statemachines/order.json: a small shop that validates, reserves, charges and ships.

Each is called as AWS Lambda would call it, and hands the order on to the next with what it adds.  Each
does its work once however often it is called: for the same attempt because ``_shop.once`` remembers its
answer, and for another attempt because the order has moved on.

Cards: ``tok_visa`` pays, ``tok_flaky_3`` gets no answer three times and then pays, ``tok_declined`` is
declined with the money on hold, any other is unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine import TaskContext, task

from . import _gateway, _orders, _shop, _stock
from ._failure import Failure, read_failure

if TYPE_CHECKING:
    import sqlite3


@task
def validate_order(event: dict[str, Any], context: TaskContext) -> dict[str, Any]:
    """Place the order.  Raises ``ValidationError``."""

    def work(db: sqlite3.Connection) -> _shop.Result:
        purchase = _orders.place(db, event, context.execution_arn)
        return {**event, "purchaseId": purchase, "status": "VALIDATED"}

    return _shop.once("validate_order", context, event, work)


@task
def check_inventory(event: dict[str, Any], context: TaskContext) -> dict[str, Any]:
    """Reserve what was ordered.  Raises ``OutOfStockError``, ``OrderStateError``."""

    def work(db: sqlite3.Connection) -> _shop.Result:
        order = _orders.at(db, event, "VALIDATED", "RESERVED")
        if order["status"] == "VALIDATED":
            _stock.reserve(db, order)
            _orders.set_status(db, order, "RESERVED")
        return {**event, "status": "RESERVED", "reserved": _stock.lines(db, order, "RESERVED")}

    return _shop.once("check_inventory", context, event, work)


@task
def process_payment(event: dict[str, Any], context: TaskContext) -> dict[str, Any]:
    """Charge the card.  Raises ``PaymentRetryableError``, ``PaymentError``, ``OrderStateError``."""

    def work(db: sqlite3.Connection) -> _shop.Result:
        order = _orders.at(db, event, "RESERVED", "PAID")
        if order["status"] == "RESERVED":
            _gateway.charge(db, order)
            _orders.set_status(db, order, "PAID")
        return {**event, "status": "PAID", "payment": _gateway.receipt(db, order)}

    return _shop.once("process_payment", context, event, work)


@task
def fulfill_order(event: dict[str, Any], context: TaskContext) -> dict[str, Any]:
    """Ship what is reserved and paid for; the receipt.  Raises ``OrderStateError``."""

    def work(db: sqlite3.Connection) -> _shop.Result:
        order = _orders.at(db, event, "PAID", "FULFILLED")
        tracking = _shop.identifier("TRK", order["purchase_id"]).upper()
        if order["status"] == "PAID":
            _stock.ship(db, order)
            db.execute("INSERT INTO shipments VALUES (?, ?)", (order["purchase_id"], tracking))
            _orders.set_status(db, order, "FULFILLED")
        return {**event, "status": "FULFILLED", "trackingNumber": tracking}

    return _shop.once("fulfill_order", context, event, work)


@task
def refund(event: dict[str, Any], context: TaskContext) -> dict[str, Any]:
    """Undo what was done for the order that failed: money back to the card, goods back to the shelf.

    ``event`` is what a Catch hands on; the order is the one that the error's message names.
    """
    failure = read_failure(event)

    def work(db: sqlite3.Connection) -> _shop.Result:
        order = _failed_order(db, failure, event, context)
        if order is None:
            return _refunded("NOTHING_TO_REFUND", failure, None, None, [])
        money = _gateway.refund(db, order)
        _stock.release(db, order)
        released = _stock.lines(db, order, "RELEASED")
        if not (money or released):
            return _refunded("NOTHING_TO_REFUND", failure, order, None, [])
        _orders.set_status(db, order, "REFUNDED")
        return _refunded("REFUNDED" if money else "RELEASED", failure, order, money, released)

    return _shop.once("refund", context, event, work)


@task
def notify_failure(event: dict[str, Any], context: TaskContext) -> dict[str, Any]:
    """Tell the customer.  ``event`` is what a Catch hands on, or what ``refund`` made of it."""
    failure = read_failure(event)

    def work(db: sqlite3.Connection) -> _shop.Result:
        order = _failed_order(db, failure, event, context)
        if order is not None and order["status"] not in {"FULFILLED", "REFUNDED"}:
            _orders.set_status(db, order, "FAILED")
        number = db.execute(
            "INSERT INTO notifications (order_id, execution_arn, error, reason) VALUES (?, ?, ?, ?)",
            (failure.order_id, context.execution_arn, failure.error, failure.reason),
        ).lastrowid
        told = {**_reported(failure), "status": "FAILED", "notificationId": number}
        return {**told, "refund": event["refund"]} if _is_refunded(event) else told

    return _shop.once("notify_failure", context, event, work)


def _failed_order(
    db: sqlite3.Connection, failure: Failure, event: Any, context: TaskContext
) -> sqlite3.Row | None:
    """The order that ``event`` carries, or else this execution's order of the id in the error."""
    carried = _orders.find(db, event.get("purchaseId")) if isinstance(event, dict) else None
    if carried is not None or failure.order_id is None:
        return carried
    return _orders.find(db, _orders.purchase_of(failure.order_id, context.execution_arn))


def _reported(failure: Failure) -> dict[str, Any]:
    return {"orderId": failure.order_id, "error": failure.error, "reason": failure.reason}


def _refunded(
    status: str,
    failure: Failure,
    order: sqlite3.Row | None,
    money: dict[str, Any] | None,
    released: list[dict[str, Any]],
) -> dict[str, Any]:
    purchase = None if order is None else order["purchase_id"]
    return {**_reported(failure), "purchaseId": purchase, "status": status, "refund": money, "released": released}


def _is_refunded(event: Any) -> bool:
    return isinstance(event, dict) and "refund" in event
