"""How the shop fails.  Retry and Catch of statemachines/order.json name these classes.

Every message begins with ``order ID: ``, because a Catch hands on nothing but the error: it is all that
the compensating tasks have to find the order by.
"""

from __future__ import annotations

__all__ = [
    "ORDER_FAILURES",
    "OrderFailure",
    "OrderStateError",
    "OutOfStockError",
    "PaymentError",
    "PaymentRetryableError",
    "ShopDatabaseError",
    "ValidationError",
]


class OrderFailure(Exception):
    """An answer of the shop's: what was done up to here stays done, and asking again gives it again."""


class ValidationError(OrderFailure):
    """The order is not one that the shop can take."""


class OutOfStockError(OrderFailure):
    """Less is left than was ordered; nothing has been reserved."""


class PaymentError(OrderFailure):
    """The card was refused, for good.  Money may be on hold."""


class PaymentRetryableError(OrderFailure):
    """The card network did not answer; another attempt may succeed."""


class OrderStateError(OrderFailure):
    """The order is not at the step that the task needs it to be."""


ORDER_FAILURES = {
    failure.__name__: failure
    for failure in (ValidationError, OutOfStockError, PaymentError, PaymentRetryableError, OrderStateError)
}


class ShopDatabaseError(Exception):
    """The database cannot answer: another layout, or a key that stands for another call."""
