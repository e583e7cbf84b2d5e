"""How Step Functions calls services, actions, fields and errors, and which integrations it knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.json_values import MISSING
from asl_engine.resources.aws.names import (
    client_name,
    exception_name,
    field_name,
    member_name,
    operation_name,
    service_model,
    services,
)
from asl_engine.resources.aws.optimised import OPTIMISED
from asl_engine.resources.aws.places import ask, find, rename, renamed
from asl_engine.resources.aws.shapes import OPTIMISED as SPELLING
from asl_engine.resources.aws.shapes import SDK
from asl_engine.resources.integrations import NATIVE, Integration, integration, not_recognised, recognised

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.json_values import Json


@pytest.mark.parametrize(
    ("identifier", "name"),
    [
        ("DynamoDB", "DynamoDb"),
        ("S3", "S3"),
        ("SFN", "Sfn"),
        ("SESv2", "SesV2"),
        ("ApiGatewayV2", "ApiGatewayV2"),
        ("WAFV2", "Wafv2"),
        ("Elastic Load Balancing v2", "ElasticLoadBalancingV2"),
        ("RDS Data", "RdsData"),
        ("EC2", "Ec2"),
        ("IoT", "Iot"),
        ("Secrets Manager", "SecretsManager"),
        ("Cognito Identity Provider", "CognitoIdentityProvider"),
        ("Database Migration Service", "DatabaseMigration"),
        ("Lex Model Building Service", "LexModelBuilding"),
        ("CloudWatch Logs", "CloudWatchLogs"),
    ],
)
def test_the_name_of_a_service_in_its_errors(identifier: str, name: str) -> None:
    assert client_name(identifier) == name


@pytest.mark.parametrize(
    ("shape", "name"),
    [
        ("NoSuchKey", "NoSuchKeyException"),
        ("ResourceNotFoundException", "ResourceNotFoundException"),
        ("DBInstanceNotFoundFault", "DbInstanceNotFoundException"),
        ("StateMachineDoesNotExist", "StateMachineDoesNotExistException"),
        ("KMSDisabledException", "KmsDisabledException"),
    ],
)
def test_the_name_of_an_error(shape: str, name: str) -> None:
    assert exception_name(shape) == name


@pytest.mark.parametrize(
    ("member", "sdk", "optimised"),
    [
        ("jobName", "JobName", "JobName"),
        ("TableName", "TableName", "TableName"),
        ("DBInstanceIdentifier", "DbInstanceIdentifier", "DBInstanceIdentifier"),
        ("ETag", "ETag", "ETag"),
        ("SSEKMSKeyId", "SsekmsKeyId", "SSEKMSKeyId"),
        ("MD5OfMessageBody", "Md5OfMessageBody", "MD5OfMessageBody"),
        ("ACL", "Acl", "ACL"),
        ("BOOL", "Bool", "BOOL"),
        ("S", "S", "S"),
    ],
)
def test_the_name_of_a_field(member: str, sdk: str, optimised: str) -> None:
    assert field_name(member) == sdk
    assert member_name(member) == optimised


@pytest.mark.parametrize(
    ("structure", "member", "field"),
    [
        ("AdvancedFieldSelector", "Equals", "EqualsValue"),
        ("RetrievalFilter", "equals", "EqualsValue"),
        ("Route", "Return", "ReturnValue"),
        ("PackageRequest", "package", "PackageValue"),
        ("CreateDataAutomationProjectRequest", "overrideConfiguration", "OverrideConfigurationValue"),
        ("Snowball", "NotifyAll", "NotifyAllValue"),
        ("Filter", "notEquals", "NotEquals"),
        ("Filter", "DefaultValue", "DefaultValue"),
        ("AttributeValue", "NULL", "Nul"),
        ("Image", "Public", "PublicLaunchPermissions"),
        ("Elsewhere", "Public", "PublicValue"),
        ("AddPermissionInput", "AWSAccountId", "AwsAccountIds"),
    ],
)
def test_the_name_of_a_field_that_java_cannot_call_so(structure: str, member: str, field: str) -> None:
    assert field_name(member, structure) == field


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("sfn", "stepfunctions"),
        ("dynamodb", "dynamodb"),
        ("cloudwatchlogs", "logs"),
        ("eventbridge", "events"),
        ("elasticloadbalancingv2", "elbv2"),
        ("cognitoidentityprovider", "cognito-idp"),
        ("databasemigration", "dms"),
        ("rdsdata", "rds-data"),
    ],
)
def test_the_name_of_a_service_in_a_resource(name: str, service: str) -> None:
    assert services()[name] == service


def test_an_action_is_written_in_camel_case() -> None:
    assert operation_name("rds", "describeDBInstances") == "DescribeDBInstances"
    assert operation_name("s3", "listObjectsV2") == "ListObjectsV2"
    assert operation_name("s3", "ListObjectsV2") is None
    assert operation_name("s3", "getobject") is None
    assert operation_name("s3", "") is None


@pytest.mark.parametrize(
    "name",
    [
        "aws-sdk:s3:getObject",
        "aws-sdk:sfn:startExecution.waitForTaskToken",
        "dynamodb:getItem",
        "sqs:sendMessage.waitForTaskToken",
        "states:startExecution.sync:2",
        "ecs:runTask.sync",
        "ecs:runTask.waitForTaskToken",
        "lambda:invoke.waitForTaskToken",
        "http:invoke",
        *(f"{name}{pattern}" for name, entry in OPTIMISED.items() for pattern in entry.patterns),
        *(f"{name}{pattern}" for name, patterns in NATIVE.items() for pattern in patterns),
    ],
)
def test_what_is_recognised(name: str) -> None:
    assert recognised(f"arn:aws:states:::{name}")
    assert recognised(f"arn:aws-cn:states:::{name}")
    assert recognised(f"arn:aws:states:us-east-1:123456789012:{name}")


@pytest.mark.parametrize(
    "resource",
    [
        "arn:aws:states:::aws-sdk:stepfunctions:startExecution",
        "arn:aws:states:::aws-sdk:s3:GetObject",
        "arn:aws:states:::aws-sdk:s3:getObject.sync",
        "arn:aws:states:::aws-sdk:nothing:getObject",
        "arn:aws:states:::aws-sdk:kinesis:subscribeToShard",
        "arn:aws:states:::aws-sdk:s3",
        "arn:aws:states:::sqs:sendMessage.sync",
        "arn:aws:states:::sqs:receiveMessage",
        "arn:aws:states:::dynamodb:getItem.waitForTaskToken",
        "arn:aws:states:::lambda:invoke.sync",
        "arn:aws:states:::states:startExecution.sync:3",
        "arn:aws:states:us-east-1:123456789012:stateMachine:startExecution",
        "arn:mars:states:::sqs:sendMessage",
        "arn:aws:states:::",
    ],
)
def test_what_is_not_recognised(resource: str) -> None:
    assert not recognised(resource)
    assert not_recognised(resource).startswith(f"The resource provided {resource} is not recognized.")


def test_the_parts_of_a_resource() -> None:
    assert integration("arn:aws:states:::states:startExecution.sync:2") == Integration(
        "states", "startExecution", ".sync:2"
    )
    assert integration("arn:aws:states:::aws-sdk:s3:getObject") == Integration("s3", "getObject", "", sdk=True)
    at_home = "arn:aws:states:us-east-1:123456789012"
    assert integration(f"{at_home}:sqs:sendMessage") == Integration("sqs", "sendMessage")
    assert integration(f"{at_home}:stateMachine:pay") is None
    assert integration("arn:aws:lambda:us-east-1:123456789012:function:pay") is None
    assert integration("arn:aws:states:us-east-1:123456789012:activity:pay") is None


def at(shape: Any, place: str, name: Callable[[str, str], str]) -> Any:
    """The shape at a place of the task's JSON.  Raises ``KeyError`` where there is none."""
    for step in filter(None, place.split(".")):
        members = {} if step.isdecimal() else {name(n, shape.name): inner for n, inner in shape.members.items()}
        shape = members[step] if members else shape.member
    return shape


