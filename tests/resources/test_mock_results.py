"""Mocked results against the models of services: what is let through, and what is said of the rest."""

from __future__ import annotations

from typing import Any

import pytest

from asl_engine.inspection.question import Refusal
from asl_engine.resources.mocks.results import check_result

AWS_SDK = "arn:aws:states:::aws-sdk:"
OPTIMISED = "arn:aws:states:::"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:m"
EXECUTION = {
    "ExecutionArn": "e",
    "StateMachineArn": MACHINE,
    "StartDate": "2024-01-01T00:00:00Z",
    "Status": "SUCCEEDED",
}
GET_FUNCTION = f"{AWS_SDK}lambda:getFunction"

FAULTS: list[tuple[str, Any, str]] = [
    (f"{OPTIMISED}events:putEvents", {"Entries": "none"}, "Field 'Entries' must be an array"),
    (f"{OPTIMISED}events:putEvents", {"Entries": [1]}, "Field 'Entries' must be an object"),
    (
        f"{OPTIMISED}events:putEvents",
        {"Entries": [{"EventId": "1"}, {"EventId": []}]},
        "Field 'EventId' must be a string",
    ),
    (f"{OPTIMISED}events:putEvents", {"FailedEntryCount": True}, "Field 'FailedEntryCount' must be a number"),
    (
        f"{OPTIMISED}dynamodb:putItem",
        {"ConsumedCapacity": {"CapacityUnits": "1"}},
        "Field 'CapacityUnits' must be a number",
    ),
    (f"{OPTIMISED}dynamodb:getItem", {"Item": {"id": {"S": 1}}}, "Field 'S' must be a string"),
    (f"{OPTIMISED}dynamodb:getItem", {"Item": {"id": {"BOOL": "yes"}}}, "Field 'BOOL' must be a boolean"),
    (f"{OPTIMISED}dynamodb:getItem", {"Item": []}, "Field 'Item' must be an object"),
    (f"{OPTIMISED}lambda:invoke", {"StatusCode": "200"}, "Field 'StatusCode' must be a number"),
    (f"{OPTIMISED}lambda:invoke", {"Payload": {"any": 1}}, "Field 'Payload' must be a string"),
    (
        f"{OPTIMISED}lambda:invoke",
        {"ExecutedVersion": ""},
        "Field 'ExecutedVersion' is smaller than the minimum length",
    ),
    (
        f"{OPTIMISED}states:startExecution",
        {"ExecutionArn": "e", "StartDate": 1},
        "Field 'StartDate' must be a string",
    ),
    (
        f"{OPTIMISED}states:startExecution.sync",
        {**EXECUTION, "Status": "FINE"},
        "Field 'Status' is not an expected value",
    ),
    (f"{OPTIMISED}states:startExecution.sync", {**EXECUTION, "Output": {}}, "Field 'Output' must be a string"),
    (f"{OPTIMISED}glue:startJobRun.sync", {"JobRunState": "FINE"}, "Field 'JobRunState' is not an expected value"),
    (
        f"{OPTIMISED}codebuild:startBuild.sync",
        {"Build": {"BuildStatus": "FINE"}},
        "Field 'BuildStatus' is not an expected value",
    ),
    (f"{AWS_SDK}kms:encrypt", {"CiphertextBlob": ""}, "Field 'CiphertextBlob' is smaller than the minimum length"),
    (GET_FUNCTION, {"Configuration": {"MemorySize": 127}}, "Field 'MemorySize' is less than the minimum value"),
    (GET_FUNCTION, {"Configuration": {"MemorySize": 10_241}}, "Field 'MemorySize' exceeds the maximum value"),
    (GET_FUNCTION, {"Tags": {"a": 1}}, "Field 'Tags' must be a string"),
    (f"{AWS_SDK}s3:getObject", {"StorageClass": "Papyrus"}, "Field 'StorageClass' is not an expected value"),
    (f"{AWS_SDK}s3:getObject", {"ContentLength": "9000"}, "Field 'ContentLength' must be a number"),
    (f"{AWS_SDK}sqs:sendMessage", {"MessageId": 5}, "Field 'MessageId' must be a string"),
    (
        f"{AWS_SDK}sfn:describeExecution",
        {**EXECUTION, "RedriveCount": "1"},
        "Field 'RedriveCount' must be a number",
    ),
    (
        f"{AWS_SDK}rds:describeDBInstances",
        {"DbInstances": [{"DbInstanceIdentifier": 1}]},
        "Field 'DbInstanceIdentifier' must be a string",
    ),
    (f"{AWS_SDK}lambda:invoke", {"Payload": {}}, "Field 'Payload' must be a string"),
]


