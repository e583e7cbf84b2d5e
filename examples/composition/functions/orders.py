"""What the API answers: an order is validated at once, and processed later."""

import base64
import json

import bus
import shop


def validate(event, context):
    try:
        order = json.loads(_body(event))
    except ValueError:
        return _answer(400, {"errors": ["the body is not JSON"]})
    errors = list(_errors(order))
    if errors:
        return _answer(400, {"errors": errors})
    if not shop.accept(order):
        return _answer(409, {"errors": [f"there is another order {order['id']}"]})
    bus.publish("orders", "OrderValidated", order)
    return _answer(202, {"status": "processing", "at": f"/orders/{order['id']}"})


def get(event, context):
    order = shop.find(event["pathParameters"]["id"])
    return _answer(404, {"errors": ["there is no such order"]}) if order is None else _answer(200, order)


def _errors(order):
    """Each thing that is wrong with an order, not only the first."""
    if not isinstance(order, dict):
        yield "an order is an object"
        return
    for name in ("id", "paymentToken"):
        if not isinstance(order.get(name), str) or not order[name]:
            yield f"{name} has to be a text"
    total = order.get("total")
    if not isinstance(total, int) or isinstance(total, bool) or total <= 0:
        yield "total has to be a positive number of cents"


def _body(event):
    body = event.get("body") or ""
    return base64.b64decode(body) if event.get("isBase64Encoded") else body


def _answer(status, body):
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(body),
    }
