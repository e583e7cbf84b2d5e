"""Event source mappings of a template: which function is given the records of which queue or stream.

"AWS::Lambda::EventSourceMapping" in the CloudFormation Template Reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asl_engine.arn import function_reference, parse_arn
from asl_engine.templates.declarations import DeclaredMapping
from asl_engine.templates.settings import typed

if TYPE_CHECKING:
    from asl_engine.templates.properties import TemplateResource

__all__ = ["BOOLEANS", "INTEGERS", "MAPPING", "MEMBERS", "declared_mapping"]

MAPPING: Final = "AWS::Lambda::EventSourceMapping"
# The members of CreateEventSourceMapping that mean something for a queue or a stream, beside the two ARNs.
MEMBERS: Final = (
    "BatchSize",
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "Enabled",
    "FilterCriteria",
    "FunctionResponseTypes",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "ScalingConfig",
    "StartingPosition",
    "StartingPositionTimestamp",
    "TumblingWindowInSeconds",
)
INTEGERS: Final = frozenset(
    {
        "BatchSize",
        "MaximumBatchingWindowInSeconds",
        "MaximumConcurrency",
        "MaximumRecordAgeInSeconds",
        "MaximumRetryAttempts",
        "ParallelizationFactor",
        "TumblingWindowInSeconds",
    }
)
BOOLEANS: Final = frozenset({"BisectBatchOnFunctionError", "Enabled"})
# What else functions can be given records of.
OTHERS: Final = {
    "AmazonManagedKafkaEventSourceConfig": "a Kafka topic",
    "DocumentDBEventSourceConfig": "a change stream of DocumentDB",
    "SelfManagedEventSource": "a Kafka topic",
    "Queues": "a queue of Amazon MQ",
    "Topics": "a Kafka topic",
}
POLLED: Final = {"dynamodb", "kinesis", "sqs"}


def declared_mapping(resource: TemplateResource) -> DeclaredMapping | None:
    """The mapping; None for one of a source that nothing here polls, which is told."""
    other = next((what for field, what in OTHERS.items() if field in resource), None)
    source = resource.text("EventSourceArn")
    service = parse_arn(source)
    if other is None and service is not None and service.service not in POLLED:
        other = f"a source of {service.service}"
    if other is not None:
        resource.tell_not_run(
            f"Nothing here polls {other}: only queues of SQS, and streams of DynamoDB and Kinesis"
        )
        return None
    if not source:
        resource.tell("The mapping has no EventSourceArn")
    elif service is None and not resource.findings:
        resource.tell(f"EventSourceArn is not the ARN of a queue or a stream: {source}", "EventSourceArn")
    name = resource.text("FunctionName")
    function = function_reference(name)
    if function is None and not resource.findings:
        resource.tell("FunctionName is not the name of a function", "FunctionName")
    given = resource.all(MEMBERS)
    properties = typed(given, INTEGERS, BOOLEANS, resource.tell)
    return DeclaredMapping(
        logical=resource.logical,
        function=name if function is None else function.name,
        source=source,
        properties=properties if isinstance(properties, dict) else {},
        location=resource.location,
        findings=resource.findings,
    )
