"""The whole history of each path of the order machine, event by event, in virtual time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from asl_engine.errors import StatesError
from tests.core.driver import IDENTITY, drive, history

ORDER = (Path(__file__).parents[2] / "statemachines" / "order.json").read_text(encoding="utf-8")
INPUT = {"orderId": "o-1"}
INPUT_TEXT = '{"orderId":"o-1"}'


def lambda_arn(function: str) -> str:
    return f"arn:aws:lambda:region:account:function:{function}"


def caught(error: str, cause: str) -> str:
    return json.dumps({"Error": error, "Cause": cause}, separators=(",", ":"))


class Expected:
    """Writes an expected history down, one line per event; each follows the one before it."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.at = 0.0
        data = {"input": INPUT_TEXT, "inputDetails": {"truncated": False}, "roleArn": IDENTITY.role_arn}
        self.add("ExecutionStarted", executionStartedEventDetails=data)

    def add(self, name: str, **details: Any) -> Expected:
        number = len(self.events) + 1
        previous = 0 if number <= 2 else number - 1
        self.events.append(
            {"timestamp": self.at, "type": name, "id": number, "previousEventId": previous, **details}
        )
        return self

    def entered(self, state: str, data: str) -> Expected:
        details = {"name": state, "input": data, "inputDetails": {"truncated": False}}
        return self.add("TaskStateEntered", stateEnteredEventDetails=details)

    def exited(self, state: str, data: str) -> Expected:
        details = {"name": state, "output": data, "outputDetails": {"truncated": False}}
        return self.add("TaskStateExited", stateExitedEventDetails=details)

    def scheduled(self, function: str, data: str) -> Expected:
        details = {"resource": lambda_arn(function), "input": data, "inputDetails": {"truncated": False}}
        return self.add("LambdaFunctionScheduled", lambdaFunctionScheduledEventDetails=details).add(
            "LambdaFunctionStarted"
        )

    def succeeded(self, data: str) -> Expected:
        details = {"output": data, "outputDetails": {"truncated": False}}
        return self.add("LambdaFunctionSucceeded", lambdaFunctionSucceededEventDetails=details)

    def failed(self, error: str, cause: str) -> Expected:
        return self.add("LambdaFunctionFailed", lambdaFunctionFailedEventDetails={"error": error, "cause": cause})

    def task(self, state: str, function: str, data: str, result: str) -> Expected:
        return self.entered(state, data).scheduled(function, data).succeeded(result).exited(state, result)

    def ended(self, data: str) -> list[dict[str, Any]]:
        details = {"output": data, "outputDetails": {"truncated": False}}
        return self.add("ExecutionSucceeded", executionSucceededEventDetails=details).events

    def ended_badly(self, error: str, cause: str) -> list[dict[str, Any]]:
        details = {"error": error, "cause": cause}
        return self.add("ExecutionFailed", executionFailedEventDetails=details).events


def until_payment() -> Expected:
    return (
        Expected()
        .task("ValidateOrder", "validateOrder", INPUT_TEXT, '"valid"')
        .task("CheckInventory", "checkInventory", '"valid"', '"reserved"')
    )


def happy() -> list[dict[str, Any]]:
    return (
        until_payment()
        .task("ProcessPayment", "processPayment", '"reserved"', '"paid"')
        .task("FulfillOrder", "fulfillOrder", '"paid"', '"shipped"')
        .ended('"shipped"')
    )


def invalid() -> list[dict[str, Any]]:
    error = caught("ValidationError", "no items")
    return (
        Expected()
        .entered("ValidateOrder", INPUT_TEXT)
        .scheduled("validateOrder", INPUT_TEXT)
        .failed("ValidationError", "no items")
        .exited("ValidateOrder", error)
        .task("OrderFailed", "notifyFailure", error, '"told"')
        .ended('"told"')
    )