@pytest.mark.parametrize(("resource", "result", "fault"), FAULTS, ids=[f"{f[0]} {f[2]}" for f in FAULTS])
@pytest.mark.parametrize("mode", ["STRICT", "PRESENT"])
def test_a_result_of_another_shape(resource: str, result: Any, fault: str, mode: Any) -> None:
    with pytest.raises(Refusal) as caught:
        check_result(resource, result, mode)
    assert str(caught.value) == f"Mock result schema validation error: {fault}"
    check_result(resource, result, "NONE")


@pytest.mark.parametrize(
    ("resource", "result", "field"),
    [
        (f"{OPTIMISED}states:startExecution", {"StartDate": "2024-01-01T00:00:00Z"}, "ExecutionArn"),
        (f"{OPTIMISED}states:startExecution", {"ExecutionArn": None, "StartDate": ""}, "ExecutionArn"),
        (f"{OPTIMISED}batch:submitJob", {"JobName": "j"}, "JobId"),
        (f"{AWS_SDK}ecr:putImage", {"Image": {}, "Other": {}}, None),
        (f"{AWS_SDK}sfn:listExecutions", {"Executions": [{**EXECUTION}]}, "Name"),
    ],
)
def test_what_is_required_is_demanded_by_strict_alone(resource: str, result: Any, field: str | None) -> None:
    check_result(resource, result, "PRESENT")
    if field is None:
        check_result(resource, result, "STRICT")
        return
    with pytest.raises(Refusal) as caught:
        check_result(resource, result, "STRICT")
    assert str(caught.value).endswith(f"Field '{field}' is required but was missing")


LET_THROUGH: list[tuple[str, Any]] = [
    (f"{OPTIMISED}events:putEvents", {}),
    (f"{OPTIMISED}lambda:invoke", {"Payload": "{}", "SdkHttpMetadata": {"HttpStatusCode": 200}}),
    (f"{OPTIMISED}lambda:invoke", {"pokemon": "pikachu"}),
    (f"{OPTIMISED}sqs:sendMessage.waitForTaskToken", [1]),
    (f"{OPTIMISED}apigateway:invoke", {"approval": True}),
    (f"{OPTIMISED}http:invoke", "text"),
    (f"{OPTIMISED}bedrock:invokeModel", {"Body": {"completion": ""}, "ContentType": "application/json"}),
    (f"{OPTIMISED}states:startExecution.sync:2", {**EXECUTION, "Output": {"a": 1}}),
    (f"{OPTIMISED}elasticmapreduce:addStep", {"StepId": "s-1"}),
    (f"{AWS_SDK}nobody:knows", 1),
    (f"{AWS_SDK}sqs:knows", 1),
    ("arn:aws:lambda:us-east-1:123456789012:function:f", 1),
    ("arn:aws:states:us-east-1:123456789012:activity:a", None),
    (f"{AWS_SDK}s3:getObject", {"ContentLength": 1, "ETag": "e", "LastModified": None}),
]


@pytest.mark.parametrize(("resource", "result"), LET_THROUGH)
def test_what_is_let_through(resource: str, result: Any) -> None:
    check_result(resource, result, "STRICT")


def test_a_result_that_is_no_object() -> None:
    with pytest.raises(Refusal) as caught:
        check_result(f"{OPTIMISED}lambda:invoke", [], "PRESENT")
    assert str(caught.value) == "Mocked result must be a valid JSON object."
