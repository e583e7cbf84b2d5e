"""The write model: orders as they are, each change made against the version that it was decided for."""

import json
from datetime import UTC, datetime
from decimal import Decimal

from handlers.tables import ORDERS, answer, db, read

Conflict = db.exceptions.ConditionalCheckFailedException


def create_order(event, _context):
    """201; 409 where there is an order of this id, so a request that comes twice makes one order."""
    order = body_of(event)
    if order is None or not all(isinstance(order.get(key), str) and order[key] for key in ("orderId", "userId")):
        return answer(400, {"message": "an order has an orderId, a userId and a list of items"})
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    row = {name: order[name] for name in ("orderId", "userId", "items")} | {"version": 1, "createdAt": now}
    try:
        db.put_item(TableName=ORDERS, Item=row, ConditionExpression="attribute_not_exists(orderId)")
    except Conflict:
        return answer(409, {"message": f"there is an order {order['orderId']} already"})
    return answer(201, row)


def update_order(event, _context):
    """200 with the next version; 409 where the order has another version than the caller has seen."""
    order_id, change = event["pathParameters"]["orderId"], body_of(event)
    if change is None or type(change.get("version")) is not int:
        return answer(400, {"message": "a change has the version that it is made to, and a list of items"})
    try:
        row = db.update_item(
            TableName=ORDERS,
            Key={"orderId": order_id},
            UpdateExpression="SET #items = :items, version = version + :one",
            ConditionExpression="version = :seen",
            ExpressionAttributeNames={"#items": "items"},
            ExpressionAttributeValues={":items": change["items"], ":one": 1, ":seen": change["version"]},
            ReturnValues="ALL_NEW",
        )["Attributes"]
    except Conflict:
        row = read(ORDERS, {"orderId": order_id})
        if row is None:
            return answer(404, {"message": f"there is no order {order_id}"})
        return answer(409, {"message": f"the order {order_id} has the version {row['version']}"})
    return answer(200, row)


def body_of(event):
    """The request's object; None where it is none, or has no list of items.  What items are is not looked at."""
    try:
        body = json.loads(event.get("body") or "", parse_float=Decimal)
    except ValueError:
        return None
    return body if isinstance(body, dict) and isinstance(body.get("items"), list) else None
