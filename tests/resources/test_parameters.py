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
S3_PUT = "aws-sdk:s3:putObject"
FLEET = "elasticmapreduce:modifyInstanceFleetByName"
HTTP: Any = {"ApiEndpoint": "https://a", "Method": "GET"}
ALARM: Any = {"AlarmName": "a", "EvaluationPeriods": 1, "ComparisonOperator": "LessThanThreshold"}
CLUSTER: Any = {"Name": "c", "Instances": {"KeepJobFlowAliveWhenNoSteps": True}}


def found(resource: str, given: Any, field: str = "Parameters") -> list[tuple[str, str | None]]:
    state = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", field: given, "End": True}
    language = "JSONata" if field == "Arguments" else "JSONPath"
    definition: Any = {"QueryLanguage": language, "StartAt": "A", "States": {"A": state}}
    findings: list[Finding] = list(unrecognised(definition))
    assert {finding.code for finding in findings} <= {"SCHEMA_VALIDATION_FAILED"}
    return [(finding.message, finding.location) for finding in findings]


def unsupported(name: str) -> str:
    return f"The field '{name}' is not supported by Step Functions"


def missing(name: str) -> str:
    return f"The field '{name}' is required but was missing"


def kind(name: str, of: str) -> str:
    return f"The value for the field '{name}' must be {of}"


def form(name: str) -> str:
    return f"The value of the field '{name}' has an invalid format"


