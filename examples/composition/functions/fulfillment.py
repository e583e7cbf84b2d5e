"""Ship what is paid: as a step of a state machine, and as a listener."""

import shop


def ship(paid, context):
    shop.fulfill(paid["orderId"], paid["paymentId"])
    shop.tell(paid["orderId"], "Your order is on its way")
    return {"status": "fulfilled"}


def fulfill(event, context):
    return ship(event["detail"], context)
