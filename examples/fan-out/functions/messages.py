"""Fan-out by messages: one for each item, and whoever counts the last one says that the order is done."""

import json
import os

import boto3
import shop

ORDERS = os.environ["ORDERS_TABLE"]
MOST_AT_ONCE = 10  # entries of a SendMessageBatch

sqs = boto3.client("sqs")
events = boto3.client("events")


class UnknownOrder(Exception):
    """A message speaks of an order that nobody has placed."""


SENSELESS = (KeyError, TypeError, ValueError, UnknownOrder)


def process_order(event, _context):
    """Put a message for each item on the queue.  Twice is no harm: an item is decided once, and counted once."""

    def fan_out(message, _message_id):
        order_id, items = message["orderId"], message["items"]
        pending = {"pending": {str(line) for line in range(len(items))}} if items else {}  # no set is empty
        try:
            shop.db.put_item(
                TableName=ORDERS,
                Item={"orderId": order_id, "items": json.dumps(items), **pending},
                ConditionExpression="attribute_not_exists(orderId)",
            )
        except shop.db.exceptions.ConditionalCheckFailedException:
            items = json.loads(order(order_id)["items"])  # the first one of this id counts
        if not items:
            announce(order_id, items)
        entries = [
            {"Id": str(line), "MessageBody": json.dumps({"orderId": order_id, "line": line, "item": item})}
            for line, item in enumerate(items)
        ]
        for first in range(0, len(entries), MOST_AT_ONCE):
            chunk = entries[first : first + MOST_AT_ONCE]
            answer = sqs.send_message_batch(QueueUrl=os.environ["ITEM_QUEUE"], Entries=chunk)
            if answer.get("Failed"):
                raise RuntimeError(f"not sent: {answer['Failed']}")  # the order comes again, and all its items

    return each(event, fan_out)


def process_item(event, _context):
    """Reserve an item, and announce the end of the order where this was its last."""

    def handle(message, message_id):
        shop.reserve(message["orderId"], message["line"], message["item"])
        count(message["orderId"], message["line"], message_id)

    return each(event, handle, again=os.environ["ITEM_QUEUE"])


def give_up(event, _context):
    """What came three times in vain: an item has failed, and the order ends without it."""

    def handle(message, message_id):
        shop.settle(message["orderId"], message["line"], shop.FAILED)
        count(message["orderId"], message["line"], message_id)

    return each(event, handle, unreadable=report)


def report(record):
    """Nobody can tell which item of which order this was to be; a person may."""
    publish("MessageUnreadable", {"messageId": record["messageId"], "body": record["body"]})


def count(order_id, line, message):
    """Count a line that is decided; announce the order's end where it is the last.

    Each line is taken out of ``pending`` once, and leaves the id of its message.  When nothing is pending any
    more, that is the id of the last message for ever: whoever handles that one announces the end, on each attempt
    until it is deleted, and nobody else ever does.
    """
    try:
        row = shop.db.update_item(
            TableName=ORDERS,
            Key={"orderId": order_id},
            UpdateExpression="DELETE pending :lines SET lastMessage = :message",
            ConditionExpression="contains(pending, :line)",
            ExpressionAttributeValues={":lines": {str(line)}, ":line": str(line), ":message": message},
            ReturnValues="ALL_NEW",
        )["Attributes"]
    except shop.db.exceptions.ConditionalCheckFailedException:  # it was counted before
        row = order(order_id)
    if not row.get("pending") and row["lastMessage"] == message:
        announce(order_id, json.loads(row["items"]))


def order(order_id):
    answer = shop.db.get_item(TableName=ORDERS, Key={"orderId": order_id}, ConsistentRead=True)
    if "Item" not in answer:
        raise UnknownOrder(order_id)
    return answer["Item"]


def announce(order_id, items):
    publish("AllItemsProcessed", shop.close(order_id, items))


def publish(detail_type, detail):
    entry = {"Source": "orders", "DetailType": detail_type, "Detail": json.dumps(detail)}
    answer = events.put_events(Entries=[entry])
    if answer["FailedEntryCount"]:
        raise RuntimeError(f"not published: {answer['Entries']}")


def each(event, handle, *, again=None, unreadable=None):
    """Handle each message by itself; those that failed come again, and the others are done.

    With a queue ``again``, they come after 1, 2, 4 ... seconds instead of its visibility timeout.  ``unreadable``
    takes those that make no sense, which are done then.
    """
    failures = []
    for record in event["Records"]:
        try:
            handle(json.loads(record["body"]), record["messageId"])
        except Exception as error:  # noqa: BLE001  whatever it is, it is this message's
            print(f"{record['messageId']}: {type(error).__name__}: {error}")
            if unreadable is not None and isinstance(error, SENSELESS):
                unreadable(record)
                continue
            failures.append({"itemIdentifier": record["messageId"]})
            if again is not None:
                delay = 2 ** (int(record["attributes"]["ApproximateReceiveCount"]) - 1)
                sqs.change_message_visibility(
                    QueueUrl=again, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=delay
                )
    return {"batchItemFailures": failures}