GOOD: dict[str, tuple[str, Any]] = {
    "paths": (SEND, {"QueueUrl.$": "$.url", "MessageBody.$": "$.body"}),
    "a callback": (SEND + ".waitForTaskToken", {"QueueUrl": "q", "MessageBody": {"token.$": "$$.Task.Token"}}),
    "JSON as text": ("sns:publish", {"TopicArn": "t", "Message": {"any": {"Thing": 1}}}),
    "a map has any keys": (PUT, {"TableName": "t", "Item": {"id": {"S.$": "$.id"}, "ok": {"BOOL": True}}}),
    "both spellings": ("aws-sdk:" + PUT, {"TableName": "t", "Item": {"ok": {"Bool": True}, "no": {"NULL": True}}}),
    "the SDK's spelling": ("aws-sdk:rds:describeDBInstances", {"DbInstanceIdentifier": "x"}),
    "idempotency tokens": ("athena:startQueryExecution", {"QueryString": "select 1"}),
    "fields of its own": ("elasticmapreduce:cancelStep", {"ClusterId": "c", "StepId": "s"}),
    "events": ("events:putEvents", {"Entries": [{"Detail": {"a": 1}, "DetailType": "d", "Source": "s"}]}),
    "nothing given": ("aws-sdk:s3:listBuckets", {}),
    "an object for a text": ("aws-sdk:sqs:sendMessage", {"QueueUrl": "q", "MessageBody": {"a": 1}}),
    "texts and integers for a boolean": (
        "aws-sdk:s3:listObjectsV2",
        {"Bucket": "b", "FetchOwner": " TRUE ", "OptionalObjectAttributes": []},
    ),
    "an integer for a boolean": ("aws-sdk:s3:listObjectsV2", {"Bucket": "b", "FetchOwner": 0}),
    "a text for a stream": ("aws-sdk:s3:putObject", {"Bucket": "b", "Key": "k", "Body": "x"}),
    "JSON for a stream": ("aws-sdk:s3:putObject", {"Bucket": "b", "Key": "k", "Body.$": "$"}),
    "a fraction": ("aws-sdk:cloudwatch:putMetricAlarm", ALARM | {"Threshold": 1.5}),
    "a document": ("aws-sdk:bedrockruntime:converse", {"ModelId": "m", "AdditionalModelRequestFields": 7}),
    "a name that Java cannot have": (
        "aws-sdk:cloudtrail:putEventSelectors",
        {
            "TrailName": "t",
            "AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "f", "EqualsValue": ["Data"]}]}],
        },
    ),
    "texts for attribute values": (PUT, {"TableName": "t", "Item": {"id.$": "$.id", "tags": {"L": ["red"]}}}),
    "a time": (
        "aws-sdk:cloudwatchlogs:getLogEvents",
        {"LogStreamName": "s", "StartTime": 1700000000000},
    ),
    "null is as good as absent": (SEND, {"QueueUrl": "q", "MessageBody": "m", "DelaySeconds": None}),
    "one task and who has started it": ("ecs:runTask", {"TaskDefinition": "t", "Count": 2, "StartedBy": "me"}),
    "the same with a token": ("ecs:runTask.waitForTaskToken", {"TaskDefinition": "t", "Count": 2}),
    "the same of the SDK": ("aws-sdk:ecs:runTask", {"TaskDefinition": "t", "StartedBy": "me"}),
    "a fleet by its name": (FLEET, {"ClusterId": "c", "InstanceFleetName": "f", "InstanceFleet": {}}),
    "a group by its name": (
        "elasticmapreduce:modifyInstanceGroupByName",
        {"ClusterId.$": "$.c", "InstanceGroupName": "g", "InstanceGroup": {"InstanceCount": 8}},
    ),
    "tokens of optimised integrations": ("emr-serverless:startApplication", {"ApplicationId": "a"}),
    "the token of a creation": ("emr-serverless:createApplication", {"ReleaseLabel": "r", "Type": "SPARK"}),
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
            (unsupported("Memmory"), PARAMETERS),
            (unsupported("Nam"), PARAMETERS),
        ],
    ),
    "in a map": (
        PUT,
        {"TableName": "t", "Item": {"id": {"X": "1"}}},
        [(unsupported("X"), PARAMETERS)],
    ),
    "the API's own spelling": (
        "aws-sdk:sfn:listExecutions",
        {"stateMachineArn": "a"},
        [(unsupported("stateMachineArn"), PARAMETERS)],
    ),
    "a number for a text": (
        S3_PUT,
        {"Bucket": 123, "Key": "k", "Body": "x"},
        [(kind("Bucket", "a STRING"), PARAMETERS)],
    ),
    "no stream": (S3_PUT, {"Bucket": "b", "Key": "k"}, [(missing("Body"), PARAMETERS)]),
    "a number for a stream": (
        S3_PUT,
        {"Bucket": "b", "Key": "k", "Body": 1},
        [(kind("Body", "a STRING"), PARAMETERS)],
    ),
    "a text for an integer": (
        SEND,
        {"QueueUrl": "q", "MessageBody": "m", "DelaySeconds": "2"},
        [(kind("DelaySeconds", "an INTEGER"), PARAMETERS)],
    ),
    "a fraction for an integer": (
        SEND,
        {"QueueUrl": "q", "MessageBody": "m", "DelaySeconds": 2.0},
        [(kind("DelaySeconds", "an INTEGER"), PARAMETERS)],
    ),
    "a text for a structure": (
        SEND,
        {"QueueUrl": "q", "MessageBody": "m", "MessageAttributes": {"k": "text"}},
        [(kind("k", "an OBJECT"), PARAMETERS)],
    ),
    "a number for a message": (
        SEND,
        {"QueueUrl": "q", "MessageBody": 7},
        [(kind("MessageBody", "a STRING"), PARAMETERS)],
    ),
    "a path without its suffix": (
        PUT,
        {"TableName": "t", "Item": {"ok": {"BOOL": "$.x"}}},
        [(kind("BOOL", "a BOOLEAN"), PARAMETERS)],
    ),
    "a number of DynamoDB": (
        PUT,
        {"TableName": "t", "Item": {"n": {"N": 5}}},
        [(kind("N", "a STRING"), PARAMETERS)],
    ),
    "a number within a list of DynamoDB": (
        PUT,
        {"TableName": "t", "Item": {"tags": {"L": ["red", 7]}}},
        [(kind("L", "an OBJECT"), PARAMETERS)],
    ),
    "the API's word for what Java cannot call so": (
        "aws-sdk:cloudtrail:putEventSelectors",
        {"TrailName": "t", "AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "f", "equals": []}]}]},
        [(unsupported("equals"), PARAMETERS)],
    ),
    "a time that is none": (
        "aws-sdk:cloudwatch:getMetricStatistics",
        {"Namespace": "n", "MetricName": "m", "StartTime": "soon", "EndTime.$": "$.end", "Period": 60},
        [(form("StartTime"), PARAMETERS)],
    ),
    "a truth that is none": (
        "aws-sdk:s3:listObjectsV2",
        {"Bucket": "b", "FetchOwner": "TrUe"},
        [(kind("FetchOwner", "a BOOLEAN"), PARAMETERS)],
    ),
    "a null for what is required": (
        SEND,
        {"QueueUrl": None, "MessageBody": "m"},
        [(missing("QueueUrl"), PARAMETERS)],
    ),
    "no object": (SEND, "x", [("The Parameters must be an object", PARAMETERS)]),
    "what .sync takes for itself": (
        "ecs:runTask.sync",
        {"TaskDefinition": "t", "Count": 1, "StartedBy.$": "$.me"},
        [(unsupported("Count"), PARAMETERS), (unsupported("StartedBy"), PARAMETERS)],
    ),
    "a token of idempotency": (
        "aws-sdk:emrserverless:createApplication",
        {"ReleaseLabel": "r", "Type": "SPARK"},
        [(missing("ClientToken"), PARAMETERS)],
    ),
    "an id that is marked like a token": (
        "athena:stopQueryExecution",
        {},
        [(missing("QueryExecutionId"), PARAMETERS)],
    ),
    "words of its own": (
        "elasticmapreduce:addStep",
        {"JobFlowId": "c", "Steps": [], "Step": {"Name": "n"}},
        [
            (unsupported("JobFlowId"), PARAMETERS),
            (unsupported("Steps"), PARAMETERS),
            (missing("HadoopJarStep"), PARAMETERS),
            (missing("ClusterId"), PARAMETERS),
        ],
    ),
    "steps of a new cluster": (
        "elasticmapreduce:createCluster",
        {**CLUSTER, "Steps": []},
        [(unsupported("Steps"), PARAMETERS)],
    ),
    "a cluster that would not stay": (
        "elasticmapreduce:createCluster.sync",
        {"Name": "c", "Instances": {"KeepJobFlowAliveWhenNoSteps": False}},
        [(form("KeepJobFlowAliveWhenNoSteps"), PARAMETERS)],
    ),
    "a cluster that does not say": (
        "elasticmapreduce:createCluster",
        {"Name": "c", "Instances": {}},
        [(missing("KeepJobFlowAliveWhenNoSteps"), PARAMETERS)],
    ),
    "a fleet by its id": (
        FLEET,
        {"ClusterId": "c", "InstanceFleet": {"InstanceFleetId": "i"}},
        [(unsupported("InstanceFleetId"), PARAMETERS), (missing("InstanceFleetName"), PARAMETERS)],
    ),
    "a group by nothing": (
        "elasticmapreduce:modifyInstanceGroupByName",
        {},
        [
            (missing("InstanceGroupName"), PARAMETERS),
            (missing("ClusterId"), PARAMETERS),
            (missing("InstanceGroup"), PARAMETERS),
        ],
    ),
    "lambda:invoke": (
        "lambda:invoke",
        {"Payload": 1, "Function": "f"},
        [
            (unsupported("Function"), PARAMETERS),
            (missing("FunctionName"), PARAMETERS),
            (kind("Payload", "a STRING"), PARAMETERS),
        ],
    ),
    "states:startExecution": (
        "states:startExecution.sync:2",
        {"stateMachineArn": "a", "Name": 1},
        [
            (unsupported("stateMachineArn"), PARAMETERS),
            (missing("StateMachineArn"), PARAMETERS),
            (kind("Name", "a STRING"), PARAMETERS),
        ],
    ),
    "http:invoke": (
        "http:invoke",
        {
            "ApiEndpoint": "a",
            "Method": "BREW",
            "Authentication": {"ConnectionArn": "stock"},
            "Transform": {"X": 1},
        },
        [
            (form("Method"), PARAMETERS),
            (form("ApiEndpoint"), PARAMETERS),
            (form("ConnectionArn"), PARAMETERS),
            (unsupported("X"), PARAMETERS),
        ],
    ),
    "http:invoke's headers": (
        "http:invoke",
        {**HTTP, "Headers": {"Host": "a", "X": {}}, "Authentication": {}},
        [
            (missing("ConnectionArn"), PARAMETERS),
            ("The 'Headers' field contains unsupported values: [host]", PARAMETERS),
            (kind("X", "a STRING"), PARAMETERS),
        ],
    ),
    "apigateway:invoke": (
        "apigateway:invoke",
        {"ApiEndpoint": "a/b", "QueryParameters": "?a=b", "Headers": {"X": "1"}},
        [
            (missing("Method"), PARAMETERS),
            (form("ApiEndpoint"), PARAMETERS),
            (form("QueryParameters"), PARAMETERS),
            (kind("X", "an ARRAY"), PARAMETERS),
        ],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_parameters_that_do_not_fit(name: str) -> None:
    resource, given, expected = BAD[name]
    assert found(resource, given) == expected


def test_parameters_that_are_too_deep_to_be_looked_at() -> None:
    """As deep as a definition may be, from within a stack as deep as a server's."""
    value: Any = {"S": "x"}
    for _ in range(240):
        value = {"L": [value]}

    def within(frames: int) -> list[tuple[str, str | None]]:
        return within(frames - 1) if frames else found(PUT, {"TableName": "t", "Item": {"k": value}})

    assert within(200) == [("The Parameters are nested too deeply", PARAMETERS)]


def test_arguments_of_jsonata() -> None:
    arguments = "/States/A/Arguments"
    assert found(SEND, {"MessageBody": "{% $states.input %}"}, "Arguments") == [(missing("QueueUrl"), arguments)]
    assert found(SEND, "{% $states.input %}", "Arguments") == []
    assert found(SEND, "all of it", "Arguments") == [("The Arguments must be an object", arguments)]
    task = {"TaskDefinition": "{% $states.input.t %}", "Count": "{% 1 %}"}
    assert found("ecs:runTask.sync", task, "Arguments") == [(unsupported("Count"), arguments)]
    assert found("ecs:runTask", task, "Arguments") == []
    suffixed = {"QueueUrl.$": "$.url", "MessageBody": "x"}  # the suffix means nothing in JSONata
    assert found(SEND, suffixed, "Arguments") == [
        (unsupported("QueueUrl.$"), arguments),
        (missing("QueueUrl"), arguments),
    ]


@pytest.mark.parametrize("resource", [SEND, "aws-sdk:s3:listBuckets", "lambda:invoke", "http:invoke"])
def test_parameters_have_to_be_given(resource: str) -> None:
    """As measured with ValidateStateMachineDefinition for github.com/badmintoncryer/cdk-preflight."""
    arn = f"arn:aws:states:::{resource}"
    state: Any = {"Type": "Task", "Resource": arn, "End": True}
    for language, field in (("JSONPath", "Parameters"), ("JSONata", "Arguments")):
        definition: Any = {"QueryLanguage": language, "StartAt": "A", "States": {"A": state}}
        (finding,) = unrecognised(definition)
        assert finding.message == f"{field} field is required for resource ARN: {arn}"
        assert finding.location == "/States/A"
    own: Any = {"StartAt": "A", "States": {"A": {**state, "QueryLanguage": "JSONata"}}}
    assert "Arguments field is required" in next(unrecognised(own)).message


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
