"""The read model, brought up to date by the stream of the write model.

A record comes at least once, and in the order of its item's changes.  What it does is done once: the search
document has the version of the order that it shows, and is written in one transaction with what that adds to the
aggregate.
"""

from decimal import Decimal

from boto3.dynamodb.types import TypeDeserializer
from handlers.tables import ORDERS, SEARCH, STATS, db, read

ATTEMPTS = 5
value_of = TypeDeserializer().deserialize


class NotShowable(Exception):
    """No further attempt will change that."""


def update_read_model(event, _context):
    """Raises for the first record that cannot be applied; those before it are applied, and bear to be again."""
    for record in event["Records"]:
        image = record["dynamodb"]["NewImage"]
        apply({name: value_of(value) for name, value in image.items()})


def rebuild_read_model(_event, _context):
    """Apply all orders as they are now.  The stream may go on meanwhile; it keeps records for a day only."""
    applied, refused = 0, {}
    for page in db.get_paginator("scan").paginate(TableName=ORDERS, ConsistentRead=True):
        for order in page["Items"]:
            try:
                apply(order)
            except NotShowable as error:
                refused[order["orderId"]] = str(error)
            else:
                applied += 1
    return {"applied": applied, "refused": refused}


def apply(order):
    """Have the read model show this version of an order, unless it shows this one or a later one already."""
    user, version = order["userId"], order["version"]
    document = document_of(order)  # what makes no sense fails before anything is written
    keep_latest(user, order["createdAt"])
    for _ in range(ATTEMPTS):
        shown = read(SEARCH, {"userId": user, "orderId": order["orderId"]})
        if shown is not None and shown["version"] >= version:
            return
        if write(document, shown):
            return
    raise RuntimeError(f"{order['orderId']}: others write the same rows")  # the batch comes again


def document_of(order):
    """What is searched and shown of an order."""
    items = order["items"]
    for item in items:
        for name in ("quantity", "unitPriceCents"):
            if not isinstance(item.get(name), Decimal):
                raise NotShowable(f"{order['orderId']}: {name} is no number: {item.get(name)!r}")
    return {
        "userId": order["userId"],
        "orderId": order["orderId"],
        "version": order["version"],
        "createdAt": order["createdAt"],
        "words": " ".join(item["name"].lower() for item in items),
        "totalCents": sum(item["quantity"] * item["unitPriceCents"] for item in items),
    }


def write(document, shown):
    """Replace what is shown; the aggregate gets the difference.  False where somebody else was faster."""
    if shown is None:
        condition, seen = "attribute_not_exists(orderId)", {}
    else:
        condition, seen = "version = :seen", {"ExpressionAttributeValues": {":seen": shown["version"]}}
    added = document["totalCents"] - (0 if shown is None else shown["totalCents"])
    put = {"TableName": SEARCH, "Item": document, "ConditionExpression": condition, **seen}
    add = {
        "TableName": STATS,
        "Key": {"userId": document["userId"]},
        "UpdateExpression": "ADD orderCount :orders, totalCents :cents",
        "ExpressionAttributeValues": {":orders": int(shown is None), ":cents": added},
    }
    try:
        db.transact_write_items(TransactItems=[{"Put": put}, {"Update": add}])
    except db.exceptions.TransactionCanceledException as error:
        reasons = {reason["Code"] for reason in error.response["CancellationReasons"]}
        if reasons <= {"None", "ConditionalCheckFailed", "TransactionConflict"}:
            return False
        raise
    return True


def keep_latest(user, date):
    """A maximum may be written twice, and in any order; so it needs no transaction with anything."""
    try:
        db.update_item(
            TableName=STATS,
            Key={"userId": user},
            UpdateExpression="SET lastOrderDate = :date",
            ConditionExpression="attribute_not_exists(lastOrderDate) OR lastOrderDate < :date",
            ExpressionAttributeValues={":date": date},
        )
    except db.exceptions.ConditionalCheckFailedException:
        return
