"""The event publisher, and what its events are held against."""

import json
import os
from functools import cache

import boto3

# What listeners may rely on.  More members may come with time, and no listener minds; none of these goes.
CONTRACTS = {
    ("orders", "OrderCreated"): {"orderId": str, "userId": str, "items": list},
    ("orders", "OrderFulfilled"): {"orderId": str, "userId": str, "total": int},
    ("inventory", "InventoryReserved"): {"orderId": str, "userId": str, "total": int},
    ("inventory", "InventoryShort"): {"orderId": str, "userId": str, "productId": str},
    ("payments", "PaymentFailed"): {"orderId": str, "userId": str, "reason": str},
}


class ContractBroken(Exception):
    """What was to be published is not what listeners are promised."""


class NotPut(Exception):
    """The bus has not taken an event."""


@cache
def _client():
    """One for each process, kept from call to call, with its connection."""
    return boto3.client("events")


def publish_event(source: str, detail_type: str, detail: dict) -> None:
    check(source, detail_type, detail)
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


def check(source: str, detail_type: str, detail: dict) -> None:
    if (source, detail_type) not in CONTRACTS:
        raise ContractBroken(f"{source} publishes no {detail_type}")
    for name, kind in CONTRACTS[source, detail_type].items():
        if not isinstance(detail.get(name), kind):
            raise ContractBroken(f"{detail_type}.{name} has to be of the type {kind.__name__}")
