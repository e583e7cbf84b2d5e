"""Hears of goods."""

from handlers import publisher, shop


def reserved(event, context):
    """Charge the customer for what is reserved."""
    detail = event["detail"]
    about = {"orderId": detail["orderId"], "userId": detail["userId"]}
    try:
        shop.charge(detail["orderId"], detail["userId"], detail["total"])
    except shop.CardDeclined:
        shop.release(detail["orderId"])
        publisher.publish_event("payments", "PaymentFailed", {**about, "reason": "CardDeclined"})
    else:
        publisher.publish_event("orders", "OrderFulfilled", {**about, "total": detail["total"]})
