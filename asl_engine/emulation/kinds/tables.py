"""Tables of DynamoDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.emulation.kinds.making import ResourceKind, is_refused, request_of
from asl_engine.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.emulation.kinds.making import Maker
    from asl_engine.templates.declarations import DeclaredResource

__all__ = ["GLOBAL_TABLE", "SIMPLE_TABLE", "TABLE"]

# What a request and CloudFormation both have of a table; the rest has no effect here.
TAKEN: Final = (
    "AttributeDefinitions",
    "BillingMode",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "LocalSecondaryIndexes",
    "ProvisionedThroughput",
    "StreamSpecification",
)
ON_DEMAND: Final = "PAY_PER_REQUEST"
SIMPLE_TYPES: Final = {"String": "S", "Number": "N", "Binary": "B"}


def make_table(maker: Maker, table: DeclaredResource) -> bool:
    given: dict[str, Any] = {name: table.properties[name] for name in TAKEN if name in table.properties}
    if "ProvisionedThroughput" not in given:
        given["BillingMode"] = ON_DEMAND
    if given.get("BillingMode") == ON_DEMAND:
        given.pop("ProvisionedThroughput", None)
        # An index has a throughput of its own, which an API that bills by request does not want.
        given["GlobalSecondaryIndexes"] = [
            {name: value for name, value in index.items() if name != "ProvisionedThroughput"}
            if isinstance(index, dict)
            else index
            for index in given.get("GlobalSecondaryIndexes") or ()
        ]
    for name in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        if not given.get(name):
            given.pop(name, None)
    if isinstance(given.get("StreamSpecification"), dict):  # CloudFormation has a stream where there is a view
        given["StreamSpecification"] = {"StreamEnabled": True} | given["StreamSpecification"]
    return _made(maker, table.name, given, table.properties.get("TimeToLiveSpecification"))


def make_simple_table(maker: Maker, table: DeclaredResource) -> bool:
    """SAM's: one attribute is the key, by default ``id``, a text."""
    key: Any = table.properties.get("PrimaryKey", {"Name": "id", "Type": "String"})
    kind = SIMPLE_TYPES.get(key.get("Type", "String")) if isinstance(key, dict) else None
    if kind is None:
        raise InvalidInput(f"PrimaryKey has to have a Name, and a Type that is String, Number or Binary: {key!r}")
    name = key.get("Name", "id")
    request = {
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind}],
        "BillingMode": ON_DEMAND,
        "KeySchema": [{"AttributeName": name, "KeyType": "HASH"}],
    }
    return _made(maker, table.name, request, None)


def _made(maker: Maker, name: str, given: Mapping[str, Any], time_to_live: Any) -> bool:
    from botocore.exceptions import ClientError

    dynamodb = maker.client("dynamodb")
    try:
        dynamodb.create_table(TableName=name, **request_of(dynamodb, "CreateTable", given))
    except ClientError as error:
        if is_refused(error, "ResourceInUseException"):
            return False
        raise
    if time_to_live is not None:
        wanted = request_of(dynamodb, "UpdateTimeToLive", {"TimeToLiveSpecification": time_to_live})
        dynamodb.update_time_to_live(TableName=name, **wanted)
    return True


TABLE: Final = ResourceKind(
    "dynamodb",
    make_table,
    frozenset(
        {
            *TAKEN,
            "ContributorInsightsSpecification",
            "DeletionProtectionEnabled",
            "ImportSourceSpecification",
            "KinesisStreamSpecification",
            "OnDemandThroughput",
            "PointInTimeRecoverySpecification",
            "ResourcePolicy",
            "SSESpecification",
            "TableClass",
            "TableName",
            "Tags",
            "TimeToLiveSpecification",
            "VectorIndexes",
            "WarmThroughput",
        }
    ),
)
GLOBAL_TABLE: Final = ResourceKind(
    "dynamodb",
    make_table,
    frozenset(
        {
            *(name for name in TAKEN if name != "ProvisionedThroughput"),
            "GlobalTableSourceArn",
            "GlobalTableWitnesses",
            "MultiRegionConsistency",
            "ReadOnDemandThroughputSettings",
            "ReadProvisionedThroughputSettings",
            "Replicas",
            "SSESpecification",
            "TableName",
            "TableType",
            "TimeToLiveSpecification",
            "VectorIndexes",
            "WarmThroughput",
            "WriteOnDemandThroughputSettings",
            "WriteProvisionedThroughputSettings",
        }
    ),
)
SIMPLE_TABLE: Final = ResourceKind(
    "dynamodb",
    make_simple_table,
    frozenset(
        {
            "PointInTimeRecoverySpecification",
            "PrimaryKey",
            "ProvisionedThroughput",
            "SSESpecification",
            "TableName",
            "Tags",
        }
    ),
)
