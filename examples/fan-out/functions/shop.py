"""Items reserved and orders closed: the same for a Map and for messages.

What has become of an item is one row of the table of lines.  It is written once and never changed, together with
what it takes from the stock, so a function may be called twice, or killed and called again.
"""

import os

import boto3

RESERVED, OUT_OF_STOCK, FAILED = "RESERVED", "OUT_OF_STOCK", "FAILED"
NOT_DECIDED = "attribute_not_exists(orderId)"

# This client takes and gives Python's values where the plain one has {"S": "..."}.
db = boto3.resource("dynamodb").meta.client
STOCK, LINES = os.environ["STOCK_TABLE"], os.environ["LINES_TABLE"]


class UnknownProduct(Exception):
    """The catalogue may be late, so it is worth another attempt; but not many."""


def reserve(order_id, line, item):
    """Reserve an item, unless it has been decided already; returns what has become of it."""
    product, quantity = item["productId"], item["quantity"]
    if type(quantity) is not int or quantity < 1:
        raise ValueError(f"the quantity is no number of pieces: {quantity!r}")
    row = {"orderId": order_id, "line": line, "outcome": RESERVED}
    decide = {"TableName": LINES, "Item": row, "ConditionExpression": NOT_DECIDED}
    take = {
        "TableName": STOCK,
        "Key": {"productId": product},
        "UpdateExpression": "SET onHand = onHand - :quantity",
        "ConditionExpression": "onHand >= :quantity",
        "ExpressionAttributeValues": {":quantity": quantity},
    }
    try:
        db.transact_write_items(TransactItems=[{"Put": decide}, {"Update": take}])
    except db.exceptions.TransactionCanceledException as error:
        is_decided, is_lacking = (
            reason["Code"] == "ConditionalCheckFailed" for reason in error.response["CancellationReasons"]
        )
        if is_decided:
            return outcome_of(order_id, line)
        if not is_lacking:
            raise  # another transaction has the row: the next attempt may have it
        if "Item" not in db.get_item(TableName=STOCK, Key={"productId": product}):
            raise UnknownProduct(product) from None
        return settle(order_id, line, OUT_OF_STOCK)
    return RESERVED


def settle(order_id, line, outcome):
    """Say that an item was not reserved, unless it has been decided already; returns what has become of it."""
    row = {"orderId": order_id, "line": line, "outcome": outcome}
    try:
        db.put_item(TableName=LINES, Item=row, ConditionExpression=NOT_DECIDED)
    except db.exceptions.ConditionalCheckFailedException:
        return outcome_of(order_id, line)
    return outcome


def outcome_of(order_id, line):
    key = {"orderId": order_id, "line": line}
    return db.get_item(TableName=LINES, Key=key, ConsistentRead=True)["Item"]["outcome"]


def close(order_id, items):
    """The result of an order: what nobody has decided by now has failed, and stays so."""
    decided = outcomes(order_id)
    lines = [
        {
            "line": line,
            "productId": item.get("productId"),
            "quantity": item.get("quantity"),
            "outcome": decided.get(line) or settle(order_id, line, FAILED),
        }
        for line, item in enumerate(items)
    ]
    complete = all(line["outcome"] == RESERVED for line in lines)
    return {"orderId": order_id, "status": "COMPLETE" if complete else "INCOMPLETE", "lines": lines}


def outcomes(order_id):
    """The outcomes of an order's lines, those that are decided."""
    pages = db.get_paginator("query").paginate(
        TableName=LINES,
        KeyConditionExpression="orderId = :order",
        ExpressionAttributeValues={":order": order_id},
        ConsistentRead=True,
    )
    return {int(row["line"]): row["outcome"] for page in pages for row in page["Items"]}
