"""Resources of a template that functions and states use: queues, tables, streams, topics, buckets, secrets.

Each type in the CloudFormation Template Reference.  What they are asked for is what can be made here of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asl_engine.templates.declarations import DeclaredResource
from asl_engine.templates.settings import typed

if TYPE_CHECKING:
    from asl_engine.json_values import Json
    from asl_engine.templates.properties import TemplateResource

__all__ = ["BUCKET", "NOTIFICATIONS", "RESOURCES", "declared_resource", "with_notifications"]

TABLE: Final = "AWS::DynamoDB::Table"
GLOBAL_TABLE: Final = "AWS::DynamoDB::GlobalTable"
SIMPLE_TABLE: Final = "AWS::Serverless::SimpleTable"
BUCKET: Final = "AWS::S3::Bucket"
NOTIFICATIONS: Final = "Custom::S3BucketNotifications"
INDEXES: Final = ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
# The properties that are read of each type.  Keys, policies, alarms and tags make no difference here.
RESOURCES: Final[dict[str, tuple[str, ...]]] = {
    "AWS::SQS::Queue": (
        "ContentBasedDeduplication",
        "DeduplicationScope",
        "DelaySeconds",
        "FifoQueue",
        "FifoThroughputLimit",
        "MaximumMessageSize",
        "MessageRetentionPeriod",
        "QueueName",
        "ReceiveMessageWaitTimeSeconds",
        "RedriveAllowPolicy",
        "RedrivePolicy",
        "VisibilityTimeout",
    ),
    TABLE: (
        "AttributeDefinitions",
        "BillingMode",
        "GlobalSecondaryIndexes",
        "KeySchema",
        "LocalSecondaryIndexes",
        "ProvisionedThroughput",
        "StreamSpecification",
        "TableName",
        "TimeToLiveSpecification",
    ),
    GLOBAL_TABLE: (
        "AttributeDefinitions",
        "BillingMode",
        "GlobalSecondaryIndexes",
        "KeySchema",
        "LocalSecondaryIndexes",
        "StreamSpecification",
        "TableName",
        "TimeToLiveSpecification",
    ),
    SIMPLE_TABLE: ("PrimaryKey", "ProvisionedThroughput", "TableName"),
    "AWS::Kinesis::Stream": ("Name", "RetentionPeriodHours", "ShardCount", "StreamModeDetails"),
    "AWS::SNS::Topic": (
        "ContentBasedDeduplication",
        "DisplayName",
        "FifoTopic",
        "Subscription",
        "TopicName",
    ),
    "AWS::SNS::Subscription": (
        "Endpoint",
        "FilterPolicy",
        "FilterPolicyScope",
        "Protocol",
        "RawMessageDelivery",
        "RedrivePolicy",
        "TopicArn",
    ),
    BUCKET: (
        "BucketName",
        "CorsConfiguration",
        "NotificationConfiguration",
        "VersioningConfiguration",
    ),
    "AWS::SecretsManager::Secret": ("Description", "GenerateSecretString", "Name", "SecretString"),
    "AWS::SSM::Parameter": ("Description", "Name", "Type", "Value"),
    "AWS::Events::EventBus": ("Description", "Name"),
}
INTEGERS: Final = frozenset(
    {
        "DelaySeconds",
        "MaximumMessageSize",
        "MessageRetentionPeriod",
        "PasswordLength",
        "ReadCapacityUnits",
        "ReceiveMessageWaitTimeSeconds",
        "RetentionPeriodHours",
        "ShardCount",
        "VisibilityTimeout",
        "WriteCapacityUnits",
        "maxReceiveCount",
    }
)
BOOLEANS: Final = frozenset(
    {
        "ContentBasedDeduplication",
        "Enabled",
        "EventBridgeEnabled",
        "ExcludeLowercase",
        "ExcludeNumbers",
        "ExcludePunctuation",
        "ExcludeUppercase",
        "FifoQueue",
        "FifoTopic",
        "IncludeSpace",
        "RawMessageDelivery",
        "RequireEachIncludedType",
    }
)
# The kinds of notifications in S3's API: what they are called in a template, and their targets in both.
NOTIFIED: Final = {
    "LambdaFunctionConfigurations": ("LambdaConfigurations", "LambdaFunctionArn", "Function"),
    "QueueConfigurations": ("QueueConfigurations", "QueueArn", "Queue"),
    "TopicConfigurations": ("TopicConfigurations", "TopicArn", "Topic"),
}
ATTRIBUTE_TYPES: Final = {"String": "S", "Number": "N", "Binary": "B"}


def declared_resource(resource: TemplateResource) -> DeclaredResource:
    """A resource of one of the types of ``RESOURCES``; other kinds of tables are told as a Table."""
    given = resource.all(RESOURCES[resource.kind])
    found = typed(given, INTEGERS, BOOLEANS, resource.tell)
    properties = found if isinstance(found, dict) else {}
    kind = resource.kind
    if kind == SIMPLE_TABLE:
        kind, properties = TABLE, _of_simple_table(properties)
    elif kind == GLOBAL_TABLE:
        kind, properties = TABLE, _of_global_table(properties)
    elif kind == "AWS::SSM::Parameter" and resource.text("Type") == "SecureString":
        resource.tell("CloudFormation makes no parameters of the type SecureString", "Type")
    return DeclaredResource(
        logical=resource.logical,
        type=kind,
        name=resource.name(),
        properties=properties,
        location=resource.location,
        findings=resource.findings,
    )


def with_notifications(bucket: DeclaredResource, resource: TemplateResource) -> DeclaredResource:
    """A bucket with the notifications that the CDK sets by a resource of its own, in the form of S3's API."""
    given = resource.table("NotificationConfiguration")
    found: dict[str, Json] = {}
    for name, (made, arn, called) in NOTIFIED.items():
        rows = given.get(name)
        events = [
            (one, row) for row in _listed(rows) if isinstance(row, dict) for one in _listed(row.get("Events"))
        ]
        if events:
            found[made] = [{"Event": event, called: row.get(arn), **_filter_of(row)} for event, row in events]
    if "EventBridgeConfiguration" in given:
        found["EventBridgeConfiguration"] = {"EventBridgeEnabled": True}
    return bucket._replace(
        properties={**bucket.properties, "NotificationConfiguration": found},
        findings=(*bucket.findings, *resource.findings),
    )


