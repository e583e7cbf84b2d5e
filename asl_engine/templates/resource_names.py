"""What Ref and Fn::GetAtt give of a resource: "Return values" of each type in the CloudFormation User Guide.

A resource that is given no name is called by its logical id, where CloudFormation would make up a longer name.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ARN", "FUNCTIONS", "MACHINES", "RESOURCE_TYPES", "ResourceType"]

NONE: Final[Mapping[str, str]] = MappingProxyType({})


class ResourceType(NamedTuple):
    """``named_by`` is the property with the name, ``ref`` and the ``attributes`` are made of it.

    In their texts stand {name}, {region}, {account}, {partition} and {suffix}, the domain of AWS.
    """

    named_by: str
    ref: str
    attributes: Mapping[str, str] = NONE


ARN: Final = "arn:{{partition}}:{service}:{{region}}:{{account}}:{resource}"


def _arn(service: str, resource: str = "{name}") -> str:
    return ARN.format(service=service, resource=resource)


LAMBDA: Final = _arn("lambda", "function:{name}")
MACHINE: Final = _arn("states", "stateMachine:{name}")
ACTIVITY: Final = _arn("states", "activity:{name}")
TABLE: Final = _arn("dynamodb", "table/{name}")
QUEUE_URL: Final = "https://sqs.{region}.{suffix}/{account}/{name}"
BUCKET: Final = "arn:{partition}:s3:::{name}"

_function = ResourceType("FunctionName", "{name}", {"Arn": LAMBDA})
_table = ResourceType("TableName", "{name}", {"Arn": TABLE, "StreamArn": f"{TABLE}/stream/LATEST"})
_layer = ResourceType(
    "LayerName", _arn("lambda", "layer:{name}:1"), {"LayerVersionArn": _arn("lambda", "layer:{name}:1")}
)

RESOURCE_TYPES: Final[dict[str, ResourceType]] = {
    "AWS::Lambda::Function": _function,
    "AWS::Serverless::Function": _function,
    "AWS::Lambda::LayerVersion": _layer,
    "AWS::Serverless::LayerVersion": _layer,
    "AWS::StepFunctions::StateMachine": ResourceType(
        "StateMachineName", MACHINE, {"Arn": MACHINE, "Name": "{name}"}
    ),
    "AWS::Serverless::StateMachine": ResourceType("Name", MACHINE, {"Arn": MACHINE, "Name": "{name}"}),
    "AWS::StepFunctions::Activity": ResourceType("Name", ACTIVITY, {"Arn": ACTIVITY, "Name": "{name}"}),
    "AWS::DynamoDB::Table": _table,
    "AWS::DynamoDB::GlobalTable": _table,
    "AWS::Serverless::SimpleTable": ResourceType("TableName", "{name}", {"Arn": TABLE}),
    "AWS::SQS::Queue": ResourceType(
        "QueueName", QUEUE_URL, {"Arn": _arn("sqs"), "QueueName": "{name}", "QueueUrl": QUEUE_URL}
    ),
    "AWS::SNS::Topic": ResourceType("TopicName", _arn("sns"), {"TopicArn": _arn("sns"), "TopicName": "{name}"}),
    "AWS::Events::EventBus": ResourceType(
        "Name", "{name}", {"Arn": _arn("events", "event-bus/{name}"), "Name": "{name}"}
    ),
    "AWS::Events::Rule": ResourceType("Name", "{name}", {"Arn": _arn("events", "rule/{name}")}),
    "AWS::Events::Connection": ResourceType(
        "Name",
        "{name}",
        {"Arn": _arn("events", "connection/{name}/local"), "ArnForPolicy": _arn("events", "connection/{name}")},
    ),
    "AWS::Events::ApiDestination": ResourceType(
        "Name", "{name}", {"Arn": _arn("events", "api-destination/{name}/local")}
    ),
    "AWS::ApiGateway::RestApi": ResourceType(
        "", "{name}", {"RestApiId": "{name}", "RootResourceId": "{name}/root"}
    ),
    "AWS::ApiGatewayV2::Api": ResourceType(
        "", "{name}", {"ApiEndpoint": "https://{name}.execute-api.{region}.{suffix}", "ApiId": "{name}"}
    ),
    "AWS::ApiGateway::Resource": ResourceType("", "{name}", {"ResourceId": "{name}"}),
    "AWS::ApiGateway::Deployment": ResourceType("", "{name}", {"DeploymentId": "{name}"}),
    "AWS::ApiGatewayV2::Integration": ResourceType("", "{name}", {"IntegrationId": "{name}"}),
    "AWS::S3::Bucket": ResourceType(
        "BucketName",
        "{name}",
        {"Arn": BUCKET, "DomainName": "{name}.s3.{suffix}", "RegionalDomainName": "{name}.s3.{region}.{suffix}"},
    ),
    "AWS::IAM::Role": ResourceType("RoleName", "{name}", {"Arn": "arn:{partition}:iam::{account}:role/{name}"}),
    "AWS::Logs::LogGroup": ResourceType("LogGroupName", "{name}", {"Arn": _arn("logs", "log-group:{name}:*")}),
    "AWS::SecretsManager::Secret": ResourceType(
        "Name", _arn("secretsmanager", "secret:{name}"), {"Id": _arn("secretsmanager", "secret:{name}")}
    ),
    "AWS::SSM::Parameter": ResourceType("Name", "{name}"),
    "AWS::KMS::Key": ResourceType("", "{name}", {"Arn": _arn("kms", "key/{name}"), "KeyId": "{name}"}),
    "AWS::KMS::Alias": ResourceType("AliasName", "{name}"),
    "AWS::Kinesis::Stream": ResourceType("Name", "{name}", {"Arn": _arn("kinesis", "stream/{name}")}),
    "AWS::KinesisFirehose::DeliveryStream": ResourceType(
        "DeliveryStreamName", "{name}", {"Arn": _arn("firehose", "deliverystream/{name}")}
    ),
    "AWS::ECS::Cluster": ResourceType("ClusterName", "{name}", {"Arn": _arn("ecs", "cluster/{name}")}),
    "AWS::ECS::TaskDefinition": ResourceType(
        "Family",
        _arn("ecs", "task-definition/{name}:1"),
        {"TaskDefinitionArn": _arn("ecs", "task-definition/{name}:1")},
    ),
    "AWS::Batch::JobQueue": ResourceType(
        "JobQueueName", _arn("batch", "job-queue/{name}"), {"JobQueueArn": _arn("batch", "job-queue/{name}")}
    ),
    "AWS::Batch::JobDefinition": ResourceType(
        "JobDefinitionName",
        _arn("batch", "job-definition/{name}:1"),
        {"JobDefinitionArn": _arn("batch", "job-definition/{name}:1")},
    ),
    "AWS::Glue::Job": ResourceType("Name", "{name}"),
    "AWS::CodeBuild::Project": ResourceType("Name", "{name}", {"Arn": _arn("codebuild", "project/{name}")}),
    "AWS::SageMaker::Model": ResourceType("ModelName", "{name}"),
}
FUNCTIONS: Final = ("AWS::Lambda::Function", "AWS::Serverless::Function")
MACHINES: Final = ("AWS::StepFunctions::StateMachine", "AWS::Serverless::StateMachine")
