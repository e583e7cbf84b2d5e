"""Parameters that no service would take are found when the machine is created."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.resources.recognition import task_resources, unrecognised

if TYPE_CHECKING:
    from asl_engine.findings import Finding

PARAMETERS = "/States/A/Parameters"
SEND = "sqs:sendMessage"
PUT = "dynamodb:putItem"


def found(resource: str, given: Any, field: str = "Parameters") -> list[tuple[str, str | None]]:
    state = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", field: given, "End": True}
    findings: list[Finding] = list(unrecognised({"StartAt": "A", "States": {"A": state}}))
    assert {finding.code for finding in findings} <= {"SCHEMA_VALIDATION_FAILED"}
    return [(finding.message, finding.location) for finding in findings]


def unsupported(name: str) -> str:
    return f"The field '{name}' is not supported by Step Functions"


def missing(name: str) -> str:
    return f"The field '{name}' is required but was missing"


GOOD: dict[str, tuple[str, Any]] = {
    "paths": (SEND, {"QueueUrl.$": "$.url", "MessageBody.$": "$.body"}),
    "a callback": (SEND + ".waitForTaskToken", {"QueueUrl": "q", "MessageBody": {"token.$": "$$.Task.Token"}}),
    "JSON as text": ("sns:publish", {"TopicArn": "t", "Message": {"any": {"Thing": 1}}}),
    "a map has any keys": (PUT, {"TableName": "t", "Item": {"id": {"S.$": "$.id"}, "ok": {"BOOL": True}}}),
    "both spellings": ("aws-sdk:" + PUT, {"TableName": "t", "Item": {"ok": {"Bool": True}, "no": {"NULL": True}}}),
    "the SDK's spelling": ("aws-sdk:rds:describeDBInstances", {"DbInstanceIdentifier": "x"}),
    "idempotency tokens": ("athena:startQueryExecution", {"QueryString": "select 1"}),
    "a whole that is not known yet": (SEND, "{% $states.input %}"),
    "fields of its own": ("elasticmapreduce:cancelStep", {"ClusterId": "c", "StepId": "s"}),
    "events": ("events:putEvents", {"Entries": [{"Detail": {"a": 1}, "DetailType": "d", "Source": "s"}]}),
    "nothing given": ("aws-sdk:s3:listBuckets", {}),
}


@pytest.mark.parametrize("name", GOOD)
def test_parameters_that_fit(name: str) -> None:
    resource, given = GOOD[name]
    assert found(resource, given) == []


BAD: dict[str, tuple[str, Any, list[tuple[str, str]]]] = {
    "all that is wrong": (
        SEND,
        {"MessageBody": "x", "Delay.$": "$.delay"},
        [(unsupported("Delay"), PARAMETERS), (missing("QueueUrl"), PARAMETERS)],
    ),
    "nothing": ("sqs:sendMessage", {}, [(missing("QueueUrl"), PARAMETERS), (missing("MessageBody"), PARAMETERS)]),
    "within": (
        "ecs:runTask",
        {"TaskDefinition": "t", "Overrides": {"Memmory": "1", "ContainerOverrides": [{"Nam": "a"}]}},
        [
            (unsupported("Memmory"), f"{PARAMETERS}/Overrides"),
            (unsupported("Nam"), f"{PARAMETERS}/Overrides/ContainerOverrides[0]"),
        ],
    ),
    "in a map": (
        PUT,
        {"TableName": "t", "Item": {"id": {"X": "1"}}},
        [(unsupported("X"), f"{PARAMETERS}/Item/id")],
    ),
    "the API's own spelling": (
        "aws-sdk:sfn:listExecutions",
        {"stateMachineArn": "a"},
        [(unsupported("stateMachineArn"), PARAMETERS)],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_parameters_that_do_not_fit(name: str) -> None:
    resource, given, expected = BAD[name]
    assert found(resource, given) == expected


def test_arguments_of_jsonata() -> None:
    assert found(SEND, {"MessageBody": "{% $states.input %}"}, "Arguments") == [
        (missing("QueueUrl"), "/States/A/Arguments")
    ]


def test_tasks_at_any_depth() -> None:
    inner = {"Type": "Task", "Resource": f"arn:aws:states:::{SEND}", "Parameters": {"QueueUrl": "q"}, "End": True}
    states = {"P": {"Type": "Parallel", "Branches": [{"StartAt": "I", "States": {"I": inner}}], "End": True}}
    place = "/States/P/Branches[0]/States/I"
    definition: Any = {"StartAt": "P", "States": states}
    assert [finding.location for finding in unrecognised(definition)] == [f"{place}/Parameters"]
    assert list(task_resources(definition)) == [(inner["Resource"], f"{place}/Resource")]


@pytest.mark.parametrize("field", ["Result", "Parameters", "Output", "Assign"])
def test_a_payload_that_looks_like_a_task_is_none(field: str) -> None:
    payload = {"States": {"T": {"Type": "Task", "Resource": "arn:aws:states:::foo:bar"}}, "Type": "Map"}
    state = {"Type": "Pass", field: {**payload, "ItemProcessor": payload}, "End": True}
    definition: Any = {"StartAt": "A", "States": {"A": state}}
    assert list(unrecognised(definition)) == []
    assert list(task_resources(definition)) == []
