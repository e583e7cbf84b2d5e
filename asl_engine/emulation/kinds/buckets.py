"""Buckets of S3, and who hears of their objects: queues and topics by moto, functions and the bus by relays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.arn import bucket_arn, function_name
from asl_engine.emulation.kinds.making import ResourceKind, is_refused, relay_queue, text_of
from asl_engine.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.emulation.kinds.making import Maker
    from asl_engine.templates.declarations import DeclaredResource

__all__ = ["BUCKET"]

EVENTS_OF_THE_BUS: Final = ("s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectRestore:*", "s3:ObjectTagging:*")
WITHOUT_A_PLACE: Final = "us-east-1"  # the only region that a request does not name
# By the members of a NotificationConfiguration: what an entry names, and where the API has it.
NATIVE: Final = {
    "QueueConfigurations": ("Queue", "QueueConfigurations", "QueueArn"),
    "TopicConfigurations": ("Topic", "TopicConfigurations", "TopicArn"),
}


def make_bucket(maker: Maker, bucket: DeclaredResource) -> bool:
    from botocore.exceptions import ClientError

    s3 = maker.client("s3")
    try:
        s3.head_bucket(Bucket=bucket.name)
    except ClientError as error:
        if not is_refused(error, "404"):
            raise
    else:
        return False
    place = {"LocationConstraint": maker.region}
    s3.create_bucket(
        Bucket=bucket.name,
        **({} if maker.region == WITHOUT_A_PLACE else {"CreateBucketConfiguration": place}),
    )
    versioning: Any = bucket.properties.get("VersioningConfiguration")
    if versioning:
        s3.put_bucket_versioning(
            Bucket=bucket.name, VersioningConfiguration={"Status": versioning.get("Status", "Enabled")}
        )
    return True


def connect_bucket(maker: Maker, bucket: DeclaredResource) -> None:
    """Configure who hears of its objects."""
    given: Any = bucket.properties.get("NotificationConfiguration")
    if not given:
        return
    if not isinstance(given, dict):
        raise InvalidInput(f"NotificationConfiguration has to be an object; it is {given!r}")
    made: dict[str, list[Any]] = {}
    for name, (target, into, arn) in NATIVE.items():
        for entry in given.get(name) or ():
            made.setdefault(into, []).append(_notification(entry, arn, entry.get(target)))
    source = bucket_arn(maker.region, bucket.name)
    queues = made.setdefault("QueueConfigurations", [])
    for entry in given.get("LambdaConfigurations") or ():
        function = entry.get("Function")
        if not isinstance(function, str) or function_name(function) is None:
            raise InvalidInput(f"LambdaConfigurations: Function is the ARN of a function, not {function!r}")
        queue = relay_queue(maker, source, function)
        queues.append(_notification(entry, "QueueArn", maker.arn("sqs", queue)))
        maker.relay(source, function, queue, "")
    if _has_bus(given):
        queue = relay_queue(maker, source, "")
        queues.append({"QueueArn": maker.arn("sqs", queue), "Events": [*EVENTS_OF_THE_BUS]})
        maker.relay(source, None, queue, "")
    maker.client("s3").put_bucket_notification_configuration(
        Bucket=bucket.name, NotificationConfiguration={name: entries for name, entries in made.items() if entries}
    )


def _has_bus(given: Mapping[str, Any]) -> bool:
    bus = given.get("EventBridgeConfiguration")
    return isinstance(bus, dict) and text_of(bus.get("EventBridgeEnabled", True)).lower() == "true"


def _notification(entry: Mapping[str, Any], field: str, arn: Any) -> dict[str, Any]:
    event = entry.get("Event")
    if not isinstance(event, str) or not isinstance(arn, str):
        raise InvalidInput(f"NotificationConfiguration: an entry has to have an Event and a target: {entry!r}")
    made: dict[str, Any] = {field: arn, "Events": [event]}
    rules = (((entry.get("Filter") or {}).get("S3Key")) or {}).get("Rules")
    if rules:
        made["Filter"] = {"Key": {"FilterRules": rules}}
    return made


BUCKET: Final = ResourceKind(
    "s3",
    make_bucket,
    frozenset(
        {
            "AbacStatus",
            "AccelerateConfiguration",
            "AccessControl",
            "AnalyticsConfigurations",
            "BucketEncryption",
            "BucketName",
            "BucketNamePrefix",
            "BucketNamespace",
            "CorsConfiguration",
            "IntelligentTieringConfigurations",
            "InventoryConfigurations",
            "LifecycleConfiguration",
            "LoggingConfiguration",
            "MetadataConfiguration",
            "MetadataTableConfiguration",
            "MetricsConfigurations",
            "NotificationConfiguration",
            "ObjectLockConfiguration",
            "ObjectLockEnabled",
            "OwnershipControls",
            "PublicAccessBlockConfiguration",
            "ReplicationConfiguration",
            "Tags",
            "VersioningConfiguration",
            "WebsiteConfiguration",
        }
    ),
    connect_bucket,
)