@pytest.mark.parametrize("name", [name for name, entry in OPTIMISED.items() if entry.job])
def test_the_table_of_jobs_agrees_with_the_services(name: str) -> None:
    entry = OPTIMISED[name]
    job, model = entry.job, service_model(entry.service)
    assert job is not None
    spelled = (SPELLING if entry.family.legacy else SDK).name
    started, described = model.operation_model(entry.operation), model.operation_model(job.describe)
    status = at(described.output_shape, job.status, spelled)
    known = set(status.metadata.get("enum", ()))
    ends = {state for state in job.succeeded | job.failed if not state.endswith("Exception")}
    assert not known or ends <= known
    assert at(described.output_shape, job.result.rpartition("=")[2], spelled)
    for operation, request in ((job.describe, job.ask), (job.cancel, job.cancel_ask or {})):
        if operation is None:
            continue
        taken = model.operation_model(operation).input_shape
        names = {spelled(member, taken.name): member for member in taken.members}
        assert set(request) <= set(names)
        assert {spelled(member, taken.name) for member in taken.required_members} <= set(request)
        for place in (place.strip("[]") for place in request.values()):
            if place.startswith(".") and not entry.renamed:
                at(started.input_shape, place[1:], spelled)
            elif not place.startswith((".", "=")) and not entry.shown:
                at(started.output_shape, place, spelled)


@pytest.mark.parametrize("name", OPTIMISED)
def test_the_table_names_operations_that_there_are(name: str) -> None:
    entry = OPTIMISED[name]
    shape = service_model(entry.service).operation_model(entry.operation)
    assert set(entry.renamed) <= set(shape.input_shape.members)
    assert (".sync" in entry.patterns) == (entry.job is not None)


def test_places() -> None:
    value: Json = {"Jobs": [{"Id": "a"}], "Name": "n"}
    assert find(value, "Jobs.0.Id") == "a"
    assert find(value, "") == value
    assert find(value, "Jobs.1.Id") is MISSING
    assert find(value, "Name.x") is MISSING
    assert ask({"Ids": "[Jobs.0.Id]", "Why": "=so", "Of": ".N", "No": "nothing"}, value, {"N": 1}) == {
        "Ids": ["a"],
        "Why": "so",
        "Of": 1,
    }
    assert renamed({"ClusterId": "c", "Step": {}}, {"JobFlowId": "ClusterId", "Steps": "[Step]"}) == {
        "JobFlowId": "c",
        "Steps": [{}],
    }
    assert rename({"JobFlowId": "j", "More": 1}, {"ClusterId": "JobFlowId"}) == {"ClusterId": "j"}
    assert rename({"More": 1}, {}) == {"More": 1}
