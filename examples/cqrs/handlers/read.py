"""The read model: what is asked, in the shape that it is asked in."""

from handlers.tables import FAILED, SEARCH, STATS, answer, db, read

SHOWN = ("orderId", "version", "createdAt", "totalCents", "words")


def search_orders(event, _context):
    """The orders of a user, the newest first; with ``text``, those with that word."""
    asked = event.get("queryStringParameters") or {}
    if not asked.get("userId"):
        return answer(400, {"message": "whose orders? userId is missing"})
    values, filtered = {":user": asked["userId"]}, {}
    if asked.get("text"):
        values[":text"] = asked["text"].lower()
        filtered = {"FilterExpression": "contains(words, :text)"}
    pages = db.get_paginator("query").paginate(
        TableName=SEARCH,
        KeyConditionExpression="userId = :user",
        ExpressionAttributeValues=values,
        **filtered,
    )
    rows = sorted((row for page in pages for row in page["Items"]), key=lambda row: row["createdAt"], reverse=True)
    return answer(200, [{name: row[name] for name in SHOWN} for row in rows])


def get_stats(event, _context):
    user = event["pathParameters"]["userId"]
    row = read(STATS, {"userId": user})
    if row is None or "orderCount" not in row:
        return answer(404, {"message": f"{user} has no orders"})
    return answer(200, {name: row[name] for name in ("userId", "orderCount", "totalCents", "lastOrderDate")})


def list_failed(_event, _context):
    rows = db.scan(TableName=FAILED)["Items"]
    return answer(200, sorted(rows, key=lambda row: row["sequenceNumber"]))
