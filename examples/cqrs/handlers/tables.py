"""The tables, and a client that takes and gives Python's values where the plain one has {"S": "..."}."""

import json
import os
from decimal import Decimal

import boto3

db = boto3.resource("dynamodb").meta.client
ORDERS, SEARCH = os.environ["ORDERS_TABLE"], os.environ["SEARCH_TABLE"]
STATS, FAILED = os.environ["STATS_TABLE"], os.environ["FAILED_TABLE"]


def read(table, key):
    """A row as it is now; None where there is none."""
    return db.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")


def answer(status, body):
    """What an HTTP API answers; numbers of DynamoDB are decimals."""
    text = json.dumps(body, default=number)
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": text}


def number(value):
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
