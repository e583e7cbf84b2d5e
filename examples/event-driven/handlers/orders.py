"""Hears of orders."""

from handlers import publisher, shop


def created(event, context):
    """Reserve the goods of a new order."""
    order = event["detail"]
    about = {"orderId": order["orderId"], "userId": order["userId"]}
    try:
        total = shop.reserve(order["orderId"], order["items"])
    except shop.OutOfStock as error:
        publisher.publish_event("inventory", "InventoryShort", {**about, "productId": error.product})
    else:
        publisher.publish_event("inventory", "InventoryReserved", {**about, "total": total})