def _filter_of(row: dict[str, Json]) -> dict[str, Json]:
    key = _table(_table(row.get("Filter")).get("Key"))
    rules = [_table(one) for one in _listed(key.get("FilterRules"))]
    if not rules:
        return {}
    return {
        "Filter": {"S3Key": {"Rules": [{"Name": one.get("Name"), "Value": one.get("Value")} for one in rules]}}
    }


def _listed(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _of_simple_table(properties: dict[str, Json]) -> dict[str, Json]:
    """The table that SAM makes: its key is called id, and is a text, unless something else is said."""
    key = properties.pop("PrimaryKey", None)
    key = key if isinstance(key, dict) else {}
    name, kind = key.get("Name", "id"), ATTRIBUTE_TYPES.get(str(key.get("Type", "String")), "S")
    billing = {} if "ProvisionedThroughput" in properties else {"BillingMode": "PAY_PER_REQUEST"}
    return {
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind}],
        "KeySchema": [{"AttributeName": name, "KeyType": "HASH"}],
        **billing,
        **properties,
    }


def _of_global_table(properties: dict[str, Json]) -> dict[str, Json]:
    """The table that a global one has in this region, without its throughput, which is written per region."""
    for field in INDEXES:
        rows = properties.get(field)
        if isinstance(rows, list):
            kept = ("IndexName", "KeySchema", "Projection")
            properties[field] = [{name: one for name, one in _table(row).items() if name in kept} for row in rows]
    return {**properties, "BillingMode": "PAY_PER_REQUEST"}


def _table(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}
