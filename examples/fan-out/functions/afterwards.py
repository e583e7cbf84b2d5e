"""What follows from events.  An event may come twice; a row with a key is there once."""

import json
import os

import boto3

db = boto3.resource("dynamodb").meta.client


def keep_result(event, _context):
    order = event["detail"]
    once(os.environ["RESULTS_TABLE"], {"orderId": order["orderId"], "result": json.dumps(order)}, "orderId")


def open_ticket(event, _context):
    """Somebody has to call the customer, or to look at a message."""
    detail = event["detail"]
    if event["detail-type"] == "MessageUnreadable":
        ticket = {"about": f"message {detail['messageId']}", "text": detail["body"]}
    else:
        missing = [line for line in detail["lines"] if line["outcome"] != "RESERVED"]
        text = ", ".join(f"{line['quantity']} x {line['productId']}: {line['outcome']}" for line in missing)
        ticket = {"about": f"order {detail['orderId']}", "text": text}
    once(os.environ["TICKETS_TABLE"], ticket, "about")


def once(table, row, key):
    try:
        db.put_item(TableName=table, Item=row, ConditionExpression=f"attribute_not_exists({key})")
    except db.exceptions.ConditionalCheckFailedException:
        print(f"{row[key]}: this event has come before")
