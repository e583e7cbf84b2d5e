"""What validate_order refuses, and how it says so."""

from __future__ import annotations

from typing import Any

import pytest

from tasks import order
from tasks._errors import ValidationError
from tests.tasks.shop import Run, an_order, rows


def item(**changes: Any) -> list[dict[str, Any]]:
    return [{"productId": "widget", "quantity": 1, **changes}]


def without(field: str) -> dict[str, Any]:
    return {name: value for name, value in an_order().items() if name != field}


INVALID: dict[str, tuple[Any, str]] = {
    "not an object": ([], "order ?: the order must be an object"),
    "no id": (
        without("orderId"),
        "order ?: orderId is missing",
    ),
    "an id that is no name": (
        an_order(orderId="a b"),
        "order ?: orderId must be 1 to 64 letters, digits, '_', '.' or '-', not \"a b\"",
    ),
    "null is not absent": (
        an_order(orderId=None),
        "order ?: orderId must be 1 to 64 letters, digits, '_', '.' or '-', not null",
    ),
    "no items": (
        an_order() | {"items": []},
        "order o-1: items must be a list of at least one item, not []",
    ),
    "an item that is none": (an_order() | {"items": ["widget"]}, "order o-1: items[0] must be an object"),
    "quantity 0": (
        an_order() | {"items": item(quantity=0)},
        "order o-1: items[0].quantity must be a whole number from 1 to 1000, not 0",
    ),
    "quantity true": (
        an_order() | {"items": item(quantity=True)},
        "order o-1: items[0].quantity must be a whole number from 1 to 1000, not true",
    ),
    "half a widget": (
        an_order() | {"items": item(quantity=0.5)},
        "order o-1: items[0].quantity must be a whole number from 1 to 1000, not 0.5",
    ),
    "unknown product": (
        an_order() | {"items": item(productId="wdiget")},
        'order o-1: items[0].productId: there is no product "wdiget"',
    ),
    "a product that is no text": (
        an_order() | {"items": item(productId=7)},
        "order o-1: items[0].productId must be a string, not 7",
    ),
    "another total": (an_order(totalCents=1), "order o-1: totalCents is 1, but the items come to 7400"),
    "a total beyond measure": (
        an_order(totalCents=10**30),
        f"order o-1: totalCents must be a whole number of cents above 0, not {10**30}",
    ),
    "no card": (an_order(paymentToken=""), 'order o-1: paymentToken must be a card token, not ""'),
    "a long value": (
        an_order(paymentToken=["x" * 100]),
        f'order o-1: paymentToken must be a card token, not ["{"x" * 55}...',
    ),
    "everything at once": (
        {"orderId": "o-1", "items": [{}], "totalCents": "7400"},
        (
            'order o-1: totalCents must be a whole number of cents above 0, not "7400"; '
            "paymentToken is missing; items[0].productId is missing; items[0].quantity is missing"
        ),
    ),
}


@pytest.mark.parametrize(("event", "message"), INVALID.values(), ids=INVALID)
def test_validation_says_all_that_is_wrong(event: Any, message: str) -> None:
    with pytest.raises(ValidationError) as failure:
        Run()(order.validate_order, event)
    assert str(failure.value) == message
    assert rows("SELECT * FROM orders") == []


def test_one_execution_has_one_order_of_an_id() -> None:
    run = Run()
    first = run(order.validate_order, an_order())
    assert run(order.validate_order, an_order()) == first
    with pytest.raises(ValidationError, match="order o-1: this execution has another order of that id"):
        run(order.validate_order, an_order({"widget": 1}))
