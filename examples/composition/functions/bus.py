"""Put events on the bus."""

import json
import os
from functools import cache

import boto3


class NotPut(Exception):
    """The bus has not taken an event: whoever was to put it fails, and is called again."""


@cache
def _client():
    """One for each process, kept from call to call, with its connection."""
    return boto3.client("events")


def publish(source: str, detail_type: str, detail: dict) -> None:
    entry = {
        "Source": source,
        "DetailType": detail_type,
        "Detail": json.dumps(detail),
        "EventBusName": os.environ["EVENT_BUS_NAME"],
    }
    answer = _client().put_events(Entries=[entry])
    if answer["FailedEntryCount"]:  # PutEvents succeeds, and says so in its answer
        (refused,) = answer["Entries"]
        raise NotPut(f"{detail_type}: {refused['ErrorCode']}: {refused['ErrorMessage']}")
