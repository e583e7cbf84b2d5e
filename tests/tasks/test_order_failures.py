"""Cleaning up after an order that failed: refund and notify_failure."""

from __future__ import annotations

from typing import Any

import pytest

from tasks import order
from tasks._errors import OutOfStockError
from tests.tasks.shop import STOCK, Run, an_order, caught, declined, rows, stock


def test_a_refund_gives_back_the_hold_and_the_goods() -> None:
    run = Run()
    event = declined(run, an_order(card="tok_declined"))

    result = run(order.refund, event)

    purchase, charge = rows("SELECT purchase_id, charge_id FROM payments")[0]
    assert result == {
        "orderId": "o-1",
        "purchaseId": purchase,
        "error": "PaymentError",
        "reason": "order o-1: the card was declined with 7400 cents on hold",
        "status": "REFUNDED",
        "refund": {"refundId": result["refund"]["refundId"], "chargeId": charge, "amountCents": 7400},
        "released": [
            {"productId": "gadget", "quantity": 1, "stockLeft": 200},
            {"productId": "widget", "quantity": 2, "stockLeft": 500},
        ],
    }
    assert dict(rows("SELECT product_id, stock FROM products")) == STOCK
    assert rows("SELECT status FROM payments") == [("RELEASED",)]
    assert rows("SELECT charge_id, amount_cents FROM refunds") == [(charge, 7400)]
    assert rows("SELECT status FROM orders") == [("REFUNDED",)]


def test_another_attempt_at_the_refund_gives_nothing_back_twice() -> None:
    run = Run()
    event = declined(run, an_order(card="tok_declined"))
    assert run(order.refund, event) == run(order.refund, event)
    assert stock("widget") == 500
    assert len(rows("SELECT * FROM refunds")) == 1


def test_a_refund_without_a_charge_gives_back_the_goods() -> None:
    run = Run()
    result = run(order.refund, declined(run, an_order(card="tok_amex")))
    assert (result["status"], result["refund"], stock("widget")) == ("RELEASED", None, 500)


def test_a_refund_of_what_was_shipped_gives_back_the_money_only() -> None:
    run = Run()
    result = run(order.refund, run.buy(an_order()))
    assert (result["status"], result["refund"]["amountCents"], result["released"]) == ("REFUNDED", 7400, [])
    assert stock("widget") == 498
    assert rows("SELECT status FROM payments") == [("REFUNDED",)]


def test_a_refund_is_for_the_execution_s_own_purchase() -> None:
    event = declined(Run("arn:1"), an_order(card="tok_declined"))
    assert Run("arn:2")(order.refund, event)["status"] == "NOTHING_TO_REFUND"
    assert stock("widget") == 498


def test_a_refund_of_what_was_only_placed_finds_nothing() -> None:
    run = Run()
    placed = run(order.validate_order, an_order())
    result = run(order.refund, placed)
    assert (result["status"], result["purchaseId"]) == ("NOTHING_TO_REFUND", placed["purchaseId"])
    assert rows("SELECT status FROM orders") == [("VALIDATED",)]


def failure(error: Any, cause: Any) -> dict[str, Any]:
    return {"Error": error, "Cause": cause}


# event -> orderId, error, reason
UNTRACEABLE: dict[str, tuple[Any, tuple[str | None, str | None, str]]] = {
    "nothing": ({}, (None, None, "no reason was given")),
    "no object": ([1], (None, None, "no reason was given")),
    "nulls": (failure(None, None), (None, None, "no reason was given")),
    "a timeout": (failure("States.Timeout", "too late"), (None, "States.Timeout", "too late")),
    "a cause that is a list": (failure("E", "[1]"), (None, "E", "[1]")),
    "a cause without a message": (failure("E", '{"a":1}'), (None, "E", '{"a":1}')),
    "a message that is no text": (failure("E", '{"errorMessage":1}'), (None, "E", '{"errorMessage":1}')),
    "a cause too deep to parse": (failure("E", "[" * 100_000), (None, "E", "[" * 100_000)),
    "an invalid order": (
        failure("ValidationError", '{"errorMessage":"order ?: orderId is missing"}'),
        (None, "ValidationError", "order ?: orderId is missing"),
    ),
    "an order the shop does not have": (
        failure("PaymentError", '{"errorMessage":"order o-9: no"}'),
        ("o-9", "PaymentError", "order o-9: no"),
    ),
    "a purchase the shop does not have": (
        {"purchaseId": "p-0", "orderId": "o-9"},
        ("o-9", None, "no reason was given"),
    ),
    "ids that are no text": ({"purchaseId": [], "orderId": 9}, (None, None, "no reason was given")),
}


@pytest.mark.parametrize(("event", "told"), UNTRACEABLE.values(), ids=UNTRACEABLE)
def test_cleaning_up_does_not_fail_over_what_it_is_told(
    event: Any, told: tuple[str | None, str | None, str]
) -> None:
    run = Run()
    reported = dict(zip(("orderId", "error", "reason"), told, strict=True))
    nothing: dict[str, Any] = {"status": "NOTHING_TO_REFUND", "purchaseId": None, "refund": None, "released": []}

    assert run(order.refund, event) == {**reported, **nothing}
    assert run(order.notify_failure, event) == {**reported, "status": "FAILED", "notificationId": 1}
    assert rows("SELECT order_id, error, reason FROM notifications") == [told]


def test_a_failed_order_is_notified() -> None:
    run = Run()
    with pytest.raises(OutOfStockError) as failed:
        run.reserve(an_order({"unobtainium": 1}))

    assert run(order.notify_failure, caught(failed.value)) == {
        "orderId": "o-1",
        "error": "OutOfStockError",
        "reason": "order o-1: out of stock: unobtainium (1 ordered, 0 left)",
        "status": "FAILED",
        "notificationId": 1,
    }
    assert rows("SELECT status FROM orders") == [("FAILED",)]


def test_the_notification_after_a_refund_tells_of_it() -> None:
    run = Run()
    refunded = run(order.refund, declined(run, an_order(card="tok_declined")))
    told = run(order.notify_failure, refunded)
    assert told == {
        "orderId": "o-1",
        "error": "PaymentError",
        "reason": refunded["reason"],
        "status": "FAILED",
        "notificationId": 1,
        "refund": refunded["refund"],
    }
    assert rows("SELECT status FROM orders") == [("REFUNDED",)]
