"""Charge cards: as a step of a state machine, and as a listener that puts the next event."""

import bus
import shop


def charge(order, context):
    return {"paymentId": shop.charge(order)}


def process(event, context):
    order = event["detail"]
    try:
        payment = charge(order, context)
    except shop.CardDeclined:
        bus.publish("payments", "PaymentFailed", {"orderId": order["id"], "reason": "CardDeclined"})
    else:
        bus.publish("payments", "PaymentProcessed", {"orderId": order["id"], **payment})
