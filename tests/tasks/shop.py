"""What the tests of the tasks share: orders, the engine's way of calling, a look into the shop."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine import TaskContext
from tasks import _shop, order
from tasks._errors import OrderFailure, PaymentError

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
PRICES = {"widget": 1250, "gadget": 4900, "gizmo": 799, "unobtainium": 99900}
STOCK = {"widget": 500, "gadget": 200, "gizmo": 3, "unobtainium": 0}
RUN = "arn:aws:states:us-east-1:123456789012:execution:order:r1"


def rows(query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(_shop.path())) as db:
        return db.execute(query).fetchall()


def stock(product: str) -> int:
    left: int = dict(rows("SELECT product_id, stock FROM products"))[product]
    return left


def an_order(items: dict[str, int] | None = None, card: str = "tok_visa", **changes: Any) -> dict[str, Any]:
    items = items or {"widget": 2, "gadget": 1}
    return {
        "orderId": "o-1",
        "items": [{"productId": product, "quantity": quantity} for product, quantity in items.items()],
        "totalCents": sum(PRICES[product] * quantity for product, quantity in items.items()),
        "paymentToken": card,
        **changes,
    }


class Run:
    """One execution: calls a task as the engine would, each time as another attempt."""

    def __init__(self, arn: str = RUN) -> None:
        self.arn = arn
        self.calls = 0

    def context(self, key: str | None = None) -> TaskContext:
        self.calls += 1
        return TaskContext(key or f"{self.arn}:{self.calls}", execution_arn=self.arn)

    def __call__(self, task: Callable[..., dict[str, Any]], event: Any, key: str | None = None) -> dict[str, Any]:
        return task(event, self.context(key))

    def reserve(self, event: dict[str, Any]) -> dict[str, Any]:
        return self(order.check_inventory, self(order.validate_order, event))

    def pay(self, event: dict[str, Any]) -> dict[str, Any]:
        return self(order.process_payment, self.reserve(event))

    def buy(self, event: dict[str, Any]) -> dict[str, Any]:
        return self(order.fulfill_order, self.pay(event))


def caught(error: OrderFailure) -> dict[str, Any]:
    """What the handler of a Catch gets for an exception of a task."""
    name = type(error).__name__
    cause = {"errorMessage": str(error), "errorType": name, "requestId": "r", "stackTrace": []}
    return {"Error": name, "Cause": json.dumps(cause)}


def declined(run: Run, event: dict[str, Any]) -> dict[str, Any]:
    with pytest.raises(PaymentError) as failure:
        run.pay(event)
    return caught(failure.value)


def snapshot() -> dict[str, list[tuple[Any, ...]]]:
    tables = [name for (name,) in rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {table: rows(f"SELECT * FROM {table}") for table in tables}  # noqa: S608  names from the schema


ALL_THE_WAY = (order.validate_order, order.check_inventory, order.process_payment, order.fulfill_order)
