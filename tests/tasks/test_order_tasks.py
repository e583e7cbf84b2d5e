"""The tasks of the order machine, called as the engine calls them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.resources.python.tasks import load_tasks
from tasks import order
from tasks._errors import OrderFailure, OrderStateError, OutOfStockError, PaymentRetryableError
from tests.tasks.shop import ALL_THE_WAY, ROOT, STOCK, Run, an_order, declined, rows, stock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# -- the straight way ---------------------------------------------------------------------------------


def test_an_order_goes_through() -> None:
    placed = an_order(userId="u-1")

    receipt = Run().buy(placed)

    purchase = receipt["purchaseId"]
    assert receipt == {
        **placed,
        "purchaseId": purchase,
        "status": "FULFILLED",
        "reserved": [
            {"productId": "gadget", "quantity": 1, "stockLeft": 199},
            {"productId": "widget", "quantity": 2, "stockLeft": 498},
        ],
        "payment": {"chargeId": receipt["payment"]["chargeId"], "amountCents": 7400, "attempts": 1},
        "trackingNumber": receipt["trackingNumber"],
    }
    assert rows("SELECT order_id, status, total_cents FROM orders") == [("o-1", "FULFILLED", 7400)]
    assert rows("SELECT status, amount_cents FROM payments") == [("CAPTURED", 7400)]
    assert rows("SELECT * FROM shipments") == [(purchase, receipt["trackingNumber"])]
    assert set(rows("SELECT product_id, quantity, state FROM order_lines")) == {
        ("gadget", 1, "SHIPPED"),
        ("widget", 2, "SHIPPED"),
    }


def test_what_follows_from_the_run_is_the_same_in_another_shop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = Run().buy(an_order())
    monkeypatch.setenv("SHOP_DB", str(tmp_path / "other.db"))
    assert Run().buy(an_order()) == receipt


def test_the_same_order_in_another_execution_is_another_purchase() -> None:
    first, second = (Run(arn).buy(an_order()) for arn in ("arn:1", "arn:2"))

    for fact in ("purchaseId", "trackingNumber"):
        assert first[fact] != second[fact]
    assert first["payment"]["chargeId"] != second["payment"]["chargeId"]
    assert stock("widget") == 500 - 2 - 2


def test_lines_for_the_same_product_are_added_up() -> None:
    line = {"productId": "gizmo", "quantity": 2}
    with pytest.raises(OutOfStockError, match=r"gizmo \(4 ordered, 3 left\)"):
        Run().reserve(an_order(items={"gizmo": 4}) | {"items": [line, line]})


def test_tasks_leave_their_event_alone() -> None:
    run, event = Run(), an_order()
    for step in (order.validate_order, order.check_inventory, order.process_payment, order.fulfill_order):
        before = json.dumps(event)
        result = run(step, event)
        assert json.dumps(event) == before
        event = result


def test_the_engine_finds_the_tasks_under_the_names_of_the_machine() -> None:
    machine = json.loads((ROOT / "statemachines" / "order.json").read_text(encoding="utf-8"))
    functions = {state["Resource"].rpartition(":")[2] for state in machine["States"].values()}
    found = {name: load_tasks(ROOT / "tasks").find(name) for name in functions}
    assert {name: function and function.__name__ for name, function in found.items()} == {
        "validateOrder": "validate_order",
        "checkInventory": "check_inventory",
        "processPayment": "process_payment",
        "fulfillOrder": "fulfill_order",
        "notifyFailure": "notify_failure",
        "refund": "refund",
    }


# -- stock --------------------------------------------------------------------------------------------


def test_out_of_stock_names_every_product_and_reserves_none() -> None:
    with pytest.raises(OutOfStockError) as failure:
        Run().reserve(an_order({"widget": 1, "gizmo": 4, "unobtainium": 1}))
    assert (
        str(failure.value) == "order o-1: out of stock: gizmo (4 ordered, 3 left), unobtainium (1 ordered, 0 left)"
    )
    assert dict(rows("SELECT product_id, stock FROM products")) == STOCK


def test_the_last_ones_can_be_sold() -> None:
    Run("arn:1").reserve(an_order({"gizmo": 3}))
    assert stock("gizmo") == 0
    with pytest.raises(OutOfStockError):
        Run("arn:2").reserve(an_order({"gizmo": 1}))


# -- payment ------------------------------------------------------------------------------------------


def test_a_flaky_card_recovers_and_is_charged_once() -> None:
    run = Run()
    reserved = run.reserve(an_order(card="tok_flaky_3"))
    for attempt in (1, 2, 3):
        with pytest.raises(PaymentRetryableError) as failure:
            run(order.process_payment, reserved)
        assert str(failure.value) == f"order o-1: the card network did not answer attempt {attempt}"

    assert run(order.process_payment, reserved)["payment"]["attempts"] == 4
    assert rows("SELECT status, attempts, amount_cents FROM payments") == [("CAPTURED", 4, 7400)]


def test_each_purchase_counts_its_own_attempts() -> None:
    for arn in ("arn:1", "arn:2"):
        run = Run(arn)
        reserved = run.reserve(an_order(card="tok_flaky_1"))
        with pytest.raises(PaymentRetryableError):
            run(order.process_payment, reserved)
        assert run(order.process_payment, reserved)["status"] == "PAID"


def test_a_declined_card_leaves_the_money_on_hold() -> None:
    event = declined(Run(), an_order(card="tok_declined"))
    cause = json.loads(event["Cause"])
    assert cause["errorMessage"] == "order o-1: the card was declined with 7400 cents on hold"
    assert rows("SELECT status, amount_cents FROM payments") == [("HELD", 7400)]
    assert stock("widget") == 498


def test_an_unknown_card_holds_nothing() -> None:
    event = declined(Run(), an_order(card="tok_amex"))
    assert "order o-1: the card token is unknown" in event["Cause"]
    assert rows("SELECT status FROM payments") == [("REFUSED",)]


# -- steps out of turn --------------------------------------------------------------------------------


OUT_OF_TURN: dict[str, tuple[Callable[[Run], Any], str]] = {
    "an order nobody placed": (
        lambda run: run(order.check_inventory, an_order()),
        "order o-1: it has not been validated",
    ),
    "an order without a name": (
        lambda run: run(order.process_payment, {}),
        "order ?: it has not been validated",
    ),
    "paying before reserving": (
        lambda run: run(order.process_payment, run(order.validate_order, an_order())),
        "order o-1: it is VALIDATED, not RESERVED or PAID",
    ),
    "shipping before paying": (
        lambda run: run(order.fulfill_order, run.reserve(an_order())),
        "order o-1: it is RESERVED, not PAID or FULFILLED",
    ),
    "reserving what is paid": (
        lambda run: run(order.check_inventory, run.pay(an_order())),
        "order o-1: it is PAID, not VALIDATED or RESERVED",
    ),
}


@pytest.mark.parametrize(("act", "message"), OUT_OF_TURN.values(), ids=OUT_OF_TURN)
def test_steps_out_of_turn_are_refused(act: Callable[[Run], Any], message: str) -> None:
    with pytest.raises(OrderStateError) as failed:
        act(Run())
    assert str(failed.value) == message


# -- the inputs ---------------------------------------------------------------------------------------


PATHS = {
    "happy": ["VALIDATED", "RESERVED", "PAID", "FULFILLED"],
    "invalid": ["ValidationError"],
    "out-of-stock": ["VALIDATED", "OutOfStockError"],
    "payment-retry": ["VALIDATED", "RESERVED", *["PaymentRetryableError"] * 3, "PAID", "FULFILLED"],
    "payment-declined": ["VALIDATED", "RESERVED", "PaymentError"],
    "payment-exhausted": ["VALIDATED", "RESERVED", *["PaymentRetryableError"] * 4],
}


@pytest.mark.parametrize("name", PATHS)
def test_each_input_takes_its_path(name: str) -> None:
    run = Run()
    trail: list[str] = []
    event = json.loads((ROOT / "inputs" / f"{name}.json").read_text(encoding="utf-8"))
    steps = list(ALL_THE_WAY)
    while steps and trail.count("PaymentRetryableError") < 4:
        try:
            event = run(steps[0], event)
        except OrderFailure as failed:
            trail.append(type(failed).__name__)
            if not isinstance(failed, PaymentRetryableError):
                break
        else:
            trail.append(event["status"])
            del steps[0]
    assert trail == PATHS[name]


def test_every_input_is_tried_and_the_project_s_input_is_the_happy_one() -> None:
    assert {path.stem for path in (ROOT / "inputs").iterdir()} == set(PATHS)
    happy = (ROOT / "inputs" / "happy.json").read_text(encoding="utf-8")
    assert (ROOT / "order.json").read_text(encoding="utf-8") == happy
