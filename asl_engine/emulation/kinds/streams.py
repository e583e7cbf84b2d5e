"""Streams of Kinesis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.emulation.kinds.making import ResourceKind, is_refused, request_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.emulation.kinds.making import Maker
    from asl_engine.templates.declarations import DeclaredResource

__all__ = ["STREAM"]

DEFAULT_HOURS: Final = 24


def make_stream(maker: Maker, stream: DeclaredResource) -> bool:
    from botocore.exceptions import ClientError

    kinesis = maker.client("kinesis")
    properties: Mapping[str, Any] = stream.properties
    given = {name: properties[name] for name in ("ShardCount", "StreamModeDetails") if name in properties}
    if not given:
        given["ShardCount"] = 1
    try:
        kinesis.create_stream(StreamName=stream.name, **request_of(kinesis, "CreateStream", given))
    except ClientError as error:
        if is_refused(error, "ResourceInUseException"):
            return False
        raise
    hours = int(properties.get("RetentionPeriodHours", DEFAULT_HOURS))
    if hours > DEFAULT_HOURS:
        kinesis.increase_stream_retention_period(StreamName=stream.name, RetentionPeriodHours=hours)
    return True


STREAM: Final = ResourceKind(
    "kinesis",
    make_stream,
    frozenset(
        {
            "DesiredShardLevelMetrics",
            "MaxRecordSizeInKiB",
            "Name",
            "RecordDistributionStrategy",
            "RetentionPeriodHours",
            "ShardCount",
            "StreamEncryption",
            "StreamModeDetails",
            "Tags",
            "WarmThroughputMiBps",
        }
    ),
)
