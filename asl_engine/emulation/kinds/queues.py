"""Queues of SQS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from asl_engine.emulation.kinds.making import ResourceKind, attributes, is_refused
from asl_engine.errors import InvalidInput

if TYPE_CHECKING:
    from asl_engine.emulation.kinds.making import Maker
    from asl_engine.templates.declarations import DeclaredResource

__all__ = ["QUEUE", "queue_url"]

ATTRIBUTES: Final = (
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "DelaySeconds",
    "FifoQueue",
    "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
)
ABSENT: Final = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")


def make_queue(maker: Maker, queue: DeclaredResource) -> bool:
    sqs, properties = maker.client("sqs"), queue.properties
    if queue_url(sqs, queue.name) is not None:
        return False
    own = attributes(properties, ATTRIBUTES)
    if own.get("FifoQueue") == "false":  # it is only ever given as true
        del own["FifoQueue"]
    sqs.create_queue(QueueName=queue.name, Attributes=own)
    return True


def connect_queue(maker: Maker, queue: DeclaredResource) -> None:
    """Its policies name other queues."""
    policies = attributes(queue.properties, ("RedriveAllowPolicy",))
    if "RedrivePolicy" in queue.properties:
        policies["RedrivePolicy"] = json.dumps(_redrive_policy(queue.properties["RedrivePolicy"]))
    if policies:
        sqs = maker.client("sqs")
        sqs.set_queue_attributes(QueueUrl=queue_url(sqs, queue.name), Attributes=policies)


def _redrive_policy(given: Any) -> dict[str, Any]:
    try:
        policy = json.loads(given) if isinstance(given, str) else given
        return {**policy, "maxReceiveCount": int(policy["maxReceiveCount"])}
    except (KeyError, TypeError, ValueError):
        raise InvalidInput(
            f"RedrivePolicy has to have deadLetterTargetArn and a number maxReceiveCount; it is {given!r}"
        ) from None


def queue_url(sqs: Any, name: str) -> str | None:
    """None where there is no such queue."""
    from botocore.exceptions import ClientError

    try:
        url: str = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    except ClientError as error:
        if is_refused(error, *ABSENT):
            return None
        raise
    return url


QUEUE: Final = ResourceKind(
    "sqs",
    make_queue,
    frozenset({*ATTRIBUTES, "QueueName", "RedriveAllowPolicy", "RedrivePolicy", "Tags"}),
    connect_queue,
)
