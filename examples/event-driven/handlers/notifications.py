"""Tells customers."""

from handlers import shop

TEXTS = {
    "OrderFulfilled": "Your order is on its way",
    "PaymentFailed": "Your card was declined",
    "InventoryShort": "We have not enough of {productId}",
}


def send(event, context):
    detail = event["detail"]
    text = TEXTS[event["detail-type"]].format(**detail)
    shop.tell(detail["orderId"], detail["userId"], text)
    print(f"{detail['userId']}: {detail['orderId']}: {text}")
