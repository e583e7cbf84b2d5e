"""The functions of an order."""

import os

from src.money import shown


def create(event, context):
    if event["cents"] > int(os.environ["MOST_CENTS"]):
        raise ValueError("too much for this stage")
    return {**event, "table": os.environ["TABLE_NAME"], "queue": os.environ["QUEUE_URL"]}


def charge(event, context):
    return {**event, "charged": shown(event["cents"], os.environ["CURRENCY"]), "chargedBy": context.function_name}


def status(event, context):
    return {"id": event["pathParameters"]["id"], "table": os.environ["TABLE_NAME"]}
