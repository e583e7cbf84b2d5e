"""What becomes of an order, wherever it fails: the article's machine and the one that answers every failure."""

from pathlib import Path

import pytest

from asl_engine.testing import fails

MACHINE = str(Path(__file__).parents[1] / "statemachines" / "order.json")
ORDER = {"orderId": "o-1", "totalCents": 1250}
STEPS = ["ValidateOrder", "CheckInventory", "ProcessPayment", "FulfillOrder"]
TOLD = ["TellTheCustomer", "OrderFailed"]


@pytest.fixture
def order(asl):
    functions = ("validateOrder", "checkInventory", "processPayment", "fulfillOrder", "refund", "notifyFailure")
    return asl(MACHINE, {name: lambda event: event for name in functions})


def test_an_order_is_fulfilled(order):
    order.run(ORDER).assert_succeeded(ORDER).assert_path(*STEPS)


@pytest.mark.parametrize(
    ("function", "error", "path"),
    [
        ("validateOrder", "ValidationError", [*STEPS[:1], *TOLD]),
        ("checkInventory", "OutOfStockError", [*STEPS[:2], *TOLD]),
        ("checkInventory", "OrderStateError", [*STEPS[:2], "Refund", *TOLD]),
        ("processPayment", "PaymentError", [*STEPS[:3], "Refund", *TOLD]),
        ("processPayment", "PaymentRetryableError", [*STEPS[:3], "Refund", *TOLD]),
        ("fulfillOrder", "OrderStateError", [*STEPS, "Refund", *TOLD]),
    ],
)
def test_a_failure_is_undone_and_told_and_fails_the_execution(order, function, error, path):
    run = order.run(ORDER, {function: fails(error, "why")})
    run.assert_failed(error).assert_path(*path)


def test_a_payment_without_an_answer_is_tried_again_and_then_refunded(order):
    silence = fails("PaymentRetryableError", "no answer")
    run = order.run(ORDER, {"processPayment": [silence, silence, ORDER]})
    run.assert_succeeded().state("ProcessPayment").assert_attempts(3, delays=[2, 4])

    run = order.run(ORDER, {"processPayment": silence})
    run.state("ProcessPayment").assert_attempts(4, delays=[2, 4, 8])
    (asked,) = run.state("Refund").calls
    assert (asked["orderId"], asked["Error"]) == ("o-1", "PaymentRetryableError")


def test_a_throttled_function_is_called_again(order):
    throttled = fails("Lambda.TooManyRequestsException", "Rate Exceeded")
    run = order.run(ORDER, {"validateOrder": [throttled, throttled, ORDER]})
    run.assert_succeeded().state("ValidateOrder").assert_attempts(3)


def test_a_refund_that_fails_is_left_to_a_person(order):
    run = order.run(ORDER, {"processPayment": fails("PaymentError", "no"), "refund": fails("BankIsClosed", "no")})
    run.assert_failed("BankIsClosed").state("Refund").assert_attempts(7)