def out_of_stock() -> list[dict[str, Any]]:
    error = caught("OutOfStockError", "0 left")
    return (
        Expected()
        .task("ValidateOrder", "validateOrder", INPUT_TEXT, '"valid"')
        .entered("CheckInventory", '"valid"')
        .scheduled("checkInventory", '"valid"')
        .failed("OutOfStockError", "0 left")
        .exited("CheckInventory", error)
        .task("OrderFailed", "notifyFailure", error, '"told"')
        .ended('"told"')
    )


def declined() -> list[dict[str, Any]]:
    error = caught("PaymentError", "declined")
    return (
        until_payment()
        .entered("ProcessPayment", '"reserved"')
        .scheduled("processPayment", '"reserved"')
        .failed("PaymentError", "declined")
        .exited("ProcessPayment", error)
        .task("RefundAndFail", "refund", error, '"refunded"')
        .task("OrderFailed", "notifyFailure", '"refunded"', '"told"')
        .ended('"told"')
    )


def retried(times: int) -> Expected:
    """So many failures, each retry so many seconds after the last: 2, 4, 8."""
    expected = until_payment().entered("ProcessPayment", '"reserved"')
    for delay in [2, 4, 8][:times]:
        expected.scheduled("processPayment", '"reserved"').failed("PaymentRetryableError", "later")
        expected.at += delay
    return expected.scheduled("processPayment", '"reserved"')


def recovered() -> list[dict[str, Any]]:
    return (
        retried(3)
        .succeeded('"paid"')
        .exited("ProcessPayment", '"paid"')
        .task("FulfillOrder", "fulfillOrder", '"paid"', '"shipped"')
        .ended('"shipped"')
    )


def exhausted() -> list[dict[str, Any]]:
    return retried(3).failed("PaymentRetryableError", "later").ended_badly("PaymentRetryableError", "later")


def declined_after_a_retry() -> list[dict[str, Any]]:
    error = caught("PaymentError", "declined")
    return (
        retried(1)
        .failed("PaymentError", "declined")
        .exited("ProcessPayment", error)
        .task("RefundAndFail", "refund", error, '"refunded"')
        .task("OrderFailed", "notifyFailure", '"refunded"', '"told"')
        .ended('"told"')
    )


def not_caught() -> list[dict[str, Any]]:
    return (
        Expected()
        .entered("ValidateOrder", INPUT_TEXT)
        .scheduled("validateOrder", INPUT_TEXT)
        .failed("KeyError", "'id'")
        .ended_badly("KeyError", "'id'")
    )


LATER = StatesError("PaymentRetryableError", "later")
DECLINED = StatesError("PaymentError", "declined")
PAID: dict[str, list[Any]] = {
    "ValidateOrder": ["valid"],
    "CheckInventory": ["reserved"],
    "FulfillOrder": ["shipped"],
}
FAILED: dict[str, list[Any]] = {"RefundAndFail": ["refunded"], "OrderFailed": ["told"]}

PATHS: dict[str, tuple[dict[str, list[Any]], list[dict[str, Any]]]] = {
    "happy": (PAID | {"ProcessPayment": ["paid"]}, happy()),
    "invalid": (FAILED | {"ValidateOrder": [StatesError("ValidationError", "no items")]}, invalid()),
    "out of stock": (
        FAILED | {"ValidateOrder": ["valid"], "CheckInventory": [StatesError("OutOfStockError", "0 left")]},
        out_of_stock(),
    ),
    "payment declined": (FAILED | PAID | {"ProcessPayment": [DECLINED]}, declined()),
    "payment recovers": (PAID | {"ProcessPayment": [LATER, LATER, LATER, "paid"]}, recovered()),
    "payment exhausted": (PAID | {"ProcessPayment": [LATER, LATER, LATER, LATER]}, exhausted()),
    "declined after a retry": (
        FAILED | PAID | {"ProcessPayment": [LATER, DECLINED]},
        declined_after_a_retry(),
    ),
    "an error nobody catches": ({"ValidateOrder": [StatesError("KeyError", "'id'")]}, not_caught()),
}


@pytest.mark.parametrize("path", PATHS)
def test_the_whole_history(path: str) -> None:
    answers, expected = PATHS[path]
    _, events = drive(ORDER, INPUT, answers)
    assert history(events) == expected
