"""What is wrong with an order: every problem, not only the first."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["is_order_id", "problems"]

_ORDER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def is_order_id(value: object) -> bool:
    """Whether ``value`` can name an order, in a sentence too."""
    return isinstance(value, str) and _ORDER_ID.fullmatch(value) is not None


def _is_whole(value: object, most: int) -> bool:
    return type(value) is int and 1 <= value <= most  # True is an int to Python, not to a shop


_Fields: TypeAlias = "dict[str, tuple[Callable[[Any], bool], str]]"

_ORDER_FIELDS: _Fields = {
    "orderId": (is_order_id, "1 to 64 letters, digits, '_', '.' or '-'"),
    "items": (lambda value: isinstance(value, list) and len(value) > 0, "a list of at least one item"),
    "totalCents": (lambda value: _is_whole(value, 10**12), "a whole number of cents above 0"),
    "paymentToken": (lambda value: isinstance(value, str) and value != "", "a card token"),
}
_ITEM_FIELDS: _Fields = {
    "productId": (lambda value: isinstance(value, str), "a string"),
    "quantity": (lambda value: _is_whole(value, 1000), "a whole number from 1 to 1000"),
}


def problems(order: object, prices: Mapping[str, int]) -> list[str]:
    """Why the shop cannot take ``order``; empty if it can.  ``prices`` are in cents, by product id."""
    if not isinstance(order, dict):
        return ["the order must be an object"]
    items = order.get("items")
    found = list(_misfits(order, _ORDER_FIELDS, ""))
    if isinstance(items, list):
        for index, item in enumerate(items):
            found.extend(_item_problems(item, prices, f"items[{index}]"))
    return found or _total_problems(order, prices)


def _misfits(value: dict[str, Any], fields: _Fields, where: str) -> Iterator[str]:
    for name, (fits, expected) in fields.items():
        if name not in value:
            yield f"{where}{name} is missing"
        elif not fits(value[name]):
            yield f"{where}{name} must be {expected}, not {_shown(value[name])}"


def _item_problems(item: object, prices: Mapping[str, int], where: str) -> list[str]:
    if not isinstance(item, dict):
        return [f"{where} must be an object"]
    found = list(_misfits(item, _ITEM_FIELDS, f"{where}."))
    product = item.get("productId")
    if isinstance(product, str) and product not in prices:
        found.append(f"{where}.productId: there is no product {_shown(product)}")
    return found


def _total_problems(order: dict[str, Any], prices: Mapping[str, int]) -> list[str]:
    total = sum(prices[item["productId"]] * item["quantity"] for item in order["items"])
    if total == order["totalCents"]:
        return []
    return [f"totalCents is {order['totalCents']}, but the items come to {total}"]


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
