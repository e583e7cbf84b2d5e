"""Tell customers what has become of their orders."""

import shop


def tell(event, context):
    failed = event["detail"]
    shop.reject(failed["orderId"])
    shop.tell(failed["orderId"], f"Your payment was refused: {failed['reason']}")
