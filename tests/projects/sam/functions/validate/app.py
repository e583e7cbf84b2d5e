"""Checks an order, and works out what it costs."""

import os

from pricing import with_vat


class EmptyOrder(Exception):
    """There is nothing to sell."""


def lambda_handler(event, context):
    if not event.get("items"):
        raise EmptyOrder("the order has no items")
    net = sum(item["cents"] * item["quantity"] for item in event["items"])
    return {
        **event,
        "stage": os.environ["STAGE"],
        "table": os.environ["TABLE_NAME"],
        "tableArn": os.environ["TABLE_ARN"],
        "cents": with_vat(net, int(os.environ["VAT_PERCENT"])),
        "memory": context.memory_limit_in_mb,
    }
